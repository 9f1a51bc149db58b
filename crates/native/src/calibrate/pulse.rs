//! The timer tick as a busy thread feels it, and the way from a timer's expiry to the thread that slept.

use catamaran_report::statistics::median;
use catamaran_worker::clock::{now_ns, sleep_until};

use crate::machine;
use crate::problem::Problem;

/// How long the clock is watched (ns).
const WATCH_NS: u64 = 2_000_000_000;
/// Two readings of the clock further apart than this (ns) were interrupted.
const GAP_NS: u64 = 500;
/// Sleeps, and the length of each (ns).
const SLEEPS: usize = 400;
const SLEEP_NS: u64 = 2_000_000;
/// What CONFIG_HZ can be on x86, ARM and RISC-V.
const HZ_CHOICES: [u32; 4] = [1000, 300, 250, 100];
/// Half the time (ns) within which a tick comes around its due time.
const TICK_WINDOW_NS: u64 = 60_000;
/// Least share (%) of its periods at which a rate's tick is among the longest gaps. On a machine that others interrupt for longer than
/// a tick takes, some ticks are not. Of a rate that is not the machine's it is less: a third at most (300 Hz where it is 100), and
/// some hundredths by chance.
const TICKS_LEAST: u64 = 50;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pulse {
    /// Ticks per second.
    pub(crate) hz: u32,
    /// What a tick takes from the thread that runs (ns).
    pub(crate) tick_ns: u64,
    /// Lateness of a sleeper on an idle core (ns).
    pub(crate) wakeup_ns: u64,
}

/// Measures on one CPU.
pub(crate) fn measure(cpu: u32) -> Result<Pulse, Problem> {
    let watch = move || {
        machine::pin(cpu).ok()?;
        rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1)).ok()?;
        Some((gaps(), wakeup_ns()?))
    };
    let (gaps, wakeup_ns) = std::thread::spawn(watch).join().ok().flatten().ok_or_else(|| {
        Problem::new(format!("a thread cannot be pinned to CPU {cpu}"), "see `taskset -p $$`")
    })?;
    let (hz, tick_ns) = find_tick(&gaps).ok_or_else(|| {
        Problem::new(
            "no timer tick was found in 2 s of watching the clock",
            "try again when the machine is quieter",
        )
    })?;
    Ok(Pulse { hz, tick_ns, wakeup_ns })
}

/// When the thread was interrupted, and for how long (ns), while it did nothing but read the clock.
fn gaps() -> Vec<(u64, u64)> {
    let mut gaps = Vec::with_capacity(1 << 16);
    let start = now_ns();
    let mut before = start;
    while before - start < WATCH_NS && gaps.len() < gaps.capacity() {
        let now = now_ns();
        if now - before > GAP_NS {
            gaps.push((before - start, now - before));
        }
        before = now;
    }
    gaps
}

/// The tick among the gaps. Others than the tick interrupt a thread as well, in a virtual machine far more often; the
/// tick is what comes at (nearly) every period of one of the possible rates. Slower rates fit whatever a faster one
/// does, so the fastest that fits is it.
fn find_tick(gaps: &[(u64, u64)]) -> Option<(u32, u64)> {
    HZ_CHOICES.into_iter().find_map(|hz| {
        let period_ns = 1_000_000_000 / u64::from(hz);
        let periods = WATCH_NS / period_ns;
        let mut longest = gaps.to_vec();
        longest.sort_unstable_by_key(|(_, length_ns)| std::cmp::Reverse(*length_ns));
        longest.truncate(periods as usize * 5 / 4);
        let at_phase = |phase: u64| -> Vec<(u64, u64)> {
            let near = |at: u64| (at + period_ns + TICK_WINDOW_NS - phase) % period_ns < 2 * TICK_WINDOW_NS;
            longest.iter().copied().filter(|(at, _)| near(*at)).collect()
        };
        let phases = (0..period_ns).step_by(TICK_WINDOW_NS as usize / 2);
        let best = phases.map(at_phase).max_by_key(Vec::len)?;
        let mut hit: Vec<u64> = best.iter().map(|(at, _)| (at + TICK_WINDOW_NS) / period_ns).collect();
        hit.dedup();
        hit.sort_unstable();
        hit.dedup();
        let lengths: Vec<f64> = best.iter().map(|(_, length_ns)| *length_ns as f64).collect();
        (hit.len() as u64 * 100 >= periods * TICKS_LEAST)
            .then(|| Some((hz, median(&lengths)?.round() as u64)))?
    })
}

fn wakeup_ns() -> Option<u64> {
    let lateness = (0..SLEEPS).map(|_| {
        let due = now_ns() + SLEEP_NS;
        sleep_until(due);
        (now_ns() - due) as f64
    });
    median(&lateness.collect::<Vec<_>>()).map(|ns| ns.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ticks at `hz` that take `tick_ns`, drifting a little, among noise that comes at other times.
    fn watched(hz: u64, tick_ns: u64, noise: &[(u64, u64)]) -> Vec<(u64, u64)> {
        let period_ns = 1_000_000_000 / hz;
        let ticks =
            (0..WATCH_NS / period_ns).map(|n| (n * period_ns + 777_000 % period_ns + n % 7 * 1000, tick_ns));
        let mut gaps: Vec<_> = ticks.chain(noise.iter().copied()).collect();
        gaps.sort_unstable();
        gaps
    }

    #[test]
    fn ticks_are_found_among_other_interruptions() {
        // Another machine's 100 Hz tick, and 5000 short exits a second at no fixed time.
        let exits = (0..10_000_u64).map(|n| (n * 199_933 % WATCH_NS, 3_000 + n % 900));
        let noise: Vec<_> = (0..200).map(|n| (n * 10_000_000 + 319_000, 20_000)).chain(exits).collect();
        for (hz, tick_ns) in [(100, 25_000), (250, 25_000), (300, 9_000), (1000, 6_000)] {
            let found = find_tick(&watched(hz, tick_ns, &noise));
            assert_eq!(found.map(|(hz, _)| hz), Some(hz as u32), "{found:?}");
            let found_ns = found.map_or(0, |(_, ns)| ns);
            assert!(found_ns.abs_diff(tick_ns) < tick_ns / 4, "{hz} Hz: {found_ns} instead of {tick_ns}");
        }
    }

    #[test]
    fn a_tick_is_found_where_others_keep_the_thread_for_longer() {
        let longer: Vec<_> = (0..300_u64).map(|n| (n * 377_777_777 % WATCH_NS, 60_000 + n)).collect();
        assert_eq!(find_tick(&watched(250, 25_000, &longer)).map(|(hz, _)| hz), Some(250));
        // As many ticks of a slower clock are none of a faster one.
        assert_eq!(find_tick(&watched(100, 25_000, &longer[..40])).map(|(hz, _)| hz), Some(100));
    }

    #[test]
    fn no_tick_is_not_made_up() {
        assert_eq!(find_tick(&[]), None);
        let noise: Vec<_> = (0..3_000_u64).map(|n| (n * 7_654_321 % WATCH_NS, 3_000)).collect();
        assert_eq!(find_tick(&noise), None);
    }
}
