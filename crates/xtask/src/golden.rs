//! `cargo xtask golden`: writes the golden files, the digests of the corpus and the samples of README.md anew, for people to look at
//! the difference and commit it.

use anyhow::{Context, Result};

use crate::shell::{Workspace, run};

/// Updates `tests/golden` and the like natively; `cargo xtask test` then holds WebAssembly against the same files.
pub(crate) fn golden(workspace: &Workspace) -> Result<()> {
    let mut tests = workspace.cargo(["test", "--workspace", "--test", "golden", "--test", "accuracy"]);
    run(tests.env("UPDATE_GOLDEN", "1")).context("the simulator could not answer every shipped scenario")?;
    run(workspace.command("git").args(["status", "--short", "tests/golden", "tests/accuracy", "README.md"]))
}
