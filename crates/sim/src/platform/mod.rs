//! Room 2: how a technology changes claims, costs and visibility. One file per platform.

pub(crate) mod bare;
mod bare_metal;
pub(crate) mod blast;
mod cgroups;
mod chroot;
pub(crate) mod clash;
mod container;
pub(crate) mod costs;
pub(crate) mod disk;
pub(crate) mod figures;
pub(crate) mod footprint;
pub(crate) mod isolation;
pub(crate) mod layers;
pub(crate) mod memory;
pub(crate) mod migration;
mod namespaces;
pub(crate) mod network;
pub(crate) mod residents;
pub(crate) mod sharing;
pub(crate) mod virtio;
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

/// The rule of a platform.
pub(crate) type Rule = fn(&Tenant, &Calibration) -> CpuClaim;

pub(crate) fn rule(platform: Platform) -> Rule {
    match platform {
        Platform::BareMetal => bare_metal::claim,
        Platform::Namespaces => namespaces::claim,
        Platform::Chroot => chroot::claim,
        Platform::Cgroups => cgroups::claim,
        // A guest's virtual CPUs are held by what holds any process.
        _ if has_guests(platform) => cgroups::claim,
        // Whoever made it, a container is its groups to the kernel; gVisor's threads are the machine's.
        _ => container::claim,
    }
}

/// Whether tenants have groups of their own, with limits, on the machine's own kernel.
pub(crate) fn has_limits(platform: Platform) -> bool {
    !has_guests(platform)
        && !matches!(platform, Platform::BareMetal | Platform::Chroot | Platform::Namespaces)
}

/// Whether each tenant has a guest of its own, with a kernel.
pub(crate) fn has_guests(platform: Platform) -> bool {
    matches!(platform, Platform::Vm | Platform::VmHosted | Platform::Microvm | Platform::Kata)
}

/// Whether guests of a platform can be moved while they run: Firecracker's and Kata's can't.
pub(crate) fn can_migrate(platform: Platform) -> bool {
    matches!(platform, Platform::Vm | Platform::VmHosted)
}

/// Whether a tenant is a container on the machine's own kernel.
pub(crate) fn is_container(platform: Platform) -> bool {
    has_limits(platform) && !matches!(platform, Platform::Cgroups | Platform::Gvisor)
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
