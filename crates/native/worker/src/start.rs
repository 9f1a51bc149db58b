//! From a script to a process: groups, clone, root, confinement, exec. Comes in at the launcher, goes out as the worker.

#![allow(unsafe_code)]

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use catamaran_worker::clock::now_ns;
use catamaran_worker::minimal::{PROGRAM, top};
use catamaran_worker::script::{Namespace, Root, RootWay, Script, Step, stamp, word};
use catamaran_worker::stop::stop_at;
use catamaran_worker::tape::Tape;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::launch::say;
use crate::rootfs::{self, Below, Devices};
use crate::{confine, disk, layer, network, sharing};

/// Not in `libc` for musl (`include/uapi/linux/sched.h`).
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// One start-up.
pub(crate) struct Start<'a> {
    pub(crate) script: &'a Script,
    /// The worker's own file.
    pub(crate) program: &'a OwnedFd,
    /// What the worker is told, its name first.
    pub(crate) arguments: &'a [CString],
    pub(crate) for_whom: Whom<'a>,
}

/// Whose child the process becomes.
#[derive(Clone, Copy)]
pub(crate) enum Whom<'a> {
    /// The runner's, which is this process's parent.
    Runner {
        /// The socket to it: it is told what failed, and its end ends the start-up.
        control: BorrowedFd<'a>,
        /// Where the stages are noted, and the number of the process.
        tape: &'a Tape,
    },
    /// This process's own; complaints go to standard error.
    Oneself,
}

impl Start<'_> {
    /// Makes groups and process; a handle on it.
    pub(crate) fn carry_out(&self) -> Result<OwnedFd, String> {
        // The tenant inherits it, also where it has a user namespace from which it could not enter this one.
        self.script.network.as_deref().map_or(Ok(()), network::enter)?;
        self.script.limits.iter().try_for_each(|step| step.perform(0))?;
        self.note(stamp::LIMITED);
        stop_at("limits");
        if let Some(Root { at, way: RootWay::Chroot }) = &self.script.root {
            rootfs::mount_at(at, self.image(), false)?;
            rootfs::furnish(self.program, Devices::Made, self.image().is_some())?;
            rootfs::show(&self.script.programs, Below::Hidden)?;
            rustix::process::chdir(c"/").map_err(|error| format!("cannot go to /: {error}"))?;
            self.note(stamp::ROOTED);
            stop_at("rootfs");
        }
        let born_in = self.script.born_in.as_ref().map(|path| open_folder(path)).transpose()?;
        let (joined, join) = pipe()?;
        let parents_signals = block_child_signal();
        // SAFETY: this process has one thread, so the copy may go on with whatever it likes.
        let cloned = unsafe { clone(self.clone_flags(), born_in.as_ref().map(OwnedFd::as_fd), self.tape()) };
        match cloned.map_err(|error| format!("clone3 with {}: {error}", self.what_is_cloned()))? {
            Clone::Child => {
                self.note(stamp::CLONED);
                drop(join);
                self.complain(&self.child(&joined, &parents_signals));
                std::process::exit(1)
            }
            Clone::Parent { child, pidfd } => {
                if let Whom::Runner { control, .. } = self.for_whom {
                    say(control, word::CLONED);
                }
                stop_at("clone");
                if let Err(message) = self.prepare(child) {
                    let _ = rustix::process::pidfd_send_signal(&pidfd, Signal::KILL);
                    return Err(message);
                }
                let _ = rustix::io::write(&join, b".");
                stop_at("join");
                Ok(pidfd)
            }
        }
    }

    /// What only the parent can do for its child: put it into groups, make it less nice, which in a user namespace nobody may,
    /// say who it is outside.
    fn prepare(&self, child: u32) -> Result<(), String> {
        self.script.join.iter().try_for_each(|step| step.perform(child))?;
        if let Some(nice) = self.script.nice {
            let process = rustix::process::Pid::from_raw(child as i32);
            rustix::process::setpriority_process(process, nice)
                .map_err(|error| format!("cannot give process {child} the nice value {nice}: {error}"))?;
        }
        let Some((user, group)) = self.script.user else { return Ok(()) };
        be_root(&child.to_string(), user, group)
    }

    /// The namespaces to be born with. A cgroup namespace has the groups for its root that the process is in when it is
    /// made: with groups to be entered it is made afterwards.
    fn clone_flags(&self) -> u64 {
        let kinds = self.script.namespaces.iter().filter(|kind| !self.is_late(**kind));
        let user = if self.script.user.is_some() { libc::CLONE_NEWUSER as u64 } else { 0 };
        kinds.fold(user, |flags, kind| flags | kind.clone_flag())
    }

    /// The same in words.
    fn what_is_cloned(&self) -> String {
        let kinds = self.script.namespaces.iter().filter(|kind| !self.is_late(**kind));
        let user = self.script.user.map(|_| "user");
        let names: Vec<_> = user.into_iter().chain(kinds.map(|kind| kind.name())).collect();
        if names.is_empty() {
            return "no namespaces of its own".to_owned();
        }
        format!("new namespaces ({})", names.join(", "))
    }

    fn is_late(&self, kind: Namespace) -> bool {
        kind == Namespace::Cgroup && self.script.confined
    }

    /// The process between clone and exec; comes back only with what failed.
    fn child(&self, joined: &OwnedFd, signals: &libc::sigset_t) -> String {
        let failed = || -> Result<std::convert::Infallible, String> {
            die_with_parent()?;
            self.stop_if_alone()?;
            self.script.file.as_deref().map_or(Ok(()), disk::hand_over)?;
            if self.waits() && rustix::io::read(joined, &mut [0_u8]) != Ok(1) {
                return Err("the launcher could not put the process into its control groups".to_owned());
            }
            self.enter_groups()?;
            self.note(stamp::JOINED);
            self.adjust_oom_score()?;
            self.isolate()?;
            self.script.layer.as_ref().map_or(Ok(()), layer::hand_over)?;
            stop_at("isolate");
            self.note(stamp::ISOLATED);
            self.change_root()?;
            if self.script.confined {
                confine::confine()?;
                self.note(stamp::CONFINED);
                // A halt here would need a call that is no longer there; the stage before has its own.
            }
            restore_signals(signals);
            self.script
                .share
                .as_ref()
                .map_or(Ok(()), |share| sharing::start(share, &self.script.programs))?;
            Err(if self.script.exec.is_empty() { self.exec() } else { self.exec_other() })
        };
        match failed() {
            Ok(never) => match never {},
            Err(message) => message,
        }
    }

    /// A parent that died before the child asked to be told left nobody to tell it; the socket has the runner's end.
    fn stop_if_alone(&self) -> Result<(), String> {
        let Whom::Runner { control, .. } = self.for_whom else { return Ok(()) };
        let mut hung_up = [PollFd::new(&control, PollFlags::RDHUP)];
        let now = rustix::time::Timespec { tv_sec: 0, tv_nsec: 0 };
        match poll(&mut hung_up, Some(&now)) {
            Ok(events) if events > 0 => Err("the runner is gone".to_owned()),
            _ => Ok(()),
        }
    }

    fn waits(&self) -> bool {
        !self.script.join.is_empty() || self.script.user.is_some() || self.script.nice.is_some()
    }

    fn enter_groups(&self) -> Result<(), String> {
        for group in &self.script.enter {
            Step::Write { value: "0".to_owned(), file: group.join("tasks") }.perform(0)?;
        }
        if self.script.namespaces.iter().any(|kind| self.is_late(*kind)) {
            // SAFETY: a cgroup namespace holds no memory or descriptors of this process.
            unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWCGROUP) }
                .map_err(|error| format!("cannot make a cgroup namespace: {error}"))?;
        }
        Ok(())
    }

    /// How much the kernel's killer shall think of this process.
    fn adjust_oom_score(&self) -> Result<(), String> {
        let Some(adjustment) = self.script.oom_score_adj else { return Ok(()) };
        std::fs::write("/proc/self/oom_score_adj", adjustment.to_string())
            .map_err(|error| format!("cannot set oom_score_adj to {adjustment}: {error}"))
    }

    /// What a process does in its new namespaces before it is fit to run a program.
    fn isolate(&self) -> Result<(), String> {
        let has = |namespace| self.script.namespaces.contains(&namespace);
        if has(Namespace::Mount) {
            rootfs::keep_mounts_private()?;
            if has(Namespace::Pid) && self.script.root.is_none() {
                rootfs::mount_proc("/proc")?;
            }
        }
        if let Some(name) = &self.script.host_name {
            rustix::system::sethostname(name.as_bytes())
                .map_err(|error| format!("cannot set the host name: {error}"))?;
        }
        if has(Namespace::Net) && self.script.confined {
            network::loopback_up()?;
        }
        Ok(())
    }

    fn change_root(&self) -> Result<(), String> {
        let Some(Root { at, way }) = &self.script.root else { return Ok(()) };
        match way {
            RootWay::Chroot => rootfs::chroot_to(&top(at, self.image().is_some()))?,
            RootWay::Pivot => {
                let rootless = self.script.user.is_some();
                rootfs::mount_at(at, self.image(), rootless)?;
                let devices = if rootless { Devices::Borrowed } else { Devices::Made };
                rootfs::furnish(self.program, devices, self.image().is_some())?;
                rootfs::show(&self.script.programs, if rootless { Below::Shown } else { Below::Hidden })?;
                self.note(stamp::ROOTED);
                stop_at("rootfs");
                rootfs::pivot()?;
                rootfs::mask()?;
            }
        }
        self.note(stamp::PIVOTED);
        stop_at("pivot");
        Ok(())
    }

    /// Becomes the worker; comes back only with what failed.
    fn exec(&self) -> String {
        let mut arguments: Vec<_> = self.arguments.iter().map(|argument| argument.as_ptr()).collect();
        arguments.push(std::ptr::null());
        let environment = [std::ptr::null::<libc::c_char>()];
        let (path, flags) = match self.script.root {
            Some(_) => (format!("/{PROGRAM}"), 0),
            None => (String::new(), libc::AT_EMPTY_PATH),
        };
        let Ok(path) = CString::new(path) else { return "a path with NUL".to_owned() };
        // SAFETY: both lists end with a null pointer and their strings live until the call is over; on success it does
        // not come back.
        unsafe {
            libc::syscall(
                libc::SYS_execveat,
                self.program.as_raw_fd(),
                path.as_ptr(),
                arguments.as_ptr(),
                environment.as_ptr(),
                flags,
            )
        };
        format!("cannot exec the worker: {}", std::io::Error::last_os_error())
    }

    /// Becomes another program; comes back only with what failed.
    fn exec_other(&self) -> String {
        use std::os::unix::process::CommandExt as _;
        let Some((program, arguments)) = self.script.exec.split_first() else {
            return "no program to exec".to_owned();
        };
        let mut command = std::process::Command::new(program);
        command.args(arguments);
        if let Some(path) = &self.script.errors {
            match std::fs::File::create(path) {
                Ok(file) => command.stderr(file),
                Err(error) => return format!("cannot make {}: {error}", path.display()),
            };
        }
        format!("cannot exec {program}: {}", command.exec())
    }

    fn image(&self) -> Option<&std::path::Path> {
        self.script.image.as_deref()
    }

    fn complain(&self, failed: &str) {
        let text = format!("{}{failed}", word::FAILED);
        match self.for_whom {
            Whom::Runner { control, .. } => say(control, &text),
            Whom::Oneself => say(rustix::stdio::stderr(), &text),
        }
    }

    fn note(&self, stage: usize) {
        if let Some(tape) = self.tape() {
            tape.stamp(stage, now_ns());
        }
    }

    fn tape(&self) -> Option<&Tape> {
        match self.for_whom {
            Whom::Runner { tape, .. } => Some(tape),
            Whom::Oneself => None,
        }
    }
}

/// The line that makes `id` of the machine the root of a user namespace, and lets nobody else in.
/// Has a user and a group be root in the user namespace of a process that has just got it.
pub(crate) fn be_root(process: &str, user: u32, group: u32) -> Result<(), String> {
    let map = |id: u32| format!("0 {id} 1");
    let lines = [("setgroups", "deny".to_owned()), ("uid_map", map(user)), ("gid_map", map(group))];
    lines.into_iter().try_for_each(|(file, line)| {
        let path = format!("/proc/{process}/{file}");
        std::fs::write(&path, &line)
            .map_err(|error| format!("cannot write {line:?} to {path} (user namespace): {error}"))
    })
}

fn open_folder(path: &std::path::Path) -> Result<OwnedFd, String> {
    use rustix::fs::OFlags;
    rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, 0.into())
        .map_err(|error| format!("cannot open the control group {}: {error}", path.display()))
}

fn pipe() -> Result<(OwnedFd, OwnedFd), String> {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(|error| format!("pipe: {error}"))
}

pub(crate) fn die_with_parent() -> Result<(), String> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| format!("PR_SET_PDEATHSIG: {error}"))
}

/// Blocks SIGCHLD, so that no end of a child goes by between its birth and the first wait; the mask before.
fn block_child_signal() -> libc::sigset_t {
    // SAFETY: all-zero bytes are a valid set, and both sets live until the calls are over.
    unsafe {
        let mut before: libc::sigset_t = std::mem::zeroed();
        let mut blocked: libc::sigset_t = std::mem::zeroed();
        libc::sigaddset(&raw mut blocked, libc::SIGCHLD);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const blocked, &raw mut before);
        before
    }
}

fn restore_signals(before: &libc::sigset_t) {
    // SAFETY: the set was filled by the kernel and lives until the call is over.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, before, std::ptr::null_mut()) };
}

enum Clone {
    Child,
    Parent { child: u32, pidfd: OwnedFd },
}

/// `clone3` as a fork with namespaces and, on cgroup v2, a group to be born in. With a tape the child is the caller's sibling,
/// as its parent's end shall be heard of by who stays, and its number is on the tape before it runs.
///
/// # Safety
/// The caller must be the only thread of its process.
unsafe fn clone(
    namespaces: u64,
    born_in: Option<BorrowedFd<'_>>,
    tape: Option<&Tape>,
) -> std::io::Result<Clone> {
    let mut pidfd: libc::c_int = -1;
    // SAFETY: all-zero bytes are a valid `clone_args`.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = namespaces | libc::CLONE_PIDFD as u64;
    arguments.pidfd = std::ptr::from_mut(&mut pidfd) as u64;
    match tape {
        // A sibling ends with the caller's own signal, which is SIGCHLD, and takes no other.
        Some(tape) => {
            arguments.flags |= (libc::CLONE_PARENT | libc::CLONE_PARENT_SETTID) as u64;
            arguments.parent_tid = tape.tenant_number() as u64;
        }
        None => arguments.exit_signal = libc::SIGCHLD as u64,
    }
    if let Some(group) = born_in {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = group.as_raw_fd() as u64;
    }
    // SAFETY: the structure is valid for its size and outlives the call; without CLONE_VM the child works on a copy.
    let pid = unsafe {
        libc::syscall(libc::SYS_clone3, std::ptr::from_ref(&arguments), size_of::<libc::clone_args>())
    };
    match pid {
        0 => Ok(Clone::Child),
        1.. => {
            // SAFETY: the kernel put a new descriptor there, which nobody else owns.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            Ok(Clone::Parent { child: pid as u32, pidfd })
        }
        _ => Err(std::io::Error::last_os_error()),
    }
}
