//! What a `fork` workload does, one process after the other: both backends follow this rule.
//!
//! **Law.** One thread of the tenant forks (open loop): fork k, counted from 0, is due k/rate after the phase begins, and what is
//! late is made up for. At most `max` children are there at once; a fork that is due beyond that waits until one was reaped. Each child
//! sleeps for `lifetime` and exits; the parent reaps its children in the order in which it made them, each as soon as it is dead and
//! all before it are reaped, and before it forks again. A fork that the kernel refuses fails at once and is not tried again. When the phase is
//! over its children that are still there are killed, and count neither as completed nor as failed. A latency runs from when a fork
//! was due to when its child was reaped: the lifetime is part of it.

use crate::Nanos;
use crate::plan::Workload;

/// Tasks of a tenant that forks, before it has forked: the thread that forks and the one that waits for it (`pids.max` counts threads).
pub const OWN_TASKS: u64 = 2;

/// The work of one `fork` workload or phase.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForkWork {
    /// Forks a second.
    pub rate: f64,
    /// How long each child sleeps (ns).
    pub lifetime_ns: u64,
    /// Most children at once; none for no bound.
    pub most: Option<u64>,
}

impl ForkWork {
    /// Of a workload; none where it does no such work itself.
    #[must_use]
    pub fn of(workload: &Workload) -> Option<Self> {
        let Workload::Fork { rate, lifetime, max } = workload else { return None };
        Some(Self { rate: *rate, lifetime_ns: lifetime.0, most: *max })
    }

    /// Of a workload and its phases, in order.
    pub fn all(workload: &Workload) -> impl Iterator<Item = Self> + '_ {
        workload.and_its_phases().filter_map(Self::of)
    }

    /// When fork `number` is due (ns from the beginning of its phase); not a sum of rounded gaps, so that it does not drift.
    #[must_use]
    pub fn due_ns(&self, number: u64) -> u64 {
        (number as f64 * 1e9 / self.rate) as u64
    }

    /// Forks that are due before `span_ns` have passed.
    #[must_use]
    pub fn due_within(&self, span_ns: u64) -> u64 {
        let mut count = (span_ns as f64 * self.rate / 1e9) as u64;
        // Rounding may be off by one either way.
        while count > 0 && self.due_ns(count - 1) >= span_ns {
            count -= 1;
        }
        while self.due_ns(count) < span_ns {
            count += 1;
        }
        count
    }

    /// Children that there are at once within `span` where nothing makes them late (Little's law), under a `pids.max` of `limit`.
    #[must_use]
    pub fn at_once(&self, span: Nanos, limit: Option<u64>) -> u64 {
        let all = self.due_within(span.0.min(self.lifetime_ns)).max(1);
        let bound = self.most.unwrap_or(u64::MAX);
        all.min(bound).min(limit.map_or(u64::MAX, |limit| limit.saturating_sub(OWN_TASKS)))
    }
}

/// Whether a workload forks, in a phase or as what stands for a program in `like`.
#[must_use]
pub fn forks(workload: &Workload) -> bool {
    match workload {
        Workload::Command { like: Some(like), .. } => forks(like),
        other => ForkWork::all(other).next().is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(rate: f64, max: Option<u64>) -> ForkWork {
        ForkWork::of(&Workload::Fork { rate, lifetime: Nanos(2_000_000_000), max }).unwrap()
    }

    #[test]
    fn forks_are_due_at_regular_times() {
        let thirds = work(3.0, None);
        assert_eq!([0, 1, 2, 3].map(|k| thirds.due_ns(k)), [0, 333_333_333, 666_666_666, 1_000_000_000]);
        for (rate, span, due) in [(3.0, 1_000_000_000, 3), (3.0, 1_000_000_001, 4), (50.0, 0, 0), (0.5, 1, 1)]
        {
            assert_eq!(work(rate, None).due_within(span), due, "{rate}/s within {span} ns");
        }
    }

    #[test]
    fn children_are_bounded_by_max_by_the_limit_and_by_their_lifetime() {
        let span = Nanos(5_000_000_000);
        for (max, limit, most) in
            [(None, None, 200), (Some(30), None, 30), (Some(30), Some(12), 10), (None, Some(1), 0)]
        {
            assert_eq!(work(100.0, max).at_once(span, limit), most, "{max:?} {limit:?}");
        }
    }

    #[test]
    fn phases_and_what_stands_for_a_program_are_looked_into() {
        let text = r#"
            schema = "catamaran/scenario/v1"
            name = "bomb"
            duration = "5s"
            platforms = ["bare-metal"]
            [[tenant]]
            name = "a"
            workload = { phases = [{ kind = "idle", for = "1s" }, { kind = "fork", rate = "5/s", lifetime = "1s", for = "1s" }] }
            [[tenant]]
            name = "b"
            workload = { kind = "command", argv = ["x"], like = { kind = "fork", rate = "5/s", lifetime = "1s" } }
            [[tenant]]
            name = "c"
            workload = { kind = "idle" }
        "#;
        let plan = crate::Plan::from_toml(text, "x.toml").unwrap();
        let forking: Vec<bool> = plan.tenants().iter().map(|tenant| forks(&tenant.workload)).collect();
        assert_eq!(forking, [true, true, false]);
    }
}
