//! Sizes of requests and limits from measured runs.
//!
//! **Law.** Samples of all trials and replicas of a tenant weigh alike; those before its start and after its end do not count.
//! - CPU request: the 90th percentile of the cores used in each sample, and 15 % more; from [`SAMPLES_NEEDED`] samples on.
//! - CPU limit: the most cores used in any sample, and 15 % more; at least 1 ms in each of the tenant's periods, as the kernel has it
//!   (`min_cfs_quota_period` in `kernel/sched/core.c`).
//! - Memory request: the highest peak, and 15 % more. Where the tenant was killed for memory, the peak is first taken to be the
//!   greater of 1.2 times itself and itself and 100 MiB: what it would have taken is not known.
//! - Memory limit: the same, for memory that was promised can't be taken back.
//!
//! CPU is rounded up to a millicore, memory to a MiB.
//! **Source.** The defaults of Kubernetes' Vertical Pod Autoscaler (kubernetes/autoscaler): `target-cpu-percentile` 0.9 and
//! `recommendation-margin-fraction` 0.15 in `vertical-pod-autoscaler/pkg/recommender/logic/recommender.go`, `DefaultOOMBumpUpRatio` 1.2
//! and `DefaultOOMMinBumpUp` 100 MiB in `pkg/recommender/model/aggregations_config.go`.
//! **Given up.** The autoscaler forgets old samples by and by (it watches for days), proposes limits only in the proportion that they
//! have to requests, and never less than 25 millicores and 250 MiB a pod; a run is too short for the first, and the last would hide what
//! was measured.

use std::collections::BTreeMap;

use catamaran_scenario::Plan;
use serde::{Deserialize, Serialize};

use crate::report::{Report, TenantState};
use crate::statistics::nearest_rank;

/// Percentile of the used cores that is requested (per mille).
pub const CPU_PERCENTILE: u32 = 900;
/// What is added to it, and to memory: a share of it.
pub const MARGIN: f64 = 0.15;
/// What an end for want of memory makes of the peak: so many times it,
pub const OOM_RATIO: f64 = 1.2;
/// or so many bytes more, if that is more.
pub const OOM_BYTES: u64 = 100 << 20;
/// Samples from which on their 90th percentile is told: ten are above it then.
pub const SAMPLES_NEEDED: usize = 100;
/// Least CPU time that a limit may leave in each period (s).
const QUOTA_LEAST_S: f64 = 1e-3;
const MIB: f64 = 1_048_576.0;

/// What was measured of a tenant, and what follows from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// The tenant.
    pub tenant: String,
    /// What was measured, in all trials and of all replicas.
    pub measured: Measured,
    /// What to ask for.
    pub proposed: Sizes,
    /// Why a size, or a figure, is not there, by its name; and what to keep in mind about one that is.
    pub absent: BTreeMap<String, String>,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Measured {
    /// Samples of the CPU time, by all trials and replicas.
    pub samples: u64,
    /// 90th percentile of the used cores.
    pub cpu_p90_cores: Option<f64>,
    /// The most cores in any sample.
    pub cpu_most_cores: Option<f64>,
    /// Highest peak (bytes).
    pub memory_peak_bytes: Option<u64>,
    /// Kills for memory.
    pub oom_kills: Option<u64>,
    /// Periods in which its own limit held it back.
    pub throttled_periods: Option<u64>,
}

/// Sizes in Kubernetes' words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sizes {
    /// `cpu.request`, as `120m`.
    pub cpu_request: Option<String>,
    /// `cpu.limit`.
    pub cpu_limit: Option<String>,
    /// `memory.request`, as `64MiB`.
    pub memory_request: Option<String>,
    /// `memory.limit`.
    pub memory_limit: Option<String>,
}

impl Sizes {
    /// Each by the path of its field below a tenant.
    #[must_use]
    pub fn fields(&self) -> [(&'static str, Option<&str>); 4] {
        [
            ("cpu.request", self.cpu_request.as_deref()),
            ("cpu.limit", self.cpu_limit.as_deref()),
            ("memory.request", self.memory_request.as_deref()),
            ("memory.limit", self.memory_limit.as_deref()),
        ]
    }
}

/// Sizes for each tenant of the native reports of a scenario on one platform, in their order.
#[must_use]
pub fn advise(plan: &Plan, reports: &[Report]) -> Vec<Advice> {
    let mut names: Vec<&str> = Vec::new();
    for row in reports.iter().flat_map(|report| &report.tenants) {
        if !names.contains(&row.name.as_str()) {
            names.push(&row.name);
        }
    }
    names.into_iter().map(|name| of_tenant(plan, reports, name)).collect()
}

fn of_tenant(plan: &Plan, reports: &[Report], name: &str) -> Advice {
    let mut cores = cores(plan, reports, name);
    cores.sort_by(f64::total_cmp);
    let rows = || reports.iter().flat_map(|report| &report.tenants).filter(|row| row.name == name);
    let enough = cores.len() >= SAMPLES_NEEDED;
    let measured = Measured {
        samples: cores.len() as u64,
        cpu_p90_cores: nearest_rank(&cores, CPU_PERCENTILE).filter(|_| enough),
        cpu_most_cores: cores.last().copied(),
        memory_peak_bytes: rows().filter_map(|row| row.memory_peak_bytes).max(),
        oom_kills: rows().map(|row| row.oom_kills).sum(),
        throttled_periods: rows().map(|row| row.throttled_periods).sum(),
    };
    let tenant = plan.tenants().iter().find(|tenant| tenant.name == name);
    let least_cores = tenant.map_or(0.0, |tenant| QUOTA_LEAST_S / tenant.cpu.period.seconds());
    let was_killed = measured.oom_kills.is_some_and(|kills| kills > 0);
    let memory = measured.memory_peak_bytes.map(|peak| memory_size(peak, was_killed));
    let proposed = Sizes {
        cpu_request: measured.cpu_p90_cores.map(|cores| cpu_size(cores, 0.0)),
        cpu_limit: measured.cpu_most_cores.map(|cores| cpu_size(cores, least_cores)),
        memory_request: memory.clone(),
        memory_limit: memory,
    };
    let mut absent = BTreeMap::new();
    let mut explain = |field: &str, why: String| {
        absent.entry(field.to_owned()).or_insert(why);
    };
    if cores.is_empty() {
        let why = "its CPU time was not sampled: the platform counts none of its own, or the run ended before 0.1 s";
        explain("cpu_request", why.to_owned());
        explain("cpu_limit", why.to_owned());
    } else if !enough {
        let count = cores.len();
        explain(
            "cpu_request",
            format!(
                "{count} samples of 0.1 s are too few for a 90th percentile, which takes {SAMPLES_NEEDED}: run for longer, or more \
                 trials"
            ),
        );
    }
    if measured.memory_peak_bytes.is_none() {
        let why = rows().find_map(|row| row.absent.get("memory_peak_bytes").cloned());
        let why = why.unwrap_or_else(|| "its memory was not measured".to_owned());
        explain("memory_request", why.clone());
        explain("memory_limit", why);
    }
    if let Some(periods) = measured.throttled_periods.filter(|periods| *periods > 0) {
        explain(
            "cpu",
            format!("its own limit held it back in {periods} periods: without one it would have used more"),
        );
    }
    if let Some(row) = rows().find(|row| row.state == TenantState::Failed) {
        let why = row.error.as_deref().unwrap_or("failed");
        explain("state", format!("it failed, so that this is what it used until then: {why}"));
    }
    Advice { tenant: name.to_owned(), measured, proposed, absent }
}

/// Used cores, sample by sample, of the time in which the tenant was there.
fn cores(plan: &Plan, reports: &[Report], name: &str) -> Vec<f64> {
    let start_at = plan
        .tenants()
        .iter()
        .find(|tenant| tenant.name == name)
        .map_or(0.0, |tenant| tenant.start_at.seconds());
    let mut cores = Vec::new();
    for report in reports {
        let Some(samples) = &report.samples else { continue };
        let sample_at = |seconds: f64| seconds / samples.interval_s;
        for row in report.tenants.iter().filter(|row| row.name == name) {
            let label = row.label();
            let series =
                samples.series.iter().filter(|series| series.metric == "cpu" && series.tenant == label);
            let values = series.flat_map(|series| &series.values).copied().filter(|cores| cores.is_finite());
            let end = row.finished_s.map_or(usize::MAX, |end_s| sample_at(end_s).ceil() as usize);
            let mut values: Vec<f64> = values.take(end).skip(sample_at(start_at).floor() as usize).collect();
            if row.state == TenantState::Failed {
                // When it did is not told; from then on it used nothing.
                let used = values.iter().rposition(|cores| *cores > 0.0).map_or(0, |last| last + 1);
                values.truncate(used);
            }
            cores.extend(values);
        }
    }
    cores
}

/// Cores and the margin, but not less than some, in millicores.
fn cpu_size(cores: f64, least_cores: f64) -> String {
    let cores = (cores * (1.0 + MARGIN)).max(least_cores);
    format!("{}m", ((cores * 1e3).ceil() as u64).max(1))
}

/// A peak (bytes) and the margin, in MiB.
fn memory_size(peak_bytes: u64, was_killed: bool) -> String {
    let peak = peak_bytes as f64;
    let peak = if was_killed { (peak * OOM_RATIO).max(peak + OOM_BYTES as f64) } else { peak };
    format!("{}MiB", ((peak * (1.0 + MARGIN) / MIB).ceil() as u64).max(1))
}
