//! The conformance suite for OCI runtimes, against runc, crun, ours, and youki where somebody has it built.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::Run;
use super::guest::{in_guest, strip};
use crate::shell::Workspace;

/// Runtimes of others; where one is not on this machine it is left out.
const OTHERS: [&str; 2] = ["runc", "crun"];

/// One more, which no distribution has and nothing installs unasked.
const EXTRA: &str = "youki";

/// Longest time of the suite in the guest (s), where everything is emulated.
const SECONDS: u32 = 360;

/// What the versions of control groups make a difference to.
const OF_CONTROL_GROUPS: &str = "cgroups::,manage::,delete::,devices::";

/// What runtimes and cases call in a guest, beside what every guest has.
const TOOLS: [&str; 2] = ["cat", "ionice"];

/// Builds the suite and runs it; it prints its cases as test runners do.
pub(super) fn oci(run: &mut Run) -> Result<()> {
    let suite = build(run)?;
    let mut command = run.workspace.command(&suite.to_string_lossy());
    for (name, program) in runtimes(run.workspace) {
        command.arg("--runtime").arg(format!("{name}={}", program.display()));
    }
    match run.workspace.find(EXTRA) {
        Some(program) => {
            command.arg("--runtime").arg(format!("{EXTRA}={}", program.display()));
        }
        None => run.tally.line(&format!(
            "test conformance of {EXTRA} ... ignored, it is not here: `cargo xtask setup --with {EXTRA}` builds it"
        )),
    }
    run.tests(&mut command)
}

/// Runs the part of it that is about control groups in a guest that has version 2.
pub(super) fn oci_v2(run: &mut Run) -> Result<()> {
    let suite = build(run)?;
    let mut cargo = run.workspace.cargo(["build", "--workspace", "--example", "v2_guest", "--locked"]);
    run.check("the guest's first process builds", &mut cargo)?;
    in_guest(run, "oci-v2", |run, folder, image| {
        let place = "/tests/catamaran-conformance";
        let stripped = folder.join("catamaran-conformance");
        strip(run.workspace, &suite, &stripped)?;
        image.program(run.workspace, &stripped, place)?;
        let mut line = format!("{SECONDS} alone {place} --jobs 2 --only {OF_CONTROL_GROUPS}");
        for (name, program) in runtimes(run.workspace) {
            let stripped = folder.join(name);
            strip(run.workspace, &program, &stripped)?;
            let program = format!("/bin/{}", program.file_name().unwrap_or_default().to_string_lossy());
            image.program(run.workspace, &stripped, &program)?;
            line += &format!(" --runtime {name}={program}");
        }
        for tool in TOOLS {
            let file = run.workspace.find(tool).with_context(|| format!("{tool} is not on PATH"))?;
            image.program(run.workspace, &file.canonicalize()?, &format!("/bin/{tool}"))?;
        }
        Ok(line + "\n")
    })
}

/// Where the suite is, once it is built with the features of the whole workspace, so that nothing is compiled twice.
fn build(run: &mut Run) -> Result<PathBuf> {
    let mut cargo = run.workspace.cargo(["build", "--workspace", "--locked"]);
    cargo.args(["--bin", "catamaran-conformance", "--bin", "catamaran-oci"]);
    run.check("the conformance suite builds", &mut cargo)?;
    if !run.tally.failed.is_empty() {
        bail!("there is nothing to run");
    }
    Ok(run.workspace.target().join("debug/catamaran-conformance"))
}

/// Names and programs of all runtimes that are here.
fn runtimes(workspace: &Workspace) -> Vec<(&'static str, PathBuf)> {
    let mut all: Vec<_> = OTHERS.iter().filter_map(|name| Some((*name, workspace.find(name)?))).collect();
    all.push(("ours", workspace.target().join("debug/catamaran-oci")));
    all
}
