//! Figures as people read them.

/// A value of a metric: its unit is in the metric's name.
pub(super) fn amount(metric: &str, value: f64) -> String {
    if metric.starts_with("latency_s") || metric.ends_with("_s") && !metric.ends_with("_per_s") {
        return seconds(value);
    }
    if metric.ends_with("_bytes") {
        let (unit, name) = if value >= 1_048_576.0 { (1_048_576.0, "MiB") } else { (1024.0, "KiB") };
        return format!("{} {name}", three_digits(value / unit));
    }
    if metric.ends_with("_per_s") {
        return format!("{}/s", three_digits(value));
    }
    if value.fract() == 0.0 { format!("{value:.0}") } else { three_digits(value) }
}

/// Seconds with a unit of their size.
pub(super) fn seconds(value: f64) -> String {
    let (scale, unit) = match value {
        0.0 => (1.0, "s"),
        v if v < 1e-3 => (1e6, "µs"),
        v if v < 1.0 => (1e3, "ms"),
        _ => (1.0, "s"),
    };
    format!("{} {unit}", three_digits(value * scale))
}

/// Two decimals; a dash where there is nothing.
pub(super) fn log(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"))
}

/// A logarithm as a share, one decimal.
pub(super) fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{:.1} %", (value.exp() - 1.0) * 100.0))
}

fn three_digits(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        0.0 => 0,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_follow_from_names() {
        for (metric, value, expected) in [
            ("latency_s.p95", 0.004_53, "4.53 ms"),
            ("latency_s.p50", 0.000_634, "634 µs"),
            ("waited_s", 0.0, "0 s"),
            ("waited_s", 14.23, "14.2 s"),
            ("throughput_per_s", 396.2, "396/s"),
            ("memory_peak_bytes", 524_288.0, "512 KiB"),
            ("memory_peak_bytes", 67_108_864.0, "64.0 MiB"),
            ("throttled_periods", 31.0, "31"),
            ("oom_kills", 0.5, "0.50"),
        ] {
            assert_eq!(amount(metric, value), expected, "{metric} {value}");
        }
        assert_eq!((log(None).as_str(), log(Some(0.126)).as_str()), ("–", "0.13"));
        assert_eq!(percent(Some(0.02)), "2.0 %");
    }
}
