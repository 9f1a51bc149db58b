//! Hearing of memory that ran out in a container's group.
//!
//! **Source.** Linux `Documentation/admin-guide/cgroup-v1/memory.rst`, section 10 "OOM Control": an eventfd is told; `cgroup-v2.rst`,
//! `memory.events`: whoever watches the file hears of its changes, and `oom_kill` counts.

use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, read};

use super::Manager;
use crate::Problem;

/// A watch on one group.
#[derive(Debug)]
pub(crate) struct Oom {
    /// Becomes readable when something has happened.
    told: OwnedFd,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// The file for which the eventfd was registered: it goes with the group, which is told, too.
    V1(PathBuf),
    /// The file with the count, and how far that was.
    V2(PathBuf, u64),
}

impl Manager {
    /// Watches the group that counts the container's memory; none where it has none.
    pub(crate) fn watch_oom(&self) -> Result<Option<Oom>, Problem> {
        let paths = self.paths();
        let watch = match (paths.get("memory"), paths.get("")) {
            (Some(group), _) => v1(group),
            (None, Some(group)) if group.join("memory.events").exists() => v2(group),
            _ => return Ok(None),
        };
        watch.map(Some).map_err(|error| Problem::system("watch the group for memory that runs out", error))
    }
}

fn v1(group: &Path) -> Result<Oom, Errno> {
    let path = group.join("memory.oom_control");
    let control = open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let told = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    let line = format!("{} {}", told.as_raw_fd(), control.as_raw_fd());
    std::fs::write(group.join("cgroup.event_control"), line)
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    Ok(Oom { told, way: Way::V1(path) })
}

fn v2(group: &Path) -> Result<Oom, Errno> {
    let path = group.join("memory.events");
    let told = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    inotify::add_watch(&told, &path, WatchFlags::MODIFY)?;
    let seen = kills(&path);
    Ok(Oom { told, way: Way::V2(path, seen) })
}

/// Processes that were killed for want of memory, in all of the group's life.
fn kills(file: &Path) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
    count.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

impl Oom {
    /// Whether memory ran out since the last look. Does not wait.
    pub(crate) fn happened(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let mut any = false;
        while read(&self.told, &mut buffer).is_ok_and(|length| length > 0) {
            any = true;
        }
        match &mut self.way {
            Way::V1(file) => any && file.exists(),
            Way::V2(file, seen) => {
                let now = kills(file);
                let more = now > *seen;
                *seen = now.max(*seen);
                more
            }
        }
    }
}

impl AsFd for Oom {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.told.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_grows_is_memory_that_ran_out() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("memory.events");
        let write = |kills: u32| {
            std::fs::write(
                &file,
                format!("low 0\nhigh 0\nmax 9\noom 3\noom_kill {kills}\noom_group_kill 0\n"),
            )
            .unwrap();
        };
        write(2);
        let mut oom = v2(folder.path()).unwrap();
        assert!(!oom.happened(), "what was before is none of ours");
        write(2);
        assert!(!oom.happened(), "the limit was met, nobody was killed");
        write(3);
        assert!(oom.happened() && !oom.happened());
        std::fs::remove_file(&file).unwrap();
        assert!(!oom.happened(), "the group is gone");
    }
}
