//! Products and quotients that need more than 64 bits at times, and seldom do.
//!
//! **Law.** Each is exact: the same number as in 128 bits. **How.** Where the operands are small enough by their sizes alone,
//! 64 bits hold every digit; WebAssembly has no wider product and no wider quotient, and a processor takes several times as
//! long for one. **Judge.** The same in 128 bits, in the tests.

/// Whether the product of two numbers fits into 63 bits whatever their lower digits are.
fn fits(a: u64, b: u64) -> bool {
    a.leading_zeros() + b.leading_zeros() > u64::BITS
}

/// `value` · `times`.
#[inline]
pub(super) fn product(value: i64, times: u64) -> i128 {
    if fits(value.unsigned_abs(), times) { i128::from(value * times as i64) } else { by_halves(value, times) }
}

/// `value` · `times`, by halves of 32 bits as on paper: a product of 128 bits is a call, around which WebAssembly keeps
/// nothing in registers, not even where the call is not made.
#[inline]
fn by_halves(value: i64, times: u64) -> i128 {
    let halves = |number: u64| (number >> 32, number & u64::from(u32::MAX));
    let (high, low) = halves(value.unsigned_abs());
    let (times_high, times_low) = halves(times);
    let middle = u128::from(high * times_low) + u128::from(low * times_high);
    let whole = (u128::from(high * times_high) << 64) + (middle << 32) + u128::from(low * times_low);
    if value < 0 { -(whole as i128) } else { whole as i128 }
}

/// `value` · `times` / `by`, rounded towards zero; `by` is above 0.
#[inline]
pub(super) fn scaled(value: i64, times: u64, by: u64) -> i64 {
    match i64::try_from(by) {
        Ok(by) if fits(value.unsigned_abs(), times) => value * times as i64 / by,
        _ => scaled_in_128(value, times, by),
    }
}

#[cold]
#[inline(never)]
fn scaled_in_128(value: i64, times: u64, by: u64) -> i64 {
    (i128::from(value) * i128::from(times) / i128::from(by)) as i64
}

/// `sum` / `by`, rounded down; `by` is above 0.
#[inline]
pub(super) fn floor(sum: i128, by: u64) -> i64 {
    match (i64::try_from(sum), i64::try_from(by)) {
        (Ok(sum), Ok(by)) => sum.div_euclid(by),
        _ => floor_in_128(sum, by),
    }
}

#[cold]
#[inline(never)]
fn floor_in_128(sum: i128, by: u64) -> i64 {
    sum.div_euclid(i128::from(by)) as i64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{floor, product, scaled};

    /// A number of any size: as many are small as large.
    fn any_size() -> impl Strategy<Value = i64> {
        (any::<i64>(), 0..64_u32).prop_map(|(number, shift)| number >> shift)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn everything_is_as_in_128_bits(value in any_size(), times in any_size(), by in any_size()) {
            let (times, by) = (times.unsigned_abs(), by.unsigned_abs().max(1));
            let whole = i128::from(value) * i128::from(times);
            prop_assert_eq!(product(value, times), whole);
            prop_assert_eq!(scaled(value, times, by), (whole / i128::from(by)) as i64);
            prop_assert_eq!(floor(whole, by), whole.div_euclid(i128::from(by)) as i64);
        }
    }

    #[test]
    fn the_edges_are_as_in_128_bits() {
        let edges = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX];
        for value in edges {
            for times in [0, 1, 2, 1 << 31, 1 << 32, u64::MAX] {
                let whole = i128::from(value) * i128::from(times);
                assert_eq!(product(value, times), whole);
                for by in [1, 3, 1 << 62, 1 << 63, u64::MAX] {
                    assert_eq!(scaled(value, times, by), (whole / i128::from(by)) as i64);
                    assert_eq!(floor(whole, by), whole.div_euclid(i128::from(by)) as i64);
                }
            }
        }
    }
}
