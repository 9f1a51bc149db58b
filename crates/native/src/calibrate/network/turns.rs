//! What the bytes of messages cost that are answered one by one.
//!
//! **Law.** Two threads on one core that pass messages of several lengths to and fro: their bytes stay in the core's own cache. What
//! does not fit a segment is acknowledged at once, in the sender's thread, which costs it more. How long a call goes on once its
//! reader has been woken is told by a reader on another core that looks without end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use catamaran_report::statistics::median;
use catamaran_scenario::calibration::TurnCosts;
use catamaran_worker::clock::now_ns;
use rustix::event::epoll;
use rustix::io::Errno;

use super::{
    LARGE, Passed, ROUNDS, SMALL, by_the_byte, failed, on_cpu, read_all, send_all, to_and_fro, watch, whole,
};
use crate::machine;
use crate::network::bench::Ends;
use crate::problem::Problem;

/// A message that is long and one segment over the loopback (bytes).
const LONG: usize = 60 << 10;

/// Measures: by the byte, and once where a message needs more than a segment.
pub(super) fn measure(ends: &Ends, cpus: [u32; 2], segment_bytes: usize) -> Result<TurnCosts, Problem> {
    let two_segments = LARGE.min(2 * segment_bytes);
    let [_, own] = cpus;
    let of = |bytes| to_and_fro(ends, [own, own], bytes);
    let (small, above, long) = (of(SMALL)?, of(two_segments)?, of(LONG)?);
    let costs = |figure: fn(&Passed) -> f64| {
        let (small, above, long) =
            ((SMALL, figure(&small)), (two_segments, figure(&above)), (LONG, figure(&long)));
        // Both lengths on the same side of the bound.
        let slope = if LONG > segment_bytes { by_the_byte(above, long) } else { by_the_byte(small, long) };
        (slope, whole(above.1 - small.1 - slope * (two_segments - SMALL) as f64))
    };
    let (send_ns_per_byte, segments_send_ns) = costs(|passed| passed.send_ns);
    let (receive_ns_per_byte, segments_receive_ns) = costs(|passed| passed.one_way_ns - passed.send_ns);
    let after_small = after_waking(ends, cpus, SMALL)?;
    let after_above = after_waking(ends, cpus, two_segments)?;
    Ok(TurnCosts {
        send_ns_per_byte,
        receive_ns_per_byte,
        segments_send_ns,
        segments_receive_ns,
        after_ns: whole(after_small),
        segments_after_ns: whole(after_above - after_small).min(segments_send_ns),
    })
}

/// How long a call that sends so many bytes goes on once they can be read on another core (ns). The reader looks without end, and
/// reads when the call is over, so that neither gets in the other's way.
fn after_waking(ends: &Ends, [here, there]: [u32; 2], bytes: usize) -> Result<f64, Problem> {
    let (client, server) = ends.connect()?;
    // Odd: a message is on its way; even: it has been read.
    let turn = AtomicU64::new(0);
    let (sent_at, left_off) = (AtomicU64::new(0), AtomicBool::new(false));
    let (turn, sent_at, left_off) = (&turn, &sent_at, &left_off);
    std::thread::scope(|scope| {
        let reads = scope.spawn(move || {
            machine::pin(there)?;
            let (watch, mut buffer, mut after) = (watch(&server)?, vec![0; bytes], Vec::new());
            let at_once = rustix::time::Timespec { tv_sec: 0, tv_nsec: 0 };
            let mut events = Vec::with_capacity(1);
            while after.len() < ROUNDS && !left_off.load(Ordering::Acquire) {
                events.clear();
                if epoll::wait(&watch, rustix::buffer::spare_capacity(&mut events), Some(&at_once))? == 0 {
                    continue;
                }
                let seen = now_ns();
                while turn.load(Ordering::Acquire) % 2 == 0 && !left_off.load(Ordering::Acquire) {
                    std::hint::spin_loop();
                }
                after.push(sent_at.load(Ordering::Acquire) as f64 - seen as f64);
                read_all(&server, None, &mut buffer, bytes)?;
                turn.fetch_add(1, Ordering::AcqRel);
            }
            Ok::<_, Errno>(median(&after).unwrap_or(0.0))
        });
        let sent = on_cpu(here, || {
            let buffer = vec![1; bytes];
            (0..ROUNDS).try_for_each(|round| {
                send_all(&client, &buffer, bytes)?;
                sent_at.store(now_ns(), Ordering::Release);
                turn.store(2 * round as u64 + 1, Ordering::Release);
                while turn.load(Ordering::Acquire) == 2 * round as u64 + 1 && !reads.is_finished() {
                    std::hint::spin_loop();
                }
                Ok(())
            })
        });
        left_off.store(true, Ordering::Release);
        let after = reads.join().unwrap_or(Err(Errno::SRCH)).map_err(failed)?;
        sent.map(|()| after)
    })
}
