//! Room 5: plan → world → report. Wires rooms; holds no formula of its own.

mod answer;
mod build;
mod density;
mod engine;
mod events;
mod guests;
mod happened;
mod lives;
mod log;
mod memory;
mod nodes;
mod refuse;
mod timeline;
mod world;

pub(crate) use density::density;

use catamaran_report::{Report, RunError, Timeline};
use catamaran_scenario::{Calibration, Plan, Platform};

use crate::{Options, Outcome};
use build::Setting;
use nodes::Part;
use world::World;

/// Which prediction is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Model {
    /// The exact model of the platform.
    Exact,
    /// Naive: this instance alone on the machine, without limits.
    Alone(usize),
    /// Naive: fluid processor sharing.
    Fluid,
}

/// Passes until the speed of the trial is met, at most.
const SPEED_PASSES: usize = 4;
/// How near the speed of a simulation has to be to the one that was asked for.
const SPEED_TOLERANCE: f64 = 1e-4;

/// Simulates, at the speed that `options` asks for.
///
/// The speed of a trial is an average over what ran, with all switches and ticks. What it asks of the work's own rate is
/// found by simulating: each pass corrects the rate by the ratio that is left.
pub(crate) fn simulate(
    plan: &Plan,
    platform: Platform,
    calibration: &Calibration,
    options: &Options,
    model: Model,
) -> Result<Outcome, RunError> {
    refuse::unsupported(plan, platform, calibration)?;
    let setting = Setting::of(plan, platform, calibration, model)?;
    let mut speed = options.turns_per_cpu_s.map_or(1.0, |turns| turns / calibration.cpu.turns_per_cpu_s);
    let mut passes = 0;
    loop {
        let mut worlds: Vec<(u32, World)> = Vec::new();
        for node in nodes::used(plan, &setting) {
            let mut world = World::new(plan, &setting, node, speed, options);
            world.run();
            worlds.push((node, world));
        }
        passes += 1;
        if let (Some(wanted), Some(had)) = (options.turns_per_cpu_s, work_per_cpu(&worlds)) {
            let ratio = wanted / (had * calibration.cpu.turns_per_cpu_s);
            if passes < SPEED_PASSES && (ratio - 1.0).abs() > SPEED_TOLERANCE {
                speed *= ratio;
                continue;
            }
        }
        let speed = work_per_cpu(&worlds).map(|ratio| ratio * calibration.cpu.turns_per_cpu_s);
        let part = |(node, world): (u32, World)| {
            let report = answer::report(plan, platform, calibration, &setting, &world);
            let timeline = if options.timeline {
                timeline::timeline(plan, platform, world)
            } else {
                Timeline::default()
            };
            Part { node, report, timeline }
        };
        let whole = nodes::merge(plan, worlds.into_iter().map(part).collect());
        // A plan has a tenant, and a tenant has a node.
        let nobody = || refuse::refusal("tenant".into(), "a run without tenants", "add a tenant");
        let (mut report, timeline) = whole.ok_or_else(nobody)?;
        report.host.turns_per_cpu_s = speed;
        if speed.is_none() {
            report.host.explain_absence("turns_per_cpu_s", "no tenant made a turn");
        }
        return Ok(Outcome { report, timeline });
    }
}

/// Work done per CPU time on all nodes together; none if nothing ran.
fn work_per_cpu(worlds: &[(u32, World)]) -> Option<f64> {
    let sums = worlds.iter().map(|(_, world)| world.work_and_cpu());
    let (work, cpu_ns) = sums.fold((0.0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    (cpu_ns > 0).then(|| work / cpu_ns as f64)
}

/// Each tenant as if it were alone, put together in one report.
pub(crate) fn alone(
    plan: &Plan,
    platform: Platform,
    calibration: &Calibration,
    options: &Options,
) -> Result<Report, RunError> {
    let mut whole = simulate(plan, platform, calibration, options, Model::Alone(0))?.report;
    for index in 1..plan.instances().count() {
        let mut one = simulate(plan, platform, calibration, options, Model::Alone(index))?.report;
        if let (Some(into), true) = (whole.tenants.get_mut(index), index < one.tenants.len()) {
            *into = one.tenants.swap_remove(index);
        }
    }
    Ok(whole)
}
