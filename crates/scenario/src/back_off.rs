//! When something that has ended is started again.
//!
//! **Law.** The first restart is at once. The next comes 10 s after the end, each further one after twice as long, at most
//! 5 min. What ran for more than 10 min since its last restart begins anew: at once, then 10 s.
//! **Source.** Kubernetes `pkg/kubelet/kuberuntime/kuberuntime_manager.go` (`doBackOff`), `pkg/kubelet/kubelet.go`
//! (`MaxCrashLoopBackOff`, `backOffPeriod`), `client-go/util/flowcontrol/backoff.go` (`Next`, `hasExpired`: twice the
//! maximum).
//! **Left out.** How long the kubelet takes to notice (it looks every second): nobody looks here.
//!
//! Instants are nanoseconds from the start of the run. Both backends restart by it.

/// Delay after the second end (ns).
const FIRST: u64 = 10_000_000_000;
/// Greatest delay (ns).
const MOST: u64 = 300_000_000_000;
/// After so long without a restart all is forgotten (ns).
const FORGOTTEN: u64 = 2 * MOST;

/// The back-off of one replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BackOff {
    /// The next delay, and when the last restart was.
    entry: Option<(u64, u64)>,
}

impl BackOff {
    /// How long after its end at `ended` it is started again (ns).
    #[must_use]
    pub fn next(&mut self, ended: u64) -> u64 {
        let known = self.entry.filter(|(_, last)| ended.saturating_sub(*last) <= FORGOTTEN);
        let delay = known.map_or(0, |(delay, _)| delay);
        let next = known.map_or(FIRST, |(delay, _)| (delay * 2).min(MOST));
        self.entry = Some((next, ended + delay));
        delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    #[test]
    fn restarts_back_off_as_the_kubelets_do() {
        // (how long each life lasts, delay after its end), in seconds.
        let crashes = [(1, 0), (1, 10), (1, 20), (1, 40), (1, 80), (1, 160), (1, 300), (1, 300)];
        let forgotten = [(1, 0), (1, 10), (600, 20), (601, 0), (1, 10), (1, 20)];
        for table in [crashes.as_slice(), forgotten.as_slice()] {
            let (mut back_off, mut now) = (BackOff::default(), 0);
            for &(lasts, delay) in table {
                now += lasts * S;
                assert_eq!(back_off.next(now), delay * S, "at {} s in {table:?}", now / S);
                now += delay * S;
            }
        }
    }
}
