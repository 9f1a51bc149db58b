//! Means with 95 % confidence intervals over seeds.

use catamaran_report::report::TenantReport;
use catamaran_report::{Metric, Report};

use crate::figures;
use crate::table::{self, Column};
use crate::terminal::Terminal;

/// 97.5 % quantiles of Student's t distribution with 1, 2, …, 30 degrees of freedom (NIST/SEMATECH e-Handbook of Statistical
/// Methods, 1.3.6.7.2).
const STUDENT_T: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// The same for at least 40, 60 and 100 degrees of freedom; between two rows the wider interval is taken.
const STUDENT_T_ABOVE: [(usize, f64); 3] = [(100, 1.984), (60, 2.000), (40, 2.021)];

/// Mean and half the width of its 95 % interval; `None` below two values.
fn mean_and_half_width(values: &[f64]) -> Option<(f64, f64)> {
    let freedom = values.len().checked_sub(1).filter(|freedom| *freedom > 0)?;
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / freedom as f64;
    Some((mean, student_t(freedom) * (variance / n).sqrt()))
}

fn student_t(freedom: usize) -> f64 {
    let above = STUDENT_T_ABOVE.iter().find(|(least, _)| freedom >= *least).map(|(_, t)| *t);
    let [.., last] = STUDENT_T;
    above.or_else(|| STUDENT_T.get(freedom.saturating_sub(1)).copied()).unwrap_or(last)
}

/// Reports of one scenario on one platform with several seeds: a row for each tenant.
pub(crate) fn table(reports: &[&Report], terminal: &Terminal) -> String {
    let Some(first) = reports.first() else { return String::new() };
    let mut columns = vec![Column::text("tenant", first.tenants.iter().map(TenantReport::label))];
    columns.extend(figures::metric_columns(&first.tenants, |metric, tenant| {
        let (mean, half) = mean_and_half_width(&values(reports, &tenant.label(), metric))?;
        Some(with_interval(&figures::written(metric, mean), &figures::written(metric, half)))
    }));
    let title = format!(
        "{} on {}, simulated: means over {} seeds from {} with 95 % intervals",
        first.scenario,
        first.platform,
        reports.len(),
        first.seed
    );
    format!("{}\n{}", terminal.bold(&title), table::lay_out(columns, terminal))
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
    fn intervals_by_hand() {
        // Mean 3, variance 2.5, n 5: 2.776 · sqrt(2.5 / 5).
        let (mean, half) = mean_and_half_width(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!(mean, 3.0);
        assert!((half - 1.962_929).abs() < 1e-5, "{half}");
        assert_eq!(mean_and_half_width(&[4.0, 4.0]), Some((4.0, 0.0)));
        assert_eq!(mean_and_half_width(&[4.0]), None);
    }

    #[test]
    fn a_common_unit_is_written_once() {
        assert_eq!(with_interval("12.3 ms", "0.4 ms"), "12.3 ±0.4 ms");
        assert_eq!(with_interval("12.3 ms", "400 µs"), "12.3 ms ±400 µs");
        assert_eq!(with_interval("375", "0"), "375 ±0");
    }

    #[test]
    fn the_quantile_never_grows_with_the_degrees_of_freedom() {
        let quantiles = (1..=200).map(student_t).collect::<Vec<_>>();
        assert!(quantiles.windows(2).all(|pair| pair[0] >= pair[1]));
        assert_eq!(
            (quantiles[0], quantiles[29], quantiles[34], quantiles[199]),
            (12.706, 2.042, 2.042, 1.984)
        );
    }
}
