//! Per-entity load tracking: a geometric average of what was runnable.
//!
//! **Law.** The weight of a period falls by half every 32 periods of 1024 µs. **Source.** Linux `kernel/sched/pelt.c`,
//! which adds up whole periods in integers; here the decay is continuous, which differs by less than one period's part
//! (2 %) at any instant and by nothing in the mean.

use crate::kernel::Instant;
use crate::kernel::choice::greater;

/// Half-life of the average: 32 periods of 1024 µs (ns).
const HALF_LIFE_NS: f64 = 32.0 * 1024.0 * 1000.0;

/// What weights are multiplied by here and in the kernel (`SCHED_FIXEDPOINT_SHIFT`), and averages are not there.
const SCALE: f64 = 1024.0;

/// How many decays are kept, as a power of two.
const KEPT_BITS: u32 = 4;

/// Decays that were computed before, each in the place that its span has: averages that were brought up to now together go
/// on together.
#[derive(Debug, Clone)]
pub(super) struct Decay([(Instant, f64); 1 << KEPT_BITS]);

impl Default for Decay {
    fn default() -> Self {
        Self([(0, 1.0); 1 << KEPT_BITS])
    }
}

impl Decay {
    #[inline]
    fn over(&mut self, span: Instant) -> f64 {
        // Spans that differ in any digit mostly get different places (Knuth, "The Art of Computer Programming" 3, 6.4).
        let place = span.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - KEPT_BITS);
        let kept = &mut self.0[place as usize];
        if kept.0 != span {
            *kept = (span, libm::exp2(-(span as i64 as f64) / HALF_LIFE_NS));
        }
        kept.1
    }
}

/// A decaying average of a level that changes by steps.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Average {
    value: f64,
    at: Instant,
}

impl Average {
    /// An average that has been at `level` for long.
    pub(super) fn full(level: u64) -> Self {
        Self { value: level as f64, at: 0 }
    }

    /// An average that is `value` at `now`.
    pub(super) fn at(value: f64, now: Instant) -> Self {
        Self { value, at: now }
    }

    /// Brings the average to `now`, the level having been `level` since the last time.
    #[inline]
    pub(super) fn advance(&mut self, now: Instant, level: u64, decay: &mut Decay) {
        if now <= self.at {
            return;
        }
        // Nothing of nothing: most groups are not on most cores.
        if level != 0 || self.value != 0.0 {
            let decay = decay.over(now - self.at);
            // No level has the topmost bit, and without a sign processors have no such conversion.
            self.value = self.value * decay + level as i64 as f64 * (1.0 - decay);
        }
        self.at = now;
    }

    /// The average of what weights are here, in the kernel's whole numbers for averages.
    pub(super) fn whole(self) -> u64 {
        (self.value / SCALE) as i64 as u64
    }

    pub(super) fn value(self) -> f64 {
        self.value
    }

    /// Adds what comes along with an entity that is attached, or takes away (negative) what goes.
    pub(super) fn shift(&mut self, by: f64) {
        self.value = greater(self.value + by, 0.0);
    }

    /// Rescales the average when its entity's weight changes.
    pub(super) fn scale(&mut self, factor: f64) {
        self.value *= factor;
    }
}

#[cfg(test)]
mod tests {
    use super::{Average, Decay};

    #[test]
    fn half_of_the_way_after_one_half_life() {
        let mut average = Average::default();
        average.advance(32_768_000, 1000, &mut Decay::default());
        assert!((average.value() - 500.0).abs() < 1e-9);
    }
}
