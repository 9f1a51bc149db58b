//! Control groups: who shares the CPU with whom, what bounds whom, and what was consumed. Version 1 and version 2 sit
//! behind one trait, which only *writes down* steps: the runner or a launcher carries them out, and `--dry-run` prints
//! the same ones.

pub(crate) mod charge;
mod delegate;
mod find;
mod memory;
mod none;
mod remove;
mod v1;
mod v2;

use std::path::{Path, PathBuf};

use catamaran_worker::script::Step;

use crate::disk::bounds::Bounds;

pub(crate) use delegate::{Base, once_left, signed};
pub(crate) use find::{ADVICE, Found, find, inherited_memory_limit};
pub(crate) use memory::MemoryLimits;
pub(crate) use none::NoGroups;
pub(crate) use remove::{remove, withdraw};
pub(crate) use v1::V1;
pub(crate) use v2::V2;

/// The machine that all tenants of a run are confined to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Confines {
    /// CPU numbers.
    pub(crate) cpus: Vec<u32>,
    /// Memory (bytes).
    pub(crate) memory_bytes: u64,
    /// Swap (bytes); `None` on a machine without any.
    pub(crate) swap_bytes: Option<u64>,
    /// What the disk may do for all tenants together, where the scenario says.
    pub(crate) disk: Option<Bounds>,
    /// What the guard weighs against whatever else is at work on the machine (1024 is the default).
    pub(crate) shares: u64,
}

/// Bounds of one tenant on a platform with limits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Limits {
    /// Weight as the scheduler counts it: 1024 is the default.
    pub(crate) shares: Option<u64>,
    /// Weight as cgroup v2 counts it (1–10000, 100 is the default).
    pub(crate) weight: Option<u64>,
    /// CPU time per period (µs).
    pub(crate) quota_us: Option<u64>,
    /// Enforcement period (µs).
    pub(crate) period_us: u64,
    /// Unused quota that may be saved up (µs).
    pub(crate) burst_us: u64,
    /// CPU numbers.
    pub(crate) cpus: Option<Vec<u32>>,
    /// Memory.
    pub(crate) memory: MemoryLimits,
    /// Processes and threads.
    pub(crate) pids: Option<u64>,
    /// Operations on the disk.
    pub(crate) io: Option<Bounds>,
    /// Weight of its operations, where the disk's scheduler weighs.
    pub(crate) io_weight: Option<u32>,
}

/// Controllers that a run needs beside `cpu` and `memory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Needs {
    /// The run has to be kept off some of the cores that it could use.
    pub(crate) cpuset: bool,
    /// A tenant may have only so many processes.
    pub(crate) pids: bool,
    /// Operations on the disk are bounded or weighed.
    pub(crate) io: bool,
    /// An engine of the run's own starts the tenants.
    pub(crate) engine: bool,
}

/// Groups of one tenant: how they are made and how its process comes to be in them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Groups {
    /// Makes them and sets limits.
    pub(crate) make: Vec<Step>,
    /// Moves the process (or, on shared CPU, its launcher) into them.
    pub(crate) enter: Vec<Step>,
    /// v2, own CPU group: the group to be born in; then nothing has to be moved.
    pub(crate) born_in: Option<PathBuf>,
}

impl Groups {
    /// Directories that `make` makes, outermost first.
    pub(crate) fn directories(&self) -> impl Iterator<Item = &Path> {
        self.make.iter().filter_map(|step| match step {
            Step::Make(path) => Some(path.as_path()),
            _ => None,
        })
    }
}

/// What a tenant's groups have counted so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Usage {
    /// CPU time (ns); `None` where this hierarchy cannot tell tenants apart.
    pub(crate) cpu_ns: Option<u64>,
    /// Time that the group's run queues were throttled (ns), summed over CPUs.
    pub(crate) throttled_ns: u64,
    /// Periods in which it was throttled.
    pub(crate) throttled_periods: u64,
    /// Memory charged (bytes); `None` without the controller.
    pub(crate) memory_bytes: Option<u64>,
}

/// Files of one tenant's groups.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Accounts {
    /// CPU time.
    pub(crate) cpu: Option<PathBuf>,
    /// Throttling; `None` where no limit can be set.
    pub(crate) throttling: Option<PathBuf>,
    /// Memory charged now.
    pub(crate) memory: Option<PathBuf>,
    /// Peak of memory charged.
    pub(crate) memory_peak: Option<PathBuf>,
    /// Kills for memory.
    pub(crate) oom: Option<PathBuf>,
    /// What lifts the CPU limit, so that a throttled process can be ended at once.
    pub(crate) unlimit: Vec<Step>,
}

/// One version of control groups, as this process may use it. Every path it answers lies below its own groups.
pub(crate) trait Cgroup: Send + Sync {
    /// 1 or 2; 0 where there are no groups to be used.
    fn version(&self) -> u8;
    /// The guard's group, where one tree has all controllers.
    fn group(&self) -> Option<&Path> {
        None
    }
    /// The group around the guard, where an engine of the run's own needs one that is the root of all control groups to it.
    fn around(&self) -> Option<&Path> {
        None
    }
    /// Steps that make the guard: groups for all tenants of a run, confined to a machine.
    fn guard(&self, confines: &Confines, shared_cpu: bool) -> Vec<Step>;
    /// Groups that only count: the tenant competes for CPU inside the guard's own group.
    fn counted(&self, tenant: &str) -> Groups;
    /// Groups of the tenant's own, with limits.
    fn limited(&self, tenant: &str, limits: &Limits) -> Groups;
    /// Steps that set the CPU quota and the bounds of memory that `limits` has anew, on groups that a tenant is in; `raises`
    /// says whether memory gets more than it had.
    fn set(&self, tenant: &str, limits: &Limits, raises: bool) -> Vec<Step>;
    /// Where a tenant's figures stand.
    fn accounts(&self, tenant: &str, own_cpu: bool) -> Accounts;
    /// Where the whole guard's memory peak stands.
    fn guard_memory_peak(&self) -> Option<PathBuf>;
    /// Reads figures of a file of [`Accounts::cpu`] and one of [`Accounts::throttling`].
    fn usage(&self, cpu: Option<&str>, throttling: Option<&str>) -> Usage;
    /// Kills for memory in a text of [`Accounts::oom`].
    fn oom_kills(&self, text: &str) -> Option<u64>;
}

/// The figure after `key ` in a flat-keyed file.
pub(crate) fn keyed(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

fn write(file: PathBuf, value: impl std::fmt::Display) -> Step {
    Step::Write { value: format!("{value}"), file }
}

#[cfg(test)]
mod tests {
    use super::keyed;

    #[test]
    fn figures_by_key() {
        let text = "nr_periods 12\nnr_throttled 3\nthrottled_usec 4500\n";
        assert_eq!(keyed(text, "nr_throttled"), Some(3));
        assert_eq!(keyed(text, "nr_throttle"), None, "a key is a whole word");
        assert_eq!(keyed(text, "nr_bursts"), None);
    }
}
