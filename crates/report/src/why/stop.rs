//! Why was it throttled, and why did it wait?
//!
//! **Law.** A tenant is throttled in a period in which it would use more than its quota. It waits while others, or its own
//! further threads, have the cores; kernels that count throttled time as waiting have it wait for its quota as well.

use super::setting;
use super::{Facts, Found, Run};

/// What a quota did.
#[derive(Debug, Clone, PartialEq)]
pub struct Throttled {
    /// Stopped, summed over cores (s).
    pub throttled_s: f64,
    /// Periods in which it was.
    pub periods: u64,
    /// Periods that the timeline has; 0 where it has none.
    pub of: usize,
    /// Quota of a period (ns), where the timeline has it.
    pub quota_ns: Option<u64>,
    /// The longest stop (ns), where the timeline has it.
    pub longest_ns: Option<u64>,
}

/// What a tenant waited for.
#[derive(Debug, Clone, PartialEq)]
pub struct Waited {
    /// Runnable but not running, summed over threads (s).
    pub waited_s: f64,
    /// CPU time that it had (s).
    pub cpu_s: f64,
    /// Stopped by its quota meanwhile (s); `None` where there is no quota.
    pub throttled_s: Option<f64>,
    /// Who had most CPU time beside it, and how much (s).
    pub others: Option<(String, f64)>,
}

pub(super) fn throttled(run: &Run<'_>, tenant: usize) -> Option<Found> {
    let row = run.row(tenant)?;
    let periods = || run.timeline.periods.iter().filter(|period| period.tenant as usize == tenant);
    let stops = run.timeline.throttles.iter().filter(|stop| stop.tenant as usize == tenant);
    let facts = Throttled {
        throttled_s: row.throttled_s?,
        periods: row.throttled_periods?,
        of: periods().count(),
        quota_ns: periods().next_back().map(|period| period.quota_ns),
        longest_ns: stops.map(|stop| stop.end_ns.saturating_sub(stop.start_ns)).max(),
    };
    Some((Facts::Throttled(facts), setting::more_quota(run, tenant)))
}

pub(super) fn waited(run: &Run<'_>, tenant: usize) -> Option<Found> {
    let row = run.row(tenant)?;
    let near = run.neighbours(tenant).into_iter();
    let others = near.filter_map(|other| Some((other, run.row(other)?.cpu_s?)));
    let busiest = others.filter(|(_, cpu_s)| *cpu_s > 0.0).max_by(|one, other| one.1.total_cmp(&other.1));
    let facts = Waited {
        waited_s: row.waited_s?,
        cpu_s: row.cpu_s?,
        throttled_s: row.throttled_s,
        others: busiest.and_then(|(other, cpu_s)| Some((run.row(other)?.label(), cpu_s))),
    };
    // In a guest the quota stops the virtual CPUs, and nobody waits in the guest for that.
    let counts = !setting::has_guest_kernels(run);
    let quota = facts.throttled_s.is_some_and(|throttled_s| counts && throttled_s > facts.waited_s / 2.0);
    let advice = match quota {
        true => setting::more_quota(run, tenant),
        // Whoever had less than oneself has nothing to give.
        false => {
            let more = busiest.filter(|(_, cpu_s)| *cpu_s > facts.cpu_s);
            setting::less_waiting(run, tenant, more.map(|(other, _)| other))
        }
    };
    Some((Facts::Waited(facts), advice))
}
