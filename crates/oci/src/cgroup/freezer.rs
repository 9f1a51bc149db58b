//! Stopping all processes of a container and letting them go on.
//!
//! Version 1: `freezer.state`, written again and read until it is there (kernel, cgroup-v1/freezer-subsystem.rst: a group may
//! stay FREEZING for a while). Version 2: `cgroup.freeze`, done when `cgroup.events` says `frozen 1`, of which poll(2) tells.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::Timespec;
use rustix::io::Errno;

use super::folder::Folder;
use super::group::Group;
use super::hierarchy::Version;
use super::{Manager, pause};
use crate::Problem;

/// How long the kernel gets to freeze.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest time between two looks at a group of version 1.
const LOOK: Duration = Duration::from_millis(10);

impl Manager {
    /// Stops all processes of the container, and returns when they stand still.
    ///
    /// # Errors
    /// Without a freezer, or where processes do not come to a halt within 2 s: then they go on.
    pub fn freeze(&self) -> Result<(), Problem> {
        let (group, folder) = self.freezer("freeze")?;
        let frozen = match group.version {
            Version::V1 => freeze_v1(&folder),
            Version::V2 => freeze_v2(&folder),
        };
        frozen.map_err(|errno| {
            let _ = self.thaw();
            Problem::system(format!("freeze the control group {}", group.place().display()), errno)
        })
    }

    /// Lets all processes of the container go on.
    ///
    /// # Errors
    /// Without a freezer.
    pub fn thaw(&self) -> Result<(), Problem> {
        let (group, folder) = self.freezer("thaw")?;
        let thawed = match group.version {
            Version::V1 => folder.write("freezer.state", "THAWED"),
            Version::V2 => folder.write("cgroup.freeze", "0"),
        };
        thawed.map_err(|errno| {
            Problem::system(format!("thaw the control group {}", group.place().display()), errno)
        })
    }

    /// Whether the container is frozen, or about to be. One without a freezer never is.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.freezer("look at").is_ok_and(|(_, folder)| asked_to_freeze(&folder))
    }

    /// The group that freezes: of version 1 where that has the freezer.
    fn freezer(&self, what: &str) -> Result<(&Group, Folder), Problem> {
        let v1 = self.groups.iter().find(|group| group.controllers.iter().any(|name| name == "freezer"));
        let group = v1.or_else(|| self.groups.iter().find(|group| group.version == Version::V2));
        let Some(group) = group else {
            return Err(Problem::system(format!("{what} the container"), "it has no freezer control group"));
        };
        let folder = group.open().map_err(|errno| {
            Problem::system(format!("{what} the control group {}", group.place().display()), errno)
        })?;
        Ok((group, folder))
    }
}

/// Whether a group is frozen or freezing, in the words of either version. In version 1 also with one above it.
pub(super) fn asked_to_freeze(group: &Folder) -> bool {
    let v1 = group.read("freezer.state").is_ok_and(|state| state.trim() != "THAWED");
    v1 || group.read("cgroup.freeze").is_ok_and(|state| state.trim() == "1")
}

/// Whether whoever comes into a group stands still there, as it is to freeze or one above it has frozen.
pub(super) fn holds_still(group: &Folder) -> bool {
    let frozen = || group.read("cgroup.events").is_ok_and(|text| text.lines().any(|line| line == "frozen 1"));
    asked_to_freeze(group) || frozen()
}

fn freeze_v1(group: &Folder) -> Result<(), Errno> {
    let until = Instant::now() + PATIENCE;
    let mut wait = Duration::from_micros(50);
    loop {
        // Written again it takes in whoever was forked meanwhile.
        group.write("freezer.state", "FROZEN")?;
        if group.read("freezer.state")?.trim() == "FROZEN" {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(Errno::TIMEDOUT);
        }
        pause(wait);
        wait = (wait * 2).min(LOOK);
    }
}

fn freeze_v2(group: &Folder) -> Result<(), Errno> {
    group.write("cgroup.freeze", "1")?;
    let until = Instant::now() + PATIENCE;
    let events = group.watched("cgroup.events")?;
    loop {
        let mut text = [0; 256];
        let length = rustix::io::pread(&events, &mut text, 0)?;
        let text = String::from_utf8_lossy(text.get(..length).unwrap_or_default());
        if text.lines().any(|line| line == "frozen 1") {
            return Ok(());
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Errno::TIMEDOUT);
        }
        let left = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        match poll(&mut [PollFd::from_borrowed_fd(events.as_fd(), PollFlags::PRI)], Some(&left)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}
