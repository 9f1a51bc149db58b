//! The real program, as a person would start it.

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// A scenario that takes no time to simulate.
pub(crate) const SMALL: &str = r#"
schema = "catamaran/scenario/v1"
name = "small"
title = { en = "Small", ko = "작은 것" }
seed = 7
duration = "1s"
platforms = ["bare-metal", "cgroups"]

[host]
cores = 1
memory = "256MiB"

[[tenant]]
name = "shop"
cpu = { limit = "500m" }
workload = { kind = "server", arrivals = { process = "poisson", rate = "50/s" }, service = { cpu = "2ms", distribution = "exponential" } }

[[tenant]]
name = "batch"
workload = { kind = "compute", threads = 2, work = "200ms" }
"#;

/// The program with a clean environment of its own.
pub(crate) fn catamaran(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_catamaran"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ["NO_COLOR", "COLUMNS", "LANG", "LC_ALL", "LC_MESSAGES", "CATAMARAN_LOG"] {
        command.env_remove(name);
    }
    command
}

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("the program exits by itself"),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }
}

/// Runs it with nothing on standard input.
pub(crate) fn run(args: &[&str]) -> Outcome {
    catamaran(args).output().expect("the program starts").into()
}

/// Runs it with `input` on standard input.
pub(crate) fn run_with(args: &[&str], input: &[u8]) -> Outcome {
    let mut child = catamaran(args).stdin(Stdio::piped()).spawn().expect("the program starts");
    // It may well have refused before it has read everything.
    let _ = child.stdin.take().expect("piped").write_all(input);
    child.wait_with_output().expect("it ends").into()
}
