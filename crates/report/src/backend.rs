//! The seam above the engines: a plan in, a report out.

use catamaran_scenario::{Plan, Platform};

use crate::Report;

/// Why there is no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The backend can't carry out this part of the scenario; named, never ignored (exit code 1).
    #[error("{field}: the {backend} backend cannot carry out {what}; {advice}")]
    Unsupported {
        /// Path of the field in the scenario (`tenant.db.workload.kind`).
        field: String,
        /// `simulated` or `native`.
        backend: &'static str,
        /// What it is.
        what: String,
        /// What to do.
        advice: String,
    },
    /// What the scenario names beside itself is not there, or not what it should be (exit code 1).
    #[error("{field}: {what}; {advice}")]
    BadInput {
        /// Path of the field in the scenario (`image.shop.archive`).
        field: String,
        /// What was found.
        what: String,
        /// What to do.
        advice: String,
    },
    /// The platform is not to be had here (exit code 2).
    #[error("{platform} is not available here: {why}; {remedy}")]
    Unavailable {
        /// Which.
        platform: Platform,
        /// Reason, naming the mechanism.
        why: String,
        /// How to get it.
        remedy: String,
    },
    /// The run was begun and failed (exit code 3); everything was cleaned up.
    #[error("the run failed: {what}; {advice}")]
    Failed {
        /// What went wrong, naming the mechanism.
        what: String,
        /// What to do.
        advice: String,
    },
    /// Interrupted by the user; everything was cleaned up (exit code 130).
    #[error("interrupted; everything was cleaned up")]
    Interrupted,
}

/// An engine that carries out a plan on a platform.
pub trait Backend {
    /// `"simulated"` or `"native"`, as in the report.
    fn name(&self) -> &'static str;

    /// Carries the plan out once. `trial` counts from 0 and goes into the report.
    ///
    /// # Errors
    /// See [`RunError`].
    fn run(&mut self, plan: &Plan, platform: Platform, trial: u32) -> Result<Report, RunError>;
}
