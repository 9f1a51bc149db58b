//! What the simulator can't carry out yet is refused by name, never ignored.

use catamaran_report::RunError;
use catamaran_scenario::plan::{Restart, Workload};
use catamaran_scenario::{Plan, Platform};

use crate::platform;

pub(super) fn refusal(field: String, what: impl Into<String>, advice: impl Into<String>) -> RunError {
    RunError::Unsupported { field, backend: "simulated", what: what.into(), advice: advice.into() }
}

/// Platforms that [`platform::rule`] knows, for the advice.
fn known_platforms() -> String {
    let known = Platform::ALL.iter().filter(|platform| platform::rule(**platform).is_some());
    known.map(|platform| platform.name()).collect::<Vec<_>>().join(", ")
}

pub(super) fn unsupported(plan: &Plan, platform: Platform) -> Result<(), RunError> {
    if platform::rule(platform).is_none() {
        let advice = format!("choose one of: {}", known_platforms());
        return Err(refusal("platforms".into(), format!("the platform {platform} yet"), advice));
    }
    if plan.host().nodes > 1 {
        return Err(refusal("host.nodes".into(), "more than one node yet", "set nodes = 1"));
    }
    if plan.host().disk.is_some() || plan.host().network.is_some() {
        let field = if plan.host().disk.is_some() { "host.disk" } else { "host.network" };
        return Err(refusal(field.into(), "disk and network yet", "remove the field"));
    }
    settings(plan, platform)?;
    if let Some(event) = plan.events().first() {
        let at = format!("{} s", event.at.seconds());
        return Err(refusal(
            "event".into(),
            format!("events yet (the first is at {at})"),
            "remove the events",
        ));
    }
    plan.tenants().iter().try_for_each(tenant)
}

/// Settings that mean nothing to the platforms that are carried out so far.
fn settings(plan: &Plan, platform: Platform) -> Result<(), RunError> {
    let settings = plan.settings(platform);
    let asked = [
        ("runtime", settings.runtime.is_some()),
        ("rootless", settings.rootless == Some(true)),
        ("autogroup", settings.autogroup.is_some()),
        ("vcpus", settings.vcpus.is_some()),
        ("memory", settings.memory.is_some()),
        ("guest", settings.guest.is_some()),
        ("accel", settings.accel.is_some()),
        ("type", settings.hypervisor_type.is_some()),
        ("compat", settings.compat.is_some()),
    ];
    match asked.iter().find(|(_, asked)| *asked) {
        Some((name, _)) => {
            Err(refusal(format!("platform.{platform}.{name}"), "this setting yet", "remove the field"))
        }
        None => Ok(()),
    }
}

fn tenant(tenant: &catamaran_scenario::plan::Tenant) -> Result<(), RunError> {
    let field = |rest: &str| format!("tenant.{}.{rest}", tenant.name);
    let asked = [
        ("image", tenant.image.is_some(), "images"),
        ("restart", tenant.restart != Restart::Never, "restarts"),
        ("node", tenant.node != 0, "more than one node"),
        ("pids.limit", tenant.pids_limit.is_some(), "limits on processes"),
        ("ports", !tenant.ports.is_empty(), "ports"),
        ("needs", !tenant.needs.is_empty(), "library versions"),
        ("io", tenant.io.weight.is_some() || tenant.io.iops.is_some(), "disk shares"),
        ("io", tenant.io.read.is_some() || tenant.io.write.is_some(), "disk shares"),
    ];
    if let Some((name, _, what)) = asked.iter().find(|(_, asked, _)| *asked) {
        return Err(refusal(field(name), format!("{what} yet"), "remove the field"));
    }
    workload(&tenant.workload, &field("workload"))
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
