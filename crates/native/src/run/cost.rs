//! What the engine of a run costs beside its tenants.

use std::path::PathBuf;

use super::Tenant;
use super::begin::Maker;
use crate::engine;
use crate::others::GroupTime;

impl Maker<'_> {
    /// The group in which the CPU time of the engine's own processes is counted, and that of tenants which are in it; none without an engine.
    pub(super) fn engine_group(&self) -> Option<PathBuf> {
        self.engine.as_ref()?;
        engine::counting_group(&*self.guard.cgroup)
    }

    /// What the engine's own processes hold now (bytes); none without an engine.
    pub(super) fn engine_bytes(&self) -> Option<u64> {
        self.engine.as_ref()?.held_bytes()
    }

    /// What the engine's own processes used between two readings of their group.
    pub(super) fn engine_time(
        &self,
        tenants: &[Tenant],
        (before, after): (Option<GroupTime>, Option<GroupTime>),
    ) -> Option<GroupTime> {
        let group = self.engine_group()?;
        let lives = tenants.iter().flat_map(|tenant| &tenant.lives);
        let inside =
            lives.filter(|life| life.accounts.cpu.as_ref().is_some_and(|path| path.starts_with(&group)));
        let tenants_ns = inside.map(|life| life.last.cpu_ns_since(&life.first)).sum();
        Some(after?.since(before?).without(tenants_ns))
    }
}
