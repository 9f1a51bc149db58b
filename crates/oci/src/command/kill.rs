//! `kill`: a signal for a container.

use std::path::Path;

use rustix::process::Signal;

use crate::Problem;
use crate::state::{Status, check_id, read};

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

/// Real-time signals as the C library numbers them, which keeps the first two to itself.
const REAL_TIME: std::ops::RangeInclusive<i32> = 34..=64;

/// A signal by its number or name: `9`, `KILL`, `sigkill`, `SIGRTMIN+3`.
///
/// # Errors
/// Where there is no such signal.
pub fn parse_signal(text: &str) -> Result<i32, Problem> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let named = NAMES.iter().find(|(known, _)| *known == name).map(|(_, signal)| signal.as_raw());
    let is_one = |number: &i32| (1..=31).contains(number) || REAL_TIME.contains(number);
    let numbered = || text.parse().ok().filter(is_one);
    named.or_else(|| real_time(name)).or_else(numbered).ok_or_else(|| {
        Problem::Usage(format!(
            "{text:?} is no signal; give a name such as SIGTERM or SIGRTMIN+3, or a number from 1 to 64"
        ))
    })
}

/// `RTMIN`, `RTMIN+n`, `RTMAX`, `RTMAX-n`.
fn real_time(name: &str) -> Option<i32> {
    let distance = |rest: &str, sign: char| {
        if rest.is_empty() { Some(0) } else { rest.strip_prefix(sign)?.parse::<u8>().ok() }
    };
    let number = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
        (Some(rest), _) => REAL_TIME.start() + i32::from(distance(rest, '+')?),
        (_, Some(rest)) => REAL_TIME.end() - i32::from(distance(rest, '-')?),
        _ => return None,
    };
    REAL_TIME.contains(&number).then_some(number)
}

/// Sends a signal to the container's first process, or to all of its processes.
///
/// # Errors
/// Where it is neither created nor running.
pub fn kill(root: &Path, id: &str, signal: i32, all: bool) -> Result<(), Problem> {
    check_id(id)?;
    // Without a lock: also a start or a hook that hangs can be ended.
    let folder = root.join(id);
    let state = read(&folder)?;
    let status = state.status(&folder);
    if all && let Some(groups) = &state.groups {
        let named = Signal::from_named_raw(signal).ok_or_else(|| {
            Problem::Usage(
                "--all: takes signals from 1 to 31; a real-time signal goes to the first process".to_owned(),
            )
        })?;
        return groups.signal(named);
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
    if signal == Signal::KILL.as_raw()
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
            assert_eq!(parse_signal(text), Ok(9), "{text}");
        }
        for (text, number) in [("SIGRTMIN+3", 37), ("rtmin", 34), ("RTMAX-1", 63), ("64", 64), ("SYS", 31)] {
            assert_eq!(parse_signal(text), Ok(number), "{text}");
        }
        for text in
            ["", "0", "-1", "SIG", "KILLED", "4096", " 9", "32", "65", "RTMIN+31", "RTMIN-1", "RTMAX-x"]
        {
            assert!(parse_signal(text).is_err(), "{text}");
        }
    }
}
