//! How the runner and the worker in an engine's container find each other.

use std::fs;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use catamaran_worker::script::Script;
use rustix::event::{PollFd, PollFlags};
use rustix::net::sockopt::socket_peercred;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags,
    SocketType, accept_with, bind, listen, sendmsg, socket_with,
};
use rustix::process::{Pid, setpriority_process};

use crate::interrupt::Interrupt;
use crate::launcher::{LOOK_EVERY, Launcher, is_ready};
use crate::problem::Problem;

/// How long a container may take from the engine's word that it runs to its worker's first one.
const PATIENCE: Duration = Duration::from_secs(10);

/// The socket to which one tenant's worker connects.
pub(super) struct Listener(OwnedFd);

impl Listener {
    pub(super) fn bind(path: &Path) -> Result<Self, Problem> {
        let make = || -> std::io::Result<OwnedFd> {
            let kind = SocketFlags::CLOEXEC;
            let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, kind, None)?;
            bind(&socket, &SocketAddrUnix::new(path)?)?;
            // A container's root may be another user of the machine's; the run's folder is closed to others.
            fs::set_permissions(path, fs::Permissions::from_mode(0o666))?;
            listen(&socket, 1)?;
            Ok(socket)
        };
        make().map(Self).map_err(|error| {
            let what = format!("cannot listen at {}: {error}", path.display());
            Problem::by_errno(what, "make room on the file system of /run")
        })
    }

    /// Waits for the worker.
    pub(super) fn accept(&self, interrupt: &Interrupt) -> Result<Connected, Problem> {
        let deadline = Instant::now() + PATIENCE;
        while !is_ready(&mut [PollFd::new(&self.0, PollFlags::IN)], LOOK_EVERY) {
            interrupt.check()?;
            if Instant::now() > deadline {
                let seconds = PATIENCE.as_secs();
                return Err(Problem::new(
                    format!(
                        "the engine says that a container runs, but its worker did not say a word within {seconds} s"
                    ),
                    "see `dmesg` for what the kernel did to it",
                ));
            }
        }
        let taken = accept_with(&self.0, SocketFlags::CLOEXEC)
            .and_then(|control| Ok((socket_peercred(&control)?.pid, control)));
        let (pid, control) = taken.map_err(|error| gone(&error))?;
        Ok(Connected { control, pid })
    }
}

fn gone(error: &dyn std::fmt::Display) -> Problem {
    Problem::by_errno(
        format!("the worker in a container is gone before it began: {error}"),
        "see `dmesg` for what the kernel did to it",
    )
}

/// A worker that waits for its tape.
pub(super) struct Connected {
    control: OwnedFd,
    /// By the kernel's word, in our own numbers.
    pid: Pid,
}

impl Connected {
    /// Its group below the guard of that name: engines name groups as they like.
    pub(super) fn group_below(&self, guard: &str) -> Result<String, Problem> {
        let path = format!("/proc/{}/cgroup", self.pid.as_raw_nonzero());
        let text = fs::read_to_string(&path).map_err(|error| gone(&error))?;
        group_in(&text, guard).ok_or_else(|| {
            let what = format!("the engine has put a container outside of the run's groups: {text}");
            Problem::new(what, "this is a defect of catamaran, or of the engine")
        })
    }

    /// What is no matter of groups, and what not every engine has an option for. Its threads inherit it.
    pub(super) fn adjust(&self, script: &Script) -> Result<(), Problem> {
        let number = self.pid.as_raw_nonzero();
        let advice = "leave the tenant's `cpu.nice` and `memory.oom_score_adj` out";
        if let Some(nice) = script.nice {
            setpriority_process(Some(self.pid), nice).map_err(|error| {
                Problem::by_errno(
                    format!("cannot give process {number} the nice value {nice}: {error}"),
                    advice,
                )
            })?;
        }
        if let Some(adjustment) = script.oom_score_adj {
            fs::write(format!("/proc/{number}/oom_score_adj"), adjustment.to_string()).map_err(|error| {
                let what = format!("cannot set oom_score_adj of process {number} to {adjustment}: {error}");
                Problem::by_errno(what, advice)
            })?;
        }
        Ok(())
    }

    /// Gives it the tape.
    pub(super) fn hand_over(&self, tape: &fs::File) -> Result<(), Problem> {
        let descriptors = [tape.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
        sendmsg(&self.control, &[IoSlice::new(b".")], &mut ancillary, SendFlags::NOSIGNAL)
            .map(drop)
            .map_err(|error| gone(&error))
    }

    /// As a tenant that works; comes back when all its threads wait for the common start.
    pub(super) fn at_work(
        self,
        tape: &fs::File,
        requested_ns: u64,
        interrupt: &Interrupt,
    ) -> Result<Launcher, Problem> {
        Launcher::of_contained(self.control, tape, self.pid, requested_ns, interrupt)
    }

    /// As one that probes.
    pub(super) fn probing(self, tape: &fs::File, requested_ns: u64) -> Result<Launcher, Problem> {
        Launcher::of_prober(self.control, tape, self.pid, requested_ns)
    }
}

/// The group below the guard in a `/proc/PID/cgroup`, which has to be the same in every hierarchy of version 1. Version 2 counts
/// where there is no other.
fn group_in(text: &str, guard: &str) -> Option<String> {
    let below = |line: &str| {
        let (_, rest) = line.splitn(3, ':').nth(2)?.split_once(&format!("/{guard}/"))?;
        Some(rest.to_owned())
    };
    // The line that names no controllers.
    let is_v2 = |line: &&str| line.starts_with("0::");
    let alone = text.lines().all(|line| is_v2(&line));
    let mut groups = text.lines().filter(|line| alone || !is_v2(line)).map(below);
    let first = groups.next()??;
    groups.all(|group| group.as_ref() == Some(&first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_below_the_guard_in_every_hierarchy() {
        let table = [
            ("2:cpu:/catamaran-1-2/libpod-x\n1:memory:/own/catamaran-1-2/libpod-x\n0::/\n", Some("libpod-x")),
            ("2:cpu:/catamaran-1-2/web.0\n1:name=systemd:/catamaran-1-2/engine/web.0\n", None),
            ("2:cpu:/catamaran-1-2/a\n1:memory:/a\n", None),
            ("2:cpu:/catamaran-1-20/a\n", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(group_in(text, "catamaran-1-2").as_deref(), expected, "{text}");
        }
        let in_one_tree = [
            ("0::/test.scope/catamaran-1-2/guard/libpod-x\n", Some("libpod-x")),
            ("0::/test.scope/catamaran-1-2/init.scope/libpod-x\n", None),
            ("0::/test.scope/catamaran-1-20/guard/libpod-x\n", None),
            ("0::/test.scope/init.scope\n", None),
        ];
        for (text, expected) in in_one_tree {
            assert_eq!(group_in(text, "catamaran-1-2/guard").as_deref(), expected, "{text}");
        }
    }
}
