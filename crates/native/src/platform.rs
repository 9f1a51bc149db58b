//! What each platform does to a tenant: limits or none, isolation or none, a root of its own or the machine's.

use std::path::Path;

use catamaran_scenario::plan::{Memory, PlatformSettings, Tenant, WeightRule};
use catamaran_scenario::{Platform, plan, weight};
use catamaran_worker::script::{Namespace, Root, RootWay, Script, Step};

use crate::cgroup::{Cgroup, Groups, Limits, MemoryLimits};
use crate::network::Wiring;
use crate::run_folder::ROOT_ENDING;
use crate::{disk, engine, machine, nice, runtime};

/// Whether tenants get groups of their own, with weights and limits.
pub(crate) fn has_limits(platform: Platform) -> bool {
    matches!(platform, Platform::Cgroups | Platform::Container | Platform::Vm | Platform::Microvm)
        || runtime::is_used(platform)
        || engine::is_used(platform)
}

/// The namespaces of a tenant, but for that of users.
fn namespaces(platform: Platform, settings: &PlatformSettings) -> Vec<Namespace> {
    match platform {
        Platform::Namespaces => settings.unshared().into_iter().filter_map(namespace).collect(),
        Platform::Container | Platform::Runc | Platform::Crun | Platform::Youki => Namespace::ALL.to_vec(),
        _ if engine::is_used(platform) => Namespace::ALL.to_vec(),
        _ => Vec::new(),
    }
}

/// As scripts call it; a user namespace is no item of their list, but a mapping.
fn namespace(kind: plan::Namespace) -> Option<Namespace> {
    match kind {
        plan::Namespace::Mount => Some(Namespace::Mount),
        plan::Namespace::Pid => Some(Namespace::Pid),
        plan::Namespace::Uts => Some(Namespace::Uts),
        plan::Namespace::Ipc => Some(Namespace::Ipc),
        plan::Namespace::Net => Some(Namespace::Net),
        plan::Namespace::Cgroup => Some(Namespace::Cgroup),
        plan::Namespace::User => None,
    }
}

/// Whether tenants have network namespaces of their own.
fn has_networks(platform: Platform, settings: &PlatformSettings) -> bool {
    namespaces(platform, settings).contains(&Namespace::Net)
}

/// How tenants that talk are connected.
pub(crate) fn wiring(platform: Platform, settings: &PlatformSettings) -> Wiring {
    match platform {
        Platform::Vm => Wiring::Guests,
        _ if has_networks(platform, settings) => Wiring::Namespaces,
        _ => Wiring::Shared,
    }
}

/// Whether tenants are mapped into a user namespace.
pub(crate) fn has_users(platform: Platform, settings: &PlatformSettings) -> bool {
    let unshared = || settings.unshared().contains(&plan::Namespace::User);
    settings.rootless == Some(true) || (platform == Platform::Namespaces && unshared())
}

/// How a tenant comes to a root of its own, on platforms where it has one.
fn root_way(platform: Platform) -> Option<RootWay> {
    match platform {
        Platform::Chroot => Some(RootWay::Chroot),
        Platform::Container => Some(RootWay::Pivot),
        _ => None,
    }
}

/// Whether a tenant's root is its own, and not the machine's.
pub(crate) fn has_root(platform: Platform) -> bool {
    root_way(platform).is_some()
        || runtime::is_used(platform)
        || engine::is_used(platform)
        || platform == Platform::Vm
}

/// Whether a program is kept from the machine. A `chroot` keeps nobody from anything who is root.
pub(crate) fn confines(platform: Platform) -> bool {
    has_root(platform) && platform != Platform::Chroot
}

/// How one tenant is started on a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Its groups.
    pub(crate) groups: Groups,
    /// What its launcher does when it is asked to start it.
    pub(crate) script: Script,
    /// Its bounds, where it has any.
    pub(crate) limits: Limits,
}

/// What a run has that its tenants are started with.
pub(crate) struct Place<'a> {
    pub(crate) platform: Platform,
    /// `[platform.NAME]`.
    pub(crate) settings: &'a PlatformSettings,
    pub(crate) cgroup: &'a dyn Cgroup,
    /// The machine's numbers of the scenario's cores.
    pub(crate) cpus: &'a [u32],
    /// Folder in which roots are mounted.
    pub(crate) folder: &'a Path,
}

impl Place<'_> {
    /// How `tenant`, called `label` in this run, is started.
    pub(crate) fn plan(&self, tenant: &Tenant, label: &str) -> Plan {
        start(self, tenant, label)
    }
}

fn start(place: &Place<'_>, tenant: &Tenant, label: &str) -> Plan {
    let platform = place.platform;
    let mut script = Script {
        namespaces: namespaces(platform, place.settings),
        root: root_way(platform)
            .map(|way| Root { at: place.folder.join(format!("{label}{ROOT_ENDING}")), way }),
        confined: platform == Platform::Container,
        user: has_users(platform, place.settings).then(own_ids),
        oom_score_adj: oom_score_adj(&tenant.memory),
        nice: nice::applied(tenant.cpu.nice),
        ..Script::default()
    };
    if script.namespaces.contains(&Namespace::Uts) {
        script.host_name = Some(tenant.name.clone());
    }
    if !has_limits(platform) {
        return Plan { groups: place.cgroup.counted(label), script, limits: Limits::default() };
    }
    let limits = limits(tenant, place.cpus);
    let groups = place.cgroup.limited(label, &limits);
    if runtime::is_used(platform) || engine::is_used(platform) {
        // The runtime makes the groups, and puts the process into them.
        return Plan { groups, script, limits };
    }
    script.limits.clone_from(&groups.make);
    script.born_in.clone_from(&groups.born_in);
    // A process that enters the groups of version 1 by itself, before it has threads, waits for nobody. The platform
    // `cgroups` is entered as people do it, by number and from outside.
    if platform == Platform::Container && place.cgroup.version() == 1 {
        let entered = groups.enter.iter().filter_map(|step| match step {
            Step::Enter(group) => Some(group.clone()),
            _ => None,
        });
        script.enter.extend(entered);
    } else {
        script.join.clone_from(&groups.enter);
    }
    Plan { groups, script, limits }
}

/// Numbers of our own user and group.
pub(crate) fn own_ids() -> (u32, u32) {
    (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
}

/// The plan's bounds in the kernel's units; `cpus` are the machine's numbers of the scenario's cores.
fn limits(tenant: &Tenant, cpus: &[u32]) -> Limits {
    let cpu = &tenant.cpu;
    let set = cpu.set.as_ref();
    let (io, io_weight) = disk::limits(&tenant.io);
    Limits {
        shares: cpu.request.map(|_| weight::kernel_weight(cpu)),
        weight: cpu.request.map(|request| weight_v2(cpu, weight::shares(request))),
        cpus: set.map(|set| set.iter().filter_map(|&core| cpus.get(core as usize).copied()).collect()),
        memory: memory_limits(&tenant.memory),
        pids: tenant.pids_limit,
        io,
        io_weight,
        ..quota(cpu)
    }
}

/// What bounds the CPU time of a tenant, and nothing else.
pub(crate) fn quota(cpu: &plan::Cpu) -> Limits {
    Limits {
        quota_us: cpu.limit.map(|limit| weight::quota_us(limit, cpu.period)),
        period_us: cpu.period.0 / 1000,
        burst_us: cpu.burst.0 / 1000,
        ..Limits::default()
    }
}

/// What bounds its memory, where that is set anew.
pub(crate) fn memory_bound(memory: &Memory) -> Limits {
    let bounds = memory_limits(memory);
    let memory = MemoryLimits { max: bounds.max, swap: bounds.swap, ..MemoryLimits::default() };
    Limits { memory, ..Limits::default() }
}

/// The plan's bounds of memory.
fn memory_limits(memory: &Memory) -> MemoryLimits {
    let bytes = |bytes: Option<catamaran_scenario::Bytes>| bytes.map(|bytes| bytes.0);
    MemoryLimits {
        max: bytes(memory.limit),
        high: bytes(memory.high),
        swap: bytes(memory.swap),
        oom_group: memory.oom_group,
    }
}

/// What is written to the tenant's `oom_score_adj`: no lower than this process may.
fn oom_score_adj(memory: &Memory) -> Option<i32> {
    (memory.oom_score_adj != 0).then(|| memory.oom_score_adj.max(machine::least_oom_score_adj()))
}

/// `cpu.weight`; for shares themselves the one that the kernel turns into the nearest number of shares.
fn weight_v2(cpu: &plan::Cpu, shares: u64) -> u64 {
    match cpu.weight {
        WeightRule::V1 => weight::weight_of(shares),
        WeightRule::V2Old => weight::weight_old(shares),
        WeightRule::V2New => weight::weight_new(shares),
    }
}

/// Why a rootless container may have no limits.
pub(crate) const NO_GROUPS: &str = "rootless, and this user was given no control group";

/// Reasons why limits of this tenant are not applied, by field; empty where they all are. `version` is that of the control
/// groups.
pub(crate) fn not_applied(platform: Platform, version: u8, tenant: &Tenant) -> Vec<(&'static str, String)> {
    let (cpu, memory) = (&tenant.cpu, &tenant.memory);
    let mut absent = memory_not_applied(version, memory);
    absent.extend(nice::not_applied(cpu.nice).map(|why| ("cpu.nice", why)));
    let io = &tenant.io;
    if has_limits(platform) && version != 0 {
        absent.extend(io.weight.and_then(disk::weight_not_applied).map(|why| ("io.weight", why)));
        return absent;
    }
    let table = [
        ("cpu.request", cpu.request.is_some(), "weights"),
        ("cpu.limit", cpu.limit.is_some(), "limits"),
        ("cpu.burst", cpu.burst.0 > 0, "limits"),
        ("cpu.set", cpu.set.is_some(), "CPU sets"),
        ("pids.limit", tenant.pids_limit.is_some(), "limits"),
        ("io.weight", io.weight.is_some(), "weights"),
        ("io.read", io.read.is_some(), "limits"),
        ("io.write", io.write.is_some(), "limits"),
        ("io.iops", io.iops.is_some(), "limits"),
        ("memory.limit", memory.limit.is_some(), "limits"),
        ("memory.high", memory.high.is_some(), "limits"),
        ("memory.swap", memory.swap.is_some(), "limits"),
        ("memory.oom_group", memory.oom_group, "limits"),
    ];
    let set = table.into_iter().filter(|(_, set, _)| *set);
    let reason = |what| match version {
        0 => format!("{NO_GROUPS}: no {what} apply"),
        _ => format!("{platform} applies no {what}"),
    };
    absent.extend(set.map(|(field, _, what)| (field, reason(what))));
    absent
}

/// What this version of control groups, or this process, cannot do to a tenant's memory on any platform.
fn memory_not_applied(version: u8, memory: &Memory) -> Vec<(&'static str, String)> {
    let first = version == 1;
    let swap_alone = first && memory.swap.is_some() && memory.limit.is_none();
    let table = [
        ("memory.high", first && memory.high.is_some(), "cgroup v1 has no memory.high"),
        ("memory.swap", swap_alone, "cgroup v1 bounds swap only together with memory.limit"),
        ("memory.oom_group", first && memory.oom_group, "cgroup v1 has no memory.oom.group"),
    ];
    let set = table.into_iter().filter(|(_, set, _)| *set);
    let mut absent: Vec<_> = set.map(|(field, _, why)| (field, why.to_owned())).collect();
    if let Some(applied) = oom_score_adj(memory).filter(|applied| *applied != memory.oom_score_adj) {
        let why = format!("without CAP_SYS_RESOURCE it may not be lowered: {applied} was applied");
        tracing::warn!(wanted = memory.oom_score_adj, applied, "oom_score_adj: {why}");
        absent.push(("memory.oom_score_adj", why));
    }
    absent
}
