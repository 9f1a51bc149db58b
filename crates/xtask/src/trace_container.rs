//! `cargo xtask trace-container`: has our runtime make a container under strace, and keeps the calls that the page walks through
//! (`web/trace/container.json`), for people to look at the difference and commit it. As root; `apt-get install strace`.

use anyhow::{Context, Result};

use crate::shell::{Workspace, run};

/// Records anew what the test of the same recording is held against.
pub(crate) fn trace(workspace: &Workspace) -> Result<()> {
    const TEST: &str = "the_recorded_trace_is_of_this_runtime";
    let mut test = workspace.cargo([
        "test",
        "--package",
        "catamaran-cli",
        "--test",
        "program",
        TEST,
        "--",
        "--nocapture",
    ]);
    run(test.env("UPDATE_TRACE", "1")).context("the container could not be traced")?;
    run(workspace.command("git").args(["status", "--short", "web/trace"]))
}
