//! What moves between nodes takes.

use super::{Action, Event, Plan, Platform, RunError, disk, platform, refusal};

/// Replicas times nodes, where each replica may come to be on each node.
const PLACES_MOST: u64 = 10_000;

/// Whether guests move between nodes.
pub(super) fn moves(plan: &Plan) -> bool {
    let moves = |event: &Event| matches!(event.action, Action::Migrate { .. } | Action::Drain { .. });
    plan.events().iter().any(moves)
}

/// A drain takes other nodes, and of guests what their migration takes.
pub(super) fn drain(plan: &Plan, platform: Platform, at: &str) -> Result<(), RunError> {
    let refuse = |what: &str, advice: &str| Err(refusal("event.do".into(), format!("{what} {at}"), advice));
    let nodes = u64::from(plan.host().nodes);
    if nodes < 2 {
        return refuse("a drain without another node", "raise host.nodes");
    }
    if plan.instances().count() as u64 * nodes > PLACES_MOST {
        let what = format!("a drain with more than {PLACES_MOST} places (replicas times nodes)");
        return refuse(&what, "use fewer nodes or replicas");
    }
    if plan.events().iter().any(|event| matches!(event.action, Action::Scale { .. })) {
        return refuse("drain and scale in one scenario", "leave one of them out");
    }
    if !platform::can_migrate(platform) {
        return Ok(());
    }
    plan.tenants().iter().try_for_each(|tenant| migration(plan, platform, &tenant.name, at))
}

/// Live migration takes a guest that can be moved, all that it has to be in its memory, and a link whose speed is known.
pub(super) fn migration(plan: &Plan, platform: Platform, target: &str, at: &str) -> Result<(), RunError> {
    let refuse = |what: &str, advice: &str| Err(refusal("event.do".into(), format!("{what} {at}"), advice));
    if !platform::has_guests(platform) {
        let what = "migrate where there are no guests: a process can't be moved";
        return refuse(what, "use update, which stops each replica and starts a new one");
    }
    if !platform::can_migrate(platform) {
        let what = "migrate on this platform, whose monitor can't move a guest that runs";
        return refuse(what, "use the platform vm");
    }
    let scales =
        |event: &Event| matches!(&event.action, Action::Scale { target: other, .. } if other == target);
    if plan.events().iter().any(scales) {
        return refuse("migrate and scale of one tenant", "leave one of them out");
    }
    let tenant = plan.tenants().iter().find(|tenant| tenant.name == target);
    if tenant.is_some_and(|tenant| disk::operates(&tenant.workload)) {
        return refuse("migrate of a tenant with a file", "take another workload");
    }
    if plan.host().swap.0 > 0 {
        return refuse(
            "migrate with swap, as guests that are swapped out are not modelled",
            "leave out host.swap",
        );
    }
    match plan.host().network.as_ref().and_then(|network| network.bandwidth) {
        Some(_) => Ok(()),
        None => Err(refusal(
            "host.network.bandwidth".into(),
            format!("a migration {at} over a link of unknown speed"),
            "give it, as in network = { bandwidth = \"1Gbit/s\" }",
        )),
    }
}
