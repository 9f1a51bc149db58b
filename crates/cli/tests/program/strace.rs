//! What `strace -f` writes down.

use std::process::{Command, Stdio};

/// A line of strace: a process, a call with its arguments, what it returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) pid: u32,
    pub(crate) name: String,
    pub(crate) arguments: String,
    pub(crate) result: String,
}

impl Call {
    pub(crate) fn succeeded(&self) -> bool {
        !self.result.starts_with('-') && !self.result.starts_with('?')
    }
}

/// The calls of a log of `strace -f`, in the order in which they began. One that others interrupted is put together again.
pub(crate) fn calls(log: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for line in log.lines() {
        let Some((pid, rest)) = line.split_once(' ') else { continue };
        let (Ok(pid), rest) = (pid.parse(), rest.trim_start()) else { continue };
        if let Some(resumed) = rest.strip_prefix("<... ") {
            let Some((name, rest)) = resumed.split_once(" resumed>") else { continue };
            let begun = |call: &&mut Call| call.pid == pid && call.name == name && call.result.is_empty();
            if let Some(call) = calls.iter_mut().rev().find(begun) {
                let (arguments, result) = split(rest);
                call.arguments.push_str(arguments);
                call.result = result.to_owned();
            }
            continue;
        }
        let Some((name, rest)) = rest.split_once('(') else { continue };
        let (arguments, result) = match rest.strip_suffix(" <unfinished ...>") {
            Some(arguments) => (arguments, ""),
            None => split(rest),
        };
        let (name, arguments, result) = (name.to_owned(), arguments.to_owned(), result.to_owned());
        calls.push(Call { pid, name, arguments, result });
    }
    calls
}

/// `"a", 0) = 3` into arguments and result.
fn split(rest: &str) -> (&str, &str) {
    let (arguments, result) = rest.rsplit_once(" = ").unwrap_or((rest, "?"));
    (arguments.trim_end().strip_suffix(')').unwrap_or(arguments), result.trim())
}

/// Why a trace can't be made here; none where it can.
pub(crate) fn missing() -> Option<&'static str> {
    if !rustix::process::geteuid().is_root() {
        return Some("it takes root");
    }
    let strace = Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let there = strace.is_ok_and(|status| status.success());
    (!there).then_some("strace is not here: `apt-get install strace` brings it")
}
