//! What a platform makes of a tenant's claims on memory: bounds where it has limits, and everywhere what the kernel's killer
//! is told.

use catamaran_scenario::Calibration;
use catamaran_scenario::calibration::MemoryCosts;
use catamaran_scenario::plan::Tenant;

use super::vm::{EXITS_PER_TIMER, Guest};
use crate::resources::memory::Bounds;

/// A tenant's claims on memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MemoryClaim {
    /// Bounds of its group.
    pub(crate) bounds: Bounds,
    pub(crate) oom_score_adj: i64,
    /// Cores that it may use at the most; none for all.
    pub(crate) cores: Option<u64>,
    /// Settings of the scenario that are not applied: (field, reason).
    pub(crate) absent: Vec<(&'static str, &'static str)>,
}

/// The claims of a tenant on a platform that applies limits, or not, to it.
pub(crate) fn claim(tenant: &Tenant, calibration: &Calibration, limited: bool) -> MemoryClaim {
    let memory = &tenant.memory;
    let version_1 = calibration.machine.cgroup_version == 1;
    let asked = [
        ("memory.limit", memory.limit.is_some(), None),
        ("memory.high", memory.high.is_some(), version_1.then_some("cgroup v1 has no memory.high")),
        (
            "memory.swap",
            memory.swap.is_some(),
            (version_1 && memory.limit.is_none())
                .then_some("cgroup v1 bounds swap only together with memory.limit"),
        ),
        ("memory.oom_group", memory.oom_group, version_1.then_some("cgroup v1 has no memory.oom.group")),
    ];
    let reason = |why: Option<&'static str>| if limited { why } else { Some("the platform has no limits") };
    let absent: Vec<(&'static str, &'static str)> = asked
        .into_iter()
        .filter(|(_, asked, _)| *asked)
        .filter_map(|(field, _, why)| Some((field, reason(why)?)))
        .collect();
    let applies = |field: &str| limited && !absent.iter().any(|(name, _)| *name == field);
    let bytes = |field: &str, bytes: Option<catamaran_scenario::Bytes>| {
        bytes.filter(|_| applies(field)).map(|bytes| bytes.0)
    };
    let bounds = Bounds {
        max: bytes("memory.limit", memory.limit),
        high: bytes("memory.high", memory.high),
        swap: bytes("memory.swap", memory.swap),
        killed_together: memory.oom_group && applies("memory.oom_group"),
    };
    let cores = tenant.cpu.set.as_ref().filter(|_| limited).map(|set| set.len() as u64);
    MemoryClaim { bounds, oom_score_adj: i64::from(memory.oom_score_adj), cores, absent }
}

/// What memory costs where tenants are. In a guest a page that is touched for the first time is a fault of both kernels, and of
/// the second an exit; to touch it anew is as fast as the guest is.
pub(crate) fn inside(costs: &MemoryCosts, guest: Option<&Guest>) -> MemoryCosts {
    let Some(guest) = guest else { return costs.clone() };
    let exit_ns = guest.timer_ns as f64 / f64::from(EXITS_PER_TIMER);
    MemoryCosts {
        touch_ns: costs.touch_ns / guest.speed + costs.touch_ns + exit_ns,
        retouch_ns: costs.retouch_ns / guest.speed,
        ..costs.clone()
    }
}
