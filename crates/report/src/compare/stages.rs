//! Start-up stages side by side: medians over all tenants and trials, stage by stage.

use serde::{Deserialize, Serialize};

use super::Pair;
use crate::report::{Report, StageRow};
use crate::statistics::median;

/// One stage of a start-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageComparison {
    /// As in the reports.
    pub name: String,
    /// Who does it.
    pub actor: String,
    /// Median of the simulated lengths (s); `None` where the model has no such stage.
    pub simulated_s: Option<f64>,
    /// Median of the native lengths (s).
    pub native_s: f64,
    /// Simulated per native; `None` where that is unknown or the native one took no time.
    pub ratio: Option<f64>,
    /// Native starts that it rests on.
    pub starts: u32,
}

/// Every stage that native starts went through, in their order.
pub(super) fn stages(pairs: &[&Pair]) -> Vec<StageComparison> {
    let native = || pairs.iter().flat_map(|pair| starts(&pair.native));
    let simulated = || pairs.iter().flat_map(|pair| starts(&pair.simulated));
    let longest = native().max_by_key(|stages| stages.len()).unwrap_or_default();
    let compare = |stage: &StageRow| {
        let lengths: Vec<f64> = native().filter_map(|stages| length_s(stages, &stage.name)).collect();
        let native_s = median(&lengths)?;
        let simulated: Vec<f64> = simulated().filter_map(|stages| length_s(stages, &stage.name)).collect();
        let simulated_s = median(&simulated);
        Some(StageComparison {
            name: stage.name.clone(),
            actor: stage.actor.clone(),
            simulated_s,
            native_s,
            ratio: simulated_s.filter(|_| native_s > 0.0).map(|simulated_s| simulated_s / native_s),
            starts: lengths.len() as u32,
        })
    };
    longest.iter().filter_map(compare).collect()
}

fn starts(report: &Report) -> impl Iterator<Item = &[StageRow]> {
    report.tenants.iter().map(|tenant| tenant.startup_stages.as_slice()).filter(|stages| !stages.is_empty())
}

fn length_s(stages: &[StageRow], name: &str) -> Option<f64> {
    stages.iter().find(|stage| stage.name == name)?.length()
}
