//! Ending a container's processes, and removing its groups.
//!
//! `cgroup.kill` (version 2, Linux 5.14) ends all at once. Elsewhere they are frozen first, so that nobody is forked while
//! the signals are sent, each through a pidfd whose process is looked up again: a number may pass to somebody else.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::Timespec;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::folder::Folder;
use super::group::Group;
use super::hierarchy::Version;
use super::{Manager, pause, processes};
use crate::Problem;

/// How long processes that end get to be gone.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest time between two looks.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
/// Rounds in which those are signalled that were forked meanwhile, where nothing can be frozen.
const ROUNDS: usize = 64;

impl Manager {
    /// Kills all processes of the container, and lifts their CPU quota. They may take a moment to be gone: [`Self::remove`] waits for that.
    ///
    /// # Errors
    /// Where the kernel does not let us look or signal.
    pub fn kill(&self) -> Result<(), Problem> {
        let v2 = self.groups.iter().filter(|group| group.version == Version::V2);
        for folder in v2.filter_map(|group| group.open().ok()) {
            // Older kernels have no such file.
            let _ = folder.write("cgroup.kill", "1");
        }
        // Whoever was moved out of one hierarchy's group may still be in another's.
        let killed = if self.processes()?.is_empty() { Ok(()) } else { self.signal(Signal::KILL) };
        self.lift_quota();
        killed
    }

    /// A throttled process dies only when it may run again: with a small quota many take longer than anybody waits.
    fn lift_quota(&self) {
        let v2 = || self.groups.iter().find(|group| group.version == Version::V2);
        let Some(folder) = self.v1("cpu").or_else(v2).and_then(|group| group.open().ok()) else { return };
        for (file, none) in [("cpu.cfs_quota_us", "-1"), ("cpu.max", "max")] {
            // The group may lack the controller, or have gone with its last process.
            let _ = folder.write(file, none);
        }
    }

    /// Sends a signal to all processes of the container.
    ///
    /// # Errors
    /// Where the kernel does not let us look or signal.
    pub fn signal(&self, signal: Signal) -> Result<(), Problem> {
        let was_frozen = self.is_frozen();
        let frozen = was_frozen || self.freeze().is_ok();
        let sent = self.signal_each(signal, if frozen { 1 } else { ROUNDS });
        // A killed process of version 1 dies when it may run again.
        if frozen && (!was_frozen || signal == Signal::KILL) {
            self.thaw()?;
        }
        sent
    }

    fn signal_each(&self, signal: Signal, rounds: usize) -> Result<(), Problem> {
        let mut signalled = Vec::new();
        for _ in 0..rounds {
            let mut new = self.processes()?;
            new.retain(|pid| !signalled.contains(pid) && *pid != std::process::id());
            if new.is_empty() {
                break;
            }
            let held: Vec<(u32, OwnedFd)> =
                new.iter().filter_map(|pid| Some((*pid, handle(*pid)?))).collect();
            let still = self.processes()?;
            for (pid, process) in held.into_iter().filter(|(pid, _)| still.binary_search(pid).is_ok()) {
                match pidfd_send_signal(&process, signal) {
                    Ok(()) | Err(Errno::SRCH) => {}
                    Err(errno) => return Err(Problem::system(format!("signal process {pid}"), errno)),
                }
            }
            signalled.extend(new);
        }
        Ok(())
    }

    /// Removes the groups that were made for the container, with groups that it made itself. Processes that are about to end
    /// get 2 s to be gone.
    ///
    /// # Errors
    /// Where a group still has processes or groups: it names them. The other groups are removed all the same.
    pub fn remove(&self) -> Result<(), Problem> {
        let until = Instant::now() + PATIENCE;
        let made = self.groups.iter().filter(|group| group.made);
        made.map(|group| remove(group, until)).fold(Ok(()), Result::and)
    }
}

fn handle(pid: u32) -> Option<OwnedFd> {
    pidfd_open(Pid::from_raw(i32::try_from(pid).ok()?)?, PidfdFlags::empty()).ok()
}

fn remove(group: &Group, until: Instant) -> Result<(), Problem> {
    let what = || format!("remove the control group {}", group.place().display());
    let held = |folder: &Folder| {
        let processes = processes::within(folder).unwrap_or_default();
        let processes: Vec<String> = processes.iter().map(u32::to_string).collect();
        format!(
            "processes in it: {}",
            if processes.is_empty() { "none".into() } else { processes.join(", ") }
        )
    };
    loop {
        let folder = match group.open() {
            Ok(folder) => folder,
            Err(Errno::NOENT | Errno::NODEV) => return Ok(()),
            Err(errno) => return Err(Problem::system(what(), errno)),
        };
        // Most have nothing below them.
        let removed = match remove_itself(group) {
            Err(Errno::BUSY | Errno::NOTEMPTY) => {
                remove_below(&folder, until).and_then(|()| remove_itself(group))
            }
            other => other,
        };
        match removed {
            Ok(()) | Err(Errno::NOENT | Errno::NODEV) => return Ok(()),
            Err(Errno::BUSY | Errno::NOTEMPTY) if Instant::now() < until => wait_for_ends(&folder),
            Err(errno) => {
                return Err(Problem::system(what(), format!("{errno} ({})", held(&folder))));
            }
        }
    }
}

fn remove_itself(group: &Group) -> Result<(), Errno> {
    let (above, name) = (group.path.parent().unwrap_or(Path::new("")), group.path.file_name());
    let above = Folder::mount(&group.mount)?.inside(above)?;
    above.remove(name.unwrap_or(OsStr::new("")))
}

/// Removes all groups below one, the innermost first, however deep they lie.
fn remove_below(folder: &Folder, until: Instant) -> Result<(), Errno> {
    let mut here = folder.inside(Path::new(""))?;
    let mut way = PathBuf::new();
    loop {
        if let Some(name) = here.children()?.pop() {
            match here.inside(Path::new(&name)) {
                Ok(child) => (here, way) = (child, way.join(name)),
                // Somebody else has removed it meanwhile.
                Err(Errno::NOENT | Errno::NODEV) => {}
                Err(errno) => return Err(errno),
            }
        } else {
            let Some(name) = way.file_name().map(OsStr::to_owned) else { return Ok(()) };
            way.pop();
            here = here.above()?;
            match here.remove(&name) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno),
            }
        }
        // A container that makes groups as fast as they are removed is not waited for.
        if Instant::now() >= until {
            return Err(Errno::BUSY);
        }
    }
}

/// Waits a moment for one of a group's processes to end.
fn wait_for_ends(folder: &Folder) {
    let processes = processes::within(folder).unwrap_or_default();
    let handles: Vec<OwnedFd> = processes.into_iter().filter_map(handle).take(64).collect();
    if handles.is_empty() {
        // The last one has just gone, or none of them has a number here.
        return pause(Duration::from_millis(1));
    }
    let mut waiting: Vec<PollFd> =
        handles.iter().map(|handle| PollFd::from_borrowed_fd(handle.as_fd(), PollFlags::IN)).collect();
    // Interrupted or not: the caller looks again.
    let _ = poll(&mut waiting, Some(&LOOK));
}
