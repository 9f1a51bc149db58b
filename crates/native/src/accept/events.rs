//! Events and restarts that are not carried out, or not on every platform (decision 1381).

use catamaran_report::RunError;
use catamaran_scenario::file_work::layers_of;
use catamaran_scenario::plan::{Action, Event, Plan, Restart, Tenant};
use catamaran_scenario::{Platform, network_work};

use super::refuse;

/// Refuses what would have to be ignored.
pub(super) fn check(plan: &Plan, platform: Platform) -> Result<(), RunError> {
    for (index, tenant) in plan.tenants().iter().enumerate().filter(|(_, one)| one.restart != Restart::Never)
    {
        let (what, advice) = next_life(plan, index, tenant, platform);
        refuse(what.is_some(), &format!("tenant.{}.restart", tenant.name), what.unwrap_or_default(), advice)?;
    }
    plan.events().iter().try_for_each(|event| check_event(plan, event, platform))
}

fn check_event(plan: &Plan, event: &Event, platform: Platform) -> Result<(), RunError> {
    let (at, word) = (event.at.seconds(), event.action.word());
    let of_nodes = match event.action {
        Action::Kill { .. } | Action::SetLimit { .. } | Action::Scale { .. } | Action::Update { .. } => None,
        Action::FailNode { .. } => Some("this machine's power is nobody's to cut"),
        Action::Drain { .. } | Action::Migrate { .. } => Some("there is no other node to go to"),
        _ => Some("there is no other node to be cut off from"),
    };
    if let Some(why) = of_nodes {
        let what = format!("{word} (at {at} s): {why}");
        return refuse(true, "event.do", &what, "leave it out, or simulate");
    }
    let in_guest =
        platform == Platform::Vm && matches!(event.action, Action::SetLimit { memory: Some(_), .. });
    let what = format!("memory limits of guests (at {at} s) yet");
    refuse(in_guest, "event.memory", &what, "set only cpu, or choose another platform")?;
    let target = plan.tenants().iter().enumerate().find(|(_, one)| Some(&*one.name) == event.action.tenant());
    let Some((index, tenant)) = target else { return Ok(()) };
    let replaces = match event.action {
        Action::Scale { replicas, .. } => replicas > tenant.replicas,
        Action::Update { .. } => true,
        _ => false,
    };
    let (what, advice) = next_life(plan, index, tenant, platform);
    let (what, wrong) = match (what, &event.action) {
        (Some(what), _) if replaces => (what, true),
        // Whoever is at the other end of a connection would be told that the run has failed.
        (_, Action::Kill { .. } | Action::Scale { .. }) => (TALKS, talks(plan, index, tenant)),
        _ => ("", false),
    };
    refuse(wrong, "event.do", &format!("{word} (at {at} s): {what}"), advice)
}

const TALKS: &str = "ends and next lives of tenants that talk over the network yet";

fn talks(plan: &Plan, index: usize, tenant: &Tenant) -> bool {
    network_work::talks(&tenant.workload) || network_work::serves(plan, index)
}

/// What of a tenant can't be started while the run goes on, and what to do instead.
fn next_life(
    plan: &Plan,
    index: usize,
    tenant: &Tenant,
    platform: Platform,
) -> (Option<&'static str>, &'static str) {
    let advice = "leave it out, or simulate";
    let in_guest = "guests that are booted while the run goes on yet";
    let table = [
        (platform == Platform::Vm, in_guest, "choose another platform, microvm among them, or simulate"),
        (talks(plan, index, tenant), TALKS, advice),
        (!layers_of(&tenant.workload).is_empty(), "files of layers in a next life yet", advice),
    ];
    let wrong = table.into_iter().find(|(wrong, ..)| *wrong);
    wrong.map_or((None, advice), |(_, what, advice)| (Some(what), advice))
}
