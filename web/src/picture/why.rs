//! Why a request took as long as it did: the moments that made it so, from the recording.

use catamaran_report::timeline::Request;

use super::Recording;

/// A moment in the life of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It arrived; so many were under way before it.
    Arrived {
        /// Requests before it that were not answered yet.
        ahead: u32,
    },
    /// The tenant's quota was used up, or still is: it stands still from here.
    Stopped {
        /// CPU time used in the period (ns).
        used_ns: u64,
    },
    /// A new period began and the tenant could run again.
    Resumed,
    /// A thread took it up.
    TakenUp,
    /// It was answered.
    Answered {
        /// From arrival to answer (ns).
        latency_ns: u64,
        /// How much of that the tenant was stopped (ns).
        stopped_ns: u64,
    },
}

/// The moments of an answered request, by time, each with its instant (ns).
#[must_use]
pub fn moments(recording: &Recording, request: &Request) -> Vec<(u64, Moment)> {
    let (tenant, arrival_ns) = (request.tenant, request.arrival_ns);
    let Some(end_ns) = request.completed_ns else { return Vec::new() };
    let mut found = vec![(arrival_ns, Moment::Arrived { ahead: ahead(recording, request) })];
    let mut stopped_ns = 0;
    for (from_ns, until_ns) in recording.standstills(tenant, arrival_ns, end_ns) {
        stopped_ns += until_ns - from_ns;
        found.push((from_ns, Moment::Stopped { used_ns: used_in_period(recording, tenant, from_ns) }));
        if until_ns < end_ns {
            found.push((until_ns, Moment::Resumed));
        }
    }
    found.extend(request.started_ns.map(|at_ns| (at_ns, Moment::TakenUp)));
    found.push((end_ns, Moment::Answered { latency_ns: end_ns - arrival_ns, stopped_ns }));
    // A stable sort: what happens at one instant stays in the order above.
    found.sort_by_key(|(at_ns, _)| *at_ns);
    found
}

fn ahead(recording: &Recording, request: &Request) -> u32 {
    let before = recording.timeline.requests.iter().filter(|other| {
        let earlier = other.tenant == request.tenant && other.index < request.index;
        earlier && other.completed_ns.is_some_and(|at_ns| at_ns > request.arrival_ns)
    });
    before.count() as u32
}

fn used_in_period(recording: &Recording, tenant: u32, at_ns: u64) -> u64 {
    let period =
        recording.periods(tenant).find(|(period, end_ns)| (period.start_ns..*end_ns).contains(&at_ns));
    period.map_or(0, |(period, _)| period.used_ns)
}

/// The answered request of a tenant whose latency has rank `per_mille`/1000 (1000: the slowest).
#[must_use]
pub fn request_of_rank(recording: &Recording, tenant: u32, per_mille: u32) -> Option<Request> {
    let answered = recording.timeline.requests.iter().filter(|request| request.tenant == tenant);
    let mut by_latency: Vec<(u64, Request)> = answered
        .filter_map(|request| Some((request.completed_ns?.checked_sub(request.arrival_ns)?, *request)))
        .collect();
    by_latency.sort_by_key(|(latency_ns, request)| (*latency_ns, request.index));
    catamaran_report::statistics::nearest_rank(&by_latency, per_mille).map(|(_, request)| request)
}

#[cfg(test)]
mod tests {
    use catamaran_report::timeline::{Period, Throttle, Timeline};

    use super::*;
    use crate::picture::tests_support::report;

    fn request(index: u32, arrival_ns: u64, completed_ns: u64) -> Request {
        Request {
            tenant: 0,
            index,
            arrival_ns,
            started_ns: Some(completed_ns - 5),
            completed_ns: Some(completed_ns),
            failed_ns: None,
            thread: None,
        }
    }

    fn film() -> Recording {
        let timeline = Timeline {
            throttles: vec![Throttle { tenant: 0, start_ns: 40, end_ns: 100 }],
            periods: vec![Period { tenant: 0, start_ns: 0, quota_ns: 30, used_ns: 31, throttled: true }],
            requests: vec![request(0, 10, 20), request(1, 30, 110), request(2, 50, 120)],
            ..Timeline::default()
        };
        Recording::new(report(), timeline)
    }

    #[test]
    fn a_request_that_was_stopped_says_by_what_and_how_long() {
        let film = film();
        let request = request_of_rank(&film, 0, 1_000).unwrap();
        assert_eq!(request.index, 1);
        assert_eq!(
            moments(&film, &request),
            [
                (30, Moment::Arrived { ahead: 0 }),
                (40, Moment::Stopped { used_ns: 31 }),
                (100, Moment::Resumed),
                (105, Moment::TakenUp),
                (110, Moment::Answered { latency_ns: 80, stopped_ns: 60 }),
            ]
        );
    }

    #[test]
    fn one_that_arrives_into_a_stop_counts_what_is_left_of_it() {
        let film = film();
        let found = moments(&film, &film.timeline.requests[2]);
        assert_eq!(found[..2], [(50, Moment::Arrived { ahead: 1 }), (50, Moment::Stopped { used_ns: 31 })]);
        assert_eq!(found.last(), Some(&(120, Moment::Answered { latency_ns: 70, stopped_ns: 50 })));
    }

    #[test]
    fn one_that_was_not_stopped_has_three_moments() {
        let film = film();
        let request = request_of_rank(&film, 0, 1).unwrap();
        assert_eq!(moments(&film, &request).len(), 3);
    }
}
