//! No control groups at all: a rootless container of a user who was given none. Nothing is limited, and what would have
//! been is reported as not applied.

use catamaran_worker::script::Step;

use super::{Accounts, Cgroup, Confines, Groups, Limits, Usage};

/// In the place of control groups.
pub(crate) struct NoGroups;

impl Cgroup for NoGroups {
    fn version(&self) -> u8 {
        0
    }
    fn guard(&self, _: &Confines, _: bool) -> Vec<Step> {
        Vec::new()
    }
    fn counted(&self, _: &str) -> Groups {
        Groups::default()
    }
    fn limited(&self, _: &str, _: &Limits) -> Groups {
        Groups::default()
    }
    fn set(&self, _: &str, _: &Limits, _: bool) -> Vec<Step> {
        Vec::new()
    }
    fn accounts(&self, _: &str, _: bool) -> Accounts {
        Accounts::default()
    }
    fn guard_memory_peak(&self) -> Option<std::path::PathBuf> {
        None
    }
    fn usage(&self, _: Option<&str>, _: Option<&str>) -> Usage {
        Usage::default()
    }
    fn oom_kills(&self, _: &str) -> Option<u64> {
        None
    }
}
