//! W2, the hold model of event queues: each event that fires schedules one more.
//!
//! **Source.** Jones, "An empirical comparison of priority-queue and event-set implementations" (1986).

use super::SEED;
use crate::bench::Held;
use crate::kernel::queue::EventQueue;
use crate::workload::Exponential;

pub(crate) fn hold(pending: u32, events: u64) -> Held {
    let mut queue = EventQueue::new();
    let mut draws = Exponential::from(SEED, 0);
    for process in 0..pending {
        queue.push(instant(draws.next()), 0, process);
    }
    let (mut clock_s, mut fired) = (0.0, 0);
    while fired < events
        && let Some((at, process)) = queue.pop()
    {
        clock_s = f64::from_bits(at);
        fired += 1;
        queue.push(instant(clock_s + draws.next()), 0, process);
    }
    Held { clock_s, work_items: fired }
}

/// Times that are not negative are ordered as their bits are, and bits lose nothing: nine decimals of the answer need more
/// than nanoseconds.
fn instant(at_s: f64) -> u64 {
    at_s.to_bits()
}
