//! What the engine of a run costs beside its tenants.

use std::path::{Path, PathBuf};

use super::{Run, Tenant};
use crate::engine;
use crate::others::GroupTime;

impl Run<'_> {
    /// CPU time of the engine's own processes until now, and of tenants that are in its group.
    pub(super) fn engine_time(&self) -> Option<GroupTime> {
        self.engine.as_ref()?;
        GroupTime::read(&self.engine_group()?, &self.guard.confines.cpus)
    }

    /// The group in which the engine's CPU time is counted.
    fn engine_group(&self) -> Option<PathBuf> {
        self.guard.cgroup.accounts(engine::GROUP, true).cpu?.parent().map(Path::to_owned)
    }

    /// What the engine's own processes used since `before`.
    pub(super) fn engine_time_since(
        &self,
        before: Option<GroupTime>,
        after: Option<GroupTime>,
    ) -> Option<GroupTime> {
        let group = self.engine_group()?;
        let is_inside =
            |tenant: &&Tenant| tenant.accounts.cpu.as_ref().is_some_and(|path| path.starts_with(&group));
        let inside = self.tenants.iter().filter(is_inside);
        let tenants_ns = inside.map(|tenant| tenant.last.cpu_ns_since(&tenant.first)).sum();
        Some(after?.since(before?).without(tenants_ns))
    }
}
