//! What is kept of a scenario: a folder with its native reports, its comparison, and a word on when and by what.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::comparison::Comparison;
use super::corpus::{Part, Scenario, meaning};

/// A scenario that was measured.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) part: Part,
    pub(super) name: String,
    pub(super) measured: Measured,
    /// One for each platform.
    pub(super) comparisons: Vec<Comparison>,
}

/// When and by what a scenario was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Measured {
    /// Day in UTC: `2026-11-26`.
    pub(super) date: String,
    /// State of the code.
    pub(super) commit: String,
    /// What it took (s).
    pub(super) seconds: f64,
}

/// Its native reports: the folder of `compare --save`.
pub(super) fn native_folder(folder: &Path, name: &str) -> PathBuf {
    folder.join(name).join("native")
}

/// Its comparison. It is written last: where it is, everything is.
pub(super) fn comparison_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(name).join("comparison.json")
}

fn scenario_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(name).join("scenario.toml")
}

fn measured_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(name).join("measured.toml")
}

/// Whether the scenario, as it is now, was measured to the end.
pub(super) fn is_whole(folder: &Path, scenario: &Scenario) -> bool {
    let kept = fs::read_to_string(scenario_file(folder, &scenario.name)).unwrap_or_default();
    comparison_file(folder, &scenario.name).is_file() && meaning(&kept) == scenario.meaning()
}

/// Makes an empty folder for a scenario.
pub(super) fn begin(folder: &Path, scenario: &Scenario) -> Result<()> {
    let own = folder.join(&scenario.name);
    fs::remove_dir_all(&own).ok();
    fs::create_dir_all(&own).with_context(|| own.display().to_string())
}

/// Keeps the comparison of a scenario that has just been measured.
pub(super) fn keep(folder: &Path, scenario: &Scenario, json: &str, measured: &Measured) -> Result<()> {
    fs::write(scenario_file(folder, &scenario.name), &scenario.text)?;
    fs::write(measured_file(folder, &scenario.name), toml::to_string(measured)?)?;
    judged(folder, scenario, json)
}

/// Replaces the comparison of a scenario whose native reports are kept.
pub(super) fn judged(folder: &Path, scenario: &Scenario, json: &str) -> Result<()> {
    let file = comparison_file(folder, &scenario.name);
    fs::write(&file, json).with_context(|| file.display().to_string())
}

/// Every scenario of the corpus that was measured as it is now, in the order of the corpus.
pub(super) fn all(folder: &Path, corpus: &[Scenario]) -> Result<Vec<Kept>> {
    corpus
        .iter()
        .filter(|scenario| is_whole(folder, scenario))
        .map(|scenario| read(folder, scenario))
        .collect()
}

fn read(folder: &Path, scenario: &Scenario) -> Result<Kept> {
    let text = |file: PathBuf| fs::read_to_string(&file).with_context(|| file.display().to_string());
    let file = comparison_file(folder, &scenario.name);
    let comparisons =
        serde_json::from_str(&text(file.clone())?).with_context(|| file.display().to_string())?;
    let measured = toml::from_str(&text(measured_file(folder, &scenario.name))?)?;
    Ok(Kept { part: scenario.part, name: scenario.name.clone(), measured, comparisons })
}
