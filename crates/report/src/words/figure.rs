//! Figures with their unit, to three significant digits.

use catamaran_scenario::Lang;

use crate::metric::{Metric, Unit};

/// The value (seconds, bytes or pieces) as people write it: `41.3 ms`, `12.5 s`, `128 MiB`, `10,800`.
#[must_use]
pub fn figure(lang: Lang, metric: Metric, value: f64) -> String {
    match metric.unit() {
        Unit::Latency | Unit::Seconds => seconds(lang, value),
        Unit::Bytes => bytes(value),
        Unit::Count => counted(lang, metric, value),
        Unit::PerSecond => per_second(lang, value),
    }
}

/// Seconds in the unit that suits: `0 s`, `850 ns`, `12 µs`, `41.3 ms`, `12.5 s`.
fn seconds(lang: Lang, value: f64) -> String {
    let (factor, unit) = match value {
        v if v <= 0.0 || v >= 1.0 => (1.0, "s"),
        v if v >= 1e-3 => (1e3, "ms"),
        v if v >= 1e-6 => (1e6, "µs"),
        _ => (1e9, "ns"),
    };
    match (lang, unit) {
        (Lang::Ko, "s") => format!("{}초", significant(value, 3)),
        _ => format!("{} {unit}", significant(value * factor, 3)),
    }
}

fn bytes(value: f64) -> String {
    let units = [(1_073_741_824.0, "GiB"), (1_048_576.0, "MiB"), (1024.0, "KiB")];
    match units.iter().find(|(size, _)| value >= *size) {
        Some((size, unit)) => format!("{} {unit}", significant(value / size, 3)),
        None => format!("{} B", whole(value)),
    }
}

fn counted(lang: Lang, metric: Metric, value: f64) -> String {
    let number = whole(value);
    match (lang, metric) {
        (Lang::En, _) => number,
        (Lang::Ko, Metric::Sent | Metric::Completed | Metric::Failed | Metric::InFlight) => {
            format!("{number}건")
        }
        (Lang::Ko, Metric::ThrottledPeriods) => format!("{number}개"),
        (Lang::Ko, _) => format!("{number}회"),
    }
}

fn per_second(lang: Lang, value: f64) -> String {
    match lang {
        Lang::En => format!("{}/s", significant(value, 3)),
        Lang::Ko => format!("초당 {}건", significant(value, 3)),
    }
}

/// Rounded to that many significant digits at least, with no trailing zeros behind the point.
pub(super) fn significant(value: f64, digits: i32) -> String {
    let magnitude = if value == 0.0 { 0 } else { libm::floor(libm::log10(value.abs())) as i32 };
    let decimals = (digits - 1 - magnitude).clamp(0, 9) as usize;
    let text = format!("{value:.decimals$}");
    if decimals == 0 {
        return grouped(&text);
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn whole(value: f64) -> String {
    grouped(&format!("{value:.0}"))
}

/// `10800` as `10,800`.
fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
