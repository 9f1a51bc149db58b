//! Laws of the comparison, for any figures.

use catamaran_scenario::Platform;
use proptest::prelude::*;

use super::compare::pair;
use crate::compare::{Group, Pair, PlatformComparison, compare};

/// Seconds, from nothing to a day.
fn seconds() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 1e-6..1.0, 1.0..100_000.0]
}

/// Native trials of (waited_s, throttled_periods).
fn trials() -> impl Strategy<Value = Vec<(f64, u64)>> {
    prop::collection::vec((seconds(), 0_u64..1000), 1..22)
}

/// The model says `model` of each native trial, a naive one says twice and half as much.
fn comparison(trials: &[(f64, u64)], model: impl Fn(f64) -> f64) -> PlatformComparison {
    let pairs: Vec<Pair> = trials
        .iter()
        .map(|&(waited_s, periods)| {
            pair(|side, tenant| {
                let says = |native: f64| [model(native), native, 2.0 * native + 1.0, native / 2.0][side];
                tenant.waited_s = Some(says(waited_s));
                tenant.throttled_periods = Some(says(periods as f64) as u64);
            })
        })
        .collect();
    compare(Platform::Cgroups, 100.0, &pairs)
}

proptest! {
    #[test]
    fn a_model_that_is_the_machine_has_no_error_and_full_skill(trials in trials()) {
        let comparison = comparison(&trials, |native| native);
        for row in &comparison.rows {
            prop_assert_eq!(row.error, 0.0);
            prop_assert!(!row.undecidable);
        }
        if let Some(skill) = comparison.summary.skill {
            prop_assert_eq!(skill, 1.0);
        }
        let naive_errs = comparison.rows.iter().any(|row| row.fluid_error > Some(0.0) && row.alone_error > Some(0.0));
        prop_assert!(comparison.summary.skill.is_some() || !naive_errs);
    }

    #[test]
    fn all_figures_are_finite_and_in_order(trials in trials(), factor in 0.0..1000.0) {
        let comparison = comparison(&trials, |native| native * factor);
        prop_assert_eq!(comparison.rows.len(), 2);
        for row in &comparison.rows {
            prop_assert!(row.error.is_finite() && row.error >= 0.0);
            prop_assert_eq!(row.group, Group::Judged);
            prop_assert_eq!(row.noise.is_some(), trials.len() > 1);
            if let (Some(noise), Some(excess)) = (row.noise, row.excess) {
                prop_assert!(noise.is_finite() && noise >= 0.0);
                prop_assert!(0.0 <= excess && excess <= row.error);
            }
        }
        let summary = &comparison.summary;
        prop_assert!(summary.median_excess <= summary.worst_excess && summary.p90_excess <= summary.worst_excess);
    }

    #[test]
    fn a_greater_factor_is_a_greater_error(native in 10.0..1000.0_f64, count in 2_usize..22, factor in 1.0..100.0_f64) {
        let trials = vec![(native, 100); count];
        let error = |factor: f64| comparison(&trials, |native| native * factor).rows[0].error;
        prop_assert!(error(factor * 1.5) > error(factor));
        prop_assert!(error(factor) <= factor.ln() + 1e-12, "the floor only ever lessens it");
    }

    #[test]
    fn neither_side_is_favoured(trials in trials(), factor in 0.01..100.0_f64) {
        let forth = comparison(&trials, |native| native * factor);
        let exchanged: Vec<Pair> = trials.iter().map(|&(waited_s, _)| {
            pair(|side, tenant| tenant.waited_s = Some([waited_s, waited_s * factor, 0.0, 0.0][side]))
        }).collect();
        let back = compare(Platform::Cgroups, 100.0, &exchanged);
        prop_assert!((forth.rows[0].error - back.rows[0].error).abs() < 1e-9);
        let noise = |comparison: &PlatformComparison| comparison.rows[0].noise.unwrap_or(0.0);
        prop_assert!((noise(&forth) - noise(&back)).abs() < 1e-9);
    }
}
