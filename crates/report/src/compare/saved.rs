//! Two saved runs of the same scenario.

use catamaran_scenario::Platform;
use serde::Serialize;

use super::rows::log_ratio;
use super::{Floors, Pair, PlatformComparison, compare_whatever};
use crate::metric::Metric;
use crate::report::{BackendKind, Report, TenantReport};
use crate::statistics::median;

/// Why two saved runs are not compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SavedError {
    /// They answer different questions.
    #[error(
        "the reports are of different scenarios: {first} (digest {first_digest}) and {second} (digest \
         {second_digest}); compare runs of one and the same scenario file"
    )]
    Scenario {
        /// Name of the first scenario.
        first: String,
        /// Its digest.
        first_digest: String,
        /// Name of the second scenario.
        second: String,
        /// Its digest.
        second_digest: String,
    },
    /// Nothing to hold against each other.
    #[error(
        "the reports have no platform in common: {first} against {second}; give runs on the same platform"
    )]
    Platforms {
        /// Platforms of the first file.
        first: String,
        /// Platforms of the second file.
        second: String,
    },
}

/// What came of comparing two saved runs on a platform.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Saved {
    /// A simulated and a native run, in the shape of `compare`; the order of the files does not matter.
    ModelAndMachine(Box<PlatformComparison>),
    /// Two runs by the same backend, or on two platforms.
    TwoRuns(RunDifference),
}

/// How the second run differs from the first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunDifference {
    /// The first run.
    pub first: Run,
    /// The second run.
    pub second: Run,
    /// One per metric of each tenant that at least one of them has.
    pub rows: Vec<RunRow>,
}

/// Which run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run {
    /// Where.
    pub platform: Platform,
    /// By what.
    pub backend: BackendKind,
    /// Trials that its figures are the medians of.
    pub trials: u32,
}

/// A metric of a tenant in two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunRow {
    /// Tenant.
    pub tenant: String,
    /// Replica from 0.
    pub replica: u32,
    /// Name of the metric.
    pub metric: String,
    /// In the first run; `None` where it has none.
    pub first: Option<f64>,
    /// In the second run; `None` where it has none.
    pub second: Option<f64>,
    /// |ln((second + f)/(first + f))| with the metric's floor f; `None` where one is missing.
    pub difference: Option<f64>,
}

/// Compares the reports of two files: platform by platform, or, with one report in each, as they are. Where a file holds
/// several trials of a platform, they are paired in their order when both do, and a single one goes with each of the other.
///
/// # Errors
/// [`SavedError`] where they are not of the same scenario, or have no platform in common.
pub fn saved(first: &[Report], second: &[Report]) -> Result<Vec<Saved>, SavedError> {
    same_scenario(first, second)?;
    if let ([one], [other]) = (first, second) {
        return Ok(vec![side_by_side(&Side::single(one), &Side::single(other))]);
    }
    let answers: Vec<Saved> = Platform::ALL
        .iter()
        .filter_map(|&platform| Some(side_by_side(&Side::on(first, platform)?, &Side::on(second, platform)?)))
        .collect();
    if answers.is_empty() {
        return Err(SavedError::Platforms { first: platforms(first), second: platforms(second) });
    }
    Ok(answers)
}

/// The runs of one file on one platform, at least one.
struct Side<'a> {
    head: &'a Report,
    all: Vec<&'a Report>,
}

impl<'a> Side<'a> {
    fn single(report: &'a Report) -> Self {
        Self { head: report, all: vec![report] }
    }

    fn on(reports: &'a [Report], platform: Platform) -> Option<Self> {
        let all: Vec<&Report> = reports.iter().filter(|report| report.platform == platform).collect();
        Some(Self { head: all.first()?, all })
    }

    fn is_all(&self, backend: BackendKind) -> bool {
        self.all.iter().all(|report| report.backend == backend)
    }

    /// The runs, a single one repeated up to `count`.
    fn repeated(&self, count: usize) -> impl Iterator<Item = &'a Report> {
        let times = if self.all.len() == 1 { count } else { 1 };
        self.all.iter().copied().cycle().take(self.all.len() * times)
    }

    fn run(&self) -> Run {
        Run { platform: self.head.platform, backend: self.head.backend, trials: self.all.len() as u32 }
    }

    fn median(&self, label: &str, metric: Metric) -> Option<f64> {
        let values: Vec<f64> =
            self.all.iter().filter_map(|report| metric.of(report.tenant(label)?)).collect();
        median(&values)
    }
}

fn same_scenario(first: &[Report], second: &[Report]) -> Result<(), SavedError> {
    let Some(one) = first.first().or(second.first()) else { return Ok(()) };
    let differs = |other: &&Report| other.identity.scenario_digest != one.identity.scenario_digest;
    let Some(other) = first.iter().chain(second).find(differs) else { return Ok(()) };
    Err(SavedError::Scenario {
        first: one.scenario.clone(),
        first_digest: one.identity.scenario_digest.clone(),
        second: other.scenario.clone(),
        second_digest: other.identity.scenario_digest.clone(),
    })
}

fn platforms(reports: &[Report]) -> String {
    let names: Vec<&str> = reports.iter().map(|report| report.platform.name()).collect();
    if names.is_empty() { "no report".into() } else { names.join(", ") }
}

fn side_by_side(first: &Side, second: &Side) -> Saved {
    let (model, machine) = (BackendKind::Simulated, BackendKind::Native);
    let same_platform = first.head.platform == second.head.platform;
    if same_platform && first.is_all(model) && second.is_all(machine) {
        model_and_machine(first, second)
    } else if same_platform && first.is_all(machine) && second.is_all(model) {
        model_and_machine(second, first)
    } else {
        Saved::TwoRuns(difference(first, second))
    }
}

fn model_and_machine(simulated: &Side, native: &Side) -> Saved {
    let count = simulated.all.len().max(native.all.len());
    let pairs: Vec<Pair> = simulated
        .repeated(count)
        .zip(native.repeated(count))
        .map(|(s, r)| Pair { simulated: s.clone(), redrawn: Vec::new(), native: r.clone(), naive: None })
        .collect();
    Saved::ModelAndMachine(Box::new(compare_whatever(
        native.head.platform,
        longest_s(simulated, native),
        &pairs,
    )))
}

/// The reports do not say how long the scenario may last; how long the longest run took stands for it.
fn longest_s(first: &Side, second: &Side) -> f64 {
    first.all.iter().chain(&second.all).map(|report| report.elapsed_s).fold(0.0, f64::max)
}

fn difference(first: &Side, second: &Side) -> RunDifference {
    let floors = Floors::new(longest_s(first, second));
    let rows = first
        .head
        .tenants
        .iter()
        .flat_map(|tenant| Metric::ALL.iter().map(move |&metric| (tenant, metric)))
        .map(|(tenant, metric)| run_row(tenant, metric, first, second, floors.of(metric)))
        .filter(|row| row.first.is_some() || row.second.is_some())
        .collect();
    RunDifference { first: first.run(), second: second.run(), rows }
}

fn run_row(tenant: &TenantReport, metric: Metric, first: &Side, second: &Side, floor: f64) -> RunRow {
    let label = tenant.label();
    let (one, other) = (first.median(&label, metric), second.median(&label, metric));
    RunRow {
        tenant: tenant.name.clone(),
        replica: tenant.replica,
        metric: metric.name().into(),
        first: one,
        second: other,
        difference: one.zip(other).map(|(one, other)| log_ratio(other, one, floor).abs()),
    }
}
