//! The launcher: a tiny runtime that starts one tenant by a script, notes when each stage was over, and is gone. The tenant
//! is the runner's own child (`CLONE_PARENT`), so that nothing stays beside it. Where an OCI runtime starts the tenant, the launcher
//! becomes the runtime.

use std::ffi::CString;
use std::os::fd::{BorrowedFd, OwnedFd};

use catamaran_worker::clock::now_ns;
use catamaran_worker::script::{Script, stamp, word};
use catamaran_worker::tape::Tape;
use rustix::process::getppid;

use crate::runtime;
use crate::start::{Start, Whom, die_with_parent};

/// Longest script (bytes): a run of very many groups would still stay far below.
const SCRIPT_BYTES_MAX: usize = 1 << 16;

/// Waits for a script and starts the tenant by it.
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
    if let Some(call) = &script.runtime {
        return Err(runtime::become_it(&script, call));
    }
    let arguments = arguments(&script, run)?;
    let for_whom = Whom::Runner { control, tape: &tape };
    let start = Start { script: &script, program: &program, arguments: &arguments, for_whom };
    start.carry_out().map(drop)
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

/// One message to the runner; where that is gone, nobody is left to tell.
pub(crate) fn say(control: BorrowedFd<'_>, message: &str) {
    let _ = rustix::io::write(control, message.as_bytes());
}
