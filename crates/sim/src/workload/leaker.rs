//! The one thread of a `memory` workload: touches its start, then what is due at each step.
//!
//! **Law.** The schedule of [`catamaran_scenario::leak`], counted from when the start was touched; a step that comes late
//! makes up for what it missed. **Judge.** The native worker, which follows the same rule.

use catamaran_scenario::leak::{Leak, STEP_NS};

use crate::kernel::Instant;

/// What it does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Touches so many pages for the first time.
    Touch(u64),
    /// Touches everything it holds once more.
    Again,
    /// Sleeps until then.
    Sleep(Instant),
    /// Has nothing more to do.
    Rest,
}

#[derive(Debug, Clone)]
pub(super) struct Leaker {
    leak: Leak,
    page_bytes: u64,
    /// Pages that it has touched, or is about to have.
    touched: u64,
    /// When its start was touched.
    since: Option<Instant>,
    /// The step in which it touched everything anew last.
    again: Option<u64>,
}

impl Leaker {
    pub(super) fn new(leak: Leak, page_bytes: u64) -> Self {
        Self { leak, page_bytes, touched: 0, since: None, again: None }
    }

    /// One that has touched nothing yet.
    pub(super) fn anew(&self) -> Self {
        Self::new(self.leak, self.page_bytes)
    }

    /// What it does at `now`, when whatever it did before is done.
    pub(super) fn next(&mut self, now: Instant) -> Step {
        let start = self.leak.pages_at_start(self.page_bytes);
        if self.touched < start {
            self.touched = start;
            return Step::Touch(start);
        }
        let since = *self.since.get_or_insert(now);
        let step = (now - since) / STEP_NS;
        let due = self.leak.pages_due(step * STEP_NS, self.page_bytes);
        if due > self.touched {
            let more = due - self.touched;
            self.touched = due;
            return Step::Touch(more);
        }
        if !self.leak.goes_on() {
            return Step::Rest;
        }
        if self.leak.touch_loop && self.again != Some(step) && self.touched > 0 {
            self.again = Some(step);
            return Step::Again;
        }
        Step::Sleep(since + (step + 1) * STEP_NS)
    }
}

#[cfg(test)]
mod tests {
    use catamaran_scenario::{Bytes, BytesPerSecond};

    use super::*;

    const PAGE: u64 = 4096;

    #[test]
    fn start_then_leak_then_rest() {
        let leak = Leak {
            start: Bytes(10 * PAGE),
            leak: BytesPerSecond(100 * PAGE),
            most: Bytes(12 * PAGE),
            touch_loop: true,
        };
        let mut leaker = Leaker::new(leak, PAGE);
        let table = [
            (5, Step::Touch(10)),
            (7, Step::Again),
            (8, Step::Sleep(7 + STEP_NS)),
            (7 + STEP_NS, Step::Touch(1)),
            (8 + STEP_NS, Step::Again),
            (9 + STEP_NS, Step::Sleep(7 + 2 * STEP_NS)),
            // A step that comes late makes up for the ones before it.
            (7 + 9 * STEP_NS, Step::Touch(1)),
            (8 + 9 * STEP_NS, Step::Again),
            (8 + 9 * STEP_NS, Step::Sleep(7 + 10 * STEP_NS)),
        ];
        for (now, step) in table {
            assert_eq!(leaker.next(now), step, "at {now}");
        }
        let once = Leak { leak: BytesPerSecond(0), touch_loop: false, ..leak };
        let mut leaker = Leaker::new(once, PAGE);
        assert_eq!((leaker.next(0), leaker.next(9)), (Step::Touch(10), Step::Rest));
    }
}
