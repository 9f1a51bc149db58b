//! Live migration of a guest by pre-copy: in which rounds its memory goes over, and when it is made to stand still.
//!
//! **Law.** Round 0 sends the guest's memory while the guest runs, round n what it has written in round n − 1. A guest that
//! writes new pages at a rate D over a link of rate R has V·(D/R)^n to send in round n. Then it stands still for the last
//! round and for what comes until it goes on. By QEMU's rule each round is as fast as the link, at most 128 MiB/s, and the last one
//! is that which fits into the allowed down-time, at the link's full speed; as long as none does, rounds go on. By that of Clark and
//! others the first round has 100 Mbit/s, each further one 50 Mbit/s more than the guest wrote in the one before; the last one is that with
//! less than 256 KiB, or before which the guest wrote too fast for the greatest rate, or the 30th, and has the greatest rate.
//!
//! **Source.** QEMU `migration/options.c` (`DEFAULT_MIGRATE_SET_DOWNTIME`, `MAX_THROTTLE`), `migration/migration.c`
//! (`migration_iteration_run`, `migration_completion`, which lifts the limit of the rate), `migration/ram.c`
//! (`save_zero_page`: what was never touched is not sent); Clark et al., "Live Migration of Virtual Machines", NSDI 2005 (MIG-05,
//! MIG-14, MIG-15); Xen `tools/libxc/xc_linux_save.c` (`MAX_MBIT_RATE`, `DEF_MAX_ITERS`).
//!
//! **Judge.** The geometric series; the figures that are identities (MIG-04, MIG-13).
//!
//! **Where the model is wrong.** QEMU takes stock before a round is quite over, while what is left fits into the down-time; Xen
//! skips pages that are written again before their turn. Both send a little less. What the devices of a guest hold, what
//! sending takes of the CPU, and what QEMU needs until the guest goes on, nobody has published: none of it counts.

use catamaran_scenario::plan::{Host, Migration as Rule, PlatformSettings};

use super::figures::{MIG_05, MIG_14, MIG_15};

/// Time that QEMU lets a guest stand still for the last round (`DEFAULT_MIGRATE_SET_DOWNTIME`).
const DOWNTIME_NS: u64 = 300_000_000;
/// Bytes that QEMU sends in a second at most while the guest runs (`MAX_THROTTLE`).
const QEMU_MOST: f64 = 134_217_728.0;
/// Mbit/s that Xen sends at most (`MAX_MBIT_RATE`).
const XEN_MOST_MBIT: f64 = 500.0;
/// Rounds in which the guest runs, of Xen (`DEF_MAX_ITERS`).
const XEN_ROUNDS: u32 = 29;
const NS_PER_S: f64 = 1e9;

/// How guests are moved on a platform.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Terms {
    rule: Rule,
    downtime_ns: u64,
    /// Of the link (bytes/s).
    link: f64,
    latency_ns: u64,
}

/// Bytes that go over, and how long that takes (ns).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Transfer {
    pub(crate) bytes: u64,
    pub(crate) ns: u64,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// A round in which the guest runs.
    Round(Transfer),
    /// The last one, in which it stands still.
    Last(Transfer),
}

/// A migration under way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rounds {
    terms: Terms,
    /// Rounds that were begun.
    begun: u32,
}

fn mbit(rate: f64) -> f64 {
    rate * 1e6 / 8.0
}

impl Terms {
    /// None where the link's speed is not known.
    pub(crate) fn of(settings: &PlatformSettings, host: &Host) -> Option<Self> {
        let network = host.network.as_ref()?;
        Some(Self {
            rule: settings.migration.unwrap_or(Rule::Qemu),
            downtime_ns: settings.downtime.map_or(DOWNTIME_NS, |downtime| downtime.0),
            link: network.bandwidth?.0 as f64,
            latency_ns: network.latency.map_or(0, |latency| latency.0),
        })
    }

    /// Whether all memory of a guest goes over, or only what was ever touched: Xen gives a guest all of it at its start.
    pub(crate) fn sends_all(&self) -> bool {
        self.rule == Rule::Clark
    }

    /// The greatest rate at which it sends while the guest runs (bytes/s).
    fn most(&self) -> f64 {
        match self.rule {
            Rule::Qemu => self.link.min(QEMU_MOST),
            Rule::Clark => self.link.min(mbit(XEN_MOST_MBIT)),
        }
    }

    fn transfer(&self, bytes: u64, rate: f64) -> Transfer {
        Transfer { bytes, ns: libm::ceil(bytes as f64 / rate.max(1.0) * NS_PER_S) as u64 }
    }

    fn last(&self, bytes: u64) -> Next {
        let (rate, resume_ns) = match self.rule {
            Rule::Qemu => (self.link, 0),
            Rule::Clark => (self.most(), MIG_05.ms(1)),
        };
        let Transfer { bytes, ns } = self.transfer(bytes, rate);
        Next::Last(Transfer { bytes, ns: (ns + self.latency_ns + resume_ns).max(1) })
    }
}

impl Rounds {
    pub(crate) fn new(terms: Terms) -> Self {
        Self { terms, begun: 0 }
    }

    /// Round 0, with so many bytes of memory.
    pub(crate) fn first(&mut self, bytes: u64) -> Next {
        let rate = match self.terms.rule {
            Rule::Qemu => self.terms.most(),
            Rule::Clark => mbit(MIG_15.value(0)).min(self.terms.most()),
        };
        self.round(bytes, rate)
    }

    /// What follows a round in which the guest has written so many bytes.
    pub(crate) fn next(&mut self, written: u64, lasted_ns: u64) -> Next {
        let terms = self.terms;
        let most = terms.most();
        match terms.rule {
            Rule::Qemu if written as f64 <= most * terms.downtime_ns as f64 / NS_PER_S => terms.last(written),
            Rule::Qemu => self.round(written, most),
            Rule::Clark => {
                let wrote = written as f64 / lasted_ns.max(1) as f64 * NS_PER_S;
                let wanted = (wrote + mbit(MIG_14.value(0))).max(mbit(MIG_15.value(0)));
                let few = (written as f64) < MIG_14.value(1) * 1024.0;
                if few || wanted > most || self.begun >= XEN_ROUNDS {
                    terms.last(written)
                } else {
                    self.round(written, wanted)
                }
            }
        }
    }

    fn round(&mut self, bytes: u64, rate: f64) -> Next {
        self.begun += 1;
        let Transfer { bytes, ns } = self.terms.transfer(bytes, rate);
        Next::Round(Transfer { bytes, ns: ns.max(1) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(rule: Rule, link: f64, downtime_ms: u64) -> Terms {
        Terms { rule, downtime_ns: downtime_ms * 1_000_000, link, latency_ns: 0 }
    }

    /// All rounds of a guest of `bytes` that writes new pages at `dirty` bytes/s, the last one at the end.
    fn all(terms: Terms, bytes: u64, dirty: f64) -> Vec<Next> {
        let mut rounds = Rounds::new(terms);
        let mut all = vec![rounds.first(bytes)];
        while let Some(Next::Round(round)) = all.last().copied().filter(|_| all.len() < 40) {
            let written = (dirty * round.ns as f64 / 1e9) as u64;
            all.push(rounds.next(written, round.ns));
        }
        all
    }

    fn bytes_of(next: &Next) -> u64 {
        let (Next::Round(transfer) | Next::Last(transfer)) = next;
        transfer.bytes
    }

    #[test]
    fn rounds_are_a_geometric_series() {
        // V·(D/R)^n of a GB over 100 MB/s, until it fits into 300 ms, which is 30 MB.
        for (dirty, rounds) in [(10e6, 2), (25e6, 3), (50e6, 6), (80e6, 16)] {
            let all = all(terms(Rule::Qemu, 100e6, 300), 1_000_000_000, dirty);
            for (n, next) in all.iter().enumerate() {
                let expected = 1e9 * libm::pow(dirty / 100e6, n as f64);
                assert!((bytes_of(next) as f64 - expected).abs() <= n as f64 + 1.0, "{dirty}: {next:?}");
            }
            assert_eq!(all.len(), rounds + 1, "{dirty}");
            assert!(matches!(all.last(), Some(Next::Last(last)) if last.ns <= 300_000_000), "{dirty}");
        }
    }

    #[test]
    fn by_qemus_rule_a_guest_that_writes_faster_than_the_link_is_never_done() {
        let all = all(terms(Rule::Qemu, 100e6, 300), 1_000_000_000, 101e6);
        assert!(all.iter().all(|next| matches!(next, Next::Round(_))));
    }

    #[test]
    fn a_faster_link_shortens_the_last_round_alone_beyond_qemus_own_limit() {
        // 128 MiB/s; 20 MB in the last round at 1.25 GB/s.
        let all = all(terms(Rule::Qemu, 1.25e9, 300), 1 << 30, 2_500_000.0);
        assert_eq!(all[0], Next::Round(Transfer { bytes: 1 << 30, ns: 8_000_000_000 }));
        assert_eq!(all[1], Next::Last(Transfer { bytes: 20_000_000, ns: 16_000_000 }));
    }

    #[test]
    fn identities_of_clark_and_others_are_met() {
        // MIG-04: 676.8 MB in the first round take 54.1 s.
        let mut rounds = Rounds::new(terms(Rule::Clark, 125e6, 300));
        let Next::Round(first) = rounds.first(676_800_000) else { panic!("no round") };
        assert!((first.ns as f64 / 1e9 - 54.1).abs() < 0.05, "{first:?}");
        // MIG-13: 512 MB at 128, 256 and 512 Mbit/s take 32, 16 and 8 s.
        for (rate, seconds) in [(128.0, 32), (256.0, 16), (512.0, 8)] {
            let transfer = terms(Rule::Clark, 125e6, 300).transfer(512_000_000, mbit(rate));
            assert_eq!(transfer.ns, seconds * 1_000_000_000, "{rate}");
        }
    }

    #[test]
    fn each_round_of_clark_and_others_is_50_mbit_faster_than_the_guest_wrote() {
        let mut rounds = Rounds::new(terms(Rule::Clark, 125e6, 300));
        rounds.first(100_000_000);
        // (written, in so long, Mbit/s of the next round): none where it is the last.
        let table = [
            (10_000_000, 8.0, Some(100.0)),
            (10_000_000, 1.0, Some(130.0)),
            (100_000_000, 2.0, Some(450.0)),
            (100_000_000, 1.0, None),
            (256 * 1024, 8.0, Some(100.0)),
            (256 * 1024 - 1, 8.0, None),
        ];
        for (written, seconds, expected) in table {
            let found = match rounds.next(written, (seconds * 1e9) as u64) {
                Next::Round(round) => Some((written as f64 * 8e3 / round.ns as f64).round()),
                // At 500 Mbit/s, and 9 ms.
                Next::Last(last) => {
                    let expected_ns = written as f64 * 16.0 + 9e6;
                    assert!((last.ns as f64 - expected_ns).abs() < 2.0, "{last:?}");
                    None
                }
            };
            assert_eq!(found, expected, "{written} in {seconds} s");
        }
    }

    #[test]
    fn clark_and_others_stop_after_thirty_rounds() {
        let mut rounds = Rounds::new(terms(Rule::Clark, 125e6, 300));
        rounds.first(100_000_000);
        let further = std::iter::from_fn(|| match rounds.next(1_000_000, 100_000_000) {
            Next::Round(round) => Some(round),
            Next::Last(_) => None,
        });
        assert_eq!(further.count(), 28);
    }
}
