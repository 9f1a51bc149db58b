//! What a tenant's tape tells of its forks, and how many children a machine is asked to bear.
//!
//! **Law.** A run may have as many processes as half of what the machine has room for now (`kernel.pid_max`, `kernel.threads-max`,
//! the `pids.max` and the RLIMIT_NPROC that hold for the runner); a guest, half of what its kernel has room for. A scenario that comes to more by Little's law is refused before
//! anything is begun. Where it comes to more because the machine is too slow for it, the tenant gives up, and says so.

use std::fs;
use std::path::Path;

use catamaran_report::RunError;
use catamaran_report::report::TenantReport;
use catamaran_scenario::fork_work::ForkWork;
use catamaran_scenario::plan::{Plan, Tenant};
use catamaran_scenario::{Nanos, Platform};
use catamaran_worker::tape::{Tape, phase};

use crate::accept::refuse;
use crate::happened::Log;
use crate::{platform, vm};

/// What became of the forks of one phase that were due before `end_ns` (from the origin).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Forked {
    pub(crate) sent: u64,
    pub(crate) failed: u64,
    /// When the first of those was refused (ns from the origin).
    pub(crate) first_refused_ns: Option<u64>,
}

/// When fork `number` of the phase at word `at` is due (ns from the phase's beginning).
fn due_ns(tape: &Tape, at: usize, number: usize) -> u64 {
    (number as f64 * 1e9 / f64::from_bits(tape.get(at + phase::FORK_RATE))) as u64
}

/// Word `number` of an array of a fork phase, as an instant (ns from the origin).
fn instant(tape: &Tape, at: usize, array: usize, number: usize) -> Option<u64> {
    let count = tape.get(at + phase::REQUESTS) as usize;
    let word = tape.get(at + phase::ARRAYS) as usize + array * count + number;
    tape.get(word).checked_sub(1)
}

/// What became of the forks of the phase at word `at`; adds the latencies (ns) of those whose child was reaped before `end_ns`.
pub(crate) fn forked(tape: &Tape, at: usize, end_ns: u64, latencies_ns: &mut Vec<u64>) -> Forked {
    let mut forked = Forked::default();
    let Some(began_ns) = tape.get(at + phase::BEGAN).checked_sub(1) else { return forked };
    for number in 0..tape.get(at + phase::REQUESTS) as usize {
        let due_ns = began_ns + due_ns(tape, at, number);
        if due_ns >= end_ns {
            break;
        }
        forked.sent += 1;
        let [began, reaped] = [0, 3].map(|array| instant(tape, at, array, number));
        match reaped {
            // An instant is a word less one.
            Some(word) if word == phase::FAILED_REFUSED - 1 => {
                if let Some(began_ns) = began.filter(|began_ns| *began_ns < end_ns) {
                    forked.failed += 1;
                    forked.first_refused_ns.get_or_insert(began_ns);
                }
            }
            Some(reaped_ns) if reaped_ns < end_ns => latencies_ns.push(reaped_ns.saturating_sub(due_ns)),
            _ => {}
        }
    }
    forked
}

/// The fork phases of a tape.
fn phases(tape: &Tape) -> impl Iterator<Item = usize> + '_ {
    let layout = tape.layout();
    let phases = (0..layout.phases).map(move |number| layout.phase(number));
    phases.filter(|at| tape.get(at + phase::KIND) == phase::FORK)
}

/// Notes the first refused fork of a tenant of that label; `lives` are its tapes, each with its end (ns from the origin). The kernel
/// does not say which bound it was: a tenant's own, where it has one.
pub(crate) fn note_refusal<'a>(
    log: &mut Log,
    label: &str,
    plan: &Tenant,
    lives: impl Iterator<Item = (&'a Tape, u64)>,
    platform: Platform,
) {
    let first_of = |(tape, end_ns): (&Tape, u64)| {
        phases(tape).filter_map(|at| forked(tape, at, end_ns, &mut Vec::new()).first_refused_ns).min()
    };
    let Some(first_ns) = lives.filter_map(first_of).min() else { return };
    // A guest has room of its own.
    let has_own = platform == Platform::Vm || plan.pids_limit.is_some() && platform::has_limits(platform);
    let bound = if has_own { label } else { "host" };
    log.note(first_ns, (label, "pids-max", bound), None);
}

/// Says what is not known of a tenant that forks; `counted` where a group counts CPU time.
pub(crate) fn explain(row: &mut TenantReport, counted: bool) {
    row.waited_s = None;
    row.explain_absence("waited_s", "its children's run-queue waits vanish with them");
    if !counted {
        row.cpu_s = None;
        row.explain_absence("cpu_s", "its children's CPU time vanishes with them, and no group counts it");
    }
}

/// Refuses what may come to more processes than this machine can safely bear.
pub(crate) fn check(plan: &Plan, platform: Platform) -> Result<(), RunError> {
    let each = instances(plan).map(|tenant| children(plan, tenant, platform));
    let (most, safe, whose) = match platform {
        Platform::Vm => {
            let safe = room_in_guest(vm::memory_bytes(&plan.settings(platform))) / 2;
            (each.max().unwrap_or(0), safe, "its guest, of platform.vm.memory,")
        }
        _ => (each.fold(0, u64::saturating_add), safe(), "this machine"),
    };
    let Some(tenant) = plan.tenants().iter().find(|tenant| ForkWork::all(&tenant.workload).next().is_some())
    else {
        return Ok(());
    };
    refuse(
        most > safe,
        &format!("tenant.{}.workload.max", tenant.name),
        &format!(
            "up to {most} processes at once, more than half of those that {whose} has room for ({safe})"
        ),
        "set or lower max, lower rate, or shorten the duration",
    )
}

/// The tenant of each replica, those included that an event brings.
fn instances(plan: &Plan) -> impl Iterator<Item = &Tenant> {
    plan.instances().filter_map(|(index, _)| plan.tenants().get(index))
}

/// Most children of a replica of a tenant at once.
fn children(plan: &Plan, tenant: &Tenant, platform: Platform) -> u64 {
    let left = plan.duration().0.saturating_sub(tenant.start_at.0);
    let limit = tenant.pids_limit.filter(|_| platform::has_limits(platform));
    let most = ForkWork::all(&tenant.workload).map(|work| work.at_once(Nanos(left), limit)).max();
    most.unwrap_or(0)
}

/// Processes that a run may have.
fn safe() -> u64 {
    room() / 2
}

/// Most children of one replica, by its part of those that a run may have.
pub(crate) fn part(plan: &Plan) -> u64 {
    let forking = instances(plan).filter(|tenant| ForkWork::all(&tenant.workload).next().is_some());
    safe() / (forking.count() as u64).max(1)
}

/// Processes that the kernel of a guest with so much memory (bytes) lets there be: their stacks, of 16 KiB each on x86-64, may take an
/// eighth of it (Linux `kernel/fork.c`, `set_max_threads`).
fn room_in_guest(memory_bytes: u64) -> u64 {
    memory_bytes / (8 * (16 << 10))
}

/// Processes that there is room for beside those that are there.
fn room() -> u64 {
    let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let bounds = ["/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max"];
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nproc).current;
    let own = own_pids_max().into_iter().chain(limit);
    let least = bounds.into_iter().filter_map(number).chain(own).min().unwrap_or(0);
    // The fourth figure is "runnable/all".
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let there =
        load.split_ascii_whitespace().nth(3).and_then(|pair| pair.split_once('/')?.1.parse::<u64>().ok());
    least.saturating_sub(there.unwrap_or(0))
}

/// Least `pids.max` of the group that this process is in and of those above it, which hold for it too; none where none has a
/// bound.
fn own_pids_max() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let of = |line: &str| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let root = match controllers {
            "" => "/sys/fs/cgroup",
            "pids" => "/sys/fs/cgroup/pids",
            _ => return None,
        };
        least_pids_max(Path::new(root), path)
    };
    groups.lines().filter_map(of).min()
}

/// The least bound from the group at `path` up to the root of a tree.
fn least_pids_max(root: &Path, path: &str) -> Option<u64> {
    let own = root.join(path.trim_start_matches('/'));
    let above = own.ancestors().take_while(|group| group.starts_with(root));
    let bounds = above.filter_map(|group| fs::read_to_string(group.join("pids.max")).ok());
    bounds.filter_map(|text| text.trim().parse().ok()).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_has_room_by_its_memory() {
        let refused = |lifetime: &str, memory: &str| {
            let text = format!(
                "schema = \"catamaran/scenario/v1\"\nname = \"x\"\nseed = 1\nduration = \"60s\"\nplatforms = [\"vm\"]\n\
                 [host]\ncores = 1\nmemory = \"4GiB\"\n[platform.vm]\nmemory = \"{memory}\"\n[[tenant]]\nname = \"x\"\n\
                 workload = {{ kind = \"fork\", rate = \"100/s\", lifetime = \"{lifetime}\" }}\n"
            );
            let plan = Plan::from_toml(&text, "x.toml").unwrap();
            check(&plan, Platform::Vm).err().map(|error| error.to_string())
        };
        assert_eq!(refused("5s", "256MiB"), None, "about 500 of 1024");
        let told = refused("20s", "256MiB").expect("about 2000 of 1024");
        assert!(told.contains("platform.vm.memory") && told.contains("1024"), "{told}");
        assert_eq!(refused("20s", "1GiB"), None);
    }

    #[test]
    fn the_least_bound_of_all_groups_above_holds() {
        let root = tempfile::tempdir().unwrap();
        let own = root.path().join("user.slice/session.scope");
        fs::create_dir_all(&own).unwrap();
        fs::write(own.join("pids.max"), "max\n").unwrap();
        assert_eq!(least_pids_max(root.path(), "/user.slice/session.scope"), None);
        fs::write(root.path().join("user.slice/pids.max"), "300\n").unwrap();
        assert_eq!(least_pids_max(root.path(), "/user.slice/session.scope"), Some(300));
        fs::write(own.join("pids.max"), "200\n").unwrap();
        assert_eq!(least_pids_max(root.path(), "/user.slice/session.scope"), Some(200));
        assert_eq!(least_pids_max(root.path(), "/"), None);
    }
}
