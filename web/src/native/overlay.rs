//! Native reports: read, checked against what is simulated, and pooled for the chart.

use std::collections::BTreeMap;
use std::rc::Rc;

use catamaran_report::compare::{PlatformComparison, Saved, saved};
use catamaran_report::report::{BackendKind, HistogramBin, Latency, Report, Requests};
use catamaran_report::statistics::median;
use catamaran_scenario::Platform;

use crate::charts::Overlay;

/// Native reports of one scenario on one platform; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct NativeRun {
    /// The trials.
    pub reports: Rc<Vec<Report>>,
}

/// Why a file holds nothing that could be laid over a simulation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// No report at all; says where and why.
    Unreadable(String),
    /// Reports, but none of a native run.
    NoNative,
    /// An empty list.
    Empty,
}

/// Why native reports don't belong to what is simulated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// Made from another scenario; its digest.
    Scenario(String),
    /// Of another platform only.
    Platform(Platform),
}

/// Reads what `catamaran run --json` printed: one report or an array. Simulated ones beside native ones are left out.
///
/// # Errors
/// [`Refused`].
pub fn read(text: &str) -> Result<Vec<Report>, Refused> {
    let reports = Report::many_from_json(text).map_err(|error| Refused::Unreadable(error.to_string()))?;
    if reports.is_empty() {
        return Err(Refused::Empty);
    }
    let native: Vec<Report> =
        reports.into_iter().filter(|report| report.backend == BackendKind::Native).collect();
    if native.is_empty() { Err(Refused::NoNative) } else { Ok(native) }
}

impl NativeRun {
    /// The reports that belong to `simulated`.
    ///
    /// # Errors
    /// [`Mismatch`] where none does.
    pub fn over(simulated: &Report, reports: &[Report]) -> Result<Self, Mismatch> {
        let digest = &simulated.identity.scenario_digest;
        let (same, other): (Vec<&Report>, Vec<&Report>) =
            reports.iter().partition(|report| report.identity.scenario_digest == *digest);
        let here: Vec<Report> =
            same.iter().filter(|r| r.platform == simulated.platform).map(|r| (*r).clone()).collect();
        match (here.is_empty(), same.first(), other.first()) {
            (true, Some(elsewhere), _) => Err(Mismatch::Platform(elsewhere.platform)),
            (true, None, Some(foreign)) => Err(Mismatch::Scenario(foreign.identity.scenario_digest.clone())),
            _ => Ok(Self { reports: Rc::new(here) }),
        }
    }

    /// All trials' latencies of a tenant together, with the medians of their percentiles.
    #[must_use]
    pub fn overlay(&self, tenant: &str) -> Option<Overlay> {
        let trials: Vec<&Requests> =
            self.reports.iter().filter_map(|report| report.tenant(tenant)?.requests.as_ref()).collect();
        let latencies: Vec<Latency> = trials.iter().filter_map(|requests| requests.latency_s).collect();
        let middle = |of: fn(&Latency) -> f64| median(&latencies.iter().map(of).collect::<Vec<_>>());
        let latency = Latency {
            mean: middle(|latency| latency.mean)?,
            p50: middle(|latency| latency.p50)?,
            p95: middle(|latency| latency.p95)?,
            p99: middle(|latency| latency.p99)?,
            max: middle(|latency| latency.max)?,
        };
        let total = |of: fn(&Requests) -> u64| trials.iter().map(|requests| of(requests)).sum();
        Overlay::new(&Requests {
            sent: total(|requests| requests.sent),
            completed: total(|requests| requests.completed),
            failed: total(|requests| requests.failed),
            in_flight: total(|requests| requests.in_flight),
            latency_s: Some(latency),
            histogram: pooled(&trials),
        })
    }

    /// The comparison with a simulation, metric by metric.
    #[must_use]
    pub fn compared(&self, simulated: &Report) -> Option<PlatformComparison> {
        let found = saved(std::slice::from_ref(simulated), &self.reports).ok()?;
        found.into_iter().find_map(|one| match one {
            Saved::ModelAndMachine(comparison) => Some(*comparison),
            Saved::TwoRuns(_) => None,
        })
    }

    /// The machine, as the first report names it.
    #[must_use]
    pub fn machine(&self) -> Option<&BTreeMap<String, String>> {
        self.reports.first()?.identity.machine.as_ref()
    }
}

/// Bins of all trials, added up. Their bounds are the same powers everywhere, so equal bins have equal bits.
fn pooled(trials: &[&Requests]) -> Vec<HistogramBin> {
    let mut counts: BTreeMap<u64, HistogramBin> = BTreeMap::new();
    for bin in trials.iter().flat_map(|requests| &requests.histogram) {
        // The bits of positive floats are in the order of their values.
        counts
            .entry(bin.below_s.to_bits())
            .or_insert(HistogramBin { below_s: bin.below_s, count: 0 })
            .count += bin.count;
    }
    counts.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::tests_support::report;

    fn native(digest: &str, platform: Platform, latencies_ns: &[u64]) -> Report {
        let mut native = report();
        native.backend = BackendKind::Native;
        native.platform = platform;
        native.identity.scenario_digest = digest.to_owned();
        let mut latencies_ns = latencies_ns.to_vec();
        let count = latencies_ns.len() as u64;
        native.tenants[0].requests = Some(Requests::from_latencies_ns(count, 0, &mut latencies_ns));
        native
    }

    #[test]
    fn only_native_reports_are_read() {
        let (model, machine) = (report(), native("d", Platform::Cgroups, &[]));
        let both = format!("[{},{}]", model.to_json(), machine.to_json());
        assert_eq!(read(&both).unwrap().len(), 1);
        assert_eq!(read(&machine.to_json()).unwrap().len(), 1);
        assert_eq!(read(&model.to_json()), Err(Refused::NoNative));
        assert_eq!(read("[]"), Err(Refused::Empty));
        assert!(matches!(read("{"), Err(Refused::Unreadable(_))));
        assert!(matches!(read("\u{0}PNG"), Err(Refused::Unreadable(_))));
    }

    #[test]
    fn reports_of_something_else_are_refused_with_what_they_are_of() {
        let simulated = report();
        let table = [
            (vec![native("d", Platform::Cgroups, &[])], Ok(1)),
            (vec![native("e", Platform::Cgroups, &[])], Err(Mismatch::Scenario("e".into()))),
            (vec![native("d", Platform::BareMetal, &[])], Err(Mismatch::Platform(Platform::BareMetal))),
            (vec![native("e", Platform::Cgroups, &[]), native("d", Platform::Cgroups, &[])], Ok(1)),
        ];
        for (reports, expected) in table {
            assert_eq!(NativeRun::over(&simulated, &reports).map(|run| run.reports.len()), expected);
        }
    }

    #[test]
    fn trials_are_pooled_and_their_percentiles_are_medians() {
        let trials = [&[1_000_u64][..], &[2_000, 2_000], &[4_000]].map(|l| native("d", Platform::Cgroups, l));
        let overlay = NativeRun::over(&report(), &trials).unwrap().overlay("web").unwrap();
        assert_eq!(overlay.histogram.bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [1, 2, 1]);
        assert_eq!(overlay.latency.p99, 2e-6);
    }
}
