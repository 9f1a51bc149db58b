//! Room 2: how a technology changes claims, costs and visibility. One file per platform.

mod bare_metal;
mod cgroups;
mod chroot;
mod container;
pub(crate) mod disk;
pub(crate) mod footprint;
pub(crate) mod isolation;
pub(crate) mod memory;
mod namespaces;
pub(crate) mod visibility;
pub(crate) mod vm;

use catamaran_scenario::plan::Tenant;
use catamaran_scenario::{Calibration, Platform};

use crate::resources::cpu::Quota;

/// What a platform makes of a tenant's claims on the CPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CpuClaim {
    /// The tenant's own group; none where all tenants share one.
    pub(crate) own_group: Option<OwnGroup>,
    /// Cores that it may use; empty for all.
    pub(crate) cores: Vec<usize>,
    /// Settings of the scenario that this platform does not apply: (field, reason).
    pub(crate) absent: Vec<(String, String)>,
}

/// A CPU cgroup for one tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OwnGroup {
    /// In the unit of `cpu.shares`.
    pub(crate) shares: u64,
    pub(crate) quota: Option<Quota>,
}

/// The rule of a platform; none for platforms that the simulator does not carry out yet.
pub(crate) type Rule = fn(&Tenant, &Calibration) -> CpuClaim;

pub(crate) fn rule(platform: Platform) -> Option<Rule> {
    match platform {
        Platform::BareMetal => Some(bare_metal::claim),
        Platform::Namespaces => Some(namespaces::claim),
        Platform::Chroot => Some(chroot::claim),
        Platform::Container => Some(container::claim),
        // A guest's virtual CPUs are held by what holds any process.
        Platform::Cgroups | Platform::Vm => Some(cgroups::claim),
        _ => None,
    }
}

/// Whether tenants have groups of their own, with limits.
pub(crate) fn has_limits(platform: Platform) -> bool {
    matches!(platform, Platform::Cgroups | Platform::Container)
}

/// A claim on a platform without limits: everything that the scenario asks for is named as not applied.
fn without_limits(tenant: &Tenant, reason: &str) -> CpuClaim {
    let cpu = &tenant.cpu;
    let asked = [
        ("cpu.request", cpu.request.is_some()),
        ("cpu.limit", cpu.limit.is_some()),
        ("cpu.burst", cpu.burst.0 > 0),
        ("cpu.set", cpu.set.is_some()),
        ("pids.limit", tenant.pids_limit.is_some()),
        ("io.weight", tenant.io.weight.is_some()),
        ("io.read", tenant.io.read.is_some()),
        ("io.write", tenant.io.write.is_some()),
        ("io.iops", tenant.io.iops.is_some()),
    ];
    let absent = asked.iter().filter(|(_, asked)| *asked);
    CpuClaim {
        own_group: None,
        cores: Vec::new(),
        absent: absent.map(|(field, _)| ((*field).to_owned(), reason.to_owned())).collect(),
    }
}
