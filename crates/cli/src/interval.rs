//! Means with 95 % confidence intervals over seeds.

use catamaran_report::report::TenantReport;
use catamaran_report::summary::Summary;
use catamaran_report::{Metric, Report};

use crate::figures;
use crate::table::{self, Column};
use crate::terminal::Terminal;

/// What stands below a table in which a median stands for a mean.
const MEDIANS: &str =
    "[low – high]: the median and its 95 % interval by ranks, where the mean's would reach below 0";

/// Reports of one scenario on one platform with several seeds: a row for each tenant.
pub(crate) fn table(reports: &[&Report], terminal: &Terminal) -> String {
    let Some(first) = reports.first() else { return String::new() };
    let mut columns = vec![Column::text("tenant", first.tenants.iter().map(TenantReport::label))];
    let over_seeds =
        |metric: Metric, tenant: &TenantReport| written(metric, &values(reports, &tenant.label(), metric));
    columns.extend(figures::metric_columns(&first.tenants, over_seeds));
    let title = format!(
        "{} on {}, simulated: means over {} seeds from {} with 95 % intervals",
        first.scenario,
        first.platform,
        reports.len(),
        first.seed
    );
    let table = format!("{}\n{}", terminal.bold(&title), table::lay_out(columns, terminal));
    let note = if table.contains(" [") { terminal.wrapped(MEDIANS) } else { String::new() };
    table + &note
}

/// A figure over several seeds; `None` below two values.
pub(crate) fn written(metric: Metric, values: &[f64]) -> Option<String> {
    let summary = Summary::of(values)?;
    let half = summary.half_width?;
    let figure = |value| figures::written(metric, value);
    Some(match summary.better_median_interval() {
        Some((low, high)) => format!("{} [{} – {}]", figure(summary.median), figure(low), figure(high)),
        None => with_interval(&figure(summary.mean), &figure(half)),
    })
}

/// `12.3 ±0.4 ms`, and where the units differ `12.3 ms ±400 µs`.
fn with_interval(mean: &str, half: &str) -> String {
    match (mean.rsplit_once(' '), half.rsplit_once(' ')) {
        (Some((number, unit)), Some((half, same))) if unit == same => format!("{number} ±{half} {unit}"),
        _ => format!("{mean} ±{half}"),
    }
}

fn values(reports: &[&Report], label: &str, metric: Metric) -> Vec<f64> {
    reports.iter().filter_map(|report| metric.of(report.tenant(label)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_unit_is_written_once() {
        assert_eq!(with_interval("12.3 ms", "0.4 ms"), "12.3 ±0.4 ms");
        assert_eq!(with_interval("12.3 ms", "400 µs"), "12.3 ms ±400 µs");
        assert_eq!(with_interval("375", "0"), "375 ±0");
    }

    #[test]
    fn a_long_tail_is_told_by_its_median() {
        let tail = [0.001, 0.002, 0.0015, 0.001, 0.0025, 0.002, 0.09];
        assert_eq!(written(Metric::LatencyP99, &tail).unwrap(), "2 ms [1 ms – 90 ms]");
        assert_eq!(written(Metric::LatencyP99, &tail[..5]).unwrap(), "1.6 ms ±809 µs");
        assert_eq!(written(Metric::LatencyP99, &tail[..1]), None);
    }
}
