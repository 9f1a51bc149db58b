//! Native reports kept in a directory, to be judged again without running anything.

use std::fs;
use std::path::{Path, PathBuf};

use catamaran_report::Report;
use catamaran_report::report::BackendKind;
use catamaran_scenario::{Calibration, Plan};

use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::{host, output, source};

/// The calibration that was in use, beside the reports.
const HOST: &str = "host.toml";

/// Makes the directory, which may not hold reports of another time: nobody could tell them apart.
pub(super) fn prepare(folder: &Path, calibration: &Calibration) -> Result<(), Failure> {
    output::make_directory(folder)?;
    if let Some(report) = files(folder)?.first() {
        return Err(Failure::input(format!(
            "--save {}: there is a report already ({}); choose an empty directory",
            folder.display(),
            report.display()
        )));
    }
    output::write(&folder.join(HOST), &calibration.to_toml())
}

/// Writes a native report.
pub(super) fn save(folder: &Path, report: &Report) -> Result<(), Failure> {
    let name = format!("{}-{}-{:02}.json", report.scenario, report.platform, report.trial);
    output::write(&folder.join(name), &(report.to_json() + "\n"))
}

/// The native reports of a directory or a file, all of them of this plan.
pub(super) fn reports(path: &Path, plan: &Plan) -> Result<Vec<Report>, Failure> {
    let files = if path.is_dir() { files(path)? } else { vec![path.to_owned()] };
    let mut reports = Vec::new();
    for file in &files {
        let of_file = source::reports(&file.to_string_lossy())?;
        for report in &of_file {
            check(file, report, plan)?;
        }
        reports.extend(of_file);
    }
    if reports.is_empty() {
        return Err(Failure::input(format!("{}: no report (*.json) in it", path.display())));
    }
    reports.sort_by_key(|report| report.trial);
    Ok(reports)
}

fn check(file: &Path, report: &Report, plan: &Plan) -> Result<(), Failure> {
    let file = file.display();
    if report.backend != BackendKind::Native {
        return Err(Failure::input(format!(
            "{file}: a simulated report; --native judges native ones (compare two saved runs by naming both files)"
        )));
    }
    if report.identity.scenario_digest != plan.digest() {
        return Err(Failure::input(format!(
            "{file}: a run of another scenario ({}, digest {}; yours is {}, digest {})",
            report.scenario,
            report.identity.scenario_digest,
            plan.name(),
            plan.digest()
        )));
    }
    Ok(())
}

/// The machine to model: the one given, else the one beside the reports, else the one in the cache.
pub(super) fn calibration(
    given: Option<&Path>,
    path: &Path,
    terminal: &Terminal,
) -> Result<Calibration, Failure> {
    if let Some(given) = given {
        return host::read(given);
    }
    let beside = path.join(HOST);
    if beside.is_file() {
        terminal.note(&format!("calibration: {}", beside.display()));
        return host::read(&beside);
    }
    let cached = host::cached().ok_or_else(|| {
        Failure::input(format!(
            "{}: no {HOST} beside the reports, and none of this machine in the cache; name the machine with --host, or run \
             `catamaran calibrate` if it is this one",
            path.display()
        ))
    })?;
    terminal.note("calibration: this machine's, from the cache");
    Ok(cached)
}

/// The `*.json` of a directory, by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let cannot = |error| Failure::input(format!("cannot read {}: {error}", folder.display()));
    let entries = fs::read_dir(folder).map_err(cannot)?.collect::<Result<Vec<_>, _>>().map_err(cannot)?;
    let is_json = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
    let mut files = entries.into_iter().map(|entry| entry.path()).filter(is_json).collect::<Vec<_>>();
    files.sort();
    Ok(files)
}
