//! How much a median over pairs would differ had other pairs been drawn.

use crate::statistics::median;

/// Halvings that are drawn; odd, so that their median is one of them.
const HALVINGS: u32 = 501;
/// The halvings are the same in every comparison: the same reports give the same noise.
const SEED: u64 = 0x0043_6174_616D_6172;

/// Median absolute difference of the median between random halves; `None` with fewer than two values. An odd number
/// splits into halves that differ by one.
pub(super) fn noise(values: &[f64]) -> Option<f64> {
    let half = values.len() / 2;
    if half == 0 {
        return None;
    }
    let mut generator = SplitMix64(SEED);
    let mut shuffled = values.to_vec();
    let mut differences = Vec::with_capacity(HALVINGS as usize);
    for _ in 0..HALVINGS {
        generator.shuffle(&mut shuffled);
        let (left, right) = shuffled.split_at(half);
        differences.push((median(left)? - median(right)?).abs());
    }
    median(&differences)
}

/// splitmix64 (`speed.md` gives the recurrence): portable, and good enough to shuffle 21 values.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Fisher and Yates.
    fn shuffle(&mut self, values: &mut [f64]) {
        for last in (1..values.len()).rev() {
            let other = (self.next() % (last as u64 + 1)) as usize;
            values.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_by_hand() {
        let table: [(&[f64], Option<f64>); 5] = [
            (&[], None),
            (&[0.3], None),
            // Either half is one of the two values.
            (&[0.1, 0.4], Some(0.30000000000000004)),
            (&[0.2; 7], Some(0.0)),
            // Halves of (0, 0, 1, 1): {0,0}|{1,1} differ by 1 in 1 of 3 splits, the others by 0.
            (&[0.0, 0.0, 1.0, 1.0], Some(0.0)),
        ];
        for (values, expected) in table {
            assert_eq!(noise(values), expected, "{values:?}");
        }
    }

    #[test]
    fn noise_of_seven_pairs_is_the_median_over_all_thirty_five_splits() {
        let values = [0.01, -0.03, 0.02, 0.07, -0.05, 0.00, 0.04];
        let mut exact = Vec::new();
        for mask in (0_u32..128).filter(|mask| mask.count_ones() == 3) {
            let (mut left, mut right) = (Vec::new(), Vec::new());
            for (index, value) in values.iter().enumerate() {
                if mask >> index & 1 == 1 { left.push(*value) } else { right.push(*value) }
            }
            exact.push((median(&left).unwrap() - median(&right).unwrap()).abs());
        }
        assert_eq!(exact.len(), 35);
        assert_eq!(noise(&values), median(&exact));
    }

    #[test]
    fn splitmix64_gives_the_published_stream() {
        // First outputs for seed 1234567, as in the reference implementation by Vigna.
        let mut generator = SplitMix64(1_234_567);
        assert_eq!(
            [generator.next(), generator.next(), generator.next()],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn the_order_of_pairs_hardly_matters() {
        let mut values: Vec<f64> = (0..21).map(|i| f64::from(i * i % 17) / 50.0).collect();
        let before = noise(&values).unwrap();
        values.reverse();
        let after = noise(&values).unwrap();
        assert!((before - after).abs() < 0.03, "{before} against {after}");
    }
}
