//! Quantities for people that are no figure of a tenant, written as those are.

use catamaran_report::{Metric, words};
use catamaran_scenario::Lang;

/// Seconds as `12.3 ms`.
pub(crate) fn seconds(value_s: f64) -> String {
    words::figure(Lang::En, Metric::Finished, value_s)
}

/// Bytes as `12.3 MiB`.
pub(crate) fn bytes(value: f64) -> String {
    words::figure(Lang::En, Metric::MemoryPeak, value)
}

/// A share of one as `97.3 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
