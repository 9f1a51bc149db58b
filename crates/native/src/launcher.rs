//! The runner's end of a tenant: the launcher that starts it, the tenant's process, the socket to both and the tape.

mod findings;

use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use catamaran_worker::clock::now_ns;
use catamaran_worker::reap::reap;
use catamaran_worker::script::{Script, stamp, word};
use catamaran_worker::stop::STOP_AT;
use catamaran_worker::tape::{Tape, head};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::adopt::Adoption;
use crate::interrupt::Interrupt;
use crate::problem::{self, Problem};
use crate::runtime;

/// The static worker, as built by `build.rs`.
pub(crate) static WORKER: &[u8] = include_bytes!(env!("CATAMARAN_WORKER"));

/// How long a start-up may take before it is given up.
const START_PATIENCE: Duration = Duration::from_secs(20);
/// How long a tenant that is killed may take to be gone before it is left to itself: it may be throttled, or stopped.
const END_PATIENCE: Duration = Duration::from_secs(3);
/// How an engine's tenant ended, before the engine was asked.
pub(crate) const GONE: &str = "it is gone";
/// Longest sleep without a look at the interrupt flag.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The worker's bytes as a file without a name, ready to be executed.
#[derive(Debug)]
pub(crate) struct WorkerFile(File);

impl WorkerFile {
    /// Where it is to be executed from.
    pub(crate) fn path(&self) -> String {
        format!("/proc/self/fd/{}", self.0.as_raw_fd())
    }

    pub(crate) fn make() -> Result<Self, Problem> {
        let make = || -> std::io::Result<File> {
            let mut file = File::from(memfd_create("catamaran-worker", MemfdFlags::CLOEXEC)?);
            file.write_all(WORKER)?;
            file.rewind()?;
            Ok(file)
        };
        make().map(Self).map_err(|error| {
            let what = format!("memfd_create for the worker: {error}");
            match problem::errno(&what) {
                // What the kernel says where files without a name may not be executed (memfd_create(2)).
                Some(Errno::ACCESS) => Problem::unavailable(what, "sysctl -w vm.memfd_noexec=0"),
                Some(Errno::PERM | Errno::NOSYS) => Problem::by_errno(what, "").into_unavailable(),
                _ => Problem::by_errno(what, "free some memory and try again"),
            }
        })
    }
}

/// A started tenant.
#[derive(Debug)]
pub(crate) struct Launcher {
    /// The launcher; gone once the tenant runs. An engine's container has none.
    process: Option<Child>,
    /// Messages of the launcher and the tenant, until we or both of them hang up.
    control: Option<OwnedFd>,
    /// A handle on the tenant's process, our own child but for an engine's.
    handle: Option<OwnedFd>,
    /// What the tenant does and did.
    pub(crate) tape: Tape,
    /// Number of the tenant's process, once it was made.
    pub(crate) tenant: Option<u32>,
    /// Why it is going to end before its work is done, where it says so itself.
    gave_up: Option<String>,
    /// How the tenant ended: its exit code, `signal N`, or why it gave up.
    pub(crate) ended: Option<String>,
    /// When that was heard of (ns of the clock).
    pub(crate) ended_ns: Option<u64>,
}

impl Launcher {
    /// Starts the launcher of one tenant and waits until it is ready for its script.
    pub(crate) fn start(
        worker: &WorkerFile,
        run: &str,
        tape: File,
        interrupt: &Interrupt,
    ) -> Result<Self, Problem> {
        let no_start = |error: &dyn std::fmt::Display| {
            Problem::by_errno(
                format!("cannot start a launcher: {error}"),
                "check that processes may be made and that `vm.memfd_noexec` is below 2",
            )
        };
        let mapped = Tape::map(tape.as_fd()).map_err(|error| no_start(&format!("map the tape: {error}")))?;
        let (control, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .map_err(|error| no_start(&format!("socketpair: {error}")))?;
        let mut command = Command::new(worker.path());
        command.arg0("catamaran-launcher").args(["launch", run, &std::process::id().to_string()]).env_clear();
        if let Some(stage) = std::env::var_os(STOP_AT) {
            command.env(STOP_AT, stage);
        }
        let process = command
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::from(tape))
            .spawn()
            .map_err(|error| no_start(&error))?;
        let mut launcher = Self::new(Some(process), control, mapped);
        launcher.wait_for(interrupt, word::READY, |_, message| message == word::READY)?;
        Ok(launcher)
    }

    fn new(process: Option<Child>, control: OwnedFd, tape: Tape) -> Self {
        let (handle, tenant, gave_up) = (None, None, None);
        Self { process, control: Some(control), handle, tape, tenant, gave_up, ended: None, ended_ns: None }
    }

    /// A tenant that an engine has started, whose worker was given the tape; comes back when all its threads wait for the
    /// common start.
    pub(crate) fn of_contained(
        control: OwnedFd,
        tape: &File,
        tenant: Pid,
        requested_ns: u64,
        interrupt: &Interrupt,
    ) -> Result<Self, Problem> {
        let mut launcher = Self::of_prober(control, tape, tenant, requested_ns)?;
        launcher.wait_for(interrupt, word::STARTED, |_, message| message == word::STARTED)?;
        Ok(launcher)
    }

    /// The same of one that probes, and has no work to wait for.
    pub(crate) fn of_prober(
        control: OwnedFd,
        tape: &File,
        tenant: Pid,
        requested_ns: u64,
    ) -> Result<Self, Problem> {
        let tape = Tape::map(tape.as_fd()).map_err(|error| {
            Problem::by_errno(format!("map the tape: {error}"), "free some memory and try again")
        })?;
        tape.stamp(stamp::REQUEST, requested_ns);
        tape.set(head::TENANT, u64::from(tenant.as_raw_nonzero().get().cast_unsigned()));
        let mut launcher = Self::new(None, control, tape);
        launcher.take_up();
        Ok(launcher)
    }

    /// Number of the launcher's own process; 0 where there is none.
    pub(crate) fn pid(&self) -> u32 {
        self.process.as_ref().map_or(0, Child::id)
    }

    /// Has the tenant started; comes back when all its threads wait for the common start.
    pub(crate) fn carry_out(&mut self, script: &Script, interrupt: &Interrupt) -> Result<(), Problem> {
        self.set_off(script, interrupt)?;
        self.wait_for(interrupt, word::STARTED, |_, message| message == word::STARTED)?;
        if script.runtime.is_some() { Ok(()) } else { self.see_off(interrupt).map(drop) }
    }

    /// Gives the launcher its script; where it becomes an OCI runtime, comes back when that has started the tenant.
    fn set_off(&mut self, script: &Script, interrupt: &Interrupt) -> Result<(), Problem> {
        let Some(call) = &script.runtime else { return self.tell(&script.to_text()) };
        let adoption = Adoption::begin().map_err(|error| {
            Problem::by_errno(format!("PR_SET_CHILD_SUBREAPER: {error}"), "have it on Linux 3.4 or later")
        })?;
        self.tell(&script.to_text())?;
        let ended = self.see_off(interrupt);
        let number = fs::read_to_string(&call.pid_file).ok();
        let number = number.and_then(|text| text.trim().parse::<u32>().ok());
        let is_ours = adoption.complete(call.name(), number);
        let ended = ended?;
        if !ended.success() {
            // Where the launcher did not become the runtime, it says why.
            self.hear()?;
        }
        let Some(number) = number.filter(|_| is_ours && ended.success()) else {
            return Err(runtime::failed(call, ended, script.errors.as_deref()));
        };
        self.tape.set(head::TENANT, u64::from(number));
        self.take_up();
        Ok(())
    }

    /// Has another program started in the worker's place; comes back when its process is there.
    pub(crate) fn begin(&mut self, script: &Script, interrupt: &Interrupt) -> Result<(), Problem> {
        self.tell(&script.to_text())?;
        self.wait_for(interrupt, word::CLONED, |_, message| message == word::CLONED)?;
        self.see_off(interrupt).map(drop)
    }

    /// Waits for the launcher to be gone: its tenant runs, and nothing else of it shall be there. How it ended.
    fn see_off(&mut self, interrupt: &Interrupt) -> Result<ExitStatus, Problem> {
        let stays = |error: &dyn std::fmt::Display| {
            Problem::new(format!("a launcher does not go: {error}"), "try again on a quieter machine")
        };
        let Some(process) = &mut self.process else { return Err(stays(&"there is none")) };
        // It is our child and not waited for yet, so the number is its own.
        let handle = Pid::from_raw(process.id() as i32).ok_or(Errno::SRCH);
        let handle =
            handle.and_then(|pid| pidfd_open(pid, PidfdFlags::empty())).map_err(|error| stays(&error))?;
        let deadline = Instant::now() + START_PATIENCE;
        while !is_ready(&mut [PollFd::new(&handle, PollFlags::IN)], LOOK_EVERY) {
            interrupt.check()?;
            if Instant::now() > deadline {
                return Err(stays(&format!("it is there after {} s", START_PATIENCE.as_secs())));
            }
        }
        process.wait().map_err(|error| stays(&error))
    }

    /// Takes every message that is there.
    pub(crate) fn hear_all(&mut self) -> Result<(), Problem> {
        while self.ended.is_none() && self.wait(Duration::ZERO) {
            self.hear()?;
        }
        Ok(())
    }

    /// What there is to be waited for before one may [`Self::hear`].
    pub(crate) fn poll_fds(&self) -> impl Iterator<Item = PollFd<'_>> {
        [self.control.as_ref(), self.handle.as_ref()]
            .into_iter()
            .flatten()
            .map(|fd| PollFd::new(fd, PollFlags::IN))
    }

    /// Takes one message, or the tenant's end, which comes after its last message; the message, empty where there was none.
    pub(crate) fn hear(&mut self) -> Result<String, Problem> {
        let mut buffer = [0_u8; 4096];
        let received = self.control.as_ref().map_or(Err(Errno::AGAIN), |control| {
            rustix::net::recv(control, &mut buffer, RecvFlags::DONTWAIT).map(|(_, length)| length)
        });
        if let Err(Errno::AGAIN | Errno::INTR) = received {
            self.note_end();
            return Ok(String::new());
        }
        self.take_up();
        let length = received.unwrap_or(0);
        let message = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
        if let Some(what) = message.strip_prefix(word::FAILED) {
            return Err(Problem::of_start(what));
        }
        if let Some(why) = message.strip_prefix(word::GAVE_UP) {
            self.gave_up = Some(why.to_owned());
        }
        if message.is_empty() {
            self.control = None;
            self.note_end();
            if self.handle.is_none() {
                self.ended.get_or_insert_with(|| "its launcher died".to_owned());
            }
        }
        Ok(message)
    }

    /// Takes up the tenant's process once its number is on the tape. As it is our child and nobody else waits for it, or has just
    /// said that it is ready, the number is not another's.
    fn take_up(&mut self) {
        if self.tenant.is_some() {
            return;
        }
        let Some(pid) = Pid::from_raw(self.tape.get(head::TENANT) as i32) else { return };
        self.handle = pidfd_open(pid, PidfdFlags::empty()).ok();
        self.tenant = Some(pid.as_raw_nonzero().get().cast_unsigned());
    }

    /// Notes the tenant's end, if it has come.
    fn note_end(&mut self) {
        let Some(handle) = &self.handle else { return };
        if self.ended.is_none() && is_ready(&mut [PollFd::new(handle, PollFlags::IN)], Duration::ZERO) {
            // Of an engine's tenant the engine knows more.
            let how = if self.process.is_none() {
                GONE.to_owned()
            } else {
                reap(handle.as_fd()).unwrap_or_else(|error| error)
            };
            self.ended = Some(self.gave_up.take().unwrap_or(how));
            self.ended_ns = Some(now_ns());
        }
    }

    /// Comes back when the tenant has ended.
    pub(crate) fn wait_for_end(&mut self, interrupt: &Interrupt) -> Result<(), Problem> {
        while self.ended.is_none() {
            interrupt.check()?;
            if self.wait(LOOK_EVERY) {
                self.hear()?;
            }
        }
        Ok(())
    }

    /// Takes no more messages: of the tenant's end alone is heard from now on, and of its tape. Saves a descriptor.
    pub(crate) fn hang_up(&mut self) {
        self.control = None;
    }

    /// Kills the tenant, and does not wait for its end.
    pub(crate) fn kill(&self) {
        if let Some(handle) = self.handle.as_ref().filter(|_| self.ended.is_none()) {
            let _ = pidfd_send_signal(handle, Signal::KILL);
        }
    }

    /// Ends the launcher, if it is still there, and the tenant, whatever they are at.
    pub(crate) fn end(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
        // Only now: the launcher can't have another one made.
        self.take_up();
        self.kill();
        let deadline = Instant::now() + END_PATIENCE;
        while self.handle.is_some() && self.ended.is_none() && Instant::now() < deadline {
            self.wait(LOOK_EVERY);
            self.note_end();
        }
    }

    fn tell(&self, message: &str) -> Result<(), Problem> {
        let control = self.control.as_ref().ok_or(Errno::NOTCONN);
        control
            .and_then(|control| {
                rustix::net::send(control, message.as_bytes(), rustix::net::SendFlags::NOSIGNAL)
            })
            .map(drop)
            .map_err(|error| {
                Problem::new(format!("a launcher does not listen: {error}"), "see the messages above")
            })
    }

    /// Hears messages until `enough` says so; `wanted` says in a complaint what did not come.
    fn wait_for(
        &mut self,
        interrupt: &Interrupt,
        wanted: &str,
        enough: impl Fn(&Self, &str) -> bool,
    ) -> Result<(), Problem> {
        let deadline = Instant::now() + START_PATIENCE;
        let mut message = String::new();
        while Instant::now() < deadline {
            if enough(self, &message) {
                return Ok(());
            }
            interrupt.check()?;
            if self.wait(LOOK_EVERY) {
                message = self.hear()?;
            }
            if let Some(how) = &self.ended {
                let what = format!("a tenant ended before it was {wanted} ({how})");
                return Err(Problem::new(what, problem::remedy_of_end(how)));
            }
        }
        Err(Problem::new(
            format!("a tenant was not {wanted} within {} s", START_PATIENCE.as_secs()),
            "look for what keeps the machine busy and try again",
        ))
    }

    /// Waits for something to [`Self::hear`], at most so long; whether there is something.
    fn wait(&self, at_most: Duration) -> bool {
        let mut events: Vec<_> = self.poll_fds().collect();
        is_ready(&mut events, at_most)
    }
}

/// Waits until one of these is ready, at most so long; whether one is.
pub(crate) fn is_ready(events: &mut [PollFd<'_>], at_most: Duration) -> bool {
    let timeout = rustix::time::Timespec::try_from(at_most).ok();
    poll(events, timeout.as_ref()).is_ok_and(|ready| ready > 0)
}

impl Drop for Launcher {
    fn drop(&mut self) {
        self.end();
    }
}
