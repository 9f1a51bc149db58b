//! `catamaran advise`: sizes from measured runs, and what the model says of them.

mod show;
mod what_if;

use catamaran_report::Report;
use catamaran_report::advice::{self, Advice};
use catamaran_scenario::{Calibration, Plan, Platform};
use serde::Serialize;

use crate::args::Advise;
use crate::failure::Failure;
use crate::native::Native;
use crate::source::{self, Scenario};
use crate::terminal::Terminal;
use crate::{host, interrupt, run};

use what_if::WhatIf;

/// All that is answered, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    scenario: &'a str,
    platform: Platform,
    trials: u32,
    /// Of the scenario (s).
    duration_s: f64,
    /// How the sizes follow from what was measured, in words.
    rule: &'static [&'static str],
    tenants: &'a [Advice],
    what_if: &'a WhatIf,
}

/// The law of [`advice`] in words, and where it is from.
const RULE: [&str; 4] = [
    "cpu.request: the 90th percentile of the cores used in each 0.1 s, and 15 % more",
    "cpu.limit: the most cores used in any 0.1 s, and 15 % more; at least 1 ms in each period, as the kernel has it",
    "memory.request and memory.limit: the highest peak, and 15 % more; after a kill for memory first 1.2 times the peak, or 100 MiB more \
     if that is more",
    "as Kubernetes' Vertical Pod Autoscaler (vertical-pod-autoscaler/pkg/recommender/logic/recommender.go, model/aggregations_config.go), \
     but for its least sizes, its memory of days, and the limits, which it derives from requests",
];

pub(crate) fn advise(args: &Advise, terminal: &Terminal) -> Result<(), Failure> {
    let scenario = source::scenario(&args.file)?;
    let plan = scenario.plan()?;
    let (calibration, machine) = machine(args)?;
    let platform = platform(args, &plan, terminal)?;
    let reports = measure(&plan, platform, args.trials, terminal)?;
    let tenants = advice::advise(&plan, &reports);
    let what_if = what_if::of(&scenario, platform, &tenants, (&calibration, &machine))?;
    let answer = Answer {
        scenario: plan.name(),
        platform,
        trials: args.trials,
        duration_s: plan.duration().seconds(),
        rule: &RULE,
        tenants: &tenants,
        what_if: &what_if,
    };
    if args.json { terminal.print_json(&answer) } else { terminal.print(&show::text(&answer, terminal)) }
}

/// The machine that the simulator models, and its name.
fn machine(args: &Advise) -> Result<(Calibration, String), Failure> {
    if let Some(path) = &args.host {
        return Ok((host::read(path)?, path.display().to_string()));
    }
    Ok(match host::cached() {
        Some(calibration) => (calibration, "this machine, as it was calibrated".to_owned()),
        None => (
            Calibration::reference(),
            "the reference machine, as this one was not calibrated (catamaran calibrate)".to_owned(),
        ),
    })
}

/// The platform asked for; else `container`, or the scenario's first where this machine has not got that. What it can't carry out is
/// refused here.
fn platform(args: &Advise, plan: &Plan, terminal: &Terminal) -> Result<Platform, Failure> {
    let wanted = args.platform.unwrap_or(Platform::Container);
    let first = plan.platforms().first().copied().filter(|_| args.platform.is_none());
    match (run::commands(plan, &[wanted]), first) {
        (Ok(_), _) => Ok(wanted),
        (Err(Failure::Unavailable(why)), Some(first)) if first != wanted => {
            terminal.note(&format!("{why}; on {first} instead"));
            run::commands(plan, &[first]).map(|_| first)
        }
        (Err(failure), _) => Err(failure),
    }
}

fn measure(
    plan: &Plan,
    platform: Platform,
    trials: u32,
    terminal: &Terminal,
) -> Result<Vec<Report>, Failure> {
    let native = Native {
        plan,
        turns_per_cpu_s: host::cached().map(|calibration| calibration.cpu.turns_per_cpu_s),
        interrupted: interrupt::flag()?,
        progress: terminal.progress(0),
    };
    native.progress.lengthen(native.steps() * u64::from(trials));
    let one = |trial: u32| {
        let label = format!("{} on {platform}, trial {} of {trials}", plan.name(), trial + 1);
        native.run(platform, trial, native.steps() * u64::from(trial), &label)
    };
    let reports = (0..trials).map(one).collect();
    native.progress.finish();
    reports
}

/// The scenario with the sizes that are proposed.
fn with_sizes(scenario: &Scenario, tenants: &[Advice]) -> Result<Scenario, Failure> {
    let mut sized = scenario.clone();
    for advice in tenants {
        for (field, size) in advice.proposed.fields() {
            if let Some(size) = size {
                sized = sized.with(&format!("tenant.{}.{field}", advice.tenant), size)?;
            }
        }
    }
    Ok(sized)
}
