//! What a tenant asks of the CPU.

use serde::Serialize;

use super::memory::is_default;
use crate::{MilliCpu, Nanos};

/// `tenant.cpu`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Cpu {
    /// Booked share; a limit without a request means request = limit (already resolved here). `None`: default weight.
    pub request: Option<MilliCpu>,
    /// Most CPU; quota = limit × period.
    pub limit: Option<MilliCpu>,
    /// `cpu.cfs_period_us` (ns), default 100 ms.
    pub period: Nanos,
    /// `cpu.max.burst` (ns of CPU time), at most the quota.
    pub burst: Nanos,
    /// `cpuset.cpus`: core numbers below `host.cores`, ascending.
    pub set: Option<Vec<u32>>,
    /// How a request becomes a `cpu.weight` on cgroup v2.
    pub weight: WeightRule,
    /// The nice value of its threads, -20 to 19: their weight among the threads of their group.
    #[serde(skip_serializing_if = "is_default")]
    pub nice: i32,
}

/// How a CPU request becomes a weight (`kubernetes.md` 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum WeightRule {
    /// `cpu.shares` themselves, 1024 a core: what cgroup v1 has.
    V1,
    /// `1 + (shares − 2) · 9999 / 262142`.
    V2Old,
    /// `ceil(10^((L² + 125 L)/612 − 7/34))`, L = log2 shares; the default.
    #[default]
    V2New,
}
