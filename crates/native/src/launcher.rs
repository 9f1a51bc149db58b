//! The runner's end of a tenant: its launcher process, the socket to it and the tape.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use catamaran_worker::clock::now_ns;
use catamaran_worker::facts::Facts;
use catamaran_worker::script::{Script, word};
use catamaran_worker::stop::STOP_AT;
use catamaran_worker::tape::Tape;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use crate::interrupt::Interrupt;
use crate::problem::{self, Problem};

/// The static worker, as built by `build.rs`.
pub(crate) static WORKER: &[u8] = include_bytes!(env!("CATAMARAN_WORKER"));

/// How long a start-up may take before it is given up.
const START_PATIENCE: Duration = Duration::from_secs(20);
/// How long a tenant that is told to end may take before its launcher is killed with it.
const END_PATIENCE: Duration = Duration::from_secs(3);
/// Longest sleep without a look at the interrupt flag.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The worker's bytes as a file without a name, ready to be executed.
#[derive(Debug)]
pub(crate) struct WorkerFile(File);

impl WorkerFile {
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
    process: Child,
    control: OwnedFd,
    /// What the tenant does and did.
    pub(crate) tape: Tape,
    /// Number of the tenant's process, once it was made.
    pub(crate) tenant: Option<u32>,
    /// How the tenant ended: its exit code or `signal N`.
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
        let mut command = Command::new(format!("/proc/self/fd/{}", worker.0.as_raw_fd()));
        command.arg0("catamaran-launcher").args(["launch", run, &std::process::id().to_string()]).env_clear();
        if let Some(stage) = std::env::var_os(STOP_AT) {
            command.env(STOP_AT, stage);
        }
        let process = command
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::from(tape))
            .spawn()
            .map_err(|error| no_start(&error))?;
        let mut launcher = Self { process, control, tape: mapped, tenant: None, ended: None, ended_ns: None };
        launcher.wait_for(interrupt, word::READY, |_, message| message == word::READY)?;
        Ok(launcher)
    }

    /// Number of the launcher's own process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Has the tenant started; comes back when all its threads wait for the common start.
    pub(crate) fn carry_out(&mut self, script: &Script, interrupt: &Interrupt) -> Result<(), Problem> {
        self.tell(&script.to_text())?;
        self.wait_for(interrupt, word::STARTED, |_, message| message == word::STARTED)?;
        // The launcher and the tenant speak at the same time: the number may come later.
        self.wait_for(interrupt, "known by number", |launcher, _| launcher.tenant.is_some())
    }

    /// Has the tenant probe; what it found by name, when it has ended.
    pub(crate) fn probe(&mut self, script: &Script, interrupt: &Interrupt) -> Result<Facts, Problem> {
        self.tell(&script.to_text())?;
        let deadline = Instant::now() + START_PATIENCE;
        let mut found = Facts::new();
        while self.ended.is_none() {
            interrupt.check()?;
            if Instant::now() > deadline {
                let seconds = START_PATIENCE.as_secs();
                return Err(Problem::new(
                    format!("the probe did not come to its end within {seconds} s"),
                    "try again on a quieter machine",
                ));
            }
            if self.wait(LOOK_EVERY) {
                let message = self.hear()?;
                let finding = message.strip_prefix(word::FOUND).and_then(|finding| finding.split_once('\t'));
                found.extend(finding.map(|(name, what)| (name.to_owned(), what.to_owned())));
            }
        }
        Ok(found)
    }

    /// Has another program started in the worker's place; comes back when its process is there.
    pub(crate) fn begin(&mut self, script: &Script, interrupt: &Interrupt) -> Result<(), Problem> {
        self.tell(&script.to_text())?;
        self.wait_for(interrupt, "known by number", |launcher, _| launcher.tenant.is_some())
    }

    /// Takes every message that is there.
    pub(crate) fn hear_all(&mut self) -> Result<(), Problem> {
        while self.ended.is_none() && self.wait(Duration::ZERO) {
            self.hear()?;
        }
        Ok(())
    }

    /// Whether there is something to [`Self::hear`], to be waited for.
    pub(crate) fn poll_fd(&self) -> PollFd<'_> {
        PollFd::new(&self.control, PollFlags::IN)
    }

    /// Takes one message; only to be called when there is one.
    pub(crate) fn hear(&mut self) -> Result<String, Problem> {
        let mut buffer = [0_u8; 4096];
        let length = rustix::io::read(&self.control, &mut buffer).unwrap_or(0);
        let message = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
        if let Some(pid) = message.strip_prefix(word::CLONED) {
            self.tenant = pid.parse().ok();
        } else if let Some(how) = message.strip_prefix(word::ENDED) {
            self.ended = Some(how.to_owned());
            self.ended_ns = Some(now_ns());
        } else if let Some(what) = message.strip_prefix(word::FAILED) {
            return Err(Problem::of_start(what));
        } else if message.is_empty() {
            self.ended.get_or_insert_with(|| "its launcher died".to_owned());
        }
        Ok(message)
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

    /// Asks for the tenant's end, and does not wait for it.
    pub(crate) fn ask_to_end(&self) {
        let _ = self.tell(word::END);
    }

    /// Ends the tenant and its launcher, whatever they are at.
    pub(crate) fn end(&mut self) {
        let deadline = Instant::now() + END_PATIENCE;
        if self.ended.is_none() && self.tell(word::END).is_ok() {
            while self.ended.is_none() && Instant::now() < deadline {
                if self.wait(LOOK_EVERY) {
                    let _ = self.hear();
                }
            }
        }
        if self.ended.is_none() {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }

    fn tell(&self, message: &str) -> Result<(), Problem> {
        rustix::net::send(&self.control, message.as_bytes(), rustix::net::SendFlags::NOSIGNAL)
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

    /// Waits for a message, at most so long; whether there is one.
    fn wait(&self, at_most: Duration) -> bool {
        let timeout = rustix::time::Timespec::try_from(at_most).ok();
        poll(&mut [self.poll_fd()], timeout.as_ref()).is_ok_and(|ready| ready > 0)
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        self.end();
    }
}
