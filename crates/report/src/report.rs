//! The report (`"schema": "catamaran/report/v1"`): one per scenario × platform × backend × trial. Units are in the names.
//! What a backend cannot know is `None` with its reason in `absent`, never 0 and never made up.

use std::collections::BTreeMap;

use catamaran_scenario::{Plan, Platform};
use serde::{Deserialize, Serialize};

use crate::process::ProcessRow;

/// The value of [`Report::schema`].
pub const SCHEMA: &str = "catamaran/report/v1";

/// What came of one scenario on one platform by one backend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Name of the scenario.
    pub scenario: String,
    /// Platform.
    pub platform: Platform,
    /// Which engine.
    pub backend: BackendKind,
    /// Seed of the scenario.
    pub seed: u64,
    /// Trial from 0.
    pub trial: u32,
    /// Time from the start to the end of the run (s).
    pub elapsed_s: f64,
    /// One per tenant and replica, in the order of `Plan::instances`.
    pub tenants: Vec<TenantReport>,
    /// The machine as a whole.
    pub host: HostReport,
    /// Who sees what; empty where it was not probed.
    pub isolation: Vec<IsolationRow>,
    /// Who takes part in a start and who stays; empty where that is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<ProcessRow>,
    /// Time series; `None` where none were taken.
    pub samples: Option<Samples>,
    /// What happened, in order of time.
    pub events: Vec<EventRow>,
    /// What exactly was run by what.
    pub identity: Identity,
}

/// `report.backend`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendKind {
    /// The model.
    Simulated,
    /// The machine.
    Native,
}

/// `report.tenants[].state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TenantState {
    /// Its workload ended.
    Completed,
    /// Still at work when the run ended.
    Running,
    /// Killed for memory.
    OomKilled,
    /// Ended by an error.
    Failed,
    /// Never started.
    Pending,
}

/// One replica of one tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantReport {
    /// Name of the tenant.
    pub name: String,
    /// Replica from 0.
    pub replica: u32,
    /// How it stood at the end.
    pub state: TenantState,
    /// From the request to the tenant's first own instruction after exec (s).
    pub startup_s: Option<f64>,
    /// The parts of `startup_s`.
    pub startup_stages: Vec<StageRow>,
    /// When its workload ended, or was ended by a kill for memory, from the start of the run (s).
    pub finished_s: Option<f64>,
    /// CPU time consumed (s).
    pub cpu_s: Option<f64>,
    /// Runnable but not running, summed over threads (s), throttled time left out where the kernel allows.
    pub waited_s: Option<f64>,
    /// `cpu.stat` throttled time (s).
    pub throttled_s: Option<f64>,
    /// `cpu.stat` nr_throttled.
    pub throttled_periods: Option<u64>,
    /// Steal of the guest (s).
    pub stolen_s: Option<f64>,
    /// Completed requests per second of its time.
    pub throughput_per_s: Option<f64>,
    /// Requests, for servers.
    pub requests: Option<Requests>,
    /// Most memory charged (bytes).
    pub memory_peak_bytes: Option<u64>,
    /// Kills for memory.
    pub oom_kills: Option<u64>,
    /// Restarts.
    pub restarts: Option<u64>,
    /// Bytes to and from its file; of a layer's file, to and from disk.
    pub disk_bytes: Option<u64>,
    /// Bytes to and from the network.
    pub network_bytes: Option<u64>,
    /// Turns of the fixed loop that were made (both backends count them).
    pub turns: Option<f64>,
    /// Field → reason, for each `None` above and for limits that the platform does not apply.
    pub absent: BTreeMap<String, String>,
    /// What went wrong.
    pub error: Option<String>,
}

/// One start-up stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageRow {
    /// Name, the same in both backends.
    pub name: String,
    /// Who does it.
    pub actor: String,
    /// From the request to start the tenant (s); `None` where a stage before it has an unknown length.
    pub start_s: Option<f64>,
    /// From the request to start the tenant (s); `None` where its own length, or one before it, is unknown.
    pub end_s: Option<f64>,
    /// Its length (s), where that is known although its start is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length_s: Option<f64>,
    /// Where its length comes from: the id of a published figure, or `host.toml`; none where it was measured in this very run,
    /// or on the machine at hand for this very platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl StageRow {
    /// A stage between two instants (s from the request), both measured.
    #[must_use]
    pub fn measured(name: &str, actor: &str, start_s: f64, end_s: f64) -> Self {
        Self {
            name: name.into(),
            actor: actor.into(),
            start_s: Some(start_s),
            end_s: Some(end_s),
            length_s: None,
            source: None,
        }
    }

    /// How long it takes (s); `None` where that is unknown.
    #[must_use]
    pub fn length(&self) -> Option<f64> {
        self.length_s.or_else(|| Some(self.end_s? - self.start_s?))
    }

    /// Its beginning and its end (s from the request), where both are known.
    #[must_use]
    pub fn span(&self) -> Option<(f64, f64)> {
        Some((self.start_s?, self.end_s?))
    }
}

/// `report.tenants[].requests`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requests {
    /// Arrived.
    pub sent: u64,
    /// Answered.
    pub completed: u64,
    /// Refused by a full queue, or timed out.
    pub failed: u64,
    /// Neither, at the end.
    pub in_flight: u64,
    /// From the intended arrival to completion, over completed requests; `None` where there are none.
    pub latency_s: Option<Latency>,
    /// Completed requests by latency, for charts.
    pub histogram: Vec<HistogramBin>,
}

/// Latency in seconds. Quantile q of n sorted values is value number ceil(q·n), counted from 1 (nearest rank).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// Arithmetic mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Greatest.
    pub max: f64,
}

/// Requests with `latency` below `below_s` and not below the bin before (bins grow by 2^(1/4)).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistogramBin {
    /// Upper bound (s).
    pub below_s: f64,
    /// Requests in it, at least 1: empty bins are left out.
    pub count: u64,
}

/// `report.host`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostReport {
    /// Busy share of `host.cores`, 0–1.
    pub cpu_utilisation: Option<f64>,
    /// Most memory charged to all tenants (bytes).
    pub memory_peak_bytes: Option<u64>,
    /// Memory of the platform itself (bytes).
    pub overhead_memory_bytes: Option<u64>,
    /// CPU time of the platform itself (s).
    pub overhead_cpu_s: Option<f64>,
    /// Speed of this trial: turns of the fixed loop per second of CPU time, over all tenants.
    pub turns_per_cpu_s: Option<f64>,
    /// Share of the trial that the machine beneath took away (native), 0–1.
    pub steal: Option<f64>,
    /// Share of the cores' time that went to processes outside the run and to the kernel's own work (native), 0–1.
    #[serde(default)]
    pub others: Option<f64>,
    /// Machines that had a tenant, where there were several; `None`: one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<u32>,
    /// As how many reference servers of [`crate::cost`] each machine counts, where it is larger than one; `None`: one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_servers: Option<f64>,
    /// Field → reason.
    pub absent: BTreeMap<String, String>,
}

/// `report.isolation[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IsolationRow {
    /// What is looked at: `pid`, `mount`, `host-name`, ….
    pub resource: String,
    /// Which tenant looks.
    pub observer: String,
    /// What it sees.
    pub sees: Sees,
}

/// `report.isolation[].sees`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sees {
    /// Only its own.
    Own,
    /// Part of the host's.
    Some,
    /// The host's.
    Host,
    /// None at all.
    Nothing,
}

impl Sees {
    /// Every answer.
    pub const ALL: [Self; 4] = [Self::Own, Self::Some, Self::Host, Self::Nothing];

    /// The word in the report.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Some => "some",
            Self::Host => "host",
            Self::Nothing => "nothing",
        }
    }
}

/// `report.samples`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Samples {
    /// Between two values (s).
    pub interval_s: f64,
    /// The series.
    pub series: Vec<Series>,
}

/// One series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// `name` of a tenant with replica 0, `name/replica` of the others.
    pub tenant: String,
    /// `cpu` (cores), `memory` (bytes charged at the end of the interval), `throttled` (share of time), ….
    pub metric: String,
    /// One per interval; value i covers [i·interval, (i+1)·interval).
    pub values: Vec<f64>,
}

/// `report.events[]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventRow {
    /// From the start of the run (s).
    pub at_s: f64,
    /// Who did it.
    pub actor: String,
    /// What.
    pub what: String,
    /// To whom.
    pub target: String,
    /// Index in `events` of the event that caused it.
    pub because: Option<u32>,
    /// What is sent in it, where it is a round of a live migration; what is saved by then, where pages were merged; what was given
    /// back, where balloons grew (bytes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

impl EventRow {
    /// What events call a machine of a plan: `host` where there is one, `node-0` and so on where there are several.
    #[must_use]
    pub fn machine(plan: &Plan, node: u32) -> String {
        if plan.host().nodes > 1 { format!("node-{node}") } else { "host".to_owned() }
    }
}

/// `report.identity`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// SHA-256 of the plan (hex).
    pub scenario_digest: String,
    /// Name and version of the engine.
    pub engine: String,
    /// SHA-256 of the calibration (hex).
    pub calibration_digest: Option<String>,
    /// The machine of a native run; of a simulated one its guests, where it has any.
    pub machine: Option<BTreeMap<String, String>>,
}
