//! The runner's end of an engine's room ([`catamaran_worker::room_plan`]).

use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use catamaran_worker::room_plan::{self, MESSAGE_BYTES_MAX, RoomPlan, Said};
use catamaran_worker::script::word;
use rustix::event::{PollFd, PollFlags};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};

use crate::interrupt::Interrupt;
use crate::launcher::{LOOK_EVERY, WorkerFile, is_ready};
use crate::problem::Problem;

/// How long a command may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two questions whether a daemon is there.
pub(super) const ASK_EVERY: Duration = Duration::from_millis(20);
/// Lines of a daemon's log that are told.
const TAIL: usize = 3;

/// Namespaces of an engine; they end with it.
#[derive(Debug)]
pub(super) struct Room {
    process: Child,
    control: OwnedFd,
}

impl Room {
    /// Makes one for the run of that id.
    pub(super) fn open(
        worker: &WorkerFile,
        run: &str,
        plan: &RoomPlan,
        interrupt: &Interrupt,
    ) -> Result<Self, Problem> {
        let failed = |error: &dyn std::fmt::Display| {
            Problem::by_errno(
                format!("cannot start the engine's room: {error}"),
                "free some memory and try again",
            )
        };
        let (control, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .map_err(|error| failed(&error))?;
        let process = Command::new(worker.path())
            .args(["room", run, &std::process::id().to_string()])
            .env_clear()
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| failed(&error))?;
        let mut room = Self { process, control };
        room.tell(&plan.to_text())?;
        let answer = room.hear(interrupt, "made")?;
        match answer.strip_prefix(word::FAILED) {
            Some(what) => Err(Problem::of_start(what)),
            None => Ok(room),
        }
    }

    /// Number of a process in its namespaces of network and mounts.
    pub(super) fn process(&self) -> u32 {
        self.process.id()
    }

    /// Starts what goes on by itself, and says things to a file.
    pub(super) fn spawn(
        &mut self,
        words: Vec<String>,
        log: &Path,
        interrupt: &Interrupt,
    ) -> Result<Said, Problem> {
        self.carry_out(&room_plan::Command { log: Some(log.to_owned()), words }, interrupt)
    }

    /// Has a command carried out to its end.
    pub(super) fn run(&mut self, words: Vec<String>, interrupt: &Interrupt) -> Result<Said, Problem> {
        self.carry_out(&room_plan::Command { log: None, words }, interrupt)
    }

    /// The same of one that has to succeed.
    pub(super) fn demand(&mut self, words: Vec<String>, interrupt: &Interrupt) -> Result<Said, Problem> {
        let program = words.first().cloned().unwrap_or_default();
        let said = self.run(words, interrupt)?;
        if said.is_well() {
            return Ok(said);
        }
        let what = format!("{program} failed ({}): {}", said.end, said.last_words());
        Err(Problem::new(what, "see what it complains of"))
    }

    /// Starts a daemon, and comes back when a command of its client succeeds.
    pub(super) fn serve(
        &mut self,
        daemon: Vec<String>,
        log: &Path,
        answers: &[String],
        interrupt: &Interrupt,
    ) -> Result<(), Problem> {
        let program = daemon.first().cloned().unwrap_or_default();
        self.spawn(daemon, log, interrupt)?;
        let deadline = Instant::now() + PATIENCE;
        while !self.run(answers.to_vec(), interrupt)?.is_well() {
            if Instant::now() > deadline {
                let text = std::fs::read_to_string(log).unwrap_or_default();
                let lines: Vec<&str> = text.lines().collect();
                let tail = lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default().join("; ");
                let what = format!("{program} does not answer within {} s: {tail}", PATIENCE.as_secs());
                return Err(Problem::unavailable(what, "see what it complains of"));
            }
            std::thread::sleep(ASK_EVERY);
        }
        Ok(())
    }

    fn carry_out(&mut self, command: &room_plan::Command, interrupt: &Interrupt) -> Result<Said, Problem> {
        self.tell(&command.to_text())?;
        let program = command.words.first().map_or("", String::as_str);
        let answer = self.hear(interrupt, program)?;
        Said::from_text(&answer).ok_or_else(|| {
            let what = answer.strip_prefix(word::FAILED).unwrap_or("it is gone");
            Problem::new(format!("the engine's room: {what}"), "see `dmesg` for what the kernel did to it")
        })
    }

    fn tell(&self, text: &str) -> Result<(), Problem> {
        let sent = send(&self.control, text.as_bytes(), SendFlags::NOSIGNAL);
        sent.map(drop).map_err(|error| {
            Problem::new(format!("the engine's room does not listen: {error}"), "see the messages above")
        })
    }

    /// The next message, empty where the room is gone; `what` names in a complaint what did not come to its end.
    fn hear(&mut self, interrupt: &Interrupt, what: &str) -> Result<String, Problem> {
        let deadline = Instant::now() + PATIENCE;
        while !is_ready(&mut [PollFd::new(&self.control, PollFlags::IN)], LOOK_EVERY) {
            interrupt.check()?;
            if Instant::now() > deadline {
                return Err(Problem::new(
                    format!("{what} in the engine's room took more than {} s", PATIENCE.as_secs()),
                    "look for what keeps the machine busy and try again",
                ));
            }
        }
        let mut buffer = vec![0_u8; MESSAGE_BYTES_MAX];
        let length =
            recv(&self.control, &mut buffer[..], RecvFlags::DONTWAIT).map_or(0, |(_, length)| length);
        Ok(String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
