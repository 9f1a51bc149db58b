//! Why was this tenant killed?
//!
//! **Law.** The report's events say who was killed because of what. Of a full bound they say whose it is and who asked for
//! more; who held how much then is the last sample before.

use crate::report::{EventRow, Report};

use super::setting::{self, Advice};
use super::{Facts, Found, Run};

/// What a tenant was killed for.
#[derive(Debug, Clone, PartialEq)]
pub enum Kill {
    /// For memory.
    Memory {
        /// When (s).
        at_s: f64,
        /// Whose bound was full: a tenant, or `host` or a node.
        bound: String,
        /// Whether that is the tenant's own limit.
        own: bool,
        /// Who asked for more.
        by: String,
        /// Who was charged how much at the last sample before (bytes), the most first.
        held: Vec<(String, f64)>,
    },
    /// By an event of the scenario, or with its node.
    Event {
        /// When (s).
        at_s: f64,
        /// The event, as in the scenario: `kill`, `fail-node`.
        event: String,
    },
    /// Its connection was reset, or nobody listened.
    Peer {
        /// When (s).
        at_s: f64,
        /// Who was gone, and what ended it, where an event tells.
        gone: Option<(String, String)>,
    },
}

pub(super) fn explain(run: &Run<'_>, tenant: usize) -> Option<Found> {
    let (row, planned) = (run.row(tenant)?, run.planned(tenant)?);
    let label = row.label();
    let is_end = |event: &&EventRow| {
        event.target == label
            && matches!(event.what.as_str(), "oom-kill" | "killed" | "lost" | "reset" | "refused")
    };
    let end = run.report.events.iter().rfind(is_end)?;
    let cause = end.because.and_then(|because| run.report.events.get(because as usize));
    if matches!(end.what.as_str(), "reset" | "refused") {
        let gone = cause.map(|cause| (cause.target.clone(), cause.what.clone()));
        let advice = Advice::set(setting::of(planned, "restart"), "on-failure");
        return Some((Facts::Kill(Kill::Peer { at_s: end.at_s, gone }), advice));
    }
    let cause = cause?;
    if end.what != "oom-kill" {
        let advice = match end.what.as_str() {
            "killed" => Advice::set(setting::of(planned, "restart"), "on-failure"),
            _ => another_node(run, tenant),
        };
        return Some((Facts::Kill(Kill::Event { at_s: end.at_s, event: cause.what.clone() }), advice));
    }
    let own = cause.target == label;
    let kill = Kill::Memory {
        at_s: end.at_s,
        bound: cause.target.clone(),
        own,
        by: cause.actor.clone(),
        held: if own { Vec::new() } else { held(run, tenant, end.at_s) },
    };
    let by = run.report.tenants.iter().position(|row| row.label() == cause.actor);
    let limitable = by.filter(|by| *by != tenant && setting::has_limits(run.report.platform));
    let advice = match (own, limitable.and_then(|by| run.planned(by))) {
        (true, _) => Advice::raise(setting::of(planned, "memory.limit")),
        (false, Some(by)) => Advice::lower(setting::of(by, "memory.limit")),
        (false, None) => Advice::raise("host.memory".into()),
    };
    Some((Facts::Kill(kill), advice))
}

/// Who is charged how much at the last sample before `at_s`, of those on the same node.
fn held(run: &Run<'_>, tenant: usize, at_s: f64) -> Vec<(String, f64)> {
    let Report { samples: Some(samples), tenants, .. } = run.report else { return Vec::new() };
    let near: Vec<String> = [run.neighbours(tenant), vec![tenant]]
        .concat()
        .into_iter()
        .filter_map(|index| tenants.get(index))
        .map(crate::report::TenantReport::label)
        .collect();
    // Value i is that at the end of interval i.
    let before = (at_s / samples.interval_s) as usize;
    let of_memory =
        samples.series.iter().filter(|series| series.metric == "memory" && near.contains(&series.tenant));
    let last = of_memory
        .filter_map(|series| Some((series.tenant.clone(), *series.values.get(before.checked_sub(1)?)?)));
    let mut held: Vec<(String, f64)> = last.filter(|(_, bytes)| *bytes > 0.0).collect();
    held.sort_by(|one, other| other.1.total_cmp(&one.1));
    held
}

/// A node that does not fail.
fn another_node(run: &Run<'_>, tenant: usize) -> Option<Advice> {
    let planned = run.planned(tenant)?;
    let failed = |node: &u32| {
        run.plan.events().iter().any(|event| {
            matches!(event.action, catamaran_scenario::plan::Action::FailNode { target } if target == *node)
        })
    };
    let node = (0..run.plan.host().nodes).find(|node| !failed(node))?;
    Advice::set(setting::of(planned, "node"), &node.to_string())
}
