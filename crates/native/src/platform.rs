//! What each platform does to a tenant: limits or none, isolation or none.

use catamaran_scenario::plan::{Cpu, Tenant, WeightRule};
use catamaran_scenario::{Platform, weight};
use catamaran_worker::script::{Namespace, Script};

use crate::cgroup::{Cgroup, Groups, Limits};

/// Whether tenants get CPU groups of their own, with weights and limits.
pub(crate) fn has_limits(platform: Platform) -> bool {
    matches!(platform, Platform::Cgroups | Platform::Vm)
}

/// The namespaces of a tenant.
fn namespaces(platform: Platform) -> &'static [Namespace] {
    if platform == Platform::Namespaces { &Namespace::ALL } else { &[] }
}

/// How one tenant is started on a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Its groups.
    pub(crate) groups: Groups,
    /// What its launcher does when it is asked to start it.
    pub(crate) script: Script,
}

/// How `tenant`, called `label` in this run, is started.
pub(crate) fn plan(
    platform: Platform,
    cgroup: &dyn Cgroup,
    tenant: &Tenant,
    label: &str,
    cpus: &[u32],
) -> Plan {
    let mut script = Script { namespaces: namespaces(platform).to_vec(), ..Script::default() };
    if script.namespaces.contains(&Namespace::Uts) {
        script.host_name = Some(tenant.name.clone());
    }
    if !has_limits(platform) {
        return Plan { groups: cgroup.counted(label), script };
    }
    let groups = cgroup.limited(label, &limits(&tenant.cpu, cpus));
    script.limits.clone_from(&groups.make);
    script.join.clone_from(&groups.enter);
    script.born_in.clone_from(&groups.born_in);
    Plan { groups, script }
}

/// The plan's CPU bounds in the kernel's units; `cpus` are the machine's numbers of the scenario's cores.
fn limits(cpu: &Cpu, cpus: &[u32]) -> Limits {
    let set = cpu.set.as_ref();
    Limits {
        shares: cpu.request.map(|_| weight::kernel_weight(cpu)),
        weight: cpu.request.map(|request| weight_v2(cpu, weight::shares(request))),
        quota_us: cpu.limit.map(|limit| weight::quota_us(limit, cpu.period)),
        period_us: cpu.period.0 / 1000,
        burst_us: cpu.burst.0 / 1000,
        cpus: set.map(|set| set.iter().filter_map(|&core| cpus.get(core as usize).copied()).collect()),
    }
}

/// `cpu.weight`; for shares themselves the one that the kernel turns into the nearest number of shares.
fn weight_v2(cpu: &Cpu, shares: u64) -> u64 {
    match cpu.weight {
        WeightRule::V1 => weight::weight_of(shares),
        WeightRule::V2Old => weight::weight_old(shares),
        WeightRule::V2New => weight::weight_new(shares),
    }
}

/// Reasons why limits of this tenant are not applied, by field; empty where they all are.
pub(crate) fn not_applied(platform: Platform, tenant: &Tenant) -> Vec<(&'static str, String)> {
    if has_limits(platform) {
        return Vec::new();
    }
    let cpu = &tenant.cpu;
    let table = [
        ("cpu.request", cpu.request.is_some(), "weights"),
        ("cpu.limit", cpu.limit.is_some(), "limits"),
        ("cpu.burst", cpu.burst.0 > 0, "limits"),
        ("cpu.set", cpu.set.is_some(), "CPU sets"),
    ];
    let set = table.into_iter().filter(|(_, set, _)| *set);
    set.map(|(field, _, what)| (field, format!("{platform} applies no {what}"))).collect()
}
