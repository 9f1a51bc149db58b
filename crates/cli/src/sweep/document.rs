//! `catamaran sweep --json`.

use std::collections::BTreeMap;

use catamaran_report::Metric;
use catamaran_report::report::{TenantReport, TenantState};
use catamaran_report::summary::Summary;
use catamaran_scenario::{Plan, Platform};
use serde::Serialize;

use super::Point;
use super::level::Level;
use super::vary::Vary;

/// The value of [`Document::schema`].
const SCHEMA: &str = "catamaran/sweep/v1";

#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    schema: &'static str,
    scenario: &'a str,
    vary: &'a [Vary],
    /// Combination by combination, each on its platforms.
    points: Vec<PointRow<'a>>,
}

#[derive(Debug, Serialize)]
struct PointRow<'a> {
    /// Path → value, as it was given.
    settings: BTreeMap<&'a str, &'a str>,
    platform: Platform,
    seeds: Vec<u64>,
    /// Digest of the scenario with the first seed.
    scenario_digest: &'a str,
    tenants: Vec<TenantRow<'a>>,
    /// `host.NAME` → figure, at the reference rates where it is money or power.
    host: BTreeMap<&'static str, Figure>,
    /// Only where `--p95` was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    servers_needed: Option<Level>,
}

#[derive(Debug, Serialize)]
struct TenantRow<'a> {
    name: &'a str,
    replica: u32,
    /// By seed.
    states: Vec<TenantState>,
    /// Metric → figure; one that no seed has is `null`, its reason in `absent`.
    figures: BTreeMap<&'static str, Option<Figure>>,
    absent: BTreeMap<&'static str, String>,
}

/// A figure over the seeds that have it, in the report's unit.
#[derive(Debug, Serialize)]
struct Figure {
    /// By seed.
    values: Vec<f64>,
    mean: f64,
    /// Half the width of the mean's 95 % interval (Student's t).
    half_width: Option<f64>,
    median: f64,
    /// The median's 95 % interval by ranks; from 6 seeds.
    median_interval: Option<(f64, f64)>,
}

impl Figure {
    fn of(values: Vec<f64>) -> Option<Self> {
        let Summary { mean, half_width, median, median_interval, .. } = Summary::of(&values)?;
        Some(Self { values, mean, half_width, median, median_interval })
    }
}

pub(super) fn document<'a>(plan: &'a Plan, vary: &'a [Vary], points: &'a [Point]) -> Document<'a> {
    Document { schema: SCHEMA, scenario: plan.name(), vary, points: points.iter().map(point).collect() }
}

fn point(point: &Point) -> PointRow<'_> {
    let settings = point.settings.iter().map(|setting| (setting.path.as_str(), setting.value.as_str()));
    PointRow {
        settings: settings.collect(),
        platform: point.platform,
        seeds: point.reports.iter().map(|report| report.seed).collect(),
        scenario_digest: point.reports.first().map_or("", |report| report.identity.scenario_digest.as_str()),
        tenants: point.tenants().iter().map(|one| tenant(point, one)).collect(),
        host: host(point),
        servers_needed: point.level,
    }
}

fn tenant<'a>(point: &'a Point, tenant: &'a TenantReport) -> TenantRow<'a> {
    let label = tenant.label();
    let figure = |metric: &Metric| (metric.name(), Figure::of(point.values(&label, *metric)));
    let figures: BTreeMap<_, _> = Metric::ALL.iter().map(figure).collect();
    let unknown = |metric: &&Metric| figures.get(metric.name()).is_some_and(Option::is_none);
    let reason = |metric: &Metric| (metric.name(), metric.absence(tenant));
    let states = point.reports.iter().filter_map(|report| Some(report.tenant(&label)?.state));
    TenantRow {
        name: &tenant.name,
        replica: tenant.replica,
        states: states.collect(),
        absent: Metric::ALL.iter().filter(unknown).map(reason).collect(),
        figures,
    }
}

fn host(point: &Point) -> BTreeMap<&'static str, Figure> {
    let names = ["cpu_utilisation", "servers", "watts", "usd_per_h", "joules_per_request"];
    let values = |name: &str| {
        let path = format!("host.{name}");
        point.reports.iter().filter_map(|report| report.value(&path)).collect::<Vec<f64>>()
    };
    names.into_iter().filter_map(|name| Some((name, Figure::of(values(name))?))).collect()
}
