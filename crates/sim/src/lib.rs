//! The deterministic engine: a plan, a platform and a calibration in, a report (and a timeline) out.
//!
//! *Architecture invariant*: no clock, no file, no thread, no OS randomness, no floating-point function but `+ - * / sqrt`
//! and `libm`; the same bits on x86-64 and in WebAssembly.

mod experiment;
mod kernel;
mod platform;
mod resources;
mod startup;
mod workload;

pub use platform::blast::{Layer, Reach};

use catamaran_report::{Report, RunError, Timeline};
use catamaran_scenario::{Calibration, Plan, Platform};

use experiment::Model;

/// How a simulation is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Options {
    /// Speed of this trial in turns of the fixed loop per second of CPU time, averaged over what ran; `None`: as
    /// calibrated. `compare` pairs each native trial with a simulation at the speed that the trial had.
    pub turns_per_cpu_s: Option<f64>,
    /// Share of the cores' time that is taken from tenants: by other processes, by the machine beneath. `compare` pairs each
    /// native trial with a simulation at the share that the trial had; it is 0 else.
    pub taken: f64,
    /// Which throw of the dice: what a machine leaves to chance and no scenario can fix (the phases of ticks, of balancing
    /// and of quota periods; whether a newly idle core looks for work) differs from one to the next.
    pub throw: u32,
    /// Whether to record the [`Timeline`] as well.
    pub timeline: bool,
}

/// What a simulation answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The report.
    pub report: Report,
    /// The timeline; empty unless [`Options::timeline`] was set.
    pub timeline: Timeline,
}

/// How many copies of a tenant fit into a machine's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Density {
    /// On which platform.
    pub platform: Platform,
    /// `host.memory` (bytes).
    pub host_bytes: u64,
    /// What one is charged for being there (bytes).
    pub idle_bytes: u64,
    /// What one is charged at the end of its work (bytes, whole pages).
    pub tenant_bytes: u64,
    /// How many fit.
    pub tenants: u64,
}

/// How many copies of the plan's only tenant fit into `host.memory` on `platform`, on the machine described by `calibration`;
/// its `replicas` do not matter.
///
/// # Errors
/// As [`simulate`]; also where the plan has more than one tenant, or swap.
pub fn density(plan: &Plan, platform: Platform, calibration: &Calibration) -> Result<Density, RunError> {
    experiment::density(plan, platform, calibration)
}

/// Who is hit on `platform`, as the plan sets it up, when something goes wrong in `layer`.
#[must_use]
pub fn blast_radius(plan: &Plan, platform: Platform, layer: Layer) -> Reach {
    platform::blast::radius(platform, &plan.settings(platform), layer)
}

/// Simulates `plan` on `platform`, on the machine described by `calibration`.
///
/// # Errors
/// [`RunError::Unsupported`] where the plan holds what the simulator can't carry out yet, by name.
pub fn simulate(
    plan: &Plan,
    platform: Platform,
    calibration: &Calibration,
    options: &Options,
) -> Result<Outcome, RunError> {
    experiment::simulate(plan, platform, calibration, options, Model::Exact)
}

/// The two naive predictions that `compare` measures skill against, in the shape of reports.
pub mod naive {
    use super::{Calibration, Model, Options, Plan, Platform, Report, RunError, experiment};

    /// Each tenant as if it had the machine to itself, without limits.
    ///
    /// # Errors
    /// As [`simulate`](super::simulate).
    pub fn alone(
        plan: &Plan,
        platform: Platform,
        calibration: &Calibration,
        options: &Options,
    ) -> Result<Report, RunError> {
        experiment::alone(plan, platform, calibration, options)
    }

    /// Fluid processor sharing: all threads that would run share the cores evenly, without scheduler, quota or isolation.
    ///
    /// # Errors
    /// As [`simulate`](super::simulate).
    pub fn fluid(
        plan: &Plan,
        platform: Platform,
        calibration: &Calibration,
        options: &Options,
    ) -> Result<Report, RunError> {
        experiment::simulate(plan, platform, calibration, options, Model::Fluid).map(|outcome| outcome.report)
    }
}
