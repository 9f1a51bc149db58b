//! `cgroups`: a group for each tenant, with its weight, quota and cores; no isolation.

use catamaran_scenario::plan::Tenant;
use catamaran_scenario::{Calibration, weight};

use super::{CpuClaim, OwnGroup};
use crate::resources::cpu::Quota;

pub(super) fn claim(tenant: &Tenant, _: &Calibration) -> CpuClaim {
    let cpu = &tenant.cpu;
    // The rule is the scenario's, not the machine's: `cpu.shares` of cgroup v1 can say whatever `cpu.weight` of v2 comes to,
    // so that a scenario has the same weights on both.
    let shares = weight::kernel_weight(cpu);
    let quota = cpu.limit.map(|limit| Quota {
        quota: weight::quota_us(limit, cpu.period) * 1000,
        period: cpu.period.0,
        burst: cpu.burst.0,
    });
    let cores = cpu.set.iter().flatten().map(|&core| core as usize).collect();
    CpuClaim { own_group: Some(OwnGroup { shares, quota }), cores, absent: Vec::new() }
}
