//! `cargo xtask bench-microvm`: how soon the guest of a microVM of ours is at its first instruction, and how fast it computes.
//!
//! Both are read from reports of `catamaran run`, so that what is measured is what users get:
//!
//! - from the monitor's first own instruction to the guest's first one and back: the stages `vmm` (the machine and its memory) and
//!   `boot` (its processor, the first entry and the first exit) of many guests;
//! - turns per CPU second in a guest by those of a process, both of one run, in turn.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::shell::{Workspace, capture, run};

/// How it is measured.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Guests of which the median start counts
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(20..=10_000))]
    guests: u32,
    /// Runs of which the median speed counts
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(3..=99))]
    rounds: u32,
}

/// Guests of one run.
const GUESTS_A_RUN: u32 = 20;
/// Longest that the first instruction may take (ms), and least speed, relative to a process.
const FIRST_MOST_MS: f64 = 2.0;
const SPEED_LEAST: f64 = 0.95;

const STARTS: &str = r#"
schema = "catamaran/scenario/v1"
name = "bench-microvm-starts"
seed = 1
duration = "100ms"
platforms = ["microvm"]
host = { cores = 1, memory = "1GiB" }
platform = { microvm = { guest = "bare" } }
[[tenant]]
name = "guest"
replicas = 20
workload = { kind = "idle" }
"#;
const SPEEDS: &str = r#"
schema = "catamaran/scenario/v1"
name = "bench-microvm-speed"
seed = 1
duration = "2s"
platforms = ["bare-metal", "microvm"]
host = { cores = 1, memory = "1GiB" }
platform = { microvm = { guest = "bare" } }
[[tenant]]
name = "job"
workload = { kind = "compute", work = "1h" }
"#;

#[derive(Deserialize)]
struct Report {
    platform: String,
    tenants: Vec<Tenant>,
}

#[derive(Deserialize)]
struct Tenant {
    startup_stages: Vec<Stage>,
    turns: Option<f64>,
    cpu_s: Option<f64>,
}

#[derive(Deserialize)]
struct Stage {
    name: String,
    start_s: Option<f64>,
    end_s: Option<f64>,
}

/// Whether both bounds hold.
pub(crate) fn bench(workspace: &Workspace, options: &Options) -> Result<bool> {
    let mut cargo = workspace.cargo(["build", "--package", "catamaran-cli", "--release", "--locked"]);
    run(&mut cargo).context("building catamaran")?;
    let program = workspace.target().join("release/catamaran");
    let folder = workspace.target().join("bench-microvm");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let scenario = |name: &str, text: &str| -> Result<PathBuf> {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        Ok(path)
    };
    let starts = scenario("starts.toml", STARTS)?;
    let mut first_ms = Vec::new();
    for _ in 0..options.guests.div_ceil(GUESTS_A_RUN) {
        let reports = reports(&program, &starts)?;
        first_ms
            .extend(reports.iter().flat_map(|report| &report.tenants).filter_map(to_first_instruction_ms));
    }
    let speeds = scenario("speeds.toml", SPEEDS)?;
    let mut shares = Vec::new();
    for _ in 0..options.rounds {
        shares.extend(share(&reports(&program, &speeds)?));
    }
    fs::remove_dir_all(&folder).ok();
    judge(&mut first_ms, &mut shares)
}

fn reports(program: &Path, scenario: &Path) -> Result<Vec<Report>> {
    let text = capture(Command::new(program).arg("run").arg(scenario).arg("--json"))?;
    serde_json::from_str(&text).context("the reports of `catamaran run`")
}

/// From the monitor's first own instruction to the guest's first exit (ms).
fn to_first_instruction_ms(tenant: &Tenant) -> Option<f64> {
    let stage = |name: &str| tenant.startup_stages.iter().find(|stage| stage.name == name);
    Some((stage("boot")?.end_s? - stage("vmm")?.start_s?) * 1e3)
}

/// Speed of the guest relative to the process.
fn share(reports: &[Report]) -> Option<f64> {
    let speed = |platform: &str| {
        let report = reports.iter().find(|report| report.platform == platform)?;
        let job = report.tenants.first()?;
        Some(job.turns? / job.cpu_s?)
    };
    Some(speed("microvm")? / speed("bare-metal")?)
}

/// Prints both; whether they hold.
fn judge(first_ms: &mut [f64], shares: &mut [f64]) -> Result<bool> {
    let (first, first_least, first_most) = spread(first_ms).context("no guest told of its start")?;
    let (share, share_least, share_most) = spread(shares).context("no guest made turns")?;
    ensure!(first > 0.0 && share > 0.0, "a start took {first} ms, and the speed was {share}");
    let verdict = |holds| if holds { "holds" } else { "does not hold" };
    let (soon, fast) = (first <= FIRST_MOST_MS, share >= SPEED_LEAST);
    println!(
        "first instruction and back: median {first:.2} ms of {} guests (10 % {first_least:.2}, 90 % {first_most:.2}); at most \
         {FIRST_MOST_MS}: {}",
        first_ms.len(),
        verdict(soon)
    );
    println!(
        "turns per CPU second, guest by process: median {share:.3} of {} runs (10 % {share_least:.3}, 90 % {share_most:.3}); at \
         least {SPEED_LEAST}: {}",
        shares.len(),
        verdict(fast)
    );
    Ok(soon && fast)
}

/// Median, and the tenth and ninetieth hundredth.
fn spread(figures: &mut [f64]) -> Option<(f64, f64, f64)> {
    figures.sort_by(f64::total_cmp);
    let at =
        |share: f64| figures.get((figures.len().checked_sub(1)? as f64 * share).round() as usize).copied();
    Some((at(0.5)?, at(0.1)?, at(0.9)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_and_judged() {
        let text = r#"[
            {"platform": "bare-metal", "tenants": [{"startup_stages": [], "turns": 200.0, "cpu_s": 2.0}]},
            {"platform": "microvm", "tenants": [{"turns": 190.0, "cpu_s": 2.0, "startup_stages": [
                {"name": "exec", "start_s": 0.0, "end_s": 0.001},
                {"name": "vmm", "start_s": 0.001, "end_s": 0.002},
                {"name": "boot", "start_s": 0.002, "end_s": 0.0026}]}]}
        ]"#;
        let reports: Vec<Report> = serde_json::from_str(text).unwrap();
        let first = to_first_instruction_ms(&reports[1].tenants[0]).unwrap();
        assert!((first - 1.6).abs() < 1e-9 && to_first_instruction_ms(&reports[0].tenants[0]).is_none());
        assert_eq!(share(&reports), Some(0.95));
        assert_eq!(share(&reports[..1]), None);
        for (first, share, holds) in [(1.6, 0.95, true), (2.1, 0.95, false), (1.6, 0.94, false)] {
            assert_eq!(judge(&mut [first], &mut [share]).unwrap(), holds, "{first} {share}");
        }
        assert!(judge(&mut [], &mut [1.0]).is_err() && judge(&mut [1.0], &mut []).is_err());
    }
}
