//! The launcher: a tiny runtime that starts one tenant by a script and notes when each stage was over.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use catamaran_worker::clock::now_ns;
use catamaran_worker::script::{Script, stamp, word};
use catamaran_worker::tape::Tape;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, WaitId, WaitIdOptions, getppid};

use crate::start::{Start, die_with_parent};

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
    let program = own_program()?;
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
    let arguments = arguments(&script, run)?;
    let start = Start {
        script: &script,
        tape: Some(&tape),
        program: &program,
        arguments: &arguments,
        control: Some(control),
    };
    let pidfd = start.carry_out(|pid| say(control, &format!("{}{pid}", word::CLONED)))?;
    say(control, &ended(&pidfd)?);
    Ok(())
}

/// A handle on the file of this very program.
pub(crate) fn own_program() -> Result<OwnedFd, String> {
    use rustix::fs::OFlags;
    rustix::fs::open(c"/proc/self/exe", OFlags::RDONLY | OFlags::CLOEXEC, 0.into())
        .map_err(|error| format!("cannot open /proc/self/exe: {error}"))
}

/// What the worker is told: to work, or to probe.
fn arguments(script: &Script, run: String) -> Result<Vec<CString>, String> {
    let role = if script.probe.is_empty() { "work" } else { "probe" };
    let words = ["catamaran-worker".to_owned(), role.to_owned(), run];
    words
        .into_iter()
        .chain(script.probe.iter().cloned())
        .map(|word| CString::new(word).map_err(|_| "an argument holds a zero byte".to_owned()))
        .collect()
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
            return Ok(format!("{}{}", word::ENDED, reap(pidfd)?));
        }
    }
}

/// Takes the process from the kernel once it has ended; its exit code, or `signal N`.
pub(crate) fn reap(pidfd: &OwnedFd) -> Result<String, String> {
    let status = rustix::io::retry_on_intr(|| {
        rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED)
    })
    .map_err(|error| format!("cannot wait for the tenant: {error}"))?
    .ok_or("the tenant's end was not told")?;
    Ok(match status.terminating_signal() {
        Some(signal) => format!("signal {signal}"),
        None => status.exit_status().unwrap_or(-1).to_string(),
    })
}

/// One message to the runner; where that is gone, nobody is left to tell.
pub(crate) fn say(control: BorrowedFd<'_>, message: &str) {
    let _ = rustix::io::write(control, message.as_bytes());
}
