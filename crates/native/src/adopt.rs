//! Whose child a tenant is that a runtime has started: ours, once everything of the runtime is gone.

use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{
    Pid, PidfdFlags, WaitId, WaitIdOptions, getpid, pidfd_open, set_child_subreaper, waitid,
};

/// One start at a time: what a runtime leaves is told from what another has left by its time.
static TURN: Mutex<()> = Mutex::new(());

/// How long what a runtime leaves behind may take to be gone.
const PATIENCE: Duration = Duration::from_secs(2);
/// Characters of a process's name that the kernel keeps (`TASK_COMM_LEN`, less the last zero).
const NAME_CHARS: usize = 15;

/// Keeps others of our threads from having children of a runtime's name.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As long as it lives, processes below us whose parents end become our own children (`PR_SET_CHILD_SUBREAPER`). No longer than
/// it takes: whoever else loses its parent below us would be ours as well, and nobody would wait for it.
#[derive(Debug)]
pub(crate) struct Adoption {
    _turn: MutexGuard<'static, ()>,
}

impl Adoption {
    pub(crate) fn begin() -> rustix::io::Result<Self> {
        let turn = turn();
        set_child_subreaper(Some(getpid()))?;
        Ok(Self { _turn: turn })
    }

    /// Comes back when `tenant` is our own child, and nothing is left of the runtime `name` that was: crun leaves a process which
    /// outlives it by a moment, youki one which it does not wait for, and any that fails may leave more. Whether the tenant is ours.
    pub(crate) fn complete(self, name: &str, tenant: Option<u32>) -> bool {
        let until = Instant::now() + PATIENCE;
        let own = std::process::id();
        let is_ours = || tenant.and_then(Process::read).is_some_and(|process| process.parent == own);
        while tenant.is_some() && !is_ours() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
        let name: String = name.chars().take(NAME_CHARS).collect();
        for child in Process::all().filter(|child| child.parent == own && child.name.starts_with(&name)) {
            if Some(child.number) != tenant {
                wait_for(child.number, until);
            }
        }
        is_ours()
    }
}

impl Drop for Adoption {
    fn drop(&mut self) {
        let _ = set_child_subreaper(None);
    }
}

/// Waits for a child at most until then.
fn wait_for(number: u32, until: Instant) {
    let Some(pid) = Pid::from_raw(number.cast_signed()) else { return };
    let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    let patience = rustix::time::Timespec::try_from(until.saturating_duration_since(Instant::now())).ok();
    let _ = poll(&mut [PollFd::new(&handle, PollFlags::IN)], patience.as_ref());
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    let _ = waitid(WaitId::PidFd(std::os::fd::AsFd::as_fd(&handle)), options);
}

/// A process as `/proc/PID/stat` has it (`proc_pid_stat(5)`): fields 1, 2 and 4.
struct Process {
    number: u32,
    name: String,
    parent: u32,
}

impl Process {
    fn read(number: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
        let (before, after) = stat.rsplit_once(") ")?;
        let (_, name) = before.split_once('(')?;
        Some(Self { number, name: name.to_owned(), parent: after.split(' ').nth(1)?.parse().ok()? })
    }

    fn all() -> impl Iterator<Item = Self> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries.filter_map(|entry| Self::read(entry.file_name().to_str()?.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_with_its_name_and_parent() {
        let own = Process::read(std::process::id()).expect("our own");
        let parent = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get().cast_unsigned());
        assert_eq!((Some(own.parent), own.number), (parent, std::process::id()));
        assert!(!own.name.is_empty() && Process::all().any(|process| process.number == own.number));
    }
}
