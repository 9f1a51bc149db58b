//! The deterministic engine: a plan, a platform and a calibration in, a report (and a timeline) out.
//!
//! *Architecture invariant*: no clock, no file, no thread, no OS randomness, no floating-point function but `+ - * / sqrt`
//! and `libm`; the same bits on x86-64 and in WebAssembly.

mod experiment;
mod kernel;
mod orchestrator;
mod platform;
mod resources;
mod startup;
mod workload;

pub use platform::blast::{Layer, Reach};

use catamaran_report::{Report, RunError, Timeline};
use catamaran_scenario::{Calibration, Plan, Platform};

pub use experiment::Simulation;

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

/// Servers that a plan needs for a service level.
#[derive(Debug, Clone, PartialEq)]
pub struct ServersNeeded {
    /// How many machines like `host`.
    pub servers: u32,
    /// The server of each tenant, in file order.
    pub places: Vec<u32>,
    /// What came of the plan on them.
    pub report: Report,
}

/// How many machines like `host` the tenants of `plan` need on `platform`, each with all its replicas on one of them, so that
/// every server's 95th percentile of latency is at most `p95_s` (s), no request fails, and nobody is killed for memory.
/// `None` where even a machine for each tenant does not help. Where the plan places its tenants does not matter.
///
/// # Errors
/// As [`simulate`].
pub fn servers_needed(
    plan: &Plan,
    platform: Platform,
    calibration: &Calibration,
    p95_s: f64,
) -> Result<Option<ServersNeeded>, RunError> {
    experiment::servers_needed(plan, platform, calibration, p95_s)
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

/// The speed workloads, with answers that every exact engine gets: to be timed from outside, for here is no clock.
pub mod bench {
    use super::experiment;

    /// W1: hosts of 8 cores with 16 containers each, which run tasks of exponential demands back to back from time 0.
    #[derive(Debug, Clone, PartialEq)]
    pub struct SharedHosts {
        /// How many hosts.
        pub hosts: u64,
        /// Tasks of each container, at least 1.
        pub tasks: u64,
        /// Weights, dealt in turn to the containers of host 0, then those of host 1, and so on; none: all weigh 1. Each is
        /// above 0 and finite.
        pub weights: Vec<f64>,
        /// The most that each container may use (cores, above 0); a task uses 1 at most.
        pub cap_cores: Option<f64>,
        /// Each container is in a virtual machine of one virtual CPU, which has the container's weight.
        pub in_machines: bool,
    }

    /// What W1 answers.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct Responses {
        /// When the last task ends (s).
        pub makespan_s: f64,
        /// Mean time from a task's start to its end (s).
        pub mean_response_s: f64,
        /// Root of the mean square of it (s).
        pub rms_response_s: f64,
        /// Tasks.
        pub work_items: u64,
    }

    /// What W2 answers.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct Held {
        /// The time of the last event (s).
        pub clock_s: f64,
        /// Events that fired.
        pub work_items: u64,
    }

    /// What the M/M/1 check answers.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct Sojourns {
        /// Mean time from arrival to departure (s).
        pub mean_sojourn_s: f64,
        /// Customers.
        pub work_items: u64,
    }

    /// W1 by the fluid model.
    #[must_use]
    pub fn shared_hosts(workload: &SharedHosts) -> Responses {
        experiment::bench::shared_hosts(workload)
    }

    /// W2, the hold model: so many pending events (at least 1), of which each that fires schedules another, until so many
    /// have fired.
    #[must_use]
    pub fn hold(pending: u32, events: u64) -> Held {
        experiment::bench::hold(pending, events)
    }

    /// One server at load 0.9 with service times of mean 1 s, for so many customers (at least 1), by the fluid model.
    #[must_use]
    pub fn mm1(customers: u64) -> Sojourns {
        experiment::bench::mm1(customers)
    }
}
