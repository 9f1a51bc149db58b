//! The schedule of a `memory` workload, the same for both backends: what has to be touched by when.
//!
//! **Law.** By time t after `start` was touched, `start` + `leak` · t is due, at most `limit_at`, in whole pages, begun ones
//! counted in. It is looked at every [`STEP_NS`].

use crate::plan::Workload;
use crate::{Bytes, BytesPerSecond};

/// Between two looks at what is due (ns): often enough for a chart, rarely enough that looking costs next to nothing.
pub const STEP_NS: u64 = 10_000_000;

/// What a `memory` workload touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leak {
    /// Touched at the start.
    pub start: Bytes,
    /// Touched per second after that.
    pub leak: BytesPerSecond,
    /// Most that is touched; [`u64::MAX`] bytes for no end.
    pub most: Bytes,
    /// Whether all of it is touched anew at each step.
    pub touch_loop: bool,
}

impl Leak {
    /// Of a workload; none where it is of another kind.
    #[must_use]
    pub fn of(workload: &Workload) -> Option<Self> {
        let Workload::Memory { start, leak, limit_at, touch_loop } = workload else { return None };
        let most = limit_at.unwrap_or(Bytes(u64::MAX));
        Some(Self { start: *start, leak: *leak, most, touch_loop: *touch_loop })
    }

    /// Pages of `page_bytes` that are touched first.
    #[must_use]
    pub fn pages_at_start(&self, page_bytes: u64) -> u64 {
        self.pages_due(0, page_bytes)
    }

    /// Pages of `page_bytes` that are due `since_ns` after the start was touched.
    #[must_use]
    pub fn pages_due(&self, since_ns: u64, page_bytes: u64) -> u64 {
        let leaked = u128::from(self.leak.0) * u128::from(since_ns) / 1_000_000_000;
        let due = (u128::from(self.start.0) + leaked).min(u128::from(self.most.0));
        u64::try_from(due).unwrap_or(u64::MAX).div_ceil(page_bytes.max(1))
    }

    /// Whether anything is left to do after the start.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.touch_loop || (self.leak.0 > 0 && self.most > self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: u64 = 4096;

    #[test]
    fn pages_due_by_time() {
        let leak = |start: u64, leak: u64, most: u64| Leak {
            start: Bytes(start),
            leak: BytesPerSecond(leak),
            most: Bytes(most),
            touch_loop: false,
        };
        let endless = u64::MAX;
        for (what, schedule, since_ns, pages) in [
            ("nothing", leak(0, 0, endless), 1_000_000_000, 0),
            ("a begun page counts", leak(1, 0, endless), 0, 1),
            ("start alone", leak(8 * PAGE, 0, endless), u64::MAX, 8),
            ("a page each second", leak(0, PAGE, endless), 3_000_000_000, 3),
            ("half a second", leak(PAGE, 4 * PAGE, endless), 500_000_000, 3),
            ("no further than the most", leak(PAGE, 4 * PAGE, 2 * PAGE), 9_000_000_000, 2),
            ("no overflow", leak(1 << 50, 1 << 50, endless), u64::MAX, u64::MAX.div_ceil(PAGE)),
        ] {
            assert_eq!(schedule.pages_due(since_ns, PAGE), pages, "{what}");
        }
    }
}
