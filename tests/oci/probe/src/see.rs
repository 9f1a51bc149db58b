//! What a process sees of itself and of its surroundings, mostly in the kernel's own words (proc(5)).

use std::collections::BTreeMap;
use std::fs;
use std::io::IsTerminal as _;

use serde_json::{Map, Value, json};

/// Everything, as one object. What can't be read is null.
pub(crate) fn all() -> Value {
    let name = rustix::system::uname();
    json!({
        "args": std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>(),
        "env": std::env::vars_os()
            .map(|(name, value)| format!("{}={}", name.to_string_lossy(), value.to_string_lossy()))
            .collect::<Vec<_>>(),
        "cwd": std::env::current_dir().ok().map(|folder| folder.to_string_lossy().into_owned()),
        "pid": std::process::id(),
        "ppid": rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get()),
        "uid": rustix::process::getuid().as_raw(),
        "gid": rustix::process::getgid().as_raw(),
        "euid": rustix::process::geteuid().as_raw(),
        "egid": rustix::process::getegid().as_raw(),
        "groups": groups(),
        "status": status(),
        "limits": limits(),
        "namespaces": links("/proc/self/ns"),
        "descriptors": links("/proc/self/fd"),
        "mounts": mounts(),
        "hostname": name.nodename().to_string_lossy(),
        "domainname": name.domainname().to_string_lossy(),
        "oom_score_adj": number("/proc/self/oom_score_adj"),
        "personality": text("/proc/self/personality"),
        "uid_map": table("/proc/self/uid_map"),
        "gid_map": table("/proc/self/gid_map"),
        "setgroups": text("/proc/self/setgroups"),
        "time_offsets": text("/proc/self/timens_offsets"),
        "cgroup": text("/proc/self/cgroup"),
        "scheduling": scheduling(),
        "terminal": terminal(),
    })
}

fn text(file: &str) -> Option<String> {
    fs::read_to_string(file).ok().map(|text| text.trim().to_owned())
}

fn number(file: &str) -> Option<i64> {
    text(file)?.parse().ok()
}

/// Numbers, line by line.
fn table(file: &str) -> Option<Vec<Vec<u64>>> {
    let rows = text(file)?;
    Some(rows.lines().map(|line| line.split_whitespace().flat_map(str::parse).collect()).collect())
}

fn groups() -> Option<Vec<u32>> {
    let groups = rustix::process::getgroups().ok()?;
    Some(groups.into_iter().map(|group| group.as_raw()).collect())
}

/// `/proc/self/status` by its own names.
fn status() -> Map<String, Value> {
    let lines = text("/proc/self/status").unwrap_or_default();
    let pairs = lines.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name.to_owned(), Value::from(value.trim()))).collect()
}

/// `/proc/self/limits`: soft and hard, by the kernel's name.
fn limits() -> Map<String, Value> {
    let lines = text("/proc/self/limits").unwrap_or_default();
    let rows = lines.lines().skip(1).filter_map(|line| {
        let (name, rest) = line.split_at_checked(26)?;
        let mut words = rest.split_whitespace();
        Some((name.trim().to_owned(), json!([words.next()?, words.next()?])))
    });
    rows.collect()
}

/// Where the links of a folder lead, by name.
fn links(folder: &str) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let links = entries.filter_map(|entry| {
        let target = fs::read_link(entry.path()).ok()?.to_string_lossy().into_owned();
        // The descriptor that reads this folder is nobody's business.
        let own = target.starts_with("/proc/") && target.ends_with("/fd");
        (!own).then(|| (entry.file_name().to_string_lossy().into_owned(), target))
    });
    links.collect()
}

/// `/proc/self/mountinfo`, a row each.
fn mounts() -> Vec<Value> {
    let lines = text("/proc/self/mountinfo").unwrap_or_default();
    let rows = lines.lines().filter_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let left: Vec<&str> = left.split(' ').collect();
        let [_, _, _, root, point, options, shared @ ..] = left.as_slice() else { return None };
        let mut right = right.split(' ');
        Some(json!({
            "root": root,
            "point": point,
            "options": options.split(',').collect::<Vec<_>>(),
            "propagation": shared,
            "type": right.next()?,
            "source": right.next()?,
            "data": right.next()?.split(',').collect::<Vec<_>>(),
        }))
    });
    rows.collect()
}

/// Nice value, real-time priority and policy: fields 19, 40 and 41 of `/proc/self/stat`.
fn scheduling() -> Value {
    let line = text("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = line.rsplit_once(") ").map_or("", |(_, rest)| rest).split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).and_then(|word| word.parse::<i64>().ok());
    json!({ "nice": field(19), "priority": field(40), "policy": field(41) })
}

/// Which of the three standard streams are terminals, and the size of the first.
fn terminal() -> Value {
    let size = rustix::termios::tcgetwinsize(std::io::stdin()).ok();
    json!({
        "stdin": std::io::stdin().is_terminal(),
        "stdout": std::io::stdout().is_terminal(),
        "stderr": std::io::stderr().is_terminal(),
        "size": size.map(|size| [size.ws_row, size.ws_col]),
    })
}
