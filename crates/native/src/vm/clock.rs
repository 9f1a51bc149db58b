//! Two clocks that a guest needs: the rate of the time stamp counter, which an emulated guest is told, and how far the
//! guest's clock is from ours.

#![allow(unsafe_code)]

use std::io;
use std::time::{Duration, Instant};

use catamaran_worker::clock::now_ns;
use catamaran_worker::port::{asks, tells};

use super::port::Port;

/// How long the counter is watched: two readings of the clock, some 100 ns apart from those of the counter, then make
/// an error of a few millionths.
const WATCHED: Duration = Duration::from_millis(50);

/// Questions of which the quickest answer counts.
const ROUNDS: usize = 16;

/// Rate of this machine's time stamp counter (kHz), which QEMU's translator lends to its guests as it is.
pub(super) fn counter_khz() -> u64 {
    let (clock, counter) = (now_ns(), counter());
    std::thread::sleep(WATCHED);
    let (clock, counter) = (now_ns() - clock, self::counter().wrapping_sub(counter));
    (counter as f64 * 1e6 / clock as f64).round() as u64
}

fn counter() -> u64 {
    // SAFETY: every x86-64 processor has the instruction, and Linux lets everyone use it.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// How far our clock is ahead of a guest's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Offset {
    /// Ours less the guest's (ns).
    pub(super) ns: i64,
    /// Half of the quickest round trip (ns): the offset is off by this at most.
    pub(super) error_ns: u64,
}

impl Offset {
    /// Asks the guest for its clock, as NTP does: the quicker the answer, the less it can be wrong.
    pub(super) fn measure(port: &mut Port, until: Instant) -> io::Result<Self> {
        let mut best: Option<Self> = None;
        for _ in 0..ROUNDS {
            let asked_ns = now_ns();
            port.ask(asks::CLOCK)?;
            let said = port.wait_for(tells::NOW, until, |_| {})?;
            let heard_ns = now_ns();
            let guest_ns: u64 =
                said.parse().map_err(|_| io::Error::other(format!("no instant: {said:?}")))?;
            let offset = Self::of(asked_ns, guest_ns, heard_ns);
            if best.is_none_or(|best| offset.error_ns < best.error_ns) {
                best = Some(offset);
            }
        }
        Ok(best.unwrap_or_default())
    }

    fn of(asked_ns: u64, guest_ns: u64, heard_ns: u64) -> Self {
        let half_ns = heard_ns.saturating_sub(asked_ns) / 2;
        Self { ns: (asked_ns + half_ns).cast_signed() - guest_ns.cast_signed(), error_ns: half_ns }
    }

    /// An instant of the guest by our clock (ns).
    pub(super) fn ours(self, guest_ns: u64) -> u64 {
        guest_ns.saturating_add_signed(self.ns)
    }

    /// An instant of our clock by the guest's (ns).
    pub(super) fn theirs(self, our_ns: u64) -> u64 {
        our_ns.saturating_add_signed(-self.ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guest_answers_half_way() {
        let offset = Offset::of(1000, 10, 1400);
        assert_eq!(offset, Offset { ns: 1190, error_ns: 200 });
        assert_eq!((offset.ours(10), offset.theirs(1200)), (1200, 10));
    }

    #[test]
    fn a_guest_may_have_run_longer_than_we_have() {
        let offset = Offset::of(1000, 5000, 1000);
        assert_eq!((offset.ns, offset.theirs(1000)), (-4000, 5000));
    }

    #[test]
    fn the_counter_goes_on_at_some_gigahertz() {
        let khz = counter_khz();
        assert!((100_000..10_000_000).contains(&khz), "{khz} kHz");
    }
}
