//! Room 5: plan → world → report. Wires rooms; holds no formula of its own.

mod acting;
mod answer;
pub(crate) mod bench;
mod births;
mod build;
mod claims;
mod cuts;
mod density;
mod disk;
mod engine;
mod events;
mod forks;
mod guests;
mod happened;
mod lanes;
mod layers;
mod lives;
mod log;
mod memory;
mod migrate;
mod moment;
mod network;
mod nodes;
#[cfg(test)]
mod pinned;
mod refuse;
mod servers;
mod stepping;
mod talking;
mod timeline;
mod virtio;
mod waits;
mod world;

pub(crate) use density::density;
pub(crate) use servers::servers_needed;
pub use stepping::Simulation;

use catamaran_report::{Report, RunError};
use catamaran_scenario::{Calibration, Plan, Platform};

use crate::{Options, Outcome};

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

/// Simulates, at the speed that `options` asks for.
pub(crate) fn simulate(
    plan: &Plan,
    platform: Platform,
    calibration: &Calibration,
    options: &Options,
    model: Model,
) -> Result<Outcome, RunError> {
    let mut simulation = Simulation::of(plan, platform, calibration, options, model)?;
    simulation.meet_speed();
    simulation.finish()
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
