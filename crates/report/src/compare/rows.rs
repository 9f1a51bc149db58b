//! From pairs of reports to rows.

use super::noise::noise;
use super::{AbsentRow, CONSERVED_LIMIT, Group, Missing, NOISE_LIMIT, Pair, Row};
use crate::metric::{FOUND_IN_CACHE, Metric, Unit};
use crate::report::{Report, TenantReport};
use crate::statistics::median;

/// What a figure of 0 counts as in a ratio: below it, a difference means nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Floors {
    duration_s: f64,
}

impl Floors {
    /// For a scenario of that duration (s).
    #[must_use]
    pub fn new(duration_s: f64) -> Self {
        // A floor of 0 would divide by 0; no run is shorter than a nanosecond.
        Self { duration_s: duration_s.max(1e-9) }
    }

    /// 0.2 ms for latencies, 1 % of the duration for times, 1 MiB for memory, 1 for counts, and for a rate one in the
    /// whole duration.
    #[must_use]
    pub fn of(&self, metric: Metric) -> f64 {
        match metric.unit() {
            Unit::Latency => 0.2e-3,
            Unit::Seconds => self.duration_s / 100.0,
            Unit::Bytes => 1_048_576.0,
            Unit::Count => 1.0,
            Unit::PerSecond => 1.0 / self.duration_s,
        }
    }
}

/// Requests that a quantile takes to be worth judging.
#[must_use]
pub const fn requests_needed(metric: Metric) -> u64 {
    match metric {
        Metric::LatencyP50 => 100,
        Metric::LatencyP95 => 1_000,
        Metric::LatencyP99 => 10_000,
        _ => 0,
    }
}

/// How the requests of a tenant come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loop {
    /// Whatever happens, and with CPU time that the scenario names, so that the tenant's CPU time follows from them: a server's.
    Open,
    /// Whatever happens, but all of its CPU time is the kernel's: forks. How long that is, is for the model to say.
    OpenWithoutDemand,
    /// Each when the one before is done: operations on a disk, requests over the network. How many there are is for the disk
    /// or the peer to say, and is told by the throughput already.
    Closed,
    /// There are none; what a competing tenant gets is for the scheduler to say.
    None,
}

/// Whether and how a metric is held to account.
fn group(metric: Metric, requests: Loop) -> Option<Group> {
    match metric {
        Metric::Throughput if requests == Loop::Closed => Some(Group::Judged),
        Metric::Completed if requests == Loop::Closed => None,
        Metric::Throughput | Metric::Completed => Some(Group::Conserved),
        Metric::Cpu if requests == Loop::Open => Some(Group::Conserved),
        Metric::Cpu
        | Metric::LatencyP50
        | Metric::LatencyP95
        | Metric::LatencyP99
        | Metric::Waited
        | Metric::Throttled
        | Metric::ThrottledPeriods
        | Metric::Startup
        | Metric::Finished
        | Metric::MemoryPeak
        | Metric::OomKills => Some(Group::Judged),
        _ => None,
    }
}

/// Rows and absent rows, by tenant in the report's order, then by metric.
pub(super) fn rows(pairs: &[&Pair], floors: &Floors) -> (Vec<Row>, Vec<AbsentRow>) {
    let (mut rows, mut absent) = (Vec::new(), Vec::new());
    let Some(first) = pairs.first() else { return (rows, absent) };
    for tenant in &first.native.tenants {
        let subject = Subject { pairs, name: &tenant.name, replica: tenant.replica };
        for (metric, group) in subject.metrics() {
            match subject.row(metric, group, floors.of(metric)) {
                Ok(row) => rows.push(row),
                Err(missing) => absent.push(missing),
            }
        }
    }
    (rows, absent)
}

/// A tenant in all pairs.
struct Subject<'a> {
    pairs: &'a [&'a Pair],
    name: &'a str,
    replica: u32,
}

impl<'a> Subject<'a> {
    fn tenant(&self, report: &'a Report) -> Option<&'a TenantReport> {
        report.tenants.iter().find(|tenant| tenant.name == self.name && tenant.replica == self.replica)
    }

    fn value(&self, report: &'a Report, metric: Metric) -> Option<f64> {
        self.tenant(report).and_then(|tenant| metric.of(tenant))
    }

    fn metrics(&self) -> impl Iterator<Item = (Metric, Group)> {
        let natives = || self.pairs.iter().filter_map(|pair| self.tenant(&pair.native));
        let requests = match natives().any(|tenant| tenant.requests.is_some()) {
            false => Loop::None,
            true if natives().any(works_on_file) => Loop::Closed,
            true if self.asks_in_turn() => Loop::Closed,
            true if natives().all(|tenant| tenant.turns == Some(0.0)) => Loop::OpenWithoutDemand,
            true => Loop::Open,
        };
        Metric::ALL.iter().filter_map(move |&metric| Some((metric, group(metric, requests)?)))
    }

    /// Whether it talks over the network and sends what time allows: requests of an open loop are drawn beforehand, and so are
    /// as many in both backends.
    fn asks_in_turn(&self) -> bool {
        let sent = |tenant: &TenantReport| tenant.requests.as_ref().map(|requests| requests.sent);
        self.pairs.iter().any(|pair| {
            let both = self.tenant(&pair.native).zip(self.tenant(&pair.simulated));
            both.is_some_and(|(native, simulated)| {
                native.network_bytes.is_some_and(|bytes| bytes > 0) && sent(native) != sent(simulated)
            })
        })
    }

    /// What the model says of a pair's trial.
    fn predicted(&self, pair: &Pair, metric: Metric) -> Option<f64> {
        let value = |report| self.tenant(report).and_then(|tenant| metric.of(tenant));
        let redrawn = pair.redrawn.iter().filter_map(value);
        median(&std::iter::once(value(&pair.simulated)?).chain(redrawn).collect::<Vec<_>>())
    }

    /// Values of the pairs where both sides have one.
    fn values(&self, metric: Metric) -> Vec<(&'a Pair, f64, f64)> {
        let value =
            |pair: &'a Pair| Some((pair, self.predicted(pair, metric)?, self.value(&pair.native, metric)?));
        self.pairs.iter().copied().filter_map(value).collect()
    }

    fn row(&self, metric: Metric, group: Group, floor: f64) -> Result<Row, AbsentRow> {
        let values = self.values(metric);
        // A figure that most trials lack is the exception, not the rule, where it is there.
        if values.is_empty() || values.len() * 2 < self.pairs.len() {
            return Err(self.missing_value(metric));
        }
        self.enough_requests(metric)?;
        let logs: Vec<f64> = values.iter().map(|&(_, s, r)| log_ratio(s, r, floor)).collect();
        let side = |get: fn(&(&Pair, f64, f64)) -> f64| middle(values.iter().map(get));
        let error = middle(logs.iter().copied()).abs();
        let noise = noise(&logs);
        let undecidable = noise.is_some_and(|noise| noise > NOISE_LIMIT);
        let naive_error = |get: fn(&Pair) -> Option<&Report>| self.naive_error(&values, metric, floor, get);
        Ok(Row {
            tenant: self.name.into(),
            replica: self.replica,
            metric: metric.name().into(),
            group,
            simulated: side(|value| value.1),
            native: side(|value| value.2),
            error,
            noise,
            excess: noise.map(|noise| (error - noise).max(0.0)),
            undecidable,
            within: (group == Group::Conserved && !undecidable).then_some(error <= CONSERVED_LIMIT),
            alone_error: naive_error(|pair| pair.naive.as_ref().map(|naive| &naive.alone)),
            fluid_error: naive_error(|pair| pair.naive.as_ref().map(|naive| &naive.fluid)),
            pairs: values.len() as u32,
        })
    }

    /// The error of a naive prediction over the same pairs; `None` where it lacks one of them.
    fn naive_error(
        &self,
        values: &[(&'a Pair, f64, f64)],
        metric: Metric,
        floor: f64,
        prediction: fn(&Pair) -> Option<&Report>,
    ) -> Option<f64> {
        let log = |&(pair, _, native): &(&'a Pair, f64, f64)| {
            Some(log_ratio(self.value(prediction(pair)?, metric)?, native, floor))
        };
        let logs: Option<Vec<f64>> = values.iter().map(log).collect();
        Some(median(&logs?)?.abs())
    }

    fn enough_requests(&self, metric: Metric) -> Result<(), AbsentRow> {
        let needed = requests_needed(metric);
        let completed =
            middle(self.pairs.iter().filter_map(|pair| self.value(&pair.native, Metric::Completed)));
        if completed >= needed as f64 {
            return Ok(());
        }
        let reason = format!("{completed} completed requests; it is judged from {needed} on");
        Err(self.absent(metric, Missing::Requests, reason))
    }

    fn missing_value(&self, metric: Metric) -> AbsentRow {
        let simulated = self.absences(metric, |pair| &pair.simulated);
        let native = self.absences(metric, |pair| &pair.native);
        let (missing, reason) = match (simulated, native) {
            (Some(simulated), Some(native)) if simulated == native => (Missing::Both, simulated),
            (Some(simulated), Some(native)) => {
                (Missing::Both, format!("simulated: {simulated}; native: {native}"))
            }
            (Some(simulated), None) => (Missing::Simulated, simulated),
            (None, Some(native)) => (Missing::Native, native),
            // Each pair lacks one side, yet neither side lacks most: too few pairs are whole.
            (None, None) => (Missing::Both, "most trials lack it on one side or the other".into()),
        };
        self.absent(metric, missing, reason)
    }

    /// Why a side lacks the metric in most pairs; `None` where it has it in most.
    fn absences(&self, metric: Metric, side: fn(&Pair) -> &Report) -> Option<String> {
        let lacking = |pair: &&&'a Pair| self.value(side(pair), metric).is_none();
        let without: Vec<&&Pair> = self.pairs.iter().filter(lacking).collect();
        if without.len() * 2 <= self.pairs.len() {
            return None;
        }
        let tenant = self.tenant(side(without.first()?));
        let reason =
            tenant.map_or_else(|| "the report has no such tenant".into(), |tenant| metric.absence(tenant));
        if without.len() == self.pairs.len() {
            return Some(reason);
        }
        Some(format!("{reason} (in {} of {} trials)", without.len(), self.pairs.len()))
    }

    fn absent(&self, metric: Metric, missing: Missing, reason: String) -> AbsentRow {
        AbsentRow {
            tenant: self.name.into(),
            replica: self.replica,
            metric: metric.name().into(),
            missing,
            reason,
        }
    }
}

pub(super) fn log_ratio(simulated: f64, native: f64, floor: f64) -> f64 {
    libm::log((simulated + floor) / (native + floor))
}

/// Whether a tenant works on a file, be all of it in the page cache.
fn works_on_file(tenant: &TenantReport) -> bool {
    tenant.disk_bytes.is_some_and(|bytes| bytes > 0) || tenant.absent.contains_key(FOUND_IN_CACHE)
}

/// The median, 0 where there is nothing.
fn middle(values: impl Iterator<Item = f64>) -> f64 {
    median(&values.collect::<Vec<f64>>()).unwrap_or(0.0)
}
