//! One native trial with its progress shown.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use catamaran_native::{Runner, RunnerOptions};
use catamaran_report::{Backend, Report};
use catamaran_scenario::{Plan, Platform};

use crate::failure::Failure;
use crate::terminal::Progress;

/// Steps of a progress bar in a second of a run.
pub(crate) const STEPS_PER_SECOND: f64 = 10.0;

/// What all trials of a command share.
pub(crate) struct Native<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) turns_per_cpu_s: Option<f64>,
    pub(crate) interrupted: Arc<AtomicBool>,
    pub(crate) progress: Progress,
}

impl Native<'_> {
    /// Steps of the progress bar that one trial takes.
    pub(crate) fn steps(&self) -> u64 {
        (self.plan.duration().seconds() * STEPS_PER_SECOND).ceil() as u64
    }

    /// Carries the plan out once; `behind` steps of the progress bar are done.
    pub(crate) fn run(
        &self,
        platform: Platform,
        trial: u32,
        behind: u64,
        what: &str,
    ) -> Result<Report, Failure> {
        // The signal may have come while a simulation was paired with the trial before.
        if self.interrupted.load(Ordering::SeqCst) {
            return Err(Failure::Interrupted);
        }
        let (progress, label) = (self.progress.clone(), what.to_owned());
        progress.at(behind, &label);
        let options = RunnerOptions {
            turns_per_cpu_s: self.turns_per_cpu_s,
            interrupted: Arc::clone(&self.interrupted),
            progress: Some(Box::new(move |elapsed_s, _total_s| {
                progress.at(behind + (elapsed_s * STEPS_PER_SECOND) as u64, &label);
            })),
        };
        Ok(Runner::new(options)?.run(self.plan, platform, trial)?)
    }
}
