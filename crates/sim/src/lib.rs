//! The deterministic engine: a plan, a platform and a calibration in, a report (and a timeline) out.
//!
//! *Architecture invariant*: no clock, no file, no thread, no OS randomness, no floating-point function but `+ - * / sqrt`
//! and `libm`; the same bits on x86-64 and in WebAssembly.

use catamaran_report::{Report, RunError, Timeline};
use catamaran_scenario::{Calibration, Plan, Platform};

/// How a simulation is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Options {
    /// Speed of this trial in turns of the fixed loop per second of CPU time, averaged over what ran; `None`: as
    /// calibrated. `compare` pairs each native trial with a simulation at the speed that the trial had.
    pub turns_per_cpu_s: Option<f64>,
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
    let _ = (plan, calibration, options);
    Err(RunError::Unsupported {
        field: "platforms".into(),
        backend: "simulated",
        what: platform.to_string(),
        advice: "choose another platform".into(),
    })
}

/// The two naive predictions that `compare` measures skill against, in the shape of reports.
///
/// # Errors
/// As [`simulate`].
pub mod naive {
    use super::{Calibration, Options, Plan, Platform, Report, RunError};

    /// Each tenant as if it had the machine to itself, without quota.
    pub fn alone(p: &Plan, on: Platform, c: &Calibration, o: &Options) -> Result<Report, RunError> {
        super::simulate(p, on, c, o).map(|outcome| outcome.report)
    }

    /// Fluid processor sharing: all threads that would run share the cores evenly, without scheduler, quota or isolation.
    pub fn fluid(p: &Plan, on: Platform, c: &Calibration, o: &Options) -> Result<Report, RunError> {
        super::simulate(p, on, c, o).map(|outcome| outcome.report)
    }
}
