//! `cargo xtask accuracy`: how far the simulator is from this machine, over a corpus of scenarios.
//!
//! `tests/accuracy/judge` is what the model is judged by; `tests/accuracy/fit` is what one may look at while working on it.
//! Nothing is fitted to either so far: every figure of the machine comes from `catamaran calibrate`, which a pass begins with.
//!
//! | file | question |
//! |---|---|
//! | `corpus` | which scenarios there are, and how long they take |
//! | `kept` | what is kept of a scenario, and whether it is still of that scenario |
//! | `pass` | what is run, in which order, until when |
//! | `comparison` | `compare --json` as far as it matters here |
//! | `figures` | many rows in a few figures |
//! | `bars` | which bounds hold |
//! | `chapter`, `tables`, `amount` | how it is written |

mod amount;
mod bars;
mod chapter;
mod comparison;
mod corpus;
mod figures;
mod kept;
mod pass;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::setup::{self, Need};
use crate::shell::{Workspace, capture, run};
use corpus::Scenario;
use kept::Kept;

/// What is measured, for how long, and what becomes of it.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only these: `fit`, `judge`, or names of scenarios
    #[arg(long, value_delimiter = ',', value_name = "fit|judge|NAME")]
    only: Vec<String>,
    /// Begin no scenario that would not end within so many minutes
    #[arg(long, default_value_t = 45)]
    minutes: u64,
    /// Least native trials of a scenario on each platform
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(7..=21))]
    trials: u32,
    /// Most native trials of a scenario on each platform, where rows stay undecidable
    #[arg(long, value_name = "N", default_value_t = 21, value_parser = clap::value_parser!(u32).range(7..=21))]
    most_trials: u32,
    /// Where reports and comparisons are kept, and where a pass that broke off goes on [default: target/accuracy]
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// Judge the native reports kept in this directory again, and run nothing
    #[arg(long, value_name = "DIR", conflicts_with = "save")]
    native: Option<PathBuf>,
    /// Write the chapter of SPECIFICATION.md and docs/accuracy.svg
    #[arg(long)]
    write: bool,
}

/// The chart, from the top folder.
const CHART: &str = "docs/accuracy.svg";

impl Options {
    fn chosen<'a>(&self, corpus: &'a [Scenario]) -> Result<Vec<&'a Scenario>> {
        let is = |word: &String, one: &Scenario| *word == one.name || *word == one.part.folder();
        let unknown = self.only.iter().find(|word| corpus.iter().all(|one| !is(word, one)));
        if let Some(unknown) = unknown {
            let names: Vec<&str> = corpus.iter().map(|one| one.name.as_str()).collect();
            bail!("--only {unknown}: neither `fit` nor `judge` nor one of: {}", names.join(", "));
        }
        let wanted = |one: &&Scenario| self.only.is_empty() || self.only.iter().any(|word| is(word, one));
        Ok(corpus.iter().filter(wanted).collect())
    }

    fn folder(&self, workspace: &Workspace) -> PathBuf {
        let given = self.native.as_ref().or(self.save.as_ref());
        given.cloned().unwrap_or_else(|| workspace.root().join("target/accuracy"))
    }
}

/// Whether all bars are met; says which are not.
pub(crate) fn accuracy(workspace: &Workspace, options: &Options) -> Result<bool> {
    let corpus = corpus::read(workspace.root())?;
    let chosen = options.chosen(&corpus)?;
    let folder = options.folder(workspace);
    let program = build(workspace)?;
    let failures = match options.native {
        Some(_) => pass::judge_again(&program, &folder, &chosen)?,
        None => {
            let mut needs = vec![Need::MuslTarget];
            if chosen.iter().any(|one| one.boots_guests()) {
                needs.extend([Need::Qemu, Need::GuestKernel]);
            }
            setup::some(workspace, &needs)?;
            pass::make(
                &pass::Pass {
                    program: &program,
                    folder: &folder,
                    commit: commit(workspace),
                    on: &[],
                    trials: options.trials,
                    most_trials: options.most_trials,
                    budget: Duration::from_mins(options.minutes),
                },
                &chosen,
            )?
        }
    };
    let kept = kept::all(&folder, &corpus)?;
    let bars = bars::bars(&kept);
    let chapter = chapter::chapter(&corpus, &kept, &bars);
    println!("{chapter}");
    if options.write {
        ensure!(!kept.is_empty(), "{}: nothing was measured that could be written", folder.display());
        write(workspace, &folder, &kept, &chapter)?;
    }
    failures.iter().for_each(|failure| println!("FAILED: {}", failure.what));
    let missed: Vec<_> = bars.iter().filter_map(|bar| Some((bar, bar.missed()?))).collect();
    missed.iter().for_each(|(bar, why)| println!("NOT MET: {}: {why}", bar.of));
    Ok(failures.is_empty() && missed.is_empty())
}

/// The release build of `catamaran`.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = workspace.cargo(["build", "--release", "--locked", "--package", "catamaran-cli"]);
    run(&mut cargo).context("building catamaran")?;
    Ok(workspace.target().join("release/catamaran"))
}

/// Which state of the code measures.
fn commit(workspace: &Workspace) -> String {
    let git = |arguments: &[&str]| capture(workspace.command("git").args(arguments)).ok();
    let Some(commit) = git(&["rev-parse", "--short", "HEAD"]) else { return "unknown".to_owned() };
    let changed = git(&["status", "--porcelain"]).is_some_and(|status| !status.is_empty());
    format!("{}{}", commit.trim(), if changed { " with changes" } else { "" })
}

fn write(workspace: &Workspace, folder: &Path, kept: &[Kept], chapter: &str) -> Result<()> {
    let file = workspace.root().join(chapter::FILE);
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let svg = chart(workspace, folder, kept)?;
    fs::write(workspace.root().join(CHART), svg).with_context(|| CHART.to_owned())?;
    fs::write(&file, chapter::put(&text, chapter)?).with_context(|| file.display().to_string())?;
    println!("written: {} and {CHART}", chapter::FILE);
    Ok(())
}

/// Charts are the report crate's: one of its examples draws this one.
fn chart(workspace: &Workspace, folder: &Path, kept: &[Kept]) -> Result<String> {
    let mut cargo: Command = workspace.cargo(["run", "--release", "--locked", "--quiet"]);
    cargo.args(["--package", "catamaran-report", "--example", "accuracy", "--"]);
    let judged = kept.iter().filter(|one| one.part == corpus::Part::Judge);
    capture(cargo.args(judged.map(|one| kept::comparison_file(folder, &one.name))))
        .context("drawing the chart")
}

/// One short scenario on one platform by a program that is there already: whether the whole way from the corpus to the
/// chapter works. No figure is asserted. Why it could not be made here, where that is so.
///
/// # Errors
/// What did not work.
pub(crate) fn smoke(workspace: &Workspace, program: &Path) -> Result<Option<String>> {
    const SCENARIO: &str = "a-lone-server";
    let corpus = corpus::read(workspace.root())?;
    let folder = workspace.target().join("accuracy-smoke");
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    // A calibration takes a minute, and no figure is looked at here.
    fs::copy(workspace.root().join("crates/scenario/src/reference-host.toml"), folder.join("host.toml"))?;
    let chosen: Vec<_> = corpus.iter().filter(|one| one.name == SCENARIO).collect();
    let pass = pass::Pass {
        program,
        folder: &folder,
        commit: commit(workspace),
        on: &["cgroups".to_owned()],
        trials: 7,
        most_trials: 7,
        budget: Duration::from_mins(5),
    };
    let failures = pass::make(&pass, &chosen)?;
    if let Some(failure) = failures.first() {
        ensure!(failure.unavailable, "{}", failure.what);
        return Ok(Some(failure.what.clone()));
    }
    let kept = kept::all(&folder, &corpus)?;
    let [one] = kept.as_slice() else { bail!("{} comparisons are kept, not 1", kept.len()) };
    let [on] = one.comparisons.as_slice() else {
        bail!("{} platforms were compared, not 1", one.comparisons.len())
    };
    let trials = on.native.len() + on.summary.discarded_trials as usize;
    ensure!(on.platform == "cgroups" && trials == 7, "{trials} trials on {}, not 7 on cgroups", on.platform);
    // On a machine that others use every trial may be disturbed: then there is nothing to judge.
    ensure!(on.native.is_empty() || on.rows.iter().any(comparison::Row::is_conserved), "no conserved row");
    let text = chapter::chapter(&corpus, &kept, &bars::bars(&kept));
    ensure!(
        text.contains("### Over `fit/`") && text.contains("cgroups"),
        "the chapter lacks the platform:\n{text}"
    );
    fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(None)
}
