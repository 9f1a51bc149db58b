//! The one thread of a program of the user's own: starts it, sees when it is ready, keeps the last that it says, and ends it with
//! all its descendants.
//!
//! **Law.** The program gets `PATH` and `HOME` for an environment, `/` for a working folder, `/dev/null` for standard input, and a
//! session of its own. Where it has a port to be ready on, that is tried every [`PROBE_EVERY_NS`] on 127.0.0.1 of its own network, as
//! the kubelet's `tcpSocket` does: to be connected is to be ready. When its time is over its session gets SIGTERM, [`GRACE_NS`]
//! later SIGKILL. What it leaves behind is this process's (`PR_SET_CHILD_SUBREAPER`), and killed.
//! **What it can't reach.** Neither tape nor socket is open in it, and to open this process's own takes CAP_SYS_PTRACE
//! (`PR_SET_DUMPABLE`).

#![allow(unsafe_code)]

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use catamaran_worker::clock::now_ns;
use catamaran_worker::program::{Call, End, GRACE_NS, OUTPUT_BYTES_MAX, PATH, Words};
use catamaran_worker::tape::{Tape, head};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with, sockopt};
use rustix::process::{
    DumpableBehavior, Pid, Signal, WaitOptions, kill_process, kill_process_group, set_child_subreaper,
    set_dumpable_behavior, wait,
};

use crate::confine::{Bounding, give_up_capabilities};
use crate::network;

/// Between two tries of the probe (ns).
const PROBE_EVERY_NS: u64 = 5_000_000;
/// How long one try may take (ns).
const PROBE_PATIENCE_NS: u64 = 5_000_000;
/// Longest sleep (ns): children whose parent is gone are taken from the kernel that often.
const LOOK_EVERY_NS: u64 = 100_000_000;
/// How long descendants that were killed get to be gone (ns).
const END_PATIENCE_NS: u64 = 1_000_000_000;
/// Timer slack of a process that nobody has told otherwise (ns; `init_task` in Linux `init/init_task.c`).
const SLACK_NS: u64 = 50_000;
/// Bytes that are read at once: as many as a pipe holds (`pipe(7)`).
const CHUNK_BYTES: usize = 1 << 16;
/// How often in a row.
const CHUNKS: usize = 16;
/// From whom a probe comes: another address than the one it goes to, so that a try never connects to itself, as one from a port
/// that is drawn at random could.
const PROBE_FROM: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 2), 0);

/// A program and what is known of it.
pub(crate) struct Program<'a> {
    words: Words<'a>,
    call: Call,
    origin_ns: u64,
    /// When its time is over (ns of the clock).
    stop_ns: u64,
}

/// One that was started.
struct Running {
    number: Pid,
    /// Where it says something; none once nobody can any more.
    output: Option<OwnedFd>,
    /// What was read last; on the heap, for threads have small stacks.
    chunk: Vec<u8>,
    tail: VecDeque<u8>,
    said: u64,
    ended: Option<i32>,
    /// When it was told to stop (ns of the clock).
    stopped_ns: Option<u64>,
}

impl<'a> Program<'a> {
    pub(crate) fn read(tape: &'a Tape, at: usize) -> Self {
        let words = Words::at(tape, at);
        let call = words.call();
        let origin_ns = tape.get(head::ORIGIN_NS);
        let stop_ns = origin_ns.saturating_add(call.stop_ns);
        Self { words, call, origin_ns, stop_ns }
    }

    fn since_origin(&self) -> u64 {
        now_ns().saturating_sub(self.origin_ns)
    }

    /// From start to end, at `end_ns` (of the clock) at the latest. Err where it did not do what it was meant to.
    pub(crate) fn carry_out(mut self, end_ns: u64) -> Result<(), String> {
        self.stop_ns = self.stop_ns.min(end_ns);
        let mut running = self.begin().inspect_err(|_| self.words.note_never_there())?;
        if self.call.probe.is_none() {
            self.words.note_ready(self.since_origin());
        }
        while running.ended.is_none() {
            self.look_after(&mut running)?;
        }
        running.drain(self.words);
        let all_gone = end_descendants();
        if all_gone {
            self.words.note_cpu(children_cpu_ns());
        }
        let end = End { status: running.ended.unwrap_or_default(), stopped: running.stopped_ns.is_some() };
        self.words.note_end(end);
        self.judge(end)
    }

    fn begin(&self) -> Result<Running, String> {
        self.make_ready()?;
        self.words.note_asked(self.since_origin());
        self.start()
    }

    /// What there has to be before the program.
    fn make_ready(&self) -> Result<(), String> {
        let failed = |what: &str, error: Errno| format!("{what}: {error}");
        set_child_subreaper(Pid::from_raw(1)).map_err(|error| failed("PR_SET_CHILD_SUBREAPER", error))?;
        set_dumpable_behavior(DumpableBehavior::NotDumpable)
            .map_err(|error| failed("PR_SET_DUMPABLE", error))?;
        let Some(port) = self.call.probe else { return Ok(()) };
        // In a namespace of networks that nobody has set up it is down; where we may not, somebody has.
        let _ = network::loopback_up();
        if answers(port) {
            return Err(format!(
                "port {port} answers before its program is there: the probe would tell of another one; stop that, or choose another port"
            ));
        }
        Ok(())
    }

    fn start(&self) -> Result<Running, String> {
        let Some((program, arguments)) = self.call.argv.split_first() else {
            return Err("no program to start".to_owned());
        };
        let pipe = || -> io::Result<(OwnedFd, OwnedFd)> {
            let (ours, theirs) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
            rustix::fs::fcntl_setfl(&ours, rustix::fs::OFlags::NONBLOCK)?;
            Ok((ours, theirs))
        };
        let (ours, theirs) = pipe().map_err(|error| format!("no pipe for its output: {error}"))?;
        let errors = theirs.try_clone().map_err(|error| format!("no pipe for its output: {error}"))?;
        let parent = rustix::process::getpid();
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("PATH", PATH).env("HOME", "/").current_dir("/");
        command.stdin(Stdio::null()).stdout(theirs).stderr(errors);
        let confined = self.call.confined;
        // SAFETY: between fork and exec nothing is allocated and no lock is taken: only calls of the kernel are made.
        unsafe { command.pre_exec(move || as_a_program(parent, confined)) };
        let child = command.spawn().map_err(|error| {
            let hint = match error.raw_os_error() {
                Some(libc::ENOENT) => " (or the interpreter that it names is not there)",
                Some(libc::ENOEXEC) => {
                    " (it is no program of this machine's, nor a script that begins with #!)"
                }
                _ => "",
            };
            format!("cannot start {program}: {error}{hint}")
        })?;
        let number = Pid::from_raw(child.id().cast_signed()).ok_or("its number is lost")?;
        Ok(Running {
            number,
            output: Some(ours),
            chunk: vec![0; CHUNK_BYTES],
            tail: VecDeque::new(),
            said: 0,
            ended: None,
            stopped_ns: None,
        })
    }

    /// One turn: what it says, who has ended, whether it is ready, whether its time is over; then a sleep.
    fn look_after(&self, running: &mut Running) -> Result<(), String> {
        running.drain(self.words);
        running.reap()?;
        if running.ended.is_some() {
            return Ok(());
        }
        let now = now_ns();
        match running.stopped_ns {
            None if now >= self.stop_ns => {
                running.stopped_ns = Some(now);
                let _ = kill_process_group(running.number, Signal::TERM);
            }
            Some(at_ns) if now >= at_ns.saturating_add(GRACE_NS) => {
                let _ = kill_process_group(running.number, Signal::KILL);
                let _ = kill_process(running.number, Signal::KILL);
            }
            _ => {}
        }
        let probed =
            self.call.probe.filter(|_| self.words.ready_ns().is_none() && running.stopped_ns.is_none());
        if probed.is_some_and(answers) {
            self.words.note_ready(self.since_origin());
        }
        let every_ns = if probed.is_some() { PROBE_EVERY_NS } else { LOOK_EVERY_NS };
        let due_ns = running.stopped_ns.map_or(self.stop_ns, |at_ns| at_ns.saturating_add(GRACE_NS));
        running.sleep(every_ns.min(due_ns.saturating_sub(now_ns())));
        Ok(())
    }

    fn judge(&self, end: End) -> Result<(), String> {
        let ready = self.words.ready_ns().is_some();
        let port = self.call.probe.unwrap_or_default();
        if end.stopped && ready {
            return Ok(());
        }
        if end.stopped {
            let asked_ns = self.words.asked_ns().unwrap_or_default();
            let seconds = self.stop_ns.saturating_sub(self.origin_ns + asked_ns) as f64 / 1e9;
            return Err(format!(
                "its program was not ready within {seconds:.1} s: nothing listens on 127.0.0.1:{port}"
            ));
        }
        match end.code() {
            Some(0) if ready => Ok(()),
            Some(0) => Err(format!(
                "its program ended (exit code 0) before it was ready: nothing listened on 127.0.0.1:{port}"
            )),
            _ => Err(format!("its program ended with {}", end.words())),
        }
    }
}

impl Running {
    /// Takes what was said, not more of it at a time than leaves time for other things.
    fn drain(&mut self, words: Words<'_>) {
        let Some(output) = &self.output else { return };
        let before = self.said;
        let mut is_open = true;
        for _ in 0..CHUNKS {
            match rustix::io::read(output, &mut self.chunk[..]) {
                Ok(0) => is_open = false,
                Ok(length) => {
                    let read = self.chunk.get(..length).unwrap_or_default();
                    self.said += length as u64;
                    self.tail.extend(read.get(length.saturating_sub(OUTPUT_BYTES_MAX)..).unwrap_or_default());
                    let beyond = self.tail.len().saturating_sub(OUTPUT_BYTES_MAX);
                    self.tail.drain(..beyond);
                    continue;
                }
                Err(Errno::INTR) => continue,
                Err(_) => {}
            }
            break;
        }
        if self.said > before {
            words.keep(self.tail.make_contiguous(), self.said);
        }
        if !is_open {
            self.output = None;
        }
    }

    /// Takes from the kernel whoever has ended: the program, and what its descendants have left.
    fn reap(&mut self) -> Result<(), String> {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((number, status))) if number == self.number => {
                    self.ended = Some(status.as_raw());
                }
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => return Ok(()),
                Err(Errno::CHILD) if self.ended.is_some() => return Ok(()),
                Err(error) => return Err(format!("cannot wait for its program: {error}")),
            }
        }
    }

    /// Sleeps until it says something or ends, or so long.
    fn sleep(&self, at_most_ns: u64) {
        let timeout = rustix::time::Timespec {
            tv_sec: (at_most_ns / 1_000_000_000).cast_signed(),
            tv_nsec: (at_most_ns % 1_000_000_000).cast_signed(),
        };
        // A child that was not waited for: its number is not another's.
        let handle = rustix::process::pidfd_open(self.number, rustix::process::PidfdFlags::empty());
        let all = handle.as_ref().ok().map(|handle| handle.as_fd()).into_iter();
        let all = all.chain(self.output.as_ref().map(|output| output.as_fd()));
        let mut all: Vec<_> = all.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        let _ = poll(&mut all, Some(&timeout));
    }
}

/// What the new process does before it becomes the program: nothing but calls of the kernel.
fn as_a_program(parent: Pid, confined: bool) -> io::Result<()> {
    rustix::process::setsid()?;
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    if rustix::process::getppid() != Some(parent) {
        return Err(io::ErrorKind::NotFound.into());
    }
    if let Some(slack) = std::num::NonZeroU64::new(SLACK_NS) {
        rustix::thread::set_current_timer_slack(Some(slack))?;
    }
    if confined {
        give_up_capabilities(Bounding::DroppedIfAllowed).map_err(|(_, error)| error)?;
    }
    Ok(())
}

/// Whether somebody accepts connections on that port of this machine, as this network has it.
fn answers(port: u16) -> bool {
    let try_it = || -> rustix::io::Result<bool> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        bind(&socket, &PROBE_FROM)?;
        match connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)) {
            Err(Errno::INPROGRESS) => {}
            other => return other.map(|()| true),
        }
        let patience = rustix::time::Timespec { tv_sec: 0, tv_nsec: PROBE_PATIENCE_NS.cast_signed() };
        if poll(&mut [PollFd::new(&socket, PollFlags::OUT)], Some(&patience))? == 0 {
            return Ok(false);
        }
        Ok(sockopt::socket_error(&socket)?.is_ok())
    };
    try_it().unwrap_or(false)
}

/// Kills and reaps children until there are none: those of a child that dies become ours. Whether all are gone; who forks faster than
/// that ends with the tenant's namespace or group.
fn end_descendants() -> bool {
    let deadline_ns = now_ns() + END_PATIENCE_NS;
    loop {
        children().into_iter().for_each(|child| {
            let _ = kill_process(child, Signal::KILL);
        });
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => break,
                Err(_) => return true,
            }
        }
        if now_ns() >= deadline_ns {
            return false;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// The children of this process that were not waited for, whose numbers are not another's.
fn children() -> Vec<Pid> {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let numbers = lists.flat_map(|list| {
        list.split_ascii_whitespace()
            .filter_map(|number| Pid::from_raw(number.parse().ok()?))
            .collect::<Vec<_>>()
    });
    numbers.collect()
}

/// CPU time of all children that were waited for, and of theirs (ns).
fn children_cpu_ns() -> u64 {
    // SAFETY: all zeros is an `rusage`, and the call writes to one that lives here.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage);
        usage
    };
    let ns = |time: libc::timeval| {
        time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_usec.cast_unsigned() * 1000
    };
    ns(usage.ru_utime) + ns(usage.ru_stime)
}
