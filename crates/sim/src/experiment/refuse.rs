//! What the simulator can't carry out yet is refused by name, never ignored.

use catamaran_report::RunError;
use catamaran_scenario::plan::{Action, Guest, Workload};
use catamaran_scenario::{Calibration, Plan, Platform};

use super::memory;
use crate::platform;

pub(super) fn refusal(field: String, what: impl Into<String>, advice: impl Into<String>) -> RunError {
    RunError::Unsupported { field, backend: "simulated", what: what.into(), advice: advice.into() }
}

/// Platforms that [`platform::rule`] knows, for the advice.
fn known_platforms() -> String {
    let known = Platform::ALL.iter().filter(|platform| platform::rule(**platform).is_some());
    known.map(|platform| platform.name()).collect::<Vec<_>>().join(", ")
}

pub(super) fn unsupported(
    plan: &Plan,
    platform: Platform,
    calibration: &Calibration,
) -> Result<(), RunError> {
    what_is_not_carried_out(plan, platform, calibration)?;
    plan.events().iter().try_for_each(|one| event(one, platform))?;
    match platform {
        Platform::Vm => plan.tenants().iter().try_for_each(memory_in_guest),
        _ => Ok(()),
    }
}

/// The same, whatever tenants do with memory.
pub(super) fn what_is_not_carried_out(
    plan: &Plan,
    platform: Platform,
    calibration: &Calibration,
) -> Result<(), RunError> {
    if platform::rule(platform).is_none() {
        let advice = format!("choose one of: {}", known_platforms());
        return Err(refusal("platforms".into(), format!("the platform {platform} yet"), advice));
    }
    if plan.host().disk.is_some() || plan.host().network.is_some() {
        let field = if plan.host().disk.is_some() { "host.disk" } else { "host.network" };
        return Err(refusal(field.into(), "disk and network yet", "remove the field"));
    }
    settings(plan, platform)?;
    if platform == Platform::Vm {
        guests(plan, platform, calibration)?;
    }
    plan.tenants().iter().try_for_each(|one| tenant(one, platform))
}

/// Events that take more than one machine, or more than is modelled of it.
fn event(event: &catamaran_scenario::plan::Event, platform: Platform) -> Result<(), RunError> {
    let at = format!("(at {} s)", event.at.seconds());
    let refuse = |field: &str, what: &str, advice: &str| {
        Err(refusal(format!("event.{field}"), format!("{what} {at}"), advice))
    };
    match &event.action {
        Action::Drain { .. } => refuse(
            "do",
            "a drain, as nobody places tenants yet",
            "use scale, or fail-node to see what is lost",
        ),
        Action::Migrate { .. } if platform == Platform::Vm => {
            refuse("do", "live migration yet", "use update, which stops each replica and starts a new one")
        }
        Action::Migrate { .. } => refuse(
            "do",
            "migrate where there are no guests: a process can't be moved",
            "use update, which stops each replica and starts a new one",
        ),
        Action::Partition { .. } => refuse(
            "do",
            "a partition, as there is no network between nodes yet",
            "remove it: nodes share nothing here, so that no tenant would notice",
        ),
        Action::SetLimit { memory: Some(_), .. } if platform == Platform::Vm => {
            refuse("memory", "memory limits of guests yet", "set only cpu, or choose another platform")
        }
        _ => Ok(()),
    }
}

/// Settings that mean nothing to the platforms that are carried out so far.
fn settings(plan: &Plan, platform: Platform) -> Result<(), RunError> {
    let settings = plan.settings(platform);
    let has_guests = platform == Platform::Vm;
    let asked = [
        ("runtime", settings.runtime.is_some()),
        ("rootless", settings.rootless == Some(true) && platform != Platform::Container),
        ("autogroup", settings.autogroup.is_some()),
        ("vcpus", settings.vcpus.is_some() && !has_guests),
        ("memory", settings.memory.is_some() && !has_guests),
        ("guest", settings.guest.is_some() && !has_guests),
        ("accel", settings.accel.is_some() && !has_guests),
        ("type", settings.hypervisor_type.is_some() && !has_guests),
        ("compat", settings.compat.is_some()),
        ("unshare", settings.unshare.is_some() && platform != Platform::Namespaces),
    ];
    match asked.iter().find(|(_, asked)| *asked) {
        Some((name, _)) => {
            Err(refusal(format!("platform.{platform}.{name}"), "this setting yet", "remove the field"))
        }
        None => Ok(()),
    }
}

/// Guests that the model knows nothing of.
fn guests(plan: &Plan, platform: Platform, calibration: &Calibration) -> Result<(), RunError> {
    let settings = plan.settings(platform);
    let field = |name: &str| format!("platform.{platform}.{name}");
    if settings.guest == Some(Guest::Bare) {
        return Err(refusal(field("guest"), "guests without a kernel yet", "use guest = \"linux\""));
    }
    if settings.hypervisor_type == Some(2) {
        let advice = "remove the field: the model is of KVM, whose monitor is part of the kernel";
        return Err(refusal(field("type"), "a hypervisor on top of an operating system yet", advice));
    }
    let least = platform::vm::MEMORY_LEAST;
    if settings.memory.is_some_and(|memory| memory.0 < least) {
        let advice = format!("give each guest at least {} MiB", least >> 20);
        return Err(refusal(field("memory"), "guests so small: no published figure covers them", advice));
    }
    if platform::vm::guest(plan, platform, calibration).is_none() {
        let advice =
            "measure this machine with `catamaran calibrate` (table vm of host.toml), or use accel = \"kvm\"";
        return Err(refusal(field("accel"), "emulation (tcg) whose slow-down was not measured", advice));
    }
    Ok(())
}

/// A guest's memory is its own, and not modelled.
fn memory_in_guest(tenant: &catamaran_scenario::plan::Tenant) -> Result<(), RunError> {
    let field = |rest: &str| format!("tenant.{}.{rest}", tenant.name);
    let memory = &tenant.memory;
    let asked = [
        ("memory.limit", memory.limit.is_some()),
        ("memory.high", memory.high.is_some()),
        ("memory.swap", memory.swap.is_some()),
        ("memory.oom_group", memory.oom_group),
        ("memory.oom_score_adj", memory.oom_score_adj != 0),
        ("workload", memory::touches(&tenant.workload)),
    ];
    match asked.iter().find(|(_, asked)| *asked) {
        Some((name, _)) => {
            Err(refusal(field(name), "memory inside of guests yet", "choose another platform"))
        }
        None => Ok(()),
    }
}

fn tenant(tenant: &catamaran_scenario::plan::Tenant, platform: Platform) -> Result<(), RunError> {
    let field = |rest: &str| format!("tenant.{}.{rest}", tenant.name);
    let asked = [
        ("image", tenant.image.is_some(), "images"),
        ("pids.limit", tenant.pids_limit.is_some() && platform == Platform::Vm, "process limits in guests"),
        ("ports", !tenant.ports.is_empty(), "ports"),
        ("needs", !tenant.needs.is_empty(), "library versions"),
        ("io", tenant.io.weight.is_some() || tenant.io.iops.is_some(), "disk shares"),
        ("io", tenant.io.read.is_some() || tenant.io.write.is_some(), "disk shares"),
    ];
    if let Some((name, _, what)) = asked.iter().find(|(_, asked, _)| *asked) {
        return Err(refusal(field(name), format!("{what} yet"), "remove the field"));
    }
    let needed = processes(&tenant.workload);
    let limit = tenant.pids_limit.filter(|_| platform::has_limits(platform));
    if let Some(limit) = limit.filter(|limit| *limit < needed) {
        let what = format!("fewer processes and threads ({limit}) than the {needed} of the workload");
        return Err(refusal(field("pids.limit"), what, format!("raise it to {needed}")));
    }
    workload(&tenant.workload, &field("workload"))
}

/// Processes and threads of a workload: its threads, and the one that waits for them.
fn processes(workload: &Workload) -> u64 {
    match workload {
        Workload::Compute { threads, .. } => 1 + u64::from(*threads),
        Workload::Server(server) => 1 + u64::from(server.threads),
        Workload::Phases(phases) => phases.iter().map(|phase| processes(&phase.workload)).max().unwrap_or(2),
        _ => 2,
    }
}

fn workload(workload: &Workload, field: &str) -> Result<(), RunError> {
    let kind = match workload {
        Workload::Compute { .. } | Workload::Server(_) | Workload::Memory { .. } | Workload::Idle => {
            return Ok(());
        }
        Workload::Phases(phases) => {
            return phases.iter().enumerate().try_for_each(|(index, phase)| {
                let field = format!("{field}.phases[{index}]");
                self::workload(&phase.workload, &field)
            });
        }
        Workload::Disk { .. } => "disk",
        Workload::Network { .. } => "network",
        Workload::Fork { .. } => "fork",
        Workload::Command { like: Some(like), .. } => return self::workload(like, &format!("{field}.like")),
        Workload::Command { .. } => "command",
        _ => "unknown",
    };
    let advice = "use compute, server, memory, idle or phases of these, or say what it is like";
    Err(refusal(format!("{field}.kind"), format!("workload {kind:?} yet"), advice))
}
