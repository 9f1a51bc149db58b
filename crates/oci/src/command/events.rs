//! `events`: what a container uses, and memory that ran out.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use serde_json::json;

use super::pause::{groups, in_status};
use crate::Problem;
use crate::cgroup::{Manager, Oom};
use crate::state::Status;

const THERE: [Status; 3] = [Status::Created, Status::Running, Status::Paused];

/// One event `stats`, as runc writes it.
///
/// # Errors
/// Where there is no such container, or its control groups can't be read.
pub fn statistics(root: &Path, id: &str) -> Result<String, Problem> {
    let (_folder, state) = in_status(root, id, &THERE)?;
    used(groups(&state)?, id)
}

fn used(groups: &Manager, id: &str) -> Result<String, Problem> {
    Ok(json!({ "type": "stats", "id": id, "data": groups.statistics()? }).to_string())
}

/// Tells what happens until the container has stopped: `stats` now and every `interval`, `oom` as memory runs out.
///
/// # Errors
/// Where there is no such container, or its control groups can't be read.
pub fn follow(root: &Path, id: &str, interval: Duration, tell: &mut dyn FnMut(&str)) -> Result<(), Problem> {
    let (folder, state) = in_status(root, id, &THERE)?;
    let groups = groups(&state)?;
    let mut oom = groups.watch_oom()?;
    // Other commands may act on it meanwhile.
    drop(folder);
    let Some(process) = state.process.and_then(|process| process.handle()) else { return Ok(()) };
    let out_of_memory = json!({ "type": "oom", "id": id }).to_string();
    let mut next = Instant::now();
    loop {
        if Instant::now() >= next {
            match used(groups, id) {
                Ok(line) => tell(&line),
                Err(problem) if !has_ended(&process) => return Err(problem),
                // With the container its groups go.
                Err(_) => {}
            }
            next += interval;
        }
        wait(&process, oom.as_ref(), next.saturating_duration_since(Instant::now()))?;
        // Asked first: what ended it may have been this.
        let ended = has_ended(&process);
        if oom.as_mut().is_some_and(Oom::happened) {
            tell(&out_of_memory);
        }
        if ended {
            return Ok(());
        }
    }
}

/// Until one of them has something to say, or for so long.
fn wait(process: &OwnedFd, oom: Option<&Oom>, longest: Duration) -> Result<(), Problem> {
    let mut all = vec![PollFd::new(process, PollFlags::IN)];
    all.extend(oom.map(|oom| PollFd::new(oom, PollFlags::IN)));
    let longest = Timespec {
        tv_sec: i64::try_from(longest.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: longest.subsec_nanos().into(),
    };
    match poll(&mut all, Some(&longest)) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(Problem::system("wait for events of the container", error)),
    }
}

fn has_ended(process: &OwnedFd) -> bool {
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&at_once)).is_ok_and(|count| count > 0)
}
