//! A platform's judged rows in a few figures.

use super::{Group, Prediction, Row, Summary};
use crate::statistics::{median, quantile};

/// Undecidable rows are counted and otherwise left out.
pub(super) fn summary(rows: &[Row], discarded_trials: u32) -> Summary {
    let judged: Vec<&Row> = rows.iter().filter(|row| row.group == Group::Judged).collect();
    let decided: Vec<&Row> = judged.iter().copied().filter(|row| !row.undecidable).collect();
    let excesses: Vec<f64> = decided.iter().filter_map(|row| row.excess).collect();
    let skill = skill(&decided);
    Summary {
        median_excess: median(&excesses),
        p90_excess: quantile(&excesses, 900),
        worst_excess: quantile(&excesses, 1000),
        skill: skill.map(|(skill, _)| skill),
        skill_against: skill.map(|(_, against)| against),
        undecidable_rows: (judged.len() - decided.len()) as u32,
        discarded_trials,
        judged_rows: judged.len() as u32,
        zero_rows: judged.iter().filter(|row| row.simulated == 0.0 && row.native == 0.0).count() as u32,
        conserved_beyond_limit: rows.iter().filter(|row| row.within == Some(false)).count() as u32,
    }
}

/// 1 − Σe/Σe₀ against the better prediction, over the rows that both predict; `None` where these make no error, for then
/// there is nothing to do better.
pub(crate) fn skill(rows: &[&Row]) -> Option<(f64, Prediction)> {
    let predicted: Vec<(f64, f64, f64)> =
        rows.iter().filter_map(|row| Some((row.error, row.alone_error?, row.fluid_error?))).collect();
    let sum = |get: fn(&(f64, f64, f64)) -> f64| predicted.iter().map(get).sum::<f64>();
    let (error, alone, fluid) = (sum(|row| row.0), sum(|row| row.1), sum(|row| row.2));
    let (naive, prediction) =
        if alone < fluid { (alone, Prediction::Alone) } else { (fluid, Prediction::Fluid) };
    (naive > 0.0).then(|| (1.0 - error / naive, prediction))
}
