//! Processes by number and start time: the number alone may be another's by now.

use std::os::fd::{AsRawFd as _, OwnedFd};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::{Deserialize, Serialize};

use crate::Problem;

/// A process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    /// Its number.
    pub(crate) pid: i32,
    /// When it began, in ticks after boot (proc_pid_stat(5), field 22).
    pub(crate) started_ticks: u64,
}

impl Process {
    /// The process that has this number now.
    pub(crate) fn of(pid: i32) -> Result<Self, Problem> {
        let look =
            look(pid).ok_or_else(|| Problem::system(format!("look at process {pid}"), "it is gone"))?;
        Ok(Self { pid, started_ticks: look.started_ticks })
    }

    /// Whether it is there and has not ended: who waits to be reaped has ended.
    pub(crate) fn is_alive(self) -> bool {
        look(self.pid).is_some_and(|look| look.started_ticks == self.started_ticks && !look.ended)
    }

    /// A handle on it; `None` where it has ended.
    pub(crate) fn handle(self) -> Option<OwnedFd> {
        let handle = pidfd_open(Pid::from_raw(self.pid)?, PidfdFlags::empty()).ok()?;
        // Opened first, looked at then: what is looked at is what is held.
        self.is_alive().then_some(handle)
    }

    /// Sends a signal; whether it was there to take it.
    pub(crate) fn signal(self, signal: i32) -> Result<bool, Problem> {
        let Some(handle) = self.handle() else { return Ok(false) };
        match send(&handle, signal) {
            Ok(()) => Ok(true),
            Err(Errno::SRCH) => Ok(false),
            Err(error) => Err(Problem::system(format!("signal process {}", self.pid), error)),
        }
    }
}

/// pidfd_send_signal(2) with any signal: the library's has no real-time signals, by which systemd is stopped (SIGRTMIN+3).
#[allow(unsafe_code)]
fn send(handle: &OwnedFd, signal: i32) -> Result<(), Errno> {
    let none = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: takes a descriptor and numbers; without a siginfo the kernel makes one.
    let done = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, handle.as_raw_fd(), signal, none, 0) };
    if done == 0 {
        return Ok(());
    }
    Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO))
}

struct Look {
    started_ticks: u64,
    ended: bool,
}

fn look(pid: i32) -> Option<Look> {
    parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name may hold anything, also brackets; what follows does not.
fn parse(stat: &str) -> Option<Look> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut words = rest.split_whitespace();
    let ended = matches!(words.next()?, "Z" | "X" | "x");
    Some(Look { started_ticks: words.nth(18)?.parse().ok()?, ended })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_start() {
        let own = Process::of(std::process::id().cast_signed()).unwrap();
        assert!(own.is_alive());
        let another = Process { started_ticks: own.started_ticks + 1, ..own };
        assert!(!another.is_alive() && another.handle().is_none());
        assert!(!another.signal(9).unwrap());
        let stat = "7 (a) b) Z 1 7 7 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0";
        let look = parse(stat).unwrap();
        assert_eq!((look.started_ticks, look.ended), (4711, true));
        assert!(parse("").is_none());
    }
}
