//! `kill`: a signal for a container.

use std::path::Path;

use rustix::process::Signal;

use crate::Problem;
use crate::state::{Folder, Status};

/// Signals by their names (signal(7)), without `SIG`.
const NAMES: [(&str, Signal); 31] = [
    ("HUP", Signal::HUP),
    ("INT", Signal::INT),
    ("QUIT", Signal::QUIT),
    ("ILL", Signal::ILL),
    ("TRAP", Signal::TRAP),
    ("ABRT", Signal::ABORT),
    ("BUS", Signal::BUS),
    ("FPE", Signal::FPE),
    ("KILL", Signal::KILL),
    ("USR1", Signal::USR1),
    ("SEGV", Signal::SEGV),
    ("USR2", Signal::USR2),
    ("PIPE", Signal::PIPE),
    ("ALRM", Signal::ALARM),
    ("TERM", Signal::TERM),
    ("STKFLT", Signal::STKFLT),
    ("CHLD", Signal::CHILD),
    ("CONT", Signal::CONT),
    ("STOP", Signal::STOP),
    ("TSTP", Signal::TSTP),
    ("TTIN", Signal::TTIN),
    ("TTOU", Signal::TTOU),
    ("URG", Signal::URG),
    ("XCPU", Signal::XCPU),
    ("XFSZ", Signal::XFSZ),
    ("VTALRM", Signal::VTALARM),
    ("PROF", Signal::PROF),
    ("WINCH", Signal::WINCH),
    ("IO", Signal::IO),
    ("PWR", Signal::POWER),
    ("SYS", Signal::SYS),
];

/// A signal by its number or name: `9`, `KILL`, `sigkill`.
///
/// # Errors
/// Where there is no such signal.
pub fn parse_signal(text: &str) -> Result<Signal, Problem> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let named = NAMES.iter().find(|(known, _)| *known == name).map(|(_, signal)| *signal);
    let numbered = text.parse().ok().and_then(Signal::from_named_raw);
    named.or(numbered).ok_or_else(|| {
        Problem::Usage(format!("{text:?} is no signal; give a name such as SIGTERM or a number from 1 to 31"))
    })
}

/// Sends a signal to the container's first process, or to all of its processes.
///
/// # Errors
/// Where it is neither created nor running.
pub fn kill(root: &Path, id: &str, signal: Signal, all: bool) -> Result<(), Problem> {
    let folder = Folder::open(root, id)?;
    let state = folder.read()?;
    let status = state.status(&folder.path);
    if all {
        if let Some(groups) = &state.groups {
            return groups.signal(signal);
        }
    }
    let sent = match state.process {
        Some(process) if status != Status::Stopped => process.signal(signal)?,
        _ => false,
    };
    if !sent {
        return Err(Problem::Usage(format!(
            "container {id} is {}; only a created or running container can be killed: container not running",
            Status::Stopped.word()
        )));
    }
    // Who is frozen would die only once it is thawed.
    if signal == Signal::KILL
        && status == Status::Paused
        && let Some(groups) = &state.groups
    {
        groups.thaw()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_known_by_name_and_number() {
        for text in ["9", "KILL", "SIGKILL", "sigkill", "Kill"] {
            assert_eq!(parse_signal(text), Ok(Signal::KILL), "{text}");
        }
        for text in ["", "0", "-1", "SIG", "KILLED", "4096", " 9"] {
            assert!(parse_signal(text).is_err(), "{text}");
        }
    }
}
