//! The figures of a report for people: which columns, in which words and units.

use std::collections::BTreeMap;

use catamaran_report::report::{TenantReport, TenantState};
use catamaran_report::{Metric, Report, words};
use catamaran_scenario::Lang;

use crate::table::{self, Cell, Column};
use crate::terminal::Terminal;
use crate::units;

/// Columns in the order in which they are shown, with the rank in which they give way.
const COLUMNS: &[(Metric, u32)] = &[
    (Metric::Cpu, 0),
    (Metric::Waited, 1),
    (Metric::Throttled, 2),
    (Metric::ThrottledPeriods, 9),
    (Metric::Completed, 3),
    (Metric::Failed, 8),
    (Metric::InFlight, 10),
    (Metric::Throughput, 11),
    (Metric::LatencyP50, 4),
    (Metric::LatencyP95, 5),
    (Metric::LatencyP99, 0),
    (Metric::LatencyMax, 12),
    (Metric::Startup, 7),
    (Metric::Finished, 6),
    (Metric::Stolen, 13),
    (Metric::MemoryPeak, 14),
    (Metric::OomKills, 15),
    (Metric::Restarts, 16),
    (Metric::Disk, 17),
    (Metric::Network, 18),
];

/// A value in the unit of its metric.
pub(crate) fn written(metric: Metric, value: f64) -> String {
    words::figure(Lang::En, metric, value)
}

/// The short name of a metric.
pub(crate) fn title(metric: Metric) -> &'static str {
    match metric {
        Metric::LatencyP50 => "p50",
        Metric::LatencyP95 => "p95",
        Metric::LatencyP99 => "p99",
        Metric::LatencyMean => "mean",
        Metric::LatencyMax => "max",
        Metric::Throughput => "rate",
        Metric::Sent => "sent",
        Metric::Completed => "requests",
        Metric::Failed => "failed",
        Metric::InFlight => "in flight",
        Metric::Cpu => "cpu",
        Metric::Waited => "waited",
        Metric::Throttled => "throttled",
        Metric::ThrottledPeriods => "periods throttled",
        Metric::Stolen => "stolen",
        Metric::Startup => "start-up",
        Metric::Finished => "finished",
        Metric::MemoryPeak => "memory",
        Metric::OomKills => "oom kills",
        Metric::Restarts => "restarts",
        Metric::Disk => "disk",
        Metric::Network => "network",
        Metric::Turns => "turns",
    }
}

/// How a tenant stood at the end.
pub(crate) fn state(state: TenantState) -> &'static str {
    match state {
        TenantState::Completed => "completed",
        TenantState::Running => "running",
        TenantState::OomKilled => "oom-killed",
        TenantState::Failed => "failed",
        TenantState::Pending => "pending",
    }
}

/// A report: a heading, a row for each tenant, and what there is to add.
pub(crate) fn report(report: &Report, terminal: &Terminal) -> String {
    let tenants = &report.tenants;
    let mut columns = vec![
        Column::text("tenant", tenants.iter().map(TenantReport::label)),
        Column::text("state", tenants.iter().map(|tenant| state(tenant.state))),
    ];
    columns.extend(metric_columns(tenants, |metric, tenant| Some(written(metric, metric.of(tenant)?))));
    let heading = terminal.bold(&heading(report));
    format!("{heading}\n{}{}", table::lay_out(columns, terminal), remarks(tenants, terminal))
}

/// The columns of which at least one tenant has a figure; where `figure` has none, the report's reason stands.
pub(crate) fn metric_columns(
    tenants: &[TenantReport],
    figure: impl Fn(Metric, &TenantReport) -> Option<String>,
) -> Vec<Column> {
    let known = COLUMNS.iter().filter(|(metric, _)| tenants.iter().any(|tenant| metric.of(tenant).is_some()));
    // Where somebody was killed for memory, memory is what people want to see.
    let is_killed = tenants.iter().any(|tenant| tenant.state == TenantState::OomKilled);
    let column = |&(metric, rank): &(Metric, u32)| {
        let rank = if is_killed && metric == Metric::MemoryPeak { 0 } else { rank };
        let cells = tenants.iter().map(|tenant| match figure(metric, tenant) {
            Some(figure) => Cell::Known(figure),
            None => Cell::Unknown(Some(metric.absence(tenant))),
        });
        Column::numbers(title(metric), cells).ranked(rank)
    };
    known.map(column).collect()
}

fn heading(report: &Report) -> String {
    let backend = backend(report);
    let busy = report.host.cpu_utilisation.map(|share| format!(", cores {} busy", units::percent(share)));
    let Report { scenario, platform, seed, .. } = report;
    let elapsed = units::seconds(report.elapsed_s);
    format!("{scenario} on {platform}, {backend}, seed {seed}: {elapsed}{}", busy.unwrap_or_default())
}

fn backend(report: &Report) -> &'static str {
    match report.backend {
        catamaran_report::report::BackendKind::Simulated => "simulated",
        catamaran_report::report::BackendKind::Native => "native",
    }
}

/// What the platform did not apply, and errors.
fn remarks(tenants: &[TenantReport], terminal: &Terminal) -> String {
    let mut not_applied: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for tenant in tenants {
        // A dot in the name of an absent figure means a field of the scenario (`cpu.limit`), not one of the report.
        for (field, reason) in tenant.absent.iter().filter(|(field, _)| is_of_the_scenario(field)) {
            not_applied.entry((reason, field)).or_default().push(tenant.label());
        }
    }
    let not_applied = not_applied.into_iter().map(|((reason, field), tenants)| {
        format!("{field} of {} is not applied: {reason}", tenants.join(", "))
    });
    let errors =
        tenants.iter().filter_map(|tenant| Some(format!("{}: {}", tenant.label(), tenant.error.as_ref()?)));
    not_applied.chain(errors).map(|line| terminal.wrapped(&line)).collect()
}

fn is_of_the_scenario(field: &str) -> bool {
    field.contains('.') && Metric::from_name(field).is_none()
}
