//! The longer half of the commands: `exec`, `ps`, `update`, `events`.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use catamaran_oci::{Problem, command};
use serde_json::{Value, json};

use super::args::{Events, Exec, ListFormat, Ps, Update};
use super::{print, sockets};

/// Longest document of limits (bytes): as of a configuration. What is cut is no JSON.
const LONGEST: u64 = 16 << 20;

impl Exec {
    pub(super) fn how(self, root: PathBuf, debug: bool) -> command::Exec {
        command::Exec {
            root,
            id: self.id,
            process: self.process,
            args: self.command,
            cwd: self.cwd,
            env: self.env,
            user: self.user,
            additional_gids: self.additional_gids,
            tty: self.tty,
            capabilities: self.cap,
            no_new_privileges: self.no_new_privs,
            apparmor: self.apparmor,
            label: self.process_label,
            detach: self.detach,
            pid_file: self.pid_file,
            console_socket: self.console_socket,
            preserve_fds: self.preserve_fds.saturating_add(sockets()),
            ignore_paused: self.ignore_paused,
            groups: self.groups,
            debug: debug.then_some(|what| eprintln!("debug: {what}")),
        }
    }
}

/// Processes as a list of numbers, or as the lines that ps(1) has of them.
pub(super) fn processes(how: &Ps, pids: &[u32]) -> Result<String, Problem> {
    if how.format == ListFormat::Json {
        return Ok(format!("{}\n", json!(pids)));
    }
    let default = ["-ef".to_owned()];
    let options = if how.options.is_empty() { &default[..] } else { &how.options };
    let output = std::process::Command::new("ps").args(options).output();
    let output =
        output.map_err(|error| Problem::system("run ps(1), which --format json does without", error))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines();
    let head = lines.next().unwrap_or_default();
    let at = head.split_whitespace().position(|word| word == "PID");
    let at =
        at.ok_or_else(|| Problem::Usage("ps: without a column PID nothing can be told apart".to_owned()))?;
    let is_inside = |line: &&str| {
        let pid = line.split_whitespace().nth(at).and_then(|word| word.parse::<u32>().ok());
        pid.is_some_and(|pid| pids.contains(&pid))
    };
    let inside = lines.filter(is_inside).map(|line| format!("{line}\n"));
    Ok(std::iter::once(format!("{head}\n")).chain(inside).collect())
}

/// The limits that were asked for, as `linux.resources`.
pub(super) fn resources(how: &Update) -> Result<Vec<u8>, Problem> {
    if let Some(path) = &how.resources {
        let mut text = Vec::new();
        let read = if path == Path::new("-") {
            std::io::stdin().take(LONGEST).read_to_end(&mut text)
        } else {
            File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut text))
        };
        read.map_err(|error| Problem::system(format!("read {}", path.display()), error))?;
        return Ok(text);
    }
    let table = |pairs: Vec<(&str, Option<Value>)>| {
        let there = pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let table: serde_json::Map<String, Value> = there.collect();
        (!table.is_empty()).then_some(Value::Object(table))
    };
    let cpu = table(vec![
        ("quota", how.cpu_quota.map(Value::from)),
        ("period", how.cpu_period.map(Value::from)),
        ("shares", how.cpu_share.map(Value::from)),
        ("cpus", how.cpuset_cpus.clone().map(Value::from)),
        ("mems", how.cpuset_mems.clone().map(Value::from)),
    ]);
    let memory = table(vec![
        ("limit", how.memory.map(Value::from)),
        ("reservation", how.memory_reservation.map(Value::from)),
        ("swap", how.memory_swap.map(Value::from)),
    ]);
    let pids = table(vec![("limit", how.pids_limit.map(Value::from))]);
    let blkio = table(vec![("weight", how.blkio_weight.map(Value::from))]);
    let all = table(vec![("cpu", cpu), ("memory", memory), ("pids", pids), ("blockIO", blkio)]);
    let all = all.ok_or_else(|| {
        Problem::Usage(
            "update: name a limit, or give --resources FILE; `update --help` lists them".to_owned(),
        )
    })?;
    Ok(all.to_string().into_bytes())
}

/// A line about what is used, and one more every interval until the container has stopped.
pub(super) fn follow(root: &Path, how: &Events) -> Result<(), Problem> {
    let line = |text: &str| print(&format!("{text}\n"));
    if how.stats {
        line(&command::statistics(root, &how.id)?);
        return Ok(());
    }
    command::follow(root, &how.id, how.interval, &mut |text| line(text))
}

/// A time as Go writes it (`5s`, `1m30s`, `200ms`), as runc's options have them; a number alone is seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, f64); 6] =
        [("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9), ("h", 3600.0), ("m", 60.0), ("s", 1.0)];
    let wrong = || format!("{text:?} is no time above zero: give one such as 5s, 200ms or 1m30s");
    let (mut seconds, mut rest) = (0.0, text);
    if text.parse::<u32>().is_ok() {
        return duration(&format!("{text}s"));
    }
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').ok_or_else(wrong)?;
        let (number, behind) = rest.split_at(end);
        let (unit, worth) = UNITS.iter().find(|(unit, _)| behind.starts_with(unit)).ok_or_else(wrong)?;
        seconds += number.parse::<f64>().map_err(|_| wrong())? * worth;
        rest = behind.get(unit.len()..).unwrap_or_default();
    }
    Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_go() {
        for (text, milliseconds) in
            [("5s", 5000), ("5", 5000), ("200ms", 200), ("1m30s", 90_000), ("1.5h", 5_400_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in [
            "",
            "0",
            "0s",
            "s",
            "5x",
            "-5s",
            "5s5",
            "1e400s",
            "99999999999999999999999h",
            "1..5s",
            "5 s",
            "½s",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
