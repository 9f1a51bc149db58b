//! A pass: one scenario after the other, as long as there is time.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::corpus::Scenario;
use super::kept::{self, Measured};
use crate::shell::{capture, typed, wall};

/// What `catamaran` ends with where a platform is not to be had, and when it was interrupted and has cleaned up.
const UNAVAILABLE: i32 = 2;
const INTERRUPTED: i32 = 130;

/// Why a scenario was not measured, or not judged.
pub(super) struct Failure {
    pub(super) what: String,
    /// The machine lacks a platform.
    pub(super) unavailable: bool,
}

/// How a pass is made.
pub(super) struct Pass<'a> {
    pub(super) program: &'a Path,
    /// Where everything is kept.
    pub(super) folder: &'a Path,
    /// State of the code.
    pub(super) commit: String,
    /// Platforms; all of each scenario where there are none.
    pub(super) on: &'a [String],
    pub(super) trials: u32,
    pub(super) most_trials: u32,
    pub(super) budget: Duration,
}

/// What is left of the time, by what was planned and what it really took.
struct Clock {
    begun: Instant,
    budget: Duration,
    planned: Duration,
    took: Duration,
}

impl Clock {
    /// What a scenario will take if it is as much slower than planned as those before it.
    fn expected(&self, planned: Duration) -> Duration {
        let slower = if self.planned.is_zero() { 1.0 } else { self.took.div_duration_f64(self.planned) };
        planned.mul_f64(slower.max(1.0))
    }

    fn has_time_for(&self, elapsed: Duration, planned: Duration) -> bool {
        elapsed + self.expected(planned) <= self.budget
    }

    fn count(&mut self, planned: Duration, took: Duration) {
        self.planned += planned;
        self.took += took;
    }
}

/// Measures what is not kept yet; answers what failed.
pub(super) fn make(pass: &Pass, chosen: &[&Scenario]) -> Result<Vec<Failure>> {
    let (whole, wanting): (Vec<&Scenario>, Vec<&Scenario>) =
        chosen.iter().partition(|scenario| kept::is_whole(pass.folder, scenario));
    fs::create_dir_all(pass.folder).with_context(|| pass.folder.display().to_string())?;
    let planned = |scenario: &Scenario| scenario.planned(pass.trials, pass.on);
    let together: Duration = wanting.iter().map(|scenario| planned(scenario)).sum();
    eprintln!(
        "accuracy: {} scenarios, {} of them kept in {}; planned {} with {} trials each, of at most {}",
        chosen.len(),
        whole.len(),
        pass.folder.display(),
        wall(together),
        pass.trials,
        wall(pass.budget)
    );
    let mut clock =
        Clock { begun: Instant::now(), budget: pass.budget, planned: Duration::ZERO, took: Duration::ZERO };
    if !wanting.is_empty() {
        calibrate(pass)?;
    }
    let (mut failures, mut left_out) = (Vec::new(), Vec::new());
    for (index, scenario) in wanting.iter().enumerate() {
        let (label, planned) = (scenario.label(), planned(scenario));
        if !clock.has_time_for(clock.begun.elapsed(), planned) {
            left_out.push(label);
            continue;
        }
        eprintln!("accuracy: {} of {}, {label}: planned {}", index + 1, wanting.len(), wall(planned));
        let begun = Instant::now();
        match measure(pass, scenario)? {
            Ok(()) => eprintln!("accuracy: {label} took {}", wall(begun.elapsed())),
            Err(failure) => failures.push(failure),
        }
        clock.count(planned, begun.elapsed());
    }
    if !left_out.is_empty() {
        let budget = wall(pass.budget);
        eprintln!(
            "accuracy: left out, since {budget} would not be enough: {}; type the same again",
            left_out.join(", ")
        );
    }
    Ok(failures)
}

/// Judges the native reports that are kept by the model as it is now; answers what failed.
pub(super) fn judge_again(program: &Path, folder: &Path, chosen: &[&Scenario]) -> Result<Vec<Failure>> {
    let mut failures = Vec::new();
    for scenario in chosen.iter().filter(|scenario| kept::is_whole(folder, scenario)) {
        let mut compare = compare(program, scenario);
        compare.arg("--native").arg(kept::native_folder(folder, &scenario.name));
        match json(&mut compare)? {
            Ok(json) => kept::judged(folder, scenario, &json)?,
            Err(failure) => failures.push(failure),
        }
    }
    Ok(failures)
}

/// The machine is calibrated once for a pass, and what it was then is kept with it.
fn calibrate(pass: &Pass) -> Result<()> {
    let host = pass.folder.join("host.toml");
    if host.is_file() {
        return Ok(());
    }
    let mut calibrate = Command::new(pass.program);
    calibrate.arg("calibrate").arg("-o").arg(&host).stdin(Stdio::null()).stdout(Stdio::null());
    eprintln!("accuracy: {}", typed(&calibrate));
    let status = calibrate.status().context("calibrating")?;
    if !status.success() {
        bail!("`{}` ended with {status}", typed(&calibrate));
    }
    Ok(())
}

/// Measures one scenario; why it could not be.
fn measure(pass: &Pass, scenario: &Scenario) -> Result<Result<(), Failure>> {
    let begun = Instant::now();
    kept::begin(pass.folder, scenario)?;
    let mut compare = compare(pass.program, scenario);
    compare.args(["--trials", &pass.trials.to_string()]);
    compare.args(["--most-trials", &pass.most_trials.max(pass.trials).to_string()]);
    compare.arg("--host").arg(pass.folder.join("host.toml"));
    compare.arg("--save").arg(kept::native_folder(pass.folder, &scenario.name));
    let on: Vec<&str> =
        scenario.platforms.iter().filter(|name| pass.on.contains(name)).map(String::as_str).collect();
    if !on.is_empty() {
        compare.args(["--on", &on.join(",")]);
    }
    let json = match json(&mut compare)? {
        Ok(json) => json,
        Err(failure) => return Ok(Err(failure)),
    };
    let date = capture(Command::new("date").args(["-u", "+%Y-%m-%d"]))?.trim().to_owned();
    let measured = Measured { date, commit: pass.commit.clone(), seconds: begun.elapsed().as_secs_f64() };
    kept::keep(pass.folder, scenario, &json, &measured)?;
    Ok(Ok(()))
}

fn compare(program: &Path, scenario: &Scenario) -> Command {
    let mut command = Command::new(program);
    command.arg("compare").arg(&scenario.path).arg("--json").stdin(Stdio::null());
    command
}

/// What a comparison prints; why it prints none. Its progress goes where ours goes.
fn json(compare: &mut Command) -> Result<Result<String, Failure>> {
    let output = compare.stderr(Stdio::inherit()).output().with_context(|| typed(compare))?;
    match output.status.code() {
        Some(0) => Ok(Ok(String::from_utf8(output.stdout).context("compare --json")?)),
        Some(INTERRUPTED) => {
            bail!("interrupted; what was measured before is kept, and the same command goes on")
        }
        code => Ok(Err(Failure {
            what: format!("`{}` ended with {}", typed(compare), output.status),
            unavailable: code == Some(UNAVAILABLE),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_begun_that_would_not_end_in_time() {
        let minutes = Duration::from_mins;
        let mut clock = Clock {
            begun: Instant::now(),
            budget: minutes(45),
            planned: Duration::ZERO,
            took: Duration::ZERO,
        };
        assert!(clock.has_time_for(minutes(40), minutes(5)));
        assert!(!clock.has_time_for(minutes(41), minutes(5)));
        clock.count(minutes(10), minutes(20));
        assert!(clock.has_time_for(minutes(35), minutes(5)), "twice as slow as planned");
        assert!(!clock.has_time_for(minutes(36), minutes(5)));
        clock.count(minutes(90), minutes(30));
        assert_eq!(clock.expected(minutes(5)), minutes(5), "what was quicker than planned promises nothing");
    }
}
