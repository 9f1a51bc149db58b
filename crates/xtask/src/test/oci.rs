//! The conformance suite for OCI runtimes, against runc, crun and ours.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::Run;

/// Where our runtime's command line is, from the top folder. As long as it is not there, the others are asked alone.
const OURS: [&str; 2] = ["crates/cli/src/oci.rs", "crates/cli/src/oci"];

/// Builds the suite and runs it; it prints its cases as test runners do.
pub(super) fn oci(run: &mut Run) -> Result<()> {
    let ours = OURS.iter().any(|place| run.workspace.root().join(place).exists());
    // With the features of the whole workspace, as for the other tests: nothing is compiled twice.
    let mut cargo =
        run.workspace.cargo(["build", "--workspace", "--bin", "catamaran-conformance", "--locked"]);
    if ours {
        cargo.args(["--bin", "catamaran"]);
    }
    run.check("the conformance suite builds", &mut cargo)?;
    if !run.tally.failed.is_empty() {
        bail!("there is nothing to run");
    }
    let programs = run.workspace.target().join("debug");
    let mut command = run.workspace.command(&programs.join("catamaran-conformance").to_string_lossy());
    for name in ["runc", "crun"] {
        if let Some(program) = run.workspace.find(name) {
            command.arg("--runtime").arg(format!("{name}={}", program.display()));
        }
    }
    if ours {
        command.arg("--runtime").arg(format!("ours={}", by_its_name(&programs)?.display()));
    }
    run.tests(&mut command)
}

/// Our runtime as engines call it: by a link of its own name.
fn by_its_name(programs: &Path) -> Result<PathBuf> {
    let link = programs.join("catamaran-oci");
    if !link.exists() {
        std::os::unix::fs::symlink("catamaran", &link).with_context(|| link.display().to_string())?;
    }
    Ok(link)
}
