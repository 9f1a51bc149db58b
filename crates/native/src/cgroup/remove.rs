//! Removing a group that we made, with whatever still runs in it.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// How long processes that were killed get to be gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// Kills what runs in the group and below and removes it; whether it was there. In a group of ours nobody else has any: those below
/// it are of a container engine, or of a runtime, that we have started.
///
/// # Errors
/// One sentence naming the group and what holds it.
pub(crate) fn remove(group: &Path) -> Result<bool, String> {
    // Where nothing can be removed, because all is read-only, the kernel says so of what is not there, too.
    if !group.exists() {
        return Ok(false);
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        match fs::remove_dir(group) {
            Ok(()) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) if Instant::now() >= deadline => {
                let held_by = members(group).iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
                return Err(format!(
                    "cannot remove the control group {}: {error} (processes in it: {held_by})",
                    group.display()
                ));
            }
            Err(_) => {
                kill_members(group);
                let below = fs::read_dir(group).into_iter().flatten().flatten().map(|entry| entry.path());
                for group in below.filter(|path| path.is_dir()) {
                    remove(&group)?;
                }
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// v2: has a group no longer hand down controllers that we had it hand down, unless another run came to need them;
/// whether it was done.
pub(crate) fn withdraw(group: &Path, controllers: &[String]) -> bool {
    let needed = fs::read_dir(group).is_ok_and(|entries| {
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names.into_iter().any(|name| name.starts_with("catamaran-") && !name.ends_with(".aside"))
    });
    let control = group.join("cgroup.subtree_control");
    !needed && control.exists() && fs::write(control, super::signed('-', controllers)).is_ok()
}

/// Lifts the group's limits, and those of the guard around it: a throttled process dies only when it may run again, and one
/// that wants memory where there is none first looks through every group below the bound for some.
fn lift_limits(group: &Path) {
    let ours = |parent: &&Path| {
        parent.file_name().is_some_and(|name| name.to_string_lossy().starts_with("catamaran-"))
    };
    let guard = group.parent().filter(ours);
    let limits = [
        ("cpu.max", "max"),
        ("cpu.cfs_quota_us", "-1"),
        ("memory.max", "max"),
        ("memory.limit_in_bytes", "-1"),
    ];
    for (file, unlimited) in limits {
        for path in [Some(group), guard].into_iter().flatten().map(|group| group.join(file)) {
            if path.exists() {
                let _ = fs::write(path, unlimited);
            }
        }
    }
}

fn members(group: &Path) -> Vec<u32> {
    let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// Kills the members one by one. A handle is taken first and the membership looked at again, so that a number that
/// passed to another process in between hits nobody.
fn kill_members(group: &Path) {
    lift_limits(group);
    for pid in members(group) {
        if pid == std::process::id() {
            // On v2 a run may have moved itself aside; it goes back where it came from.
            let _ = group.parent().map(|parent| fs::write(parent.join("cgroup.procs"), pid.to_string()));
            continue;
        }
        let Some(handle) =
            Pid::from_raw(pid as i32).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok())
        else {
            continue;
        };
        if members(group).contains(&pid) {
            let _ = pidfd_send_signal(&handle, Signal::KILL);
        }
    }
}
