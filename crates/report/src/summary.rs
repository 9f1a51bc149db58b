//! What runs that differ by their seed alone say of one figure: its mean and its median, each with a 95 % interval.
//!
//! **Law.** Mean ± t · s / √n, Student's t with n − 1 degrees of freedom: right where the figure is near to normal from seed to
//! seed. The median's interval goes from the k-th least to the k-th greatest value, with the greatest k whose coverage
//! 1 − 2 · P(Bin(n, ½) < k) is at least 95 %: right whatever the distribution.
//! **Source.** NIST/SEMATECH e-Handbook of Statistical Methods 1.3.5.2 and 1.3.6.7.2; Conover, Practical Nonparametric
//! Statistics, 3.2. **Judge.** Intervals by hand and from the tables of the binomial distribution.

use crate::statistics::median;

/// 97.5 % quantiles of Student's t distribution with 1, 2, …, 30 degrees of freedom (NIST/SEMATECH e-Handbook of Statistical
/// Methods, 1.3.6.7.2).
const STUDENT_T: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// The same for at least 40, 60 and 100 degrees of freedom; between two rows the wider interval is taken.
const STUDENT_T_ABOVE: [(usize, f64); 3] = [(100, 1.984), (60, 2.000), (40, 2.021)];

/// Values of which the median's interval is computed at most: of more, ½ⁿ is no number any more.
const MEDIANS_MOST: usize = 1000;

/// A figure over several seeds, in its own unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Values.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Half the width of the mean's interval; `None` with one value.
    pub half_width: Option<f64>,
    /// Median.
    pub median: f64,
    /// The median's interval; `None` with fewer than 6 values, which can't give 95 %, or with more than 1,000.
    pub median_interval: Option<(f64, f64)>,
}

impl Summary {
    /// Of values in any order; `None` without any.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len();
        let median = median(values)?;
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let half_width = (n > 1).then(|| student_t(n - 1) * (squares / (n - 1) as f64 / n as f64).sqrt());
        Some(Self { n, mean, half_width, median, median_interval: median_interval(values) })
    }

    /// The median's interval, where it says more than the mean's: that of a figure which can't be negative reaches below 0,
    /// because a few seeds are far above the others.
    #[must_use]
    pub fn better_median_interval(&self) -> Option<(f64, f64)> {
        let skewed = self.mean >= 0.0 && self.half_width.is_some_and(|half| half > self.mean);
        self.median_interval.filter(|_| skewed)
    }
}

fn student_t(freedom: usize) -> f64 {
    let above = STUDENT_T_ABOVE.iter().find(|(least, _)| freedom >= *least).map(|(_, t)| *t);
    let [.., last] = STUDENT_T;
    above.or_else(|| STUDENT_T.get(freedom.saturating_sub(1)).copied()).unwrap_or(last)
}

fn median_interval(values: &[f64]) -> Option<(f64, f64)> {
    let rank = rank_of_interval(values.len())?;
    let mut ascending = values.to_vec();
    ascending.sort_by(f64::total_cmp);
    Some((*ascending.get(rank - 1)?, *ascending.get(ascending.len() - rank)?))
}

/// The greatest k with P(Bin(n, ½) < k) ≤ 2.5 %; `None` where even 1 is too great.
fn rank_of_interval(n: usize) -> Option<usize> {
    if n > MEDIANS_MOST {
        return None;
    }
    let mut probability = (0..n).fold(1.0, |product: f64, _| product / 2.0);
    let mut below = 0.0;
    let mut rank = 0;
    while rank < n {
        below += probability;
        if below > 0.025 {
            break;
        }
        probability *= (n - rank) as f64 / (rank + 1) as f64;
        rank += 1;
    }
    (rank > 0).then_some(rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_by_hand() {
        // Mean 3, variance 2.5, n 5: 2.776 · sqrt(2.5 / 5).
        let five = Summary::of(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!((five.n, five.mean, five.median, five.median_interval), (5, 3.0, 3.0, None));
        assert!((five.half_width.unwrap() - 1.962_929).abs() < 1e-5, "{five:?}");
        assert_eq!(Summary::of(&[4.0, 4.0]).unwrap().half_width, Some(0.0));
        assert_eq!(Summary::of(&[4.0]).unwrap().half_width, None);
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn ranks_are_those_of_the_tables() {
        // Conover's table for the median: 6 values have no room for more than their ends, 10 give the second of each end.
        let table = [(5, None), (6, Some(1)), (8, Some(1)), (9, Some(2)), (10, Some(2)), (20, Some(6))];
        for (n, rank) in table {
            assert_eq!(rank_of_interval(n), rank, "{n}");
        }
        // 500 − 1.96 · √1000 / 2, and the half of a value that a discrete distribution takes.
        assert_eq!(rank_of_interval(1000), Some(469));
        assert_eq!(rank_of_interval(1001), None);
    }

    #[test]
    fn a_mean_that_would_reach_below_nothing_gives_way_to_the_median() {
        let tail = Summary::of(&[1.0, 2.0, 1.5, 1.0, 2.5, 2.0, 90.0]).unwrap();
        assert_eq!((tail.median, tail.better_median_interval()), (2.0, Some((1.0, 90.0))));
        let calm = Summary::of(&[1.0, 1.1, 1.2, 1.0, 1.1, 1.2, 1.3]).unwrap();
        assert_eq!(calm.better_median_interval(), None);
    }

    #[test]
    fn the_quantile_never_grows_with_the_degrees_of_freedom() {
        let quantiles = (1..=200).map(student_t).collect::<Vec<_>>();
        assert!(quantiles.windows(2).all(|pair| pair[0] >= pair[1]));
        assert_eq!(
            (quantiles[0], quantiles[29], quantiles[34], quantiles[199]),
            (12.706, 2.042, 2.042, 1.984)
        );
    }
}
