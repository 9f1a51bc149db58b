//! Linux for real: the same plans carried out with processes, namespaces and cgroups.
//!
//! *Architecture invariant*: this crate never sees the simulator. What it makes on the machine it registers before it
//! makes it, and nothing that it did not make is ever changed.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use catamaran_report::{Backend, Report, RunError};
use catamaran_scenario::{Plan, Platform};

mod accept;
mod adopt;
mod calibrate;
mod cgroup;
mod clean;
mod crowd;
mod density;
mod disk;
mod doctor;
mod dry_run;
mod engine;
mod forks;
mod guard;
mod happened;
mod identity;
mod image;
mod installed;
mod interrupt;
mod isolation;
mod killed;
mod launcher;
mod machine;
mod microvm;
mod network;
mod nice;
mod operations;
mod order;
mod others;
mod platform;
mod probe;
mod problem;
mod program;
mod root_by_hand;
mod run;
mod run_folder;
mod runtime;
mod shown;
mod speed;
mod tally;
mod trace;
mod vm;
mod write_up;

use image::Images;
use interrupt::Interrupt;

pub use accept::check;
pub use calibrate::calibrate;
pub use clean::{Cleaned, clean};
pub use density::{Count, density};
pub use doctor::{Check, doctor};
pub use dry_run::dry_run;
pub use identity::machine;
pub use probe::{Attack, Probe, Verdict, View, probe};

/// How native runs are carried out.
#[derive(Default)]
pub struct RunnerOptions {
    /// Turns of the fixed loop in one CPU second of the scenario; `None`: measured for a moment before the run.
    pub turns_per_cpu_s: Option<f64>,
    /// Set by the caller's signal handler; the run ends, cleans up and answers [`RunError::Interrupted`].
    pub interrupted: Arc<AtomicBool>,
    /// Called a few times a second with the elapsed and the whole time of the run (s).
    pub progress: Option<Box<dyn FnMut(f64, f64) + Send>>,
}

/// The native backend.
pub struct Runner {
    options: RunnerOptions,
}

impl Runner {
    /// Removes what dead runs left, and makes ready.
    ///
    /// # Errors
    /// [`RunError::Failed`] where even that is not possible.
    pub fn new(options: RunnerOptions) -> Result<Self, RunError> {
        clean()?;
        Ok(Self { options })
    }
}

impl Backend for Runner {
    fn name(&self) -> &'static str {
        "native"
    }
    fn run(&mut self, plan: &Plan, platform: Platform, trial: u32) -> Result<Report, RunError> {
        let as_read = plan;
        let plan = &as_read.without_stand_ins();
        check(plan, platform)?;
        let interrupt = Interrupt::new(Arc::clone(&self.options.interrupted));
        let mut carry_out = || {
            let turns_per_cpu_s = match self.options.turns_per_cpu_s {
                Some(turns) => turns,
                None => *self.options.turns_per_cpu_s.insert(speed::one_busy(&interrupt)?),
            };
            let images = Images::open(plan, platform)?;
            let run = run::Run::with_images(plan, platform, images, (turns_per_cpu_s, &interrupt))?;
            run.carry_out(trial, &mut self.options.progress)
        };
        let mut report = carry_out().map_err(|problem: problem::Problem| problem.on(platform))?;
        report.identity.scenario_digest = as_read.digest();
        Ok(report)
    }
}
