//! Targets and components of the Rust toolchain, through rustup.
//!
//! They are added by name: with `RUSTUP_AUTO_INSTALL=0` a list in `rust-toolchain.toml` is silently not added.

use anyhow::{Context, Result, bail};

use super::State;
use crate::shell::{Workspace, capture, run};

/// The target of the page.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";
/// The target of the static worker.
pub(crate) const MUSL: &str = "x86_64-unknown-linux-musl";

/// Whether rustfmt and clippy answer.
pub(super) fn components(workspace: &Workspace) -> Result<State> {
    let version = |tool| capture(&mut workspace.cargo([tool, "--version"]));
    Ok(match (version("fmt"), version("clippy")) {
        (Ok(fmt), Ok(clippy)) => State::There(format!("{}, {}", fmt.trim(), clippy.trim())),
        _ => State::Missing("adding the components with rustup".into()),
    })
}

pub(super) fn add_components(workspace: &Workspace) -> Result<()> {
    run(rustup(workspace)?.args(["component", "add", "rustfmt", "clippy"]))
}

/// Whether the toolchain holds the standard library of `target`: asked of rustc itself, so that it also works without rustup.
pub(super) fn target(workspace: &Workspace, target: &str) -> Result<State> {
    let mut rustc = workspace.command("rustc");
    let folder = capture(rustc.args(["--print", "target-libdir", "--target", target]))
        .with_context(|| format!("rustc does not know the target {target}"))?;
    Ok(if std::path::Path::new(folder.trim()).is_dir() {
        State::There("the toolchain has it".into())
    } else {
        State::Missing("adding the target with rustup".into())
    })
}

pub(super) fn add_target(workspace: &Workspace, target: &str) -> Result<()> {
    run(rustup(workspace)?.args(["target", "add", target]))
}

fn rustup(workspace: &Workspace) -> Result<std::process::Command> {
    if workspace.find("rustup").is_none() {
        bail!(
            "rustup is not on PATH, and this Rust lacks a part that only rustup adds: install Rust by https://rustup.rs"
        );
    }
    Ok(workspace.command("rustup"))
}
