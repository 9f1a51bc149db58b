//! The conformance suite for OCI runtimes, against runc, crun, ours, and youki where somebody has it built.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::Run;
use super::guest::{in_guest, stripped};
use crate::shell::Workspace;

/// Runtimes of others; where one is not on this machine it is left out.
const OTHERS: [&str; 2] = ["runc", "crun"];

/// One more, which no distribution has and nothing installs unasked.
const EXTRA: &str = "youki";

/// Longest time of the suite in the guest for one runtime (s): several times what it takes on two idle cores, where everything is
/// emulated.
const SECONDS: u64 = 600;

/// Longest life of the guest for one runtime.
const PATIENCE: Duration = Duration::from_secs(SECONDS + 60);

/// Cases at a time in the guest, whose two cores have to be kept busy while some of them wait.
const JOBS: u32 = 4;

/// What runtimes, cases and their hooks call in a guest, beside what every guest has.
const TOOLS: [&str; 4] = ["cat", "chrt", "ionice", "readlink"];

/// On the guest's disk, as its kernel maps no ids on a tmpfs.
const FILES: &str = "TMPDIR=/var/tmp";

/// Builds the suite and runs it; it prints its cases as test runners do.
pub(super) fn oci(run: &mut Run) -> Result<()> {
    let suite = build(run)?;
    let mut asked = runtimes(run.workspace);
    match run.workspace.find(EXTRA) {
        Some(program) => asked.push((EXTRA, program)),
        None => run.tally.line(&format!(
            "test conformance of {EXTRA} ... ignored, it is not here: `cargo xtask setup --with {EXTRA}` builds it"
        )),
    }
    let workspace = run.workspace;
    let command = || {
        let mut command = workspace.command(&suite.to_string_lossy());
        for (name, program) in &asked {
            command.arg("--runtime").arg(format!("{name}={}", program.display()));
        }
        command
    };
    run.tests_of_the_machine(&mut command(), |failed| {
        let cases = failed.iter().map(|name| name.split_once("::").map_or(name.as_str(), |(_, case)| case));
        let mut again = command();
        again.args(["--jobs", "1", "--only", &cases.collect::<Vec<_>>().join(",")]);
        again
    })
}

/// Runs it in a guest that has version 2, for ours.
pub(super) fn oci_v2(run: &mut Run) -> Result<()> {
    let ours = ours(run.workspace);
    in_guest_of_v2(run, "oci-v2", &[ours])
}

/// The same for all runtimes.
pub(super) fn oci_v2_full(run: &mut Run) -> Result<()> {
    let all = runtimes(run.workspace);
    in_guest_of_v2(run, "oci-v2-full", &all)
}

fn in_guest_of_v2(run: &mut Run, name: &str, runtimes: &[(&'static str, PathBuf)]) -> Result<()> {
    let suite = build(run)?;
    let mut cargo = run.workspace.cargo(["build", "--workspace", "--example", "v2_guest", "--locked"]);
    run.check("the guest's first process builds", &mut cargo)?;
    // Without a scheduler that has weights of its own: what `native-v2` has.
    let patience = PATIENCE.saturating_mul(u32::try_from(runtimes.len())?);
    in_guest(run, name, &[], patience, |run, folder, image| {
        let place = "/tests/catamaran-conformance";
        stripped(run.workspace, &suite, folder, place, image)?;
        let mut lines = String::new();
        for (name, program) in runtimes {
            let in_guest = format!("/bin/{}", program.file_name().unwrap_or_default().to_string_lossy());
            stripped(run.workspace, program, folder, &in_guest, image)?;
            lines += &format!("{SECONDS} alone {FILES} {place} --jobs {JOBS} --runtime {name}={in_guest}\n");
        }
        for tool in TOOLS {
            let file = run.workspace.find(tool).with_context(|| format!("{tool} is not on PATH"))?;
            image.program(run.workspace, &file.canonicalize()?, &format!("/bin/{tool}"))?;
        }
        // A file that is no namespace, and that every machine has.
        image.file("/etc/passwd", b"root:x:0:0:root:/:/bin/sh\n".to_vec());
        Ok(lines)
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

/// Names and programs of all runtimes that are here, ours first.
fn runtimes(workspace: &Workspace) -> Vec<(&'static str, PathBuf)> {
    std::iter::once(ours(workspace)).chain(others(workspace)).collect()
}

/// Names and programs of those of others that are here.
pub(super) fn others(workspace: &Workspace) -> impl Iterator<Item = (&'static str, PathBuf)> {
    OTHERS.into_iter().filter_map(|name| Some((name, workspace.find(name)?)))
}

/// Name and program of ours.
fn ours(workspace: &Workspace) -> (&'static str, PathBuf) {
    ("ours", workspace.target().join("debug/catamaran-oci"))
}
