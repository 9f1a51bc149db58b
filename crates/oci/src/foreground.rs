//! Staying with a process until its end: signals are passed on, and what is typed and written where it has a terminal.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use nix::sys::signal::SigSet;
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, ioctl_fionbio, read, write};
use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};
use rustix::stdio::{stdin, stdout};
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

use crate::Problem;
use crate::console::Console;
use crate::process::Process;

/// Bytes that are passed on at once.
const CHUNK: usize = 8192;

/// What is needed to stay.
#[derive(Debug)]
pub(crate) struct Foreground {
    signals: SignalFd,
    terminal: Option<Terminal>,
}

#[derive(Debug)]
struct Terminal {
    master: OwnedFd,
    /// How the caller's terminal was, to leave it so.
    before: Option<Termios>,
    /// What was typed and not taken yet.
    typed: Vec<u8>,
    /// Whether more may be typed.
    open: bool,
}

impl Foreground {
    /// Gets ready before the program runs; nothing where nobody stays.
    pub(crate) fn prepare(console: Option<Console>, detach: bool) -> Result<Option<Self>, Problem> {
        if detach {
            return Ok(None);
        }
        let failed = |error: nix::errno::Errno| Problem::system("take signals", error);
        let all = SigSet::all();
        all.thread_block().map_err(failed)?;
        let signals =
            SignalFd::with_flags(&all, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK).map_err(failed)?;
        let master = console.map(Console::master).transpose()?.flatten();
        let terminal = master.map(Terminal::new).transpose();
        let terminal = terminal.map_err(|error| Problem::system("pass the terminal on", error))?;
        Ok(Some(Self { signals, terminal }))
    }
}

impl Terminal {
    fn new(master: OwnedFd) -> Result<Self, Errno> {
        ioctl_fionbio(&master, true)?;
        let mut before = None;
        if isatty(stdin()) {
            let termios = tcgetattr(stdin())?;
            let mut raw = termios.clone();
            raw.make_raw();
            tcsetattr(stdin(), OptionalActions::Now, &raw)?;
            before = Some(termios);
        }
        let terminal = Self { master, before, typed: Vec::new(), open: true };
        terminal.resize();
        Ok(terminal)
    }

    fn resize(&self) {
        if let Ok(size) = tcgetwinsize(stdin()) {
            // A terminal that has just gone needs no size.
            let _ = tcsetwinsize(&self.master, size);
        }
    }

    fn interest(&self) -> PollFlags {
        if self.typed.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT }
    }

    /// What is written there goes to our output; whether there may be more.
    fn show(&self) -> bool {
        let mut bytes = [0; CHUNK];
        loop {
            match read(&self.master, &mut bytes) {
                Ok(0) => return false,
                Ok(length) => {
                    if !write_all(stdout(), bytes.get(..length).unwrap_or_default()) {
                        return false;
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return true,
                // Nobody has the other end open.
                Err(_) => return false,
            }
        }
    }

    fn take_typed(&mut self) {
        let mut bytes = [0; CHUNK];
        match read(stdin(), &mut bytes) {
            Ok(0) | Err(Errno::IO | Errno::BADF) => self.open = false,
            Ok(length) => self.typed.extend_from_slice(bytes.get(..length).unwrap_or_default()),
            Err(_) => {}
        }
    }

    fn pass_typed(&mut self) {
        if let Ok(length) = write(&self.master, &self.typed) {
            self.typed.drain(..length.min(self.typed.len()));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // Where the terminal is gone there is nothing to be put back.
            let _ = tcsetattr(stdin(), OptionalActions::Flush, before);
        }
    }
}

fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        match write(to, bytes) {
            Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
    true
}

/// Stays until the process, our child, has ended: its exit code, 128 and the signal's number where one ended it.
pub(crate) fn attend(mut with: Foreground, process: Process) -> Result<u8, Problem> {
    let handle = rustix::process::Pid::from_raw(process.pid)
        .ok_or(Errno::SRCH)
        .and_then(|pid| rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()))
        .map_err(|error| Problem::system("wait for the process inside", error))?;
    loop {
        let ready = wait(&with, &handle)?;
        if let Some(terminal) = &mut with.terminal {
            if ready.typed {
                terminal.take_typed();
            }
            terminal.pass_typed_if_any();
            let more = !ready.written || terminal.show();
            if !more && !ready.ended {
                with.terminal = None;
            }
        }
        if ready.ended {
            return end(&handle);
        }
        while let Ok(Some(signal)) = with.signals.read_signal() {
            pass_on(signal.ssi_signo.cast_signed(), &handle, with.terminal.as_ref());
        }
    }
}

impl Terminal {
    fn pass_typed_if_any(&mut self) {
        if !self.typed.is_empty() {
            self.pass_typed();
        }
    }
}

/// What happened.
struct Ready {
    ended: bool,
    written: bool,
    typed: bool,
}

fn wait(with: &Foreground, handle: &OwnedFd) -> Result<Ready, Problem> {
    let mut all = vec![PollFd::new(handle, PollFlags::IN), PollFd::new(&with.signals, PollFlags::IN)];
    let input = stdin();
    if let Some(terminal) = &with.terminal {
        all.push(PollFd::new(&terminal.master, terminal.interest()));
        if terminal.open && terminal.typed.is_empty() {
            all.push(PollFd::from_borrowed_fd(input.as_fd(), PollFlags::IN));
        }
    }
    match poll(&mut all, None) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(Problem::system("wait for the process inside", error)),
    }
    let happened = |at: usize| all.get(at).is_some_and(|one| !one.revents().is_empty());
    Ok(Ready { ended: happened(0), written: happened(2), typed: happened(3) })
}

fn end(handle: &OwnedFd) -> Result<u8, Problem> {
    let status = waitid(WaitId::PidFd(handle.as_fd()), WaitIdOptions::EXITED)
        .map_err(|error| Problem::system("learn how the process inside ended", error))?;
    let by_signal = status.as_ref().and_then(|status| status.terminating_signal()).map(|signal| 128 + signal);
    let code = by_signal.or_else(|| status.and_then(|status| status.exit_status())).unwrap_or(1);
    Ok(code as u8)
}

fn pass_on(number: i32, handle: &OwnedFd, terminal: Option<&Terminal>) {
    let Some(signal) = Signal::from_named_raw(number) else { return };
    match signal {
        // These are about us: our children, a reader of ours that has gone, a terminal that we only pass on.
        Signal::CHILD | Signal::PIPE | Signal::URG => {}
        Signal::WINCH => {
            if let Some(terminal) = terminal {
                terminal.resize();
            }
        }
        // Who has ended meanwhile needs no signal.
        signal => drop(pidfd_send_signal(handle, signal)),
    }
}
