//! How many requests of a server are under way: arrived and neither answered nor failed.

use catamaran_report::Timeline;
use catamaran_report::timeline::Request;

/// From `at_ns` on, so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// From (ns).
    pub at_ns: u64,
    /// Requests under way.
    pub count: u32,
}

/// The steps of a tenant's count, by time. One that failed is under way until it has.
#[must_use]
pub fn queue_steps(timeline: &Timeline, tenant: u32) -> Vec<Step> {
    let of_tenant = timeline.requests.iter().filter(|request| request.tenant == tenant);
    let refused_at_once = |request: &&Request| request.failed_ns == Some(request.arrival_ns);
    let mut moves: Vec<(u64, i64)> = Vec::new();
    for request in of_tenant.filter(|request| !refused_at_once(request)) {
        moves.push((request.arrival_ns, 1));
        moves.extend(request.completed_ns.or(request.failed_ns).map(|at_ns| (at_ns, -1)));
    }
    moves.sort_unstable();
    let mut steps: Vec<Step> = Vec::new();
    let mut count = 0_i64;
    for (at_ns, change) in moves {
        count += change;
        let step = Step { at_ns, count: count.max(0) as u32 };
        match steps.last_mut() {
            Some(last) if last.at_ns == at_ns => *last = step,
            _ => steps.push(step),
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(index: u32, arrival_ns: u64, completed_ns: Option<u64>) -> Request {
        Request {
            tenant: 1,
            index,
            arrival_ns,
            started_ns: completed_ns,
            completed_ns,
            failed_ns: None,
            thread: None,
        }
    }

    #[test]
    fn arrivals_add_and_answers_take_away() {
        let timeline = Timeline {
            requests: vec![request(0, 10, Some(30)), request(1, 20, Some(30)), request(2, 30, None)],
            ..Timeline::default()
        };
        let steps: Vec<_> = queue_steps(&timeline, 1).iter().map(|step| (step.at_ns, step.count)).collect();
        assert_eq!(steps, [(10, 1), (20, 2), (30, 1)]);
        assert!(queue_steps(&timeline, 0).is_empty());
    }

    #[test]
    fn one_that_fails_is_under_way_until_then() {
        let failed =
            |index, arrival_ns, at_ns| Request { failed_ns: Some(at_ns), ..request(index, arrival_ns, None) };
        let timeline = Timeline {
            requests: vec![failed(0, 10, 25), request(1, 20, Some(30)), failed(2, 40, 40)],
            ..Timeline::default()
        };
        let steps: Vec<_> = queue_steps(&timeline, 1).iter().map(|step| (step.at_ns, step.count)).collect();
        assert_eq!(steps, [(10, 1), (20, 2), (25, 1), (30, 0)]);
    }
}
