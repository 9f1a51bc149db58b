//! What stands in the room of an engine: which groups it sees and sits in, and what of the machine's is hidden from it.

use std::path::{Path, PathBuf};

use catamaran_worker::room_plan::RoomPlan;
use catamaran_worker::script::Step;

use crate::cgroup::Cgroup;
use crate::guard::Guard;
use crate::platform::own_ids;
use crate::problem::Problem;
use crate::shown::Shown;

/// The group below the guard in which the engine's own processes are, where groups merely hold processes together.
const GROUP: &str = "engine";
/// The same on version 2, beside the guard. LXC makes its groups beside that of process 1 if that is called so, and below it
/// otherwise, where none can have limits (`prune_init_scope` in its `cgroups/cgroup_utils.c`).
const GROUP_V2: &str = "init.scope";
/// The hierarchies in which that is so for every engine: one that holds its processes together for whoever cleans up, and one
/// that counts what they cost.
const HOLDS: [&str; 2] = ["pids", "cpuacct"];
/// Where engines, monitors and runtimes keep state whatever they are told; `/dev/shm` holds podman's locks.
const PRIVATE: [&str; 7] = [
    "/run",
    "/dev/shm",
    "/var/lib/containers",
    "/var/lib/docker",
    "/var/lib/containerd",
    "/var/lib/cni",
    "/var/lib/lxc",
];

/// What has to be written to a group of cores of version 1 before anyone can enter it.
pub(super) const CORES: [&str; 2] = ["cpuset.cpus", "cpuset.mems"];

/// The group in which the engine's own processes are counted, and with them tenants that are in it.
pub(crate) fn counting_group(cgroup: &dyn Cgroup) -> Option<PathBuf> {
    match cgroup.around() {
        // LXC's monitors are in groups of their own in it.
        Some(around) => Some(around.to_owned()),
        None => cgroup.accounts(GROUP, true).cpu?.parent().map(Path::to_owned),
    }
}

/// The room of a run in `folder`. What is at work in there is where the runner is, outside of the guard, unless it `stays`; but for
/// hierarchies that bound nothing: whoever cleans up finds it by one, and its CPU time is counted in the other.
pub(super) fn furniture(cgroup: &dyn Cgroup, folder: &Path, shown: Shown, stays: bool) -> RoomPlan {
    let own = if cgroup.around().is_none() { GROUP } else { GROUP_V2 };
    let bounds_nothing = |name: &str| {
        shown.groups.iter().position(|(group, _)| group.components().any(|part| part.as_os_str() == name))
    };
    let [holder, counter] = HOLDS.map(bounds_nothing);
    let holders = [holder.or(Some(0)), counter];
    let settle = shown.groups.iter().enumerate().filter_map(|(number, (group, _))| {
        let inside = stays || holders.contains(&Some(number));
        if inside { Some(group.join(own)) } else { group.parent().map(Path::to_owned) }
    });
    let settle = settle.collect();
    let enter = shown.groups.iter().map(|(group, _)| group.clone()).collect();
    let hidden = PRIVATE.iter().map(PathBuf::from).chain(shown.hidden).collect();
    let folder = folder.to_owned();
    RoomPlan { folder, enter, settle, shown: shown.groups, hidden, ..RoomPlan::default() }
}

/// Those groups in which the engine's own processes are.
pub(super) fn own_groups(plan: &RoomPlan) -> impl Iterator<Item = &PathBuf> {
    plan.settle.iter().filter(|group| [GROUP, GROUP_V2].iter().any(|name| group.ends_with(name)))
}

/// Makes them.
pub(super) fn make_own_groups(guard: &mut Guard, plan: &RoomPlan) -> Result<(), Problem> {
    for own in own_groups(plan) {
        guard.demand(&[Step::Make(own.clone())], 0)?;
        let above = own.parent().unwrap_or(Path::new(""));
        for name in CORES.into_iter().filter(|_| own.ends_with(GROUP)) {
            if let Ok(value) = std::fs::read_to_string(above.join(name)) {
                guard.demand(&[Step::Write { value, file: own.join(name) }], 0)?;
            }
        }
    }
    Ok(())
}

/// Makes a room that of an ordinary user, with what podman wants to know where somebody else has made its user namespace
/// (`pkg/unshare` of containers/storage).
pub(super) fn give_to_user(plan: &mut RoomPlan) {
    let (user, group) = own_ids();
    plan.user = Some((user, group));
    plan.variables = vec![
        ("XDG_RUNTIME_DIR".to_owned(), plan.store().display().to_string()),
        ("_CONTAINERS_USERNS_CONFIGURED".to_owned(), "done".to_owned()),
        ("_CONTAINERS_ROOTLESS_UID".to_owned(), user.to_string()),
    ];
}

/// The group in which all processes of a room are.
pub(super) fn holding_group(plan: &RoomPlan) -> PathBuf {
    own_groups(plan).next().cloned().unwrap_or_default()
}
