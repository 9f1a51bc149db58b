//! The fixed loop: a chain of register operations in which each step needs the one before, so that a turn takes the
//! same number of cycles whatever else the core could do at the same time. It touches no memory and asks no clock: it
//! slows down exactly as much as its core does, which is what a run wants to see.

/// Turns between two looks at the outside world (some 15 µs).
pub const CHUNK_TURNS: u64 = 8192;

/// An odd 64-bit multiplier with well-mixed bits (from splitmix64).
pub const MULTIPLIER: u64 = 0xBF58_476D_1CE4_E5B9;

/// Makes `turns` turns from the state `x`; the result must be used, or the compiler may leave out the work.
#[must_use]
#[inline(never)]
pub fn turn(mut x: u64, turns: u64) -> u64 {
    for _ in 0..turns / 8 {
        x = step(step(step(step(step(step(step(step(x))))))));
    }
    for _ in 0..turns % 8 {
        x = step(x);
    }
    x
}

/// One turn: shift and exclusive-or, then multiply. The two do not commute, so no compiler folds several turns into one.
#[inline(always)]
const fn step(x: u64) -> u64 {
    (x ^ (x >> 29)).wrapping_mul(MULTIPLIER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unrolled_loop_makes_exactly_the_turns_it_is_asked_for() {
        for turns in [0_u64, 1, 7, 8, 9, 100, 8191] {
            let one_by_one = (0..turns).fold(0x1234_5678, |x, _| step(x));
            assert_eq!(turn(0x1234_5678, turns), one_by_one, "{turns} turns");
        }
    }
}
