//! Another setting that would do, where the first one takes from somebody or costs something.
//!
//! **Law.** In place of a larger quota, what is left of it in quiet periods: `cpu.max.burst` carries at most one quota over
//! (Documentation/scheduler/sched-bwc.rst, "Burst"). Whoever left a whole one, until it was stopped for the last time, now and
//! then needs more than a quota and mostly less; what overran one period and was paid back in the next is not left.
//! In place of taking cores or memory from a neighbour, a node where nobody is: nodes share nothing.

use catamaran_scenario::plan::Action;
use catamaran_scenario::weight::quota;

use super::setting::{Advice, Change, of};
use super::{Facts, Kill, Run};
use crate::timeline::Period;

pub(super) fn otherwise(run: &Run<'_>, tenant: usize, facts: &Facts, advice: &Advice) -> Option<Advice> {
    let label = run.row(tenant)?.label();
    // Whoever filled the memory itself takes that along.
    let itself = matches!(facts, Facts::Kill(Kill::Memory { by, .. }) if *by == label);
    saved_quota(run, tenant, advice).or_else(|| if itself { None } else { empty_node(run, tenant, advice) })
}

fn saved_quota(run: &Run<'_>, tenant: usize, advice: &Advice) -> Option<Advice> {
    let planned = run.planned(tenant)?;
    let quota = quota(planned.cpu.limit?, planned.cpu.period);
    let of_tenant = run.timeline.periods.iter().filter(|period| period.tenant as usize == tenant);
    let periods: Vec<&Period> = of_tenant.collect();
    let last = periods.iter().rposition(|period| period.throttled)?;
    let sum = |ns: fn(&Period) -> u64| periods.iter().take(last + 1).map(|period| ns(period)).sum::<u64>();
    let left = sum(|period| period.quota_ns).saturating_sub(sum(|period| period.used_ns));
    let stops = advice.path == of(planned, "cpu.limit") && advice.change == Change::Raise;
    if stops && left >= quota.0 && planned.cpu.burst < quota {
        Advice::set(of(planned, "cpu.burst"), &quota.to_string())
    } else {
        None
    }
}

fn empty_node(run: &Run<'_>, tenant: usize, advice: &Advice) -> Option<Advice> {
    let planned = run.planned(tenant)?;
    let own = of(planned, "");
    let of_neighbour = advice.path.starts_with("tenant.") && !advice.path.starts_with(&own);
    let shared = of_neighbour || matches!(advice.path.as_str(), "host.cores" | "host.memory");
    let node = (0..run.plan.host().nodes).find(|node| is_free(run, *node))?;
    if shared && !run.neighbours(tenant).is_empty() {
        Advice::set(of(planned, "node"), &node.to_string())
    } else {
        None
    }
}

/// Whether nobody is on a node, and it stays.
fn is_free(run: &Run<'_>, node: u32) -> bool {
    let fails = |action: &Action| matches!(action, Action::FailNode { target } if *target == node);
    run.plan.tenants().iter().all(|tenant| tenant.node != node)
        && !run.plan.events().iter().any(|event| fails(&event.action))
}
