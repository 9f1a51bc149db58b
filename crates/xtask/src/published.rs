//! `cargo xtask published`: what the simulator says of results that others published, with the reasoning.
//!
//! Each folder of `tests/accuracy/published` is a scenario, the calibration of the machine that was measured (or of several, which
//! hold different guests), and what is read off the report, or off the density. Constants come from rows of `docs/figures.csv` that may feed the model (roles `calibrate` and `fact`); the
//! published values themselves are kept apart, so nothing here says whether a prediction is right.
//!
//! | file | question |
//! |---|---|
//! | `folder` | what a folder says, and whether its inputs are rows that may be used |
//! | `read` | which figure of a report, or of a density, is meant |
//! | `page` | how it is written |

mod folder;
mod page;
mod read;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::shell::{Workspace, capture, run};
use folder::{Asks, Folder, Prediction};

/// Where everything is written, from the top folder.
const FILE: &str = "docs/published.md";

/// What is predicted, and what becomes of it.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only these folders of tests/accuracy/published
    #[arg(value_name = "NAME")]
    only: Vec<String>,
    /// Write docs/published.md
    #[arg(long, conflicts_with = "only")]
    write: bool,
}

/// A figure that the simulator gave, or why there is none.
pub(crate) type Predicted = std::result::Result<f64, String>;

/// Prints each prediction with its reasoning.
pub(crate) fn published(workspace: &Workspace, options: &Options) -> Result<()> {
    run(&mut workspace.cargo(["build", "--release", "--locked", "--package", "catamaran-cli"]))
        .context("building catamaran")?;
    let program = workspace.target().join("release/catamaran");
    let text = text(workspace, &program, &options.only)?;
    println!("{text}");
    if options.write {
        fs::write(workspace.root().join(FILE), &text).with_context(|| FILE.to_owned())?;
        println!("written: {FILE}");
    }
    Ok(())
}

/// Whether docs/published.md says what the simulator says; what differs goes to standard output.
pub(crate) fn is_current(workspace: &Workspace, program: &Path) -> Result<bool> {
    let found = text(workspace, program, &[])?;
    let written = fs::read_to_string(workspace.root().join(FILE)).with_context(|| FILE.to_owned())?;
    let changed = found.lines().filter(|line| !written.lines().any(|one| one == *line));
    changed.for_each(|line| println!("{FILE} lacks: {line}"));
    if written != found {
        println!("where that is meant, run `cargo xtask published --write`");
    }
    Ok(written == found)
}

fn text(workspace: &Workspace, program: &Path, only: &[String]) -> Result<String> {
    let chosen = chosen(&folder::all(workspace.root())?, only)?;
    let predicted = chosen.into_iter().map(|folder| {
        let figures = figures(workspace, program, &folder)?;
        Ok((folder, figures))
    });
    Ok(page::page(&predicted.collect::<Result<Vec<_>>>()?))
}

fn chosen(all: &[PathBuf], only: &[String]) -> Result<Vec<Folder>> {
    let names: Vec<String> = all.iter().map(|path| folder::name(path)).collect();
    if let Some(unknown) = only.iter().find(|name| !names.contains(name)) {
        bail!("{unknown}: no such folder; there are: {}", names.join(", "));
    }
    let wanted = all.iter().filter(|path| only.is_empty() || only.contains(&folder::name(path)));
    wanted.map(|path| Folder::read(path)).collect()
}

/// The figures of a folder's predictions, each from the machine that it names.
fn figures(workspace: &Workspace, program: &Path, folder: &Folder) -> Result<Vec<Predicted>> {
    let machines = folder.machines();
    let answers = machines.iter().map(|machine| answer(workspace, program, folder, *machine));
    let answers = answers.collect::<Result<Vec<_>>>()?;
    let figure = |one: &Prediction| {
        let machine = machines.iter().position(|machine| *machine == folder.machine(one));
        let rows = machine.and_then(|place| answers.get(place)).map_or(&[][..], Vec::as_slice);
        match folder.asks() {
            Asks::Sim => read::figure(rows, one),
            Asks::Density => read::density(rows, one),
        }
    };
    Ok(folder.predictions().iter().map(figure).collect())
}

/// What the simulator answers to a folder's scenario on a machine, one row for each platform.
fn answer(
    workspace: &Workspace,
    program: &Path,
    folder: &Folder,
    machine: Option<&str>,
) -> Result<Vec<serde_json::Value>> {
    let mut command = workspace.command(&program.to_string_lossy());
    command.args([folder.asks().command(), "--json", "--quiet"]).arg(folder.scenario());
    if let Some(machine) = machine {
        command.arg("--host").arg(folder.file(machine));
    }
    serde_json::from_str(&capture(&mut command)?).with_context(|| format!("the answer to {}", folder.name()))
}
