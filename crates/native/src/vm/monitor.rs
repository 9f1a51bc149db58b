//! QEMU's machine protocol, as far as a run needs it: who executes the guest, and "go".
//!
//! Source: QEMU, `docs/interop/qmp-spec.rst`: a greeting, then one JSON object a line; events may come at any time.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::Value;

use crate::problem::Problem;

/// A connection to the monitor of one QEMU.
#[derive(Debug)]
pub(super) struct Monitor(BufReader<UnixStream>);

impl Monitor {
    /// Takes up the connection; comes back when QEMU has built its machine.
    pub(super) fn take_up(stream: UnixStream, patience: Duration) -> Result<Self, Problem> {
        stream.set_read_timeout(Some(patience)).map_err(|error| broken(&error))?;
        let mut monitor = Self(BufReader::new(stream));
        monitor.answer(|said| said.get("QMP").cloned())?;
        monitor.execute("qmp_capabilities")?;
        Ok(monitor)
    }

    /// Numbers of the threads that execute the guest's processors.
    pub(super) fn vcpu_threads(&mut self) -> Result<Vec<u32>, Problem> {
        let answer = self.execute("query-cpus-fast")?;
        let threads =
            answer.as_array().into_iter().flatten().filter_map(|cpu| cpu.get("thread-id")?.as_u64());
        Ok(threads.filter_map(|thread| u32::try_from(thread).ok()).collect())
    }

    /// Has the guest run.
    pub(super) fn go(&mut self) -> Result<(), Problem> {
        self.execute("cont").map(drop)
    }

    /// Has the guest begin anew, as by its reset button. To QEMU that is no different from a guest that reboots itself, which
    /// is its end otherwise.
    pub(super) fn start_over(&mut self) -> Result<(), Problem> {
        let on_reset = |action: &str| serde_json::json!({ "reboot": action });
        self.ask("set-action", &on_reset("reset"))?;
        self.execute("system_reset")?;
        self.ask("set-action", &on_reset("shutdown")).map(drop)
    }

    fn execute(&mut self, command: &str) -> Result<Value, Problem> {
        self.ask(command, &serde_json::json!({}))
    }

    fn ask(&mut self, command: &str, arguments: &Value) -> Result<Value, Problem> {
        let line = serde_json::json!({ "execute": command, "arguments": arguments });
        self.0.get_mut().write_all(format!("{line}\n").as_bytes()).map_err(|error| broken(&error))?;
        self.answer(|said| said.get("return").or_else(|| said.get("error")).cloned()).and_then(|answer| {
            match answer.get("class").and_then(|_| answer.get("desc")) {
                Some(what) => Err(broken(&format!("{command}: {what}"))),
                None => Ok(answer),
            }
        })
    }

    /// The first line that is what is waited for; events are skipped.
    fn answer(&mut self, wanted: impl Fn(&Value) -> Option<Value>) -> Result<Value, Problem> {
        let mut line = String::new();
        loop {
            line.clear();
            match self.0.read_line(&mut line) {
                Ok(0) => return Err(broken(&io::Error::from(io::ErrorKind::UnexpectedEof))),
                Ok(_) => {}
                Err(error) => return Err(broken(&error)),
            }
            let said: Value = serde_json::from_str(&line).map_err(|error| broken(&error))?;
            if let Some(answer) = wanted(&said) {
                return Ok(answer);
            }
        }
    }
}

fn broken(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(
        format!("QEMU's monitor does not answer: {error}"),
        "`catamaran doctor` tells what works here",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A monitor whose QEMU says these lines.
    fn monitor(lines: &str) -> (Result<Monitor, Problem>, UnixStream) {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(lines.as_bytes()).unwrap();
        (Monitor::take_up(ours, Duration::from_millis(200)), theirs)
    }

    #[test]
    fn threads_are_asked_for_between_events() {
        let (monitor, _qemu) = monitor(
            "{\"QMP\": {\"version\": {}}}\n{\"return\": {}}\n{\"event\": \"RESUME\"}\n\
             {\"return\": [{\"thread-id\": 41, \"cpu-index\": 0}, {\"thread-id\": 42}]}\n",
        );
        assert_eq!(monitor.unwrap().vcpu_threads().unwrap(), [41, 42]);
    }

    #[test]
    fn a_guest_that_starts_over_does_not_end_qemu() {
        let (monitor, qemu) = monitor(&"{\"QMP\": {}, \"return\": {}}\n".repeat(5));
        monitor.unwrap().start_over().unwrap();
        let asked: Vec<Value> = BufReader::new(qemu)
            .lines()
            .skip(1)
            .take(3)
            .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
            .collect();
        let of = |command: &str, arguments: Value| serde_json::json!({ "execute": command, "arguments": arguments });
        let reboot = |action: &str| of("set-action", serde_json::json!({ "reboot": action }));
        let reset = of("system_reset", serde_json::json!({}));
        assert_eq!(asked, [reboot("reset"), reset, reboot("shutdown")]);
    }

    #[test]
    fn a_refusal_and_a_silence_are_told() {
        let (refused, _qemu) = monitor(
            "{\"QMP\": {}}\n{\"return\": {}}\n{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\n",
        );
        let problem = refused.unwrap().go();
        assert!(matches!(problem, Err(Problem::Failed(what, _)) if what.contains("cont: \"no\"")));
        let (silent, _qemu) = monitor("");
        assert!(silent.is_err());
    }
}
