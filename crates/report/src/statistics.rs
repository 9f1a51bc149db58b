//! The one implementation of every statistic in a report or a comparison. Both backends use it, so that a difference
//! between them is never one of arithmetic.
//!
//! *Architecture invariant*: only `+ - * /` and comparisons on floats, so that every target gives the same bits.

use crate::report::{HistogramBin, Latency, Requests};

/// 2^(0/4), 2^(1/4), 2^(2/4), 2^(3/4): within an octave the edges of a histogram are these, times a power of two.
const QUARTER_OCTAVES: [f64; 4] =
    [1.0, 1.189_207_115_002_721, std::f64::consts::SQRT_2, 1.681_792_830_507_429];

/// Quantile `per_mille`/1000 of ascending values by nearest rank: value number ceil(q·n), counted from 1 (the least for
/// q = 0). `None` without values.
#[must_use]
pub fn nearest_rank<T: Copy>(ascending: &[T], per_mille: u32) -> Option<T> {
    let n = ascending.len() as u64;
    let rank = (n * u64::from(per_mille)).div_ceil(1000).max(1);
    ascending.get(rank as usize - 1).copied()
}

/// Median of values in any order: the middle one, or the mean of the middle two. `None` without values.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let ascending = sorted(values);
    let upper = *ascending.get(ascending.len() / 2)?;
    if ascending.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *ascending.get(ascending.len() / 2 - 1)?;
    Some(lower + (upper - lower) / 2.0)
}

/// Quantile by nearest rank of values in any order. `None` without values.
#[must_use]
pub fn quantile(values: &[f64], per_mille: u32) -> Option<f64> {
    nearest_rank(&sorted(values), per_mille)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut ascending = values.to_vec();
    ascending.sort_by(f64::total_cmp);
    ascending
}

/// An edge of the histogram in nanoseconds: 2^(index/4).
fn edge_ns(index: u32) -> f64 {
    let octave = 2_u128.pow((index / 4).min(127)) as f64;
    octave * QUARTER_OCTAVES[(index % 4) as usize]
}

/// Latencies by bins that grow by 2^(1/4) from 1 ns; empty bins are left out. The values (ns) must ascend.
#[must_use]
pub fn histogram(ascending_ns: &[u64]) -> Vec<HistogramBin> {
    let mut bins = Vec::new();
    let mut rest = ascending_ns;
    let mut index = 0;
    while !rest.is_empty() {
        let edge = edge_ns(index);
        let inside = rest.partition_point(|&ns| (ns as f64) < edge);
        if inside > 0 {
            bins.push(HistogramBin { below_s: edge / 1e9, count: inside as u64 });
        }
        rest = &rest[inside..];
        index += 1;
    }
    bins
}

impl Latency {
    /// Statistics of ascending latencies in nanoseconds; `None` without any.
    #[must_use]
    pub fn of_ascending_ns(ascending_ns: &[u64]) -> Option<Self> {
        let seconds = |per_mille| nearest_rank(ascending_ns, per_mille).map(|ns| ns as f64 / 1e9);
        let sum_ns: u128 = ascending_ns.iter().map(|&ns| u128::from(ns)).sum();
        Some(Self {
            mean: sum_ns as f64 / ascending_ns.len() as f64 / 1e9,
            p50: seconds(500)?,
            p95: seconds(950)?,
            p99: seconds(990)?,
            max: seconds(1000)?,
        })
    }
}

impl Requests {
    /// From the latencies (ns, any order; sorted in place) of the completed requests and the count of the failed ones,
    /// out of `sent`. What is neither completed nor failed is in flight.
    #[must_use]
    pub fn from_latencies_ns(sent: u64, failed: u64, latencies_ns: &mut [u64]) -> Self {
        latencies_ns.sort_unstable();
        let completed = latencies_ns.len() as u64;
        Self {
            sent,
            completed,
            failed,
            in_flight: sent.saturating_sub(completed + failed),
            latency_s: Latency::of_ascending_ns(latencies_ns),
            histogram: histogram(latencies_ns),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_rank_is_value_number_ceil_qn() {
        let one_to_ten: Vec<u64> = (1..=10).collect();
        let table =
            [(0, 1), (1, 1), (100, 1), (101, 2), (500, 5), (501, 6), (950, 10), (990, 10), (1000, 10)];
        for (per_mille, expected) in table {
            assert_eq!(
                nearest_rank(&one_to_ten, per_mille),
                Some(expected),
                "{per_mille} per mille of 1..=10"
            );
        }
        assert_eq!(nearest_rank(&[7], 500), Some(7));
        assert_eq!(nearest_rank::<u64>(&[], 500), None);
    }

    #[test]
    fn medians() {
        let table: [(&[f64], Option<f64>); 5] = [
            (&[], None),
            (&[3.0], Some(3.0)),
            (&[4.0, 1.0], Some(2.5)),
            (&[9.0, 1.0, 5.0], Some(5.0)),
            (&[-1.0, 4.0, 2.0, 0.0], Some(1.0)),
        ];
        for (values, expected) in table {
            assert_eq!(median(values), expected, "{values:?}");
        }
    }

    #[test]
    fn latencies_of_a_hundred_and_one_requests() {
        // 1 ms, 2 ms, …, 100 ms and one of 1 s, in no order.
        let mut ns: Vec<u64> = (1..=100).rev().map(|ms| ms * 1_000_000).collect();
        ns.push(1_000_000_000);
        let requests = Requests::from_latencies_ns(110, 6, &mut ns);
        let latency = requests.latency_s.unwrap();
        assert_eq!(
            (requests.sent, requests.completed, requests.failed, requests.in_flight),
            (110, 101, 6, 3),
            "what is neither completed nor failed is in flight"
        );
        assert_eq!((latency.p50, latency.p95, latency.p99, latency.max), (0.051, 0.096, 0.1, 1.0));
        assert_eq!(latency.mean, 6.05 / 101.0);
        assert_eq!(requests.histogram.iter().map(|bin| bin.count).sum::<u64>(), 101);
    }

    #[test]
    fn no_request_has_no_latency() {
        let requests = Requests::from_latencies_ns(2, 2, &mut []);
        assert_eq!((requests.latency_s, requests.in_flight), (None, 0));
        assert!(requests.histogram.is_empty());
    }

    #[test]
    fn bins_hold_what_is_below_their_edge_and_not_below_the_one_before() {
        let edges = |ns: &[u64]| -> Vec<(f64, u64)> {
            histogram(ns).into_iter().map(|bin| (bin.below_s, bin.count)).collect()
        };
        assert_eq!(edges(&[0]), [(1e-9, 1)]);
        assert_eq!(edges(&[1, 1]), [(1.189_207_115_002_721e-9, 2)]);
        assert_eq!(edges(&[1023, 1024]), [(1.024e-6, 1), (1024.0 * 1.189_207_115_002_721 / 1e9, 1)]);
        assert_eq!(edges(&[u64::MAX]).len(), 1, "the greatest latency finds a bin, and the search ends");
    }

    #[test]
    fn edges_are_quarter_octaves_to_the_last_bit() {
        for index in 0..264 {
            let exact = libm::pow(2.0, f64::from(index) / 4.0);
            let edge = edge_ns(index);
            assert!((edge / exact - 1.0).abs() < 1e-15, "edge {index}: {edge} against {exact}");
            assert!(edge_ns(index + 1) > edge, "edges ascend");
        }
    }
}
