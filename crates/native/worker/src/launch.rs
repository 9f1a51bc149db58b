//! The launcher: a tiny runtime that starts one tenant by a script and notes when each stage was over.

#![allow(unsafe_code)]

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use catamaran_worker::clock::now_ns;
use catamaran_worker::script::{Script, Step, stamp, word};
use catamaran_worker::stop::stop_at;
use catamaran_worker::tape::Tape;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, WaitId, WaitIdOptions, getppid, set_parent_process_death_signal};

/// Not in `libc` for musl (`include/uapi/linux/sched.h`).
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Longest script (bytes): a run of very many groups would still stay far below.
const SCRIPT_BYTES_MAX: usize = 1 << 16;

/// Waits for a script, starts the tenant by it, waits for the tenant's end.
pub(crate) fn launch(runner: &str) -> Result<(), String> {
    die_with_parent()?;
    if getppid().map(|pid| pid.as_raw_nonzero().get().to_string()).as_deref() != Some(runner) {
        return Err("the runner is gone".to_owned());
    }
    let control = rustix::stdio::stdin();
    let tape = Tape::map(rustix::stdio::stdout()).map_err(|error| format!("cannot map the tape: {error}"))?;
    let program = rustix::fs::open(
        c"/proc/self/exe",
        rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC,
        0.into(),
    )
    .map_err(|error| format!("cannot open /proc/self/exe: {error}"))?;
    let run = std::env::args().nth(2).unwrap_or_default();
    let mut text = vec![0_u8; SCRIPT_BYTES_MAX];
    say(control, word::READY);
    let length =
        rustix::io::read(control, &mut text).map_err(|error| format!("cannot read the script: {error}"))?;
    tape.stamp(stamp::REQUEST, now_ns());
    if length == 0 {
        return Ok(());
    }
    let text =
        std::str::from_utf8(text.get(..length).unwrap_or_default()).map_err(|error| error.to_string())?;
    let script = Script::from_text(text)?;
    let pidfd = start(&script, &tape, &program, &run)?;
    say(control, &ended(&pidfd)?);
    Ok(())
}

/// Carries out the script; answers a handle on the tenant's process.
fn start(script: &Script, tape: &Tape, program: &OwnedFd, run: &str) -> Result<OwnedFd, String> {
    let control = rustix::stdio::stdin();
    perform(&script.limits, 0)?;
    tape.stamp(stamp::LIMITED, now_ns());
    stop_at("limits");
    let born_in = script.born_in.as_ref().map(|path| {
        rustix::fs::open(
            path,
            rustix::fs::OFlags::PATH | rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC,
            0.into(),
        )
        .map_err(|error| format!("cannot open the control group {}: {error}", path.display()))
    });
    let born_in = born_in.transpose()?;
    let (joined, join) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
        .map_err(|error| format!("pipe: {error}"))?;
    let flags = script.namespaces.iter().fold(0, |flags, namespace| flags | namespace.clone_flag());
    // SAFETY: this process has one thread, so the copy may go on with whatever it likes.
    match unsafe { clone(flags, born_in.as_ref().map(OwnedFd::as_fd)) }? {
        Clone::Child => {
            tape.stamp(stamp::CLONED, now_ns());
            drop(join);
            let failed = child(script, tape, &joined, program, run);
            say(control, &format!("{}{failed}", word::FAILED));
            std::process::exit(1)
        }
        Clone::Parent { child, pidfd } => {
            say(control, &format!("{}{child}", word::CLONED));
            stop_at("clone");
            if let Err(message) = perform(&script.join, child) {
                let _ = rustix::process::pidfd_send_signal(&pidfd, Signal::KILL);
                return Err(message);
            }
            let _ = rustix::io::write(&join, b".");
            stop_at("join");
            Ok(pidfd)
        }
    }
}

/// The tenant's process between clone and exec; comes back only with what failed.
fn child(script: &Script, tape: &Tape, joined: &OwnedFd, program: &OwnedFd, run: &str) -> String {
    if let Err(message) = die_with_parent() {
        return message;
    }
    // A launcher that died before the line above left nobody to signal us; its socket has the runner's end.
    let control = rustix::stdio::stdin();
    let mut hung_up = [PollFd::new(&control, PollFlags::RDHUP)];
    let now = rustix::time::Timespec { tv_sec: 0, tv_nsec: 0 };
    if poll(&mut hung_up, Some(&now)).is_ok_and(|events| events > 0) {
        return "the runner is gone".to_owned();
    }
    if !script.join.is_empty() && rustix::io::read(joined, &mut [0_u8]) != Ok(1) {
        return "the launcher could not move the process into its control groups".to_owned();
    }
    tape.stamp(stamp::JOINED, now_ns());
    if let Err(message) = adjust_oom_score(script) {
        return message;
    }
    if let Err(message) = isolate(script) {
        return message;
    }
    stop_at("isolate");
    tape.stamp(stamp::ISOLATED, now_ns());
    if script.exec.is_empty() { exec(program, run) } else { exec_other(script) }
}

/// How much the kernel's killer shall think of this process.
fn adjust_oom_score(script: &Script) -> Result<(), String> {
    let Some(adjustment) = script.oom_score_adj else { return Ok(()) };
    std::fs::write("/proc/self/oom_score_adj", adjustment.to_string())
        .map_err(|error| format!("cannot set oom_score_adj to {adjustment}: {error}"))
}

/// What a process does in its new namespaces before it is fit to run a program.
fn isolate(script: &Script) -> Result<(), String> {
    use catamaran_worker::script::Namespace;
    use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
    let has = |namespace| script.namespaces.contains(&namespace);
    if has(Namespace::Mount) {
        mount_change(c"/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)
            .map_err(|error| format!("cannot make the mounts private: {error}"))?;
        if has(Namespace::Pid) {
            let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
            mount(c"proc", c"/proc", c"proc", flags, None::<&CStr>)
                .map_err(|error| format!("cannot mount /proc for the new process numbers: {error}"))?;
        }
    }
    if let Some(name) = &script.host_name {
        rustix::system::sethostname(name.as_bytes())
            .map_err(|error| format!("cannot set the host name: {error}"))?;
    }
    Ok(())
}

/// Becomes another program; comes back only with what failed.
fn exec_other(script: &Script) -> String {
    use std::os::unix::process::CommandExt as _;
    let Some((program, arguments)) = script.exec.split_first() else {
        return "no program to exec".to_owned();
    };
    let mut command = std::process::Command::new(program);
    command.args(arguments);
    if let Some(path) = &script.errors {
        match std::fs::File::create(path) {
            Ok(file) => command.stderr(file),
            Err(error) => return format!("cannot make {}: {error}", path.display()),
        };
    }
    format!("cannot exec {program}: {}", command.exec())
}

/// Becomes the worker; comes back only with what failed.
fn exec(program: &OwnedFd, run: &str) -> String {
    let Ok(run) = std::ffi::CString::new(run) else { return "a run's id holds no zero byte".to_owned() };
    let arguments = [c"catamaran-worker".as_ptr(), c"work".as_ptr(), run.as_ptr(), std::ptr::null()];
    let environment = [std::ptr::null::<libc::c_char>()];
    // SAFETY: both lists end with a null pointer and their strings live until the call is over; on success it does
    // not come back.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            program.as_raw_fd(),
            c"".as_ptr(),
            arguments.as_ptr(),
            environment.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    };
    format!("cannot exec the worker: {}", std::io::Error::last_os_error())
}

fn perform(steps: &[Step], pid: u32) -> Result<(), String> {
    steps.iter().try_for_each(|step| step.perform(pid))
}

/// Waits for the tenant's process, and ends it when the runner says so or is gone; how it ended, as a message.
fn ended(pidfd: &OwnedFd) -> Result<String, String> {
    let control = rustix::stdio::stdin();
    let mut told = false;
    loop {
        let quiet = if told { PollFlags::empty() } else { PollFlags::IN };
        let mut events = [PollFd::new(pidfd, PollFlags::IN), PollFd::new(&control, quiet)];
        match poll(&mut events, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(format!("cannot wait for the tenant: {error}")),
        }
        if !told && events.get(1).is_some_and(|control| !control.revents().is_empty()) {
            told = true;
            let _ = rustix::process::pidfd_send_signal(pidfd, Signal::KILL);
        }
        if events.first().is_some_and(|tenant| !tenant.revents().is_empty()) {
            return reap(pidfd);
        }
    }
}

fn reap(pidfd: &OwnedFd) -> Result<String, String> {
    let status = rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED)
        .map_err(|error| format!("cannot wait for the tenant: {error}"))?
        .ok_or("the tenant's end was not told")?;
    let how = match status.terminating_signal() {
        Some(signal) => format!("signal {signal}"),
        None => status.exit_status().unwrap_or(-1).to_string(),
    };
    Ok(format!("{}{how}", word::ENDED))
}

/// One message to the runner; where that is gone, nobody is left to tell.
pub(crate) fn say(control: BorrowedFd<'_>, message: &str) {
    let _ = rustix::io::write(control, message.as_bytes());
}

fn die_with_parent() -> Result<(), String> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| format!("PR_SET_PDEATHSIG: {error}"))
}

enum Clone {
    Child,
    Parent { child: u32, pidfd: OwnedFd },
}

/// `clone3` as a fork with namespaces and, on cgroup v2, a group to be born in.
///
/// # Safety
/// The caller must be the only thread of its process.
unsafe fn clone(namespaces: u64, born_in: Option<BorrowedFd<'_>>) -> Result<Clone, String> {
    let mut pidfd: libc::c_int = -1;
    // SAFETY: all-zero bytes are a valid `clone_args`.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = namespaces | libc::CLONE_PIDFD as u64;
    arguments.pidfd = std::ptr::from_mut(&mut pidfd) as u64;
    arguments.exit_signal = libc::SIGCHLD as u64;
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
        _ => {
            let error = std::io::Error::last_os_error();
            Err(format!("clone3 with flags {:#x}: {error}", arguments.flags))
        }
    }
}
