//! An engine as it is installed, and how one is brought up for a run alone.

use catamaran_scenario::plan::PlatformSettings;
use catamaran_scenario::{Plan, Platform};
use catamaran_worker::room_plan::RoomPlan;
use catamaran_worker::stop::stop_at;

use super::calls::{Calls, Place};
use super::furniture::{furniture, give_to_user, holding_group, make_own_groups};
use super::pull::Pulls;
use super::room::Room;
use super::{Engine, calls};
use crate::guard::Guard;
use crate::image::Images;
use crate::installed::Installed;
use crate::interrupt::Interrupt;
use crate::launcher::WorkerFile;
use crate::machine::Hierarchies;
use crate::problem::Problem;
use crate::runtime;
use crate::shown::Shown;

/// An engine as it is installed.
pub(crate) struct Found {
    pub(super) calls: &'static dyn Calls,
    programs: Vec<Installed>,
    runtime: Option<Installed>,
    /// Whether it is an ordinary user's.
    rootless: bool,
}

impl Found {
    /// The engine of a platform; none where tenants are started otherwise.
    ///
    /// # Errors
    /// [`Problem::Unavailable`] where a program is not installed.
    pub(crate) fn find(platform: Platform, settings: &PlatformSettings) -> Result<Option<Self>, Problem> {
        let Some(calls) = calls(platform) else { return Ok(None) };
        let rootless = settings.rootless == Some(true);
        if rootless && Hierarchies::find().v1.contains_key("cpu") {
            return Err(Problem::unavailable(
                "podman ignores the limits of an ordinary user's containers on version 1 of the control groups",
                "boot with version 2 (systemd.unified_cgroup_hierarchy=1), or take the platform container, rootless",
            ));
        }
        let find = |name: &&str| Installed::find(name, calls.remedy());
        let programs = calls.programs().iter().map(find).collect::<Result<_, _>>()?;
        let runtime = super::runtime(platform, settings);
        let find = |platform: Platform| {
            Installed::find(platform.name(), runtime::remedy(platform).unwrap_or_default())
        };
        Ok(Some(Self { calls, programs, runtime: runtime.map(find).transpose()?, rootless }))
    }

    /// Starts it for a run alone.
    ///
    /// # Errors
    /// Where it can't be started, or not with what this machine has.
    pub(crate) fn open(
        self,
        (plan, images): (&Plan, &Images),
        guard: &mut Guard,
        worker: &WorkerFile,
        interrupt: &Interrupt,
    ) -> Result<Engine, Problem> {
        let shown = Shown::of(&*guard.cgroup, &guard.group_name());
        shown.make(guard)?;
        let mut furniture = furniture(&*guard.cgroup, guard.path(), shown, self.calls.stays());
        make_own_groups(guard, &furniture)?;
        if self.rootless {
            give_to_user(&mut furniture);
        }
        let room = Room::open(worker, guard.id(), &furniture, interrupt)?;
        guard.finish()?;
        stop_at("room");
        let parent = guard.inner_name().strip_prefix(&guard.group_name()).unwrap_or_default().to_owned();
        let place = self.place(&furniture, guard.cgroup.version(), parent);
        let (calls, version, group) = (self.calls, self.version(), holding_group(&furniture));
        let pulls = Pulls::default();
        let mut engine = Engine { calls, version, place, room, group, started: 0, pulls };
        engine.begin(interrupt)?;
        engine.load((plan, images), guard, interrupt)?;
        Ok(engine)
    }

    /// Where it is at home in a room.
    pub(super) fn place(&self, room: &RoomPlan, version: u8, parent: String) -> Place {
        Place {
            folder: room.folder.clone(),
            store: room.store(),
            version,
            rootless: self.rootless,
            parent,
            programs: self.programs.iter().map(|installed| installed.program.clone()).collect(),
            runtime: self.runtime.as_ref().map(|runtime| runtime.program.clone()).unwrap_or_default(),
        }
    }

    /// What the engine and its runtime say of themselves.
    pub(crate) fn version(&self) -> String {
        let told = self.programs.first().map_or("", |installed| &installed.version);
        match &self.runtime {
            Some(runtime) => format!("{told} with {}", runtime.version),
            // LXC's tools tell a number alone.
            None => format!("lxc {told}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_limits_there_is_no_rootless_podman() {
        let mut settings = PlatformSettings::default();
        settings.rootless = Some(true);
        let v1 = Hierarchies::find().v1.contains_key("cpu");
        let refused = match Found::find(Platform::Podman, &settings) {
            Err(Problem::Unavailable(why, _)) => why.contains("version 1"),
            _ => false,
        };
        assert_eq!(refused, v1);
    }
}
