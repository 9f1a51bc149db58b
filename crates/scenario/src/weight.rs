//! From Kubernetes' CPU quantities to what the kernel takes. The formulas are the kubelet's (`MilliCPUToShares`,
//! `MilliCPUToQuota`) and those of runc's and crun's conversion from shares to `cpu.weight`.

use crate::plan::{Cpu, Plan, WeightRule, Workload};
use crate::{MilliCpu, Nanos, network_work};

/// Least `cpu.shares` that the kernel takes.
pub const SHARES_MIN: u64 = 2;
/// Most `cpu.shares` that the kernel takes.
pub const SHARES_MAX: u64 = 262_144;
/// `cpu.shares` of a group that nobody has given any.
pub const SHARES_DEFAULT: u64 = 1024;
/// `cpu.weight` of a group that nobody has given any.
pub const WEIGHT_DEFAULT: u64 = 100;
/// Most `cpu.weight`.
pub const WEIGHT_MAX: u64 = 10_000;
/// Least quota that Kubernetes writes (µs).
const QUOTA_MIN_US: u64 = 1000;

/// `cpu.shares` of a request: 1024 a core, within the kernel's bounds.
#[must_use]
pub fn shares(request: MilliCpu) -> u64 {
    (request.0.saturating_mul(1024) / 1000).clamp(SHARES_MIN, SHARES_MAX)
}

/// `cpu.shares` of a tenant: of its request, or the kernel's default without one.
#[must_use]
pub fn shares_of(cpu: &Cpu) -> u64 {
    cpu.request.map_or(SHARES_DEFAULT, shares)
}

/// `cpu.weight` of shares, linear (runc before 1.3.2, crun before 1.23): 1 CPU becomes 39.
#[must_use]
pub fn weight_old(shares: u64) -> u64 {
    let shares = shares.clamp(SHARES_MIN, SHARES_MAX);
    1 + (shares - SHARES_MIN) * 9999 / 262_142
}

/// `cpu.weight` of shares, quadratic in the logarithm (runc from 1.3.2, crun from 1.23): 1 CPU becomes 100, the default.
#[must_use]
pub fn weight_new(shares: u64) -> u64 {
    if shares <= SHARES_MIN {
        return 1;
    }
    if shares >= SHARES_MAX {
        return WEIGHT_MAX;
    }
    let log = libm::log2(shares as f64);
    let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
    (libm::ceil(libm::pow(10.0, exponent)) as u64).clamp(1, WEIGHT_MAX)
}

/// What the kernel weighs a tenant's group by, on the scale where a group without a request has 1024 (the kernel's `NICE_0`
/// weight), whichever rule made it: cgroup v2 multiplies `cpu.weight` by 1024 / 100, rounded to the nearest.
#[must_use]
pub fn kernel_weight(cpu: &Cpu) -> u64 {
    match (cpu.request, cpu.weight) {
        (None, _) => SHARES_DEFAULT,
        (Some(request), WeightRule::V1) => shares(request),
        (Some(request), WeightRule::V2Old) => from_cgroup_v2(weight_old(shares(request))),
        (Some(request), WeightRule::V2New) => from_cgroup_v2(weight_new(shares(request))),
    }
}

/// The kernel's `sched_weight_from_cgroup`.
fn from_cgroup_v2(weight: u64) -> u64 {
    (weight * 1024 + WEIGHT_DEFAULT / 2) / WEIGHT_DEFAULT
}

/// `cpu.shares` of the group around all tenants: as much as what is in it would weigh by itself on a plain machine, where
/// nothing is around it. So whatever else is at work there counts as much as it would.
#[must_use]
pub fn guard_shares(plan: &Plan, own_groups: bool) -> u64 {
    let serves: Vec<bool> =
        (0..plan.tenants().len()).map(|tenant| network_work::serves(plan, tenant)).collect();
    let tenants =
        plan.instances().filter_map(|(index, _)| Some((plan.tenants().get(index)?, serves.get(index)?)));
    let weights = tenants.map(|(tenant, serves)| match own_groups {
        true => kernel_weight(&tenant.cpu),
        false => (threads(&tenant.workload) + u64::from(*serves)).saturating_mul(SHARES_DEFAULT),
    });
    weights.fold(0, u64::saturating_add).clamp(SHARES_DEFAULT, SHARES_MAX)
}

/// Threads that a workload has at most at a time, the one that answers on the network not counted.
#[must_use]
pub fn threads(workload: &Workload) -> u64 {
    match workload {
        Workload::Compute { threads, .. } => u64::from(*threads),
        Workload::Server(server) => u64::from(server.threads),
        Workload::Disk { depth, .. } => u64::from(*depth),
        Workload::Command { like: Some(like), .. } => threads(like),
        Workload::Phases(phases) => phases.iter().map(|phase| threads(&phase.workload)).max().unwrap_or(1),
        _ => 1,
    }
}

/// `cpu.weight` that the kernel takes for (nearly) as much as these `cpu.shares`.
#[must_use]
pub fn weight_of(shares: u64) -> u64 {
    ((shares * WEIGHT_DEFAULT + 512) / 1024).clamp(1, WEIGHT_MAX)
}

/// CPU time in each period under a limit, exact to the nanosecond below.
#[must_use]
pub fn quota(limit: MilliCpu, period: Nanos) -> Nanos {
    let quota = u128::from(limit.0) * u128::from(period.0) / 1000;
    Nanos(u64::try_from(quota).unwrap_or(u64::MAX))
}

/// `cpu.cfs_quota_us` as Kubernetes writes it: at least 1000 µs.
#[must_use]
pub fn quota_us(limit: MilliCpu, period: Nanos) -> u64 {
    (quota(limit, period).0 / 1000).max(QUOTA_MIN_US)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `kubernetes.md` 9: mCPU, shares, old weight, new weight, quota (µs in 100 ms).
    const TABLE: &[(u64, u64, u64, u64, u64)] = &[
        (0, 2, 1, 1, 1000),
        (10, 10, 1, 4, 1000),
        (100, 102, 4, 17, 10_000),
        (250, 256, 10, 35, 25_000),
        (500, 512, 20, 59, 50_000),
        (1000, 1024, 39, 100, 100_000),
        (2000, 2048, 79, 174, 200_000),
        (8000, 8192, 313, 532, 800_000),
        (64_000, 65_536, 2500, 3023, 6_400_000),
    ];

    #[test]
    fn kubernetes_table() {
        for &(milli, expected, old, new, quota) in TABLE {
            let request = MilliCpu(milli);
            assert_eq!(shares(request), expected, "shares of {request}");
            assert_eq!(weight_old(shares(request)), old, "old weight of {request}");
            assert_eq!(weight_new(shares(request)), new, "new weight of {request}");
            assert_eq!(quota_us(request, Nanos(100_000_000)), quota, "quota of {request}");
        }
        assert_eq!(quota_us(MilliCpu(5), Nanos(100_000_000)), 1000);
        assert_eq!(quota_us(MilliCpu(1500), Nanos(100_000_000)), 150_000);
        assert_eq!(quota_us(MilliCpu(500), Nanos(20_000_000)), 10_000);
    }

    #[test]
    fn ends_of_the_scale() {
        assert_eq!((shares(MilliCpu(1)), shares(MilliCpu(u64::MAX))), (2, 262_144));
        assert_eq!((weight_old(2), weight_old(262_144)), (1, 10_000));
        assert_eq!(
            (weight_new(2), weight_new(3), weight_new(262_143), weight_new(262_144)),
            (1, 2, 10_000, 10_000)
        );
        assert_eq!(quota(MilliCpu(u64::MAX), Nanos(u64::MAX)), Nanos(u64::MAX));
    }

    #[test]
    fn kernel_weights() {
        let cpu = |request: Option<u64>, weight| Cpu {
            request: request.map(MilliCpu),
            limit: None,
            period: Nanos(100_000_000),
            burst: Nanos::ZERO,
            set: None,
            weight,
            nice: 0,
        };
        for (request, rule, expected) in [
            (None, WeightRule::V2Old, 1024),
            (Some(1000), WeightRule::V1, 1024),
            (Some(1000), WeightRule::V2New, 1024),
            (Some(1000), WeightRule::V2Old, 399),
            (Some(500), WeightRule::V2New, 604),
        ] {
            assert_eq!(kernel_weight(&cpu(request, rule)), expected, "{request:?} {rule:?}");
        }
    }
}
