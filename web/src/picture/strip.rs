//! The stopwatch of a quota: in each period the CPU time used rises until the quota is gone, then the tenant stands still.

use super::Recording;

/// One period of a limited tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// From (ns).
    pub start_ns: u64,
    /// To (ns).
    pub end_ns: u64,
    /// Quota (ns of CPU time).
    pub quota_ns: u64,
    /// CPU time used in it (ns).
    pub used_ns: u64,
    /// (instant, CPU time used in the period until then), both ns; from the period's start to its end.
    pub rise: Vec<(u64, u64)>,
    /// The parts (ns) in which the tenant stood still because of its quota.
    pub stops: Vec<(u64, u64)>,
}

impl Stretch {
    /// CPU time (ns) on the cores until the period's end, as far as the recording goes.
    #[must_use]
    pub fn used_by_end(&self) -> u64 {
        self.rise.last().map_or(0, |point| point.1)
    }

    /// How long it was stopped (ns).
    #[must_use]
    pub fn stopped_ns(&self) -> u64 {
        self.stops.iter().map(|(start_ns, end_ns)| end_ns - start_ns).sum()
    }
}

/// The periods of `tenant` that touch `[from_ns, to_ns)`.
#[must_use]
pub fn stretches(recording: &Recording, tenant: u32, from_ns: u64, to_ns: u64) -> Vec<Stretch> {
    let touching =
        recording.periods(tenant).filter(|(period, end_ns)| period.start_ns < to_ns && *end_ns > from_ns);
    touching
        .map(|(period, end_ns)| Stretch {
            start_ns: period.start_ns,
            end_ns,
            quota_ns: period.quota_ns,
            used_ns: period.used_ns,
            rise: rise(recording, tenant, period.start_ns, end_ns),
            stops: recording.standstills(tenant, period.start_ns, end_ns),
        })
        .collect()
}

/// CPU time of a tenant over all cores, added up from `from_ns` to `to_ns`.
fn rise(recording: &Recording, tenant: u32, from_ns: u64, to_ns: u64) -> Vec<(u64, u64)> {
    let mut moves: Vec<(u64, i64)> = Vec::new();
    for core in 0..recording.cores.len() {
        for run in recording.runs(core, from_ns, to_ns).iter().filter(|run| run.tenant == tenant) {
            moves.push((run.start_ns.max(from_ns), 1));
            moves.push((run.end_ns.min(to_ns), -1));
        }
    }
    moves.sort_unstable();
    let mut points = vec![(from_ns, 0)];
    let (mut at_ns, mut used_ns, mut running) = (from_ns, 0_u64, 0_i64);
    for (next_ns, change) in moves.into_iter().chain(std::iter::once((to_ns, 0))) {
        used_ns += (next_ns - at_ns) * running.max(0) as u64;
        if next_ns > at_ns {
            points.push((next_ns, used_ns));
        }
        at_ns = next_ns;
        running += change;
    }
    points
}

#[cfg(test)]
mod tests {
    use catamaran_report::timeline::{Period, Throttle, Timeline};

    use super::*;
    use crate::picture::tests_support::{report, slice};

    fn limited() -> Recording {
        let period = |start_ns, used_ns| Period {
            tenant: 0,
            start_ns,
            quota_ns: 40,
            used_ns,
            throttled: used_ns >= 40,
        };
        let timeline = Timeline {
            cores: 2,
            slices: vec![
                slice(0, 0, 0, 30),
                slice(1, 0, 10, 20),
                slice(0, 1, 30, 200),
                slice(1, 0, 110, 120),
            ],
            throttles: vec![Throttle { tenant: 0, start_ns: 30, end_ns: 100 }],
            periods: vec![period(0, 40), period(100, 10)],
            ..Timeline::default()
        };
        let mut report = report();
        report.elapsed_s = 200e-9;
        Recording::new(report, timeline)
    }

    #[test]
    fn the_quota_is_used_by_all_cores_together() {
        let found = stretches(&limited(), 0, 0, 100);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].rise, [(0, 0), (10, 10), (20, 30), (30, 40), (100, 40)]);
        assert_eq!(found[0].stops, [(30, 100)]);
        assert_eq!(found[0].stopped_ns(), 70);
    }

    #[test]
    fn a_period_ends_where_the_next_begins_and_the_last_with_the_run() {
        let spans: Vec<_> =
            stretches(&limited(), 0, 0, 200).iter().map(|s| (s.start_ns, s.end_ns, s.used_ns)).collect();
        assert_eq!(spans, [(0, 100, 40), (100, 200, 10)]);
        assert!(stretches(&limited(), 1, 0, 200).is_empty(), "batch has no quota");
    }
}
