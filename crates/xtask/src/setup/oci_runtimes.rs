//! The OCI runtimes that the conformance suite runs beside ours.

use anyhow::Result;

use super::State;
use crate::shell::{Workspace, capture};

/// Programs; Debian's packages have the same names.
const PROGRAMS: [&str; 2] = ["runc", "crun"];

pub(super) fn state(workspace: &Workspace) -> State {
    let missing = missing(workspace);
    if !missing.is_empty() {
        return State::Missing(format!("installing {} with apt", missing.join(", ")));
    }
    let said = PROGRAMS.map(|program| {
        let version = capture(workspace.command(program).arg("--version")).unwrap_or_default();
        version.lines().next().unwrap_or(program).to_owned()
    });
    State::There(said.join(", "))
}

pub(super) fn install(workspace: &Workspace) -> Result<()> {
    super::apt::install_packages(workspace, &missing(workspace))
}

fn missing(workspace: &Workspace) -> Vec<&'static str> {
    PROGRAMS.into_iter().filter(|program| workspace.find(program).is_none()).collect()
}
