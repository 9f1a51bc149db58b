//! Latencies by bins that grow by 2^(1/4), on a logarithmic axis, and how many of each were answered until an instant.

use catamaran_report::report::{HistogramBin, Requests};

use super::Recording;

/// Lower bound of a bin over its upper bound: 2^(−1/4).
const BIN_RATIO: f64 = 0.840_896_415_253_714_6;

/// A bin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Lower bound (s).
    pub from_s: f64,
    /// Upper bound (s).
    pub below_s: f64,
    /// Requests in it.
    pub count: u64,
    /// Share of all completed requests, 0–1.
    pub share: f64,
}

/// The bins of a report's requests, without the empty ones.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Histogram {
    /// By latency.
    pub bins: Vec<Bin>,
}

impl Histogram {
    /// From a report's bins.
    #[must_use]
    pub fn new(requests: &Requests) -> Self {
        let total = requests.histogram.iter().map(|bin| bin.count).sum::<u64>().max(1) as f64;
        let bin = |&HistogramBin { below_s, count }: &HistogramBin| Bin {
            from_s: below_s * BIN_RATIO,
            below_s,
            count,
            share: count as f64 / total,
        };
        Self { bins: requests.histogram.iter().map(bin).collect() }
    }

    /// The greatest share of a bin.
    #[must_use]
    pub fn peak(&self) -> f64 {
        self.bins.iter().map(|bin| bin.share).fold(0.0, f64::max)
    }

    /// How many requests of `tenant` in each bin were answered until `until_ns`.
    #[must_use]
    pub fn counts_until(&self, recording: &Recording, tenant: u32, until_ns: u64) -> Vec<u64> {
        let mut counts = vec![0; self.bins.len()];
        // Sorted by arrival: none that arrived later can have been answered.
        let arrived = recording.timeline.requests.partition_point(|request| request.arrival_ns <= until_ns);
        let arrived = recording.timeline.requests.get(..arrived).unwrap_or_default();
        for request in arrived.iter().filter(|request| request.tenant == tenant) {
            let Some(completed_ns) = request.completed_ns.filter(|&at_ns| at_ns <= until_ns) else {
                continue;
            };
            let latency_s = completed_ns.saturating_sub(request.arrival_ns) as f64 / 1e9;
            let bin = self.bins.partition_point(|bin| bin.below_s <= latency_s);
            if let Some(count) = counts.get_mut(bin) {
                *count += 1;
            }
        }
        counts
    }
}

/// A logarithmic axis of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogAxis {
    least_log: f64,
    px_per_log: f64,
}

impl LogAxis {
    /// From `least_s` to `most_s` over `width_px`.
    #[must_use]
    pub fn new(least_s: f64, most_s: f64, width_px: f64) -> Self {
        let least_log = least_s.max(1e-9).log10();
        let span = (most_s.max(1e-9).log10() - least_log).max(1e-3);
        Self { least_log, px_per_log: width_px / span }
    }

    /// Where a value (s) stands (px).
    #[must_use]
    pub fn x(&self, value_s: f64) -> f64 {
        (value_s.max(1e-9).log10() - self.least_log) * self.px_per_log
    }
}

/// 1, 2 and 5 times the powers of ten (s) in a range; only the powers where there would be more than `most`.
#[must_use]
pub fn log_ticks(least_s: f64, most_s: f64, most: usize) -> Vec<f64> {
    let inside = |factors: &[f64]| -> Vec<f64> {
        let decades =
            (-9..=4).flat_map(|power| factors.iter().map(move |factor| factor * 10_f64.powi(power)));
        decades.filter(|tick| (least_s..=most_s).contains(tick)).collect()
    };
    let fine = inside(&[1.0, 2.0, 5.0]);
    if fine.len() <= most { fine } else { inside(&[1.0]) }
}

#[cfg(test)]
mod tests {
    use catamaran_report::timeline::{Request, Timeline};

    use super::*;
    use crate::picture::tests_support::report;

    #[test]
    fn requests_are_counted_once_they_are_answered() {
        let request = |index, arrival_ns, latency_ns| Request {
            tenant: 0,
            index,
            arrival_ns,
            started_ns: Some(arrival_ns),
            completed_ns: Some(arrival_ns + latency_ns),
            failed_ns: None,
            thread: None,
        };
        let requests = vec![request(0, 0, 1_500), request(1, 1_000, 2_500), request(2, 5_000, 1_500)];
        let mut latencies: Vec<u64> = vec![1_500, 2_500, 1_500];
        let histogram = Histogram::new(&Requests::from_latencies_ns(3, 0, &mut latencies));
        let film = Recording::new(report(), Timeline { requests, ..Timeline::default() });
        assert_eq!(histogram.bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(histogram.counts_until(&film, 0, 1_499), [0, 0]);
        assert_eq!(histogram.counts_until(&film, 0, 1_500), [1, 0]);
        assert_eq!(histogram.counts_until(&film, 0, 3_500), [1, 1]);
        assert_eq!(histogram.counts_until(&film, 0, 9_000), [2, 1]);
        assert_eq!(histogram.counts_until(&film, 1, 9_000), [0, 0]);
    }

    #[test]
    fn decades_stand_evenly() {
        let axis = LogAxis::new(0.001, 1.0, 300.0);
        for (value, x) in [(0.001, 0.0), (0.01, 100.0), (0.1, 200.0), (1.0, 300.0)] {
            assert!((axis.x(value) - x).abs() < 1e-9, "{value} stands at {}", axis.x(value));
        }
    }

    #[test]
    fn ticks_thin_out() {
        assert_eq!(log_ticks(0.001, 0.01, 9).len(), 4);
        assert_eq!(log_ticks(0.001, 1.0, 5).len(), 4);
    }
}
