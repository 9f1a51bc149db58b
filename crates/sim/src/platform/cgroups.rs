//! `cgroups`: a group for each tenant, with its weight, quota and cores; no isolation.

use catamaran_scenario::plan::Tenant;
use catamaran_scenario::{Calibration, weight};

use super::{CpuClaim, OwnGroup};
use crate::resources::cpu::Quota;

pub(super) fn claim(tenant: &Tenant, calibration: &Calibration) -> CpuClaim {
    let cpu = &tenant.cpu;
    // cgroup v1 takes shares as they are; v2 takes a weight, which loses some of it on the way.
    let v1 = calibration.machine.cgroup_version == 1;
    let shares = if v1 { weight::shares_of(cpu) } else { weight::kernel_weight(cpu) };
    let quota = cpu.limit.map(|limit| Quota {
        quota: weight::quota_us(limit, cpu.period) * 1000,
        period: cpu.period.0,
        burst: cpu.burst.0,
    });
    let cores = cpu.set.iter().flatten().map(|&core| core as usize).collect();
    CpuClaim { own_group: Some(OwnGroup { shares, quota }), cores, absent: Vec::new() }
}
