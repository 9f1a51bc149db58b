//! What the model says of a scenario before and after its tenants got the sizes that are proposed.

use catamaran_report::compare::requests_needed;
use catamaran_report::report::{Report, TenantReport};
use catamaran_report::{Metric, advice::Advice};
use catamaran_scenario::{Calibration, Platform};
use catamaran_sim::{Options, simulate};
use serde::Serialize;

use super::with_sizes;
use crate::failure::Failure;
use crate::source::Scenario;

/// What is set side by side.
const METRICS: [Metric; 8] = [
    Metric::LatencyP50,
    Metric::LatencyP95,
    Metric::LatencyP99,
    Metric::Failed,
    Metric::Throttled,
    Metric::ThrottledPeriods,
    Metric::OomKills,
    Metric::Finished,
];

/// The model's answer.
#[derive(Debug, Serialize)]
pub(super) struct WhatIf {
    /// Which machine it modelled.
    pub(super) machine: String,
    /// Why there is no answer.
    pub(super) absent: Option<String>,
    pub(super) rows: Vec<Row>,
}

/// One metric of one replica.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) tenant: String,
    #[serde(serialize_with = "by_name")]
    pub(super) metric: Metric,
    /// As the scenario is.
    pub(super) before: Option<f64>,
    /// With the sizes that are proposed.
    pub(super) after: Option<f64>,
    /// Why one of the two is not there.
    pub(super) absent: Option<String>,
}

fn by_name<S: serde::Serializer>(metric: &Metric, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(metric.name())
}

/// Both simulations. What the model can't carry out is told and no failure, for the sizes are there without it.
pub(super) fn of(
    scenario: &Scenario,
    platform: Platform,
    tenants: &[Advice],
    (calibration, machine): (&Calibration, &str),
) -> Result<WhatIf, Failure> {
    let answer = |absent: Option<String>, rows| WhatIf { machine: machine.to_owned(), absent, rows };
    let simulated = |scenario: &Scenario| -> Result<Report, Failure> {
        Ok(simulate(&scenario.plan()?, platform, calibration, &Options::default())?.report)
    };
    let both = with_sizes(scenario, tenants).and_then(|sized| Ok((simulated(scenario)?, simulated(&sized)?)));
    match both {
        Ok((before, after)) => Ok(answer(None, rows(&before, &after))),
        Err(Failure::Input(why) | Failure::Unavailable(why) | Failure::Failed(why)) => {
            Ok(answer(Some(why), Vec::new()))
        }
        Err(failure) => Err(failure),
    }
}

/// What there is of each metric, before or after.
fn rows(before: &Report, after: &Report) -> Vec<Row> {
    let pairs = before.tenants.iter().zip(&after.tenants);
    pairs
        .flat_map(|(before, after)| METRICS.iter().filter_map(|metric| row(*metric, before, after)))
        .collect()
}

fn row(metric: Metric, before: &TenantReport, after: &TenantReport) -> Option<Row> {
    if metric.of(before).is_none() && metric.of(after).is_none() {
        return None;
    }
    let known = |tenant: &TenantReport| -> Result<f64, String> {
        let value = metric.of(tenant).ok_or_else(|| metric.absence(tenant))?;
        let completed = tenant.requests.as_ref().map_or(0, |requests| requests.completed);
        let needed = requests_needed(metric);
        if completed < needed {
            return Err(format!("{completed} requests are too few: it takes {needed} for this percentile"));
        }
        Ok(value)
    };
    let (before_is, after_is) = (known(before), known(after));
    let absent = before_is.as_ref().err().or(after_is.as_ref().err()).cloned();
    Some(Row { tenant: before.label(), metric, before: before_is.ok(), after: after_is.ok(), absent })
}
