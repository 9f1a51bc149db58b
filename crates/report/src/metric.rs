//! The figures of a report by name, as lessons, comparisons and charts ask for them.

use crate::cost::{Bill, Rates};
use crate::process;
use crate::report::{Latency, Report, Requests, Sees, StageRow, TenantReport, TenantState};

/// Why `disk_bytes` is less than what a tenant read of a layer's file: an entry of `absent`.
pub const FOUND_IN_CACHE: &str = "disk_bytes.page-cache";

/// What a figure is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds of one request.
    Latency,
    /// Seconds of the run or of CPU time.
    Seconds,
    /// Pieces.
    Count,
    /// Pieces per second.
    PerSecond,
    /// Bytes.
    Bytes,
}

macro_rules! metrics {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $unit:ident, $get:expr;)*) => {
        /// A figure of one tenant.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Metric { $($(#[$doc])* $variant,)* }

        impl Metric {
            /// Every metric, in the order in which they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its path below the tenant in the JSON (latencies without the leading `requests.`), `latency_s.p99`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Its unit.
            #[must_use]
            pub const fn unit(self) -> Unit {
                match self { $(Self::$variant => Unit::$unit,)* }
            }

            /// Its value, in seconds, bytes or pieces; `None` where the report has none.
            #[must_use]
            pub fn of(self, tenant: &TenantReport) -> Option<f64> {
                match self { $(Self::$variant => ($get)(tenant),)* }
            }
        }
    };
}

metrics! {
    /// Median latency.
    LatencyP50 = "latency_s.p50", Latency, |t| latency(t, |l| l.p50);
    /// 95th percentile of latency.
    LatencyP95 = "latency_s.p95", Latency, |t| latency(t, |l| l.p95);
    /// 99th percentile of latency.
    LatencyP99 = "latency_s.p99", Latency, |t| latency(t, |l| l.p99);
    /// Mean latency.
    LatencyMean = "latency_s.mean", Latency, |t| latency(t, |l| l.mean);
    /// Greatest latency.
    LatencyMax = "latency_s.max", Latency, |t| latency(t, |l| l.max);
    /// Completed requests per second.
    Throughput = "throughput_per_s", PerSecond, |t: &TenantReport| t.throughput_per_s;
    /// Requests that arrived.
    Sent = "requests.sent", Count, |t| requests(t, |r| r.sent);
    /// Requests answered.
    Completed = "requests.completed", Count, |t| requests(t, |r| r.completed);
    /// Requests refused or timed out.
    Failed = "requests.failed", Count, |t| requests(t, |r| r.failed);
    /// Requests neither answered nor failed at the end.
    InFlight = "requests.in_flight", Count, |t| requests(t, |r| r.in_flight);
    /// CPU time consumed.
    Cpu = "cpu_s", Seconds, |t: &TenantReport| t.cpu_s;
    /// Runnable but not running.
    Waited = "waited_s", Seconds, |t: &TenantReport| t.waited_s;
    /// Throttled time.
    Throttled = "throttled_s", Seconds, |t: &TenantReport| t.throttled_s;
    /// Throttled periods.
    ThrottledPeriods = "throttled_periods", Count, |t: &TenantReport| count(t.throttled_periods);
    /// Steal of the guest.
    Stolen = "stolen_s", Seconds, |t: &TenantReport| t.stolen_s;
    /// Start-up.
    Startup = "startup_s", Seconds, |t: &TenantReport| t.startup_s;
    /// End of the workload.
    Finished = "finished_s", Seconds, |t: &TenantReport| t.finished_s;
    /// Most memory charged.
    MemoryPeak = "memory_peak_bytes", Bytes, |t: &TenantReport| count(t.memory_peak_bytes);
    /// Kills for memory.
    OomKills = "oom_kills", Count, |t: &TenantReport| count(t.oom_kills);
    /// Restarts.
    Restarts = "restarts", Count, |t: &TenantReport| count(t.restarts);
    /// Bytes to and from disk.
    Disk = "disk_bytes", Bytes, |t: &TenantReport| count(t.disk_bytes);
    /// Bytes to and from the network.
    Network = "network_bytes", Bytes, |t: &TenantReport| count(t.network_bytes);
    /// Turns of the fixed loop.
    Turns = "turns", Count, |t: &TenantReport| t.turns;
}

impl Metric {
    /// The metric of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|metric| metric.name() == name)
    }

    /// Why the tenant has no such figure, in the report's own words.
    #[must_use]
    pub fn absence(self, tenant: &TenantReport) -> String {
        let field = self.name().split('.').next().unwrap_or_default();
        // A latency is a part of `requests`, and so is a count of them.
        let field = if field == "latency_s" { "requests" } else { field };
        let reason = tenant.absent.get(self.name()).or_else(|| tenant.absent.get(field));
        match reason {
            Some(reason) => reason.clone(),
            None if field == "requests" && tenant.requests.is_some() => "no request was completed".into(),
            None => "the report gives no reason".into(),
        }
    }
}

/// How long the layer that took longest was on its way (s); 0 where a start is known and nothing was fetched.
fn pull(tenant: &TenantReport) -> Option<f64> {
    tenant.startup_s?;
    let pulls = tenant.startup_stages.iter().filter(|stage| stage.name.starts_with("pull "));
    let lengths: Option<Vec<f64>> = pulls.map(StageRow::length).collect();
    Some(lengths?.into_iter().fold(0.0, f64::max))
}

fn latency(tenant: &TenantReport, get: impl Fn(&Latency) -> f64) -> Option<f64> {
    tenant.requests.as_ref()?.latency_s.as_ref().map(get)
}

fn requests(tenant: &TenantReport, get: impl Fn(&Requests) -> u64) -> Option<f64> {
    tenant.requests.as_ref().map(|requests| get(requests) as f64)
}

fn count(number: Option<u64>) -> Option<f64> {
    number.map(|number| number as f64)
}

impl Report {
    /// A figure by its path: `elapsed_s`, `host.cpu_utilisation`, `host.watts` (and the other figures of a
    /// [`Bill`] at the reference rates), `tenant.web.latency_s.p99`, `tenant.web/1.cpu_s`
    /// (replica 1), `tenants.alive` (those that were there until the end or had done their work),
    /// `tenants.greatest.stolen_s` and `tenants.least.stolen_s` (of all tenants; unknown where one's is), `tenant.web.pull_s` (how
    /// long the layer of its image that took longest was on its way),
    /// `tenant.web.sees.pid.own` (1 where what `web` sees of that resource is its own, else 0: one of the words of
    /// [`Sees`]), `tenant.web.stages` (of its start), `processes.daemons`, `processes.stay` and `processes.root` (how many),
    /// `process.dockerd.there`, `process.dockerd.kills` and `process.dockerd.stops` (1 where it is so; `crate::process`). `None`
    /// where there is no such path, or the figure is unknown.
    #[must_use]
    pub fn value(&self, path: &str) -> Option<f64> {
        if path == "elapsed_s" {
            return Some(self.elapsed_s);
        }
        if path == "tenants.alive" {
            let alive = |tenant: &&TenantReport| {
                matches!(tenant.state, TenantState::Completed | TenantState::Running)
            };
            return Some(self.tenants.iter().filter(alive).count() as f64);
        }
        if let Some(field) = path.strip_prefix("host.") {
            return self.host_value(field);
        }
        if let Some((which, metric)) = path.strip_prefix("tenants.").and_then(|rest| rest.split_once('.')) {
            let metric = Metric::from_name(metric)?;
            let all: Option<Vec<f64>> = self.tenants.iter().map(|tenant| metric.of(tenant)).collect();
            return match which {
                "greatest" => all?.into_iter().reduce(f64::max),
                "least" => all?.into_iter().reduce(f64::min),
                _ => None,
            };
        }
        if let Some(which) = path.strip_prefix("processes.") {
            return process::count(self, which);
        }
        if let Some(question) = path.strip_prefix("process.") {
            return process::answer(self, question);
        }
        let (label, metric) = path.strip_prefix("tenant.")?.split_once('.')?;
        if let Some(question) = metric.strip_prefix("sees.") {
            return self.sees(label, question);
        }
        if metric == "pull_s" {
            return pull(self.tenant(label)?);
        }
        if metric == "stages" {
            return process::stages(self.tenant(label)?);
        }
        Metric::from_name(metric)?.of(self.tenant(label)?)
    }

    /// The tenant of that [label](TenantReport::label): `web`, or `web/1` for replica 1.
    #[must_use]
    pub fn tenant(&self, label: &str) -> Option<&TenantReport> {
        self.tenants.iter().find(|tenant| tenant.label() == label)
    }

    /// Whether what a tenant sees of a resource is what is asked: `pid.own`.
    fn sees(&self, label: &str, question: &str) -> Option<f64> {
        let (resource, word) = question.split_once('.')?;
        let word = Sees::ALL.iter().find(|sees| sees.word() == word)?;
        let mut rows = self.isolation.iter();
        let row = rows.find(|row| row.observer == label && row.resource == resource)?;
        Some(f64::from(u8::from(row.sees == *word)))
    }

    fn host_value(&self, field: &str) -> Option<f64> {
        match field {
            "cpu_utilisation" => self.host.cpu_utilisation,
            "memory_peak_bytes" => count(self.host.memory_peak_bytes),
            "overhead_memory_bytes" => count(self.host.overhead_memory_bytes),
            "overhead_cpu_s" => self.host.overhead_cpu_s,
            "turns_per_cpu_s" => self.host.turns_per_cpu_s,
            "steal" => self.host.steal,
            "others" => self.host.others,
            "reference_servers" => Some(self.host.reference_servers.unwrap_or(1.0)),
            _ => Bill::of(self, &Rates::REFERENCE)?.value(field),
        }
    }
}
