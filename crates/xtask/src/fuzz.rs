//! `cargo xtask fuzz`: random bytes against the parsers of scenarios and of containers' configurations, and random scenarios
//! against the simulator, by cargo-fuzz.
//!
//! The targets are in `tests/fuzz`. Coverage alone guides the search (`--sanitizer none`): our code has no `unsafe` where it
//! reads scenarios or simulates, and so a stable toolchain does. What was found is kept in `target/fuzz`; an input that fails is
//! printed with the command that repeats it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::setup::{self, Need};
use crate::shell::{Workspace, run};

/// How long.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Minutes of each target
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    minutes: u64,
    /// Only this target
    #[arg(long, value_name = "NAME", value_parser = TARGETS)]
    only: Option<String>,
}

const TARGETS: [&str; 4] = ["scenario_bytes", "plan_to_report", "oci_config", "oci_order"];
/// Where the targets are, from the top folder.
const FOLDER: &str = "tests/fuzz";
/// An input that takes longer (s) hangs.
const HANG_S: u32 = 60;
/// More than this (MiB) is memory without bound.
const MEMORY_MIB: u32 = 4096;
/// Longest input (bytes).
const INPUT_BYTES: u32 = 16_384;

/// Whether no input failed.
pub(crate) fn fuzz(workspace: &Workspace, options: &Options) -> Result<bool> {
    setup::some(workspace, &[Need::CargoFuzz])?;
    let chosen = |target: &&&str| options.only.as_ref().is_none_or(|only| only == **target);
    for target in TARGETS.iter().filter(chosen) {
        let corpus = workspace.target().join("fuzz/corpus").join(target);
        let found = workspace.target().join("fuzz/artifacts").join(target);
        for folder in [&corpus, &found] {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        match *target {
            "scenario_bytes" => sow(workspace, &corpus)?,
            "oci_config" => sow_configurations(workspace, &corpus)?,
            _ => {}
        }
        run(&mut command(workspace, target, &corpus, &found, options.minutes))
            .with_context(|| format!("{target}: see {}", found.display()))?;
    }
    Ok(true)
}

/// A configuration with every field.
const CONFIGURATION: &str = "crates/oci/src/check/tests/everything.json";
/// Words of configurations, for the search to put in.
const WORDS: &str = "tests/fuzz/oci.dict";

/// A configuration with every field, and each of its tables for itself: what is short is changed more.
fn sow_configurations(workspace: &Workspace, corpus: &Path) -> Result<()> {
    let path = workspace.root().join(CONFIGURATION);
    copy(&path, corpus)?;
    let text = fs::read(&path).with_context(|| path.display().to_string())?;
    let whole: serde_json::Value = serde_json::from_slice(&text)?;
    let tables = ["process", "linux", "hooks"]
        .into_iter()
        .filter_map(|name| Some((name, whole.get(name)?.as_object()?)));
    for (table, fields) in tables {
        for (name, value) in fields {
            let small =
                serde_json::json!({"ociVersion": "1.2.0", "root": {"path": "r"}, table: {name: value}});
            fs::write(corpus.join(format!("{table}-{name}.json")), small.to_string())?;
        }
    }
    Ok(())
}

/// Copies a file into a folder.
fn copy(path: &Path, folder: &Path) -> Result<u64> {
    let name = path.file_name().with_context(|| path.display().to_string())?;
    fs::copy(path, folder.join(name)).with_context(|| path.display().to_string())
}

/// The shipped scenarios, for the search to begin with.
fn sow(workspace: &Workspace, corpus: &Path) -> Result<()> {
    for folder in ["tests/scenarios", "tests/accuracy/fit", "tests/accuracy/judge"] {
        let folder = workspace.root().join(folder);
        let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for path in entries.flatten().map(|entry| entry.path()) {
            copy(&path, corpus)?;
        }
    }
    Ok(())
}

fn command(workspace: &Workspace, target: &str, corpus: &Path, found: &Path, minutes: u64) -> Command {
    let mut cargo = workspace.cargo(["fuzz", "run", "--fuzz-dir", FOLDER, "--sanitizer", "none"]);
    cargo.arg("--target-dir").arg(workspace.target().join("fuzz/build"));
    cargo.arg(target).arg(corpus).arg("--");
    cargo.arg(format!("-artifact_prefix={}/", found.display()));
    cargo.arg(format!("-max_total_time={}", minutes * 60));
    cargo.arg(format!("-timeout={HANG_S}")).arg(format!("-rss_limit_mb={MEMORY_MIB}"));
    cargo.arg(format!("-max_len={INPUT_BYTES}")).arg("-print_final_stats=1");
    if target == "oci_config" {
        cargo.arg(format!("-dict={}", workspace.root().join(WORDS).display()));
    }
    cargo
}
