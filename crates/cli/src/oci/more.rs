//! The longer half of the commands: `exec`, `ps`, `update`, `events`.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use catamaran_oci::{Problem, command};
use serde_json::{Value, json};

use super::args::{Events, Exec, ListFormat, Ps, Update};
use super::{print, sockets};

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
            std::io::stdin().read_to_end(&mut text).map(drop)
        } else {
            std::fs::read(path).map(|read| text = read)
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
    loop {
        print(&format!("{}\n", command::statistics(root, &how.id)?));
        if how.stats {
            return Ok(());
        }
        std::thread::sleep(Duration::from_secs(how.interval.max(1)));
        if command::has_stopped(root, &how.id) {
            return Ok(());
        }
    }
}
