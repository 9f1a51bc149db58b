//! What "agrees" means: simulated against native reports, metric by metric, with the machine's own noise taken off.
//!
//! Trials are paired, because the speed of a shared machine drifts from trial to trial: each native report is compared
//! with a simulation at the speed that the trial had. With s and r the simulated and native value of a pair and f the
//! metric's [floor](Floors), a row's error is e = |median over pairs of ln((s + f)/(r + f))|, its noise n is what that
//! median differs by between random halves of the pairs, and its excess is max(0, e − n).

mod noise;
mod rows;
mod saved;
mod stages;
mod summary;

pub use rows::{Floors, requests_needed};
pub(crate) use summary::skill;

pub use saved::{Run, RunDifference, RunRow, Saved, SavedError, saved};
pub use stages::StageComparison;

use catamaran_scenario::Platform;
use serde::{Deserialize, Serialize};

use crate::report::Report;

/// Trials that a comparison begins with.
pub const MIN_TRIALS: u32 = 7;
/// Trials at which it gives up on rows that stay undecidable.
pub const MAX_TRIALS: u32 = 21;
/// Noise (in ln) above which a row is undecidable.
pub const NOISE_LIMIT: f64 = 0.10;
/// Error (in ln) within which a conserved row must stay.
pub const CONSERVED_LIMIT: f64 = 0.02;
/// Share of a trial's time taken away by the machine beneath, or by processes outside the run, above which the trial is
/// discarded.
pub const DISTURBANCE_LIMIT: f64 = 0.01;

/// A native trial and the simulation at the speed that this trial had.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The model.
    pub simulated: Report,
    /// The model again, with the dice thrown anew that a machine leaves to chance. What the model says of a trial is the
    /// median over all of them.
    pub redrawn: Vec<Report>,
    /// The machine.
    pub native: Report,
    /// What one would say without the model, at the same speed; `None` where nobody asked.
    pub naive: Option<Naive>,
}

/// Two predictions that know nothing of the scheduler.
#[derive(Debug, Clone, PartialEq)]
pub struct Naive {
    /// Each tenant alone on the machine.
    pub alone: Report,
    /// Fluid processor sharing.
    pub fluid: Report,
}

/// One element of `compare --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlatformComparison {
    /// Where both ran.
    pub platform: Platform,
    /// One per metric of each tenant that both sides know.
    pub rows: Vec<Row>,
    /// Metrics that are left out, with the reason.
    pub absent: Vec<AbsentRow>,
    /// Start-up stages.
    #[serde(default)]
    pub stages: Vec<StageComparison>,
    /// The judged rows in a few figures.
    pub summary: Summary,
    /// The simulation at the median speed of the trials; `None` where every trial was discarded.
    pub simulated: Option<Report>,
    /// The native trials that were used.
    pub native: Vec<Report>,
}

/// How a row is held to account. The groups are never pooled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Follows from the arrivals alone; checked within 2 %.
    Conserved,
    /// What the model has to get right.
    Judged,
}

/// A metric of a tenant. Times in seconds, errors in natural logarithms (0.05 is about 5 %).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Tenant.
    pub tenant: String,
    /// Replica from 0.
    pub replica: u32,
    /// [`Metric::name`](crate::Metric::name).
    pub metric: String,
    /// Which group.
    pub group: Group,
    /// Median of the simulated values.
    pub simulated: f64,
    /// Median of the native values.
    pub native: f64,
    /// |median over pairs of ln((s + f)/(r + f))|.
    pub error: f64,
    /// What that median differs by between halves of the pairs; `None` with a single pair.
    pub noise: Option<f64>,
    /// max(0, error − noise); `None` where the noise is unknown.
    pub excess: Option<f64>,
    /// Noise above [`NOISE_LIMIT`]: nothing can be said.
    pub undecidable: bool,
    /// Conserved rows that can be decided: whether the error is within [`CONSERVED_LIMIT`].
    pub within: Option<bool>,
    /// Error of the naive prediction "alone".
    pub alone_error: Option<f64>,
    /// Error of the naive prediction "fluid".
    pub fluid_error: Option<f64>,
    /// Pairs it rests on: those where both sides have a value.
    pub pairs: u32,
}

/// A metric that could not be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsentRow {
    /// Tenant.
    pub tenant: String,
    /// Replica from 0.
    pub replica: u32,
    /// Name of the metric.
    pub metric: String,
    /// What is missing.
    pub missing: Missing,
    /// Why.
    pub reason: String,
}

/// What a row lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// The simulated value.
    Simulated,
    /// The native value.
    Native,
    /// Both values.
    Both,
    /// Requests enough for the quantile to mean something.
    Requests,
}

/// The judged and decidable rows of a platform in a few figures; `None` where there are none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Median excess.
    pub median_excess: Option<f64>,
    /// 90th percentile of the excess.
    pub p90_excess: Option<f64>,
    /// Worst excess.
    pub worst_excess: Option<f64>,
    /// 1 − Σe/Σe₀ against the better naive prediction.
    pub skill: Option<f64>,
    /// Which naive prediction that was.
    pub skill_against: Option<Prediction>,
    /// Judged rows that are left out because of their noise.
    pub undecidable_rows: u32,
    /// Trials left out because of a [`Disturbance`].
    pub discarded_trials: u32,
    /// Judged rows in all, the undecidable ones too.
    pub judged_rows: u32,
    /// Judged rows where nothing happened, predicted and seen: both medians are 0.
    pub zero_rows: u32,
    /// Conserved rows beyond [`CONSERVED_LIMIT`].
    pub conserved_beyond_limit: u32,
}

/// A naive prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Prediction {
    /// Each tenant alone on the machine.
    Alone,
    /// Fluid processor sharing.
    Fluid,
}

/// Compares the trials made on one platform of a scenario that lasts `duration_s`.
#[must_use]
pub fn compare(platform: Platform, duration_s: f64, pairs: &[Pair]) -> PlatformComparison {
    let used: Vec<&Pair> = pairs.iter().filter(|pair| disturbance(&pair.native).is_none()).collect();
    judge(platform, duration_s, pairs.len(), &used)
}

/// Compares all that there is where every trial was disturbed: who has but one report wants to see it.
fn compare_whatever(platform: Platform, duration_s: f64, pairs: &[Pair]) -> PlatformComparison {
    match pairs.iter().all(|pair| disturbance(&pair.native).is_some()) {
        true => judge(platform, duration_s, pairs.len(), &pairs.iter().collect::<Vec<_>>()),
        false => compare(platform, duration_s, pairs),
    }
}

fn judge(platform: Platform, duration_s: f64, made: usize, used: &[&Pair]) -> PlatformComparison {
    let discarded = (made - used.len()) as u32;
    let (rows, absent) = rows::rows(used, &Floors::new(duration_s));
    PlatformComparison {
        platform,
        summary: summary::summary(&rows, discarded),
        rows,
        absent,
        stages: stages::stages(used),
        simulated: at_median_speed(used).map(|pair| pair.simulated.clone()),
        native: used.iter().map(|pair| pair.native.clone()).collect(),
    }
}

/// Whether another trial could still settle something, after `trials` of them (the discarded ones too).
#[must_use]
pub fn needs_more_trials(comparison: &PlatformComparison, trials: u32) -> bool {
    let too_few = (comparison.native.len() as u32) < MIN_TRIALS;
    trials < MAX_TRIALS && (too_few || comparison.rows.iter().any(|row| row.undecidable))
}

/// Who took more than [`DISTURBANCE_LIMIT`] of a trial, and what share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Disturbance {
    /// The machine beneath.
    Steal(f64),
    /// Processes outside the run.
    Others(f64),
}

/// What makes a native trial worthless, if anything does.
#[must_use]
pub fn disturbance(native: &Report) -> Option<Disturbance> {
    let beyond = |share: &f64| *share > DISTURBANCE_LIMIT;
    let steal = native.host.steal.filter(beyond).map(Disturbance::Steal);
    steal.or_else(|| native.host.others.filter(beyond).map(Disturbance::Others))
}

fn at_median_speed<'a>(pairs: &[&'a Pair]) -> Option<&'a Pair> {
    let mut by_speed = pairs.to_vec();
    let speed = |pair: &Pair| pair.native.host.turns_per_cpu_s.unwrap_or(0.0);
    by_speed.sort_by(|a, b| speed(a).total_cmp(&speed(b)));
    by_speed.get(pairs.len().saturating_sub(1) / 2).copied()
}
