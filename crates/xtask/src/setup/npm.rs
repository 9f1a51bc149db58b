//! The packages of `tests/browser`, exactly as its lock file says.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::State;
use crate::shell::{Workspace, run};

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root().join("tests/browser")
}

/// The lock file that was installed last: npm itself keeps one in another form, which can't be compared.
fn stamp(workspace: &Workspace) -> PathBuf {
    folder(workspace).join("node_modules/.catamaran-lock.json")
}

pub(super) fn state(workspace: &Workspace) -> Result<State> {
    let lock = folder(workspace).join("package-lock.json");
    let wanted = std::fs::read(&lock).with_context(|| lock.display().to_string())?;
    Ok(match std::fs::read(stamp(workspace)) {
        Ok(installed) if installed == wanted => State::There("as in tests/browser/package-lock.json".into()),
        _ => State::Missing("installing tests/browser/package-lock.json with npm".into()),
    })
}

pub(super) fn install(workspace: &Workspace) -> Result<()> {
    let mut npm = workspace.command("npm");
    npm.current_dir(folder(workspace)).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    run(&mut npm).context("is the npm registry to be had?")?;
    let lock = folder(workspace).join("package-lock.json");
    std::fs::copy(lock, stamp(workspace)).context("noting what was installed")?;
    Ok(())
}
