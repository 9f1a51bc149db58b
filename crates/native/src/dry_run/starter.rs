//! Who starts the tenants, where others do that: a runtime or an engine of the machine's.

use std::path::Path;

use catamaran_scenario::Platform;
use catamaran_scenario::plan::{PlatformSettings, Tenant};

use super::{BY_HAND, NAME};
use crate::cgroup::Cgroup;
use crate::problem::Problem;
use crate::runtime::{Runtime, on_container};
use crate::{engine, platform};

/// A program of the machine's that starts containers.
pub(super) enum Starter {
    Runtime(Runtime),
    Engine(Box<engine::ByHand>),
}

impl Starter {
    /// That of a platform; none where tenants are started otherwise.
    pub(super) fn find(
        platform: Platform,
        settings: &PlatformSettings,
        cgroup: &dyn Cgroup,
    ) -> Result<Option<Self>, Problem> {
        if let Some(found) = engine::Found::find(platform, settings)? {
            let engine = found.by_hand(cgroup, NAME, Path::new(BY_HAND));
            return Ok(Some(Self::Engine(Box::new(engine))));
        }
        Ok(Runtime::find(platform)?.map(Self::Runtime))
    }

    /// What is done before the first tenant is there; groups are added to `made`.
    pub(super) fn open(&mut self, cgroup: &dyn Cgroup, made: &mut Vec<String>) -> Vec<String> {
        match self {
            Self::Engine(engine) => engine.open(made),
            Self::Runtime(runtime) => {
                let mut lines =
                    vec!["# The runtime is shown the guard in the place of all control groups.".to_owned()];
                lines.extend(runtime.typed_guard(cgroup, NAME, made));
                lines
            }
        }
    }

    /// The start of the tenant with that number; what is then done to the process in `$!` is done to the container's.
    pub(super) fn start(
        &self,
        how: &platform::Plan,
        (tenant, label, instance): (&Tenant, &str, usize),
        attach: Vec<String>,
    ) -> Result<Vec<String>, Problem> {
        let folder = Path::new(BY_HAND);
        let mut lines;
        match self {
            Self::Engine(engine) => {
                lines = engine.start(how, (tenant, label, instance))?;
                lines.extend(attach.iter().map(|line| line.replace("$!", engine::ByHand::PROCESS)));
            }
            Self::Runtime(runtime) => {
                lines = runtime.typed(folder, how, tenant, label)?;
                lines.extend(on_container(folder, label, attach));
            }
        }
        Ok(lines)
    }

    /// What the group of a tenant is called, from the guard's on; variables stand in it by [`engine::ByHand::GROUP`].
    pub(super) fn group(&self, label: &str, instance: usize) -> String {
        match self {
            Self::Engine(_) => format!("{}{instance}", engine::ByHand::GROUP),
            Self::Runtime(_) => label.to_owned(),
        }
    }

    /// Waits for the end of all, no longer than so many seconds.
    pub(super) fn end(&self, seconds: f64) -> Vec<String> {
        match self {
            Self::Engine(engine) => engine.end(seconds),
            Self::Runtime(_) => vec!["wait".to_owned()],
        }
    }

    /// What lies in the guard, before the guard itself is removed.
    pub(super) fn remove(&self) -> Option<String> {
        match self {
            Self::Engine(engine) => Some(engine.remove()),
            Self::Runtime(_) => None,
        }
    }
}
