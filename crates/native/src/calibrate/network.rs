//! What a message costs over the machine's own network: its loopback, and virtual Ethernet pairs on a bridge, by the very
//! devices that tenants get.
//!
//! **Law.** One thread at both ends of a connection pays for sending and for reading small messages, and for nothing else: nobody
//! sleeps. What each byte of large ones costs is told by a stream between two cores whose reader never sleeps, as bytes that
//! went through a whole window, or from core to core, are in nobody's nearest cache. Two threads that pass a message to and fro on one core pay for the wake-up, the sleep and the switch as well; who of them pays
//! for the wake-up is told by the sender's CPU clock around its call. On two cores that have nothing else to do it is the
//! interrupt and the way out of idleness that come on top. What is on its way when a reader stops is the window. What the
//! bytes of messages cost that take turns: `turns`.

mod turns;

use std::os::fd::OwnedFd;
use std::sync::Barrier;
use std::time::Duration;

use catamaran_report::statistics::median;
use catamaran_scenario::calibration::{MessageCosts, NetworkCosts};
use catamaran_scenario::network_work::{ETHERNET_SEGMENT_BYTES, LOOPBACK_SEGMENT_BYTES, PIECE_BYTES};
use catamaran_worker::clock::now_ns;
use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown};
use rustix::time::{ClockId, clock_gettime};

use crate::interrupt::Interrupt;
use crate::machine;
use crate::network::bench::Ends;
use crate::network::link::Link;
use crate::problem::Problem;

/// The small message and the large one (bytes).
const SMALL: usize = 64;
const LARGE: usize = PIECE_BYTES as usize;
/// Messages that are sent before any is read.
const BATCH: usize = 200;
/// Batches, of which the median counts.
const BATCHES: usize = 60;
/// Messages to and fro of one batch, and batches.
const ROUNDS: usize = 400;
const ROUND_BATCHES: usize = 15;
/// Messages of a stream, and streams, of which the median counts.
const STREAM: usize = 2_000;
const STREAMS: usize = 9;
/// Bytes that open a window to its width.
const WARM_UP: usize = 256 << 20;
/// How long nothing moves where a window is full.
const STILL: Duration = Duration::from_millis(20);

/// Measures; none where this machine has no such network for us.
pub(crate) fn measure(
    cpus: &[u32],
    switch_ns: u64,
    sleep_overhead_ns: u64,
    interrupt: &Interrupt,
) -> Result<Option<NetworkCosts>, Problem> {
    let ends = [false, true].map(|own| Ends::make(own, Link::default()));
    let [loopback, veth] = match ends {
        [Ok(loopback), Ok(veth)] => [loopback, veth],
        [Err(Problem::Unavailable(..)), _] | [_, Err(Problem::Unavailable(..))] => return Ok(None),
        [Err(problem), _] | [_, Err(problem)] => return Err(problem),
    };
    let (first, last) = (cpus.first().copied().unwrap_or(0), cpus.last().copied().unwrap_or(0));
    let message = |ends: &Ends, segment_bytes: u64| -> Result<MessageCosts, Problem> {
        interrupt.check()?;
        let costs = awake(ends, [first, last])?;
        interrupt.check()?;
        Ok(MessageCosts {
            in_turn: Some(turns::measure(ends, [first, last], segment_bytes as usize)?),
            ..costs
        })
    };
    let over_loopback = message(&loopback, LOOPBACK_SEGMENT_BYTES)?;
    let over_veth = message(&veth, ETHERNET_SEGMENT_BYTES)?;
    let on_one_core = to_and_fro(&loopback, [last, last], SMALL)?;
    interrupt.check()?;
    let on_two_cores = to_and_fro(&loopback, [first, last], SMALL)?;
    interrupt.check()?;
    let window_bytes = window(&loopback)?;
    let awake_ns = (over_loopback.send_ns + over_loopback.receive_ns) as f64;
    let wake_ns = on_one_core.send_ns - over_loopback.send_ns as f64;
    let wake_idle_ns = on_two_cores.send_ns - on_one_core.send_ns;
    let on_the_way_ns = on_two_cores.one_way_ns - on_two_cores.send_ns - over_loopback.receive_ns as f64;
    Ok(Some(NetworkCosts {
        wake_ns: whole(wake_ns),
        wake_idle_ns: whole(wake_idle_ns),
        wakeup_idle_ns: whole(on_the_way_ns - sleep_overhead_ns as f64),
        sleep_ns: whole(on_one_core.one_way_ns - awake_ns - wake_ns - switch_ns as f64),
        window_bytes,
        loopback: over_loopback,
        veth: over_veth,
    }))
}

/// What came of messages to and fro.
#[derive(Debug, Clone, Copy)]
struct Passed {
    /// From one thread's call to the other's (ns).
    one_way_ns: f64,
    /// CPU time of a call that sends (ns).
    send_ns: f64,
}

fn failed(error: Errno) -> Problem {
    Problem::by_errno(
        format!("messages cannot be measured: {error}"),
        "try again when the machine is quieter",
    )
}

/// Runs `work` on a thread of its own that is kept on a CPU.
fn on_cpu<T: Send>(cpu: u32, work: impl FnOnce() -> Result<T, Errno> + Send) -> Result<T, Problem> {
    let done = std::thread::scope(|scope| {
        let pinned = || machine::pin(cpu).and_then(|()| work());
        scope.spawn(pinned).join().unwrap_or(Err(Errno::SRCH))
    });
    done.map_err(failed)
}

/// A message of either size between two ends of which neither sleeps.
fn awake(ends: &Ends, [here, there]: [u32; 2]) -> Result<MessageCosts, Problem> {
    let (send_ns, receive_ns) = batches(ends, there)?;
    let large: Vec<(f64, f64)> =
        (0..STREAMS).map(|_| stream(ends, [here, there])).collect::<Result<_, _>>()?;
    let middle = |figure: fn(&(f64, f64)) -> f64| median(&large.iter().map(figure).collect::<Vec<_>>());
    let large = (middle(|one| one.0).unwrap_or(0.0), middle(|one| one.1).unwrap_or(0.0));
    Ok(MessageCosts {
        send_ns: whole(send_ns),
        send_ns_per_byte: by_the_byte((SMALL, send_ns), (LARGE, large.0)),
        receive_ns: whole(receive_ns),
        receive_ns_per_byte: by_the_byte((SMALL, receive_ns), (LARGE, large.1)),
        in_turn: None,
    })
}

/// What a byte more costs (ns), of two lengths and what they cost. Noise can make nothing of something very small; nothing at all
/// costs nothing.
fn by_the_byte(short: (usize, f64), long: (usize, f64)) -> f64 {
    ((long.1 - short.1) / (long.0 - short.0) as f64).max(1e-6)
}

fn whole(ns: f64) -> u64 {
    ns.max(0.0).round() as u64
}

/// What sending and reading small messages take (ns). They are read as requests and responses are: one half by who watches many
/// connections, one half by who reads from one.
fn batches(ends: &Ends, cpu: u32) -> Result<(f64, f64), Problem> {
    let (client, server) = ends.connect()?;
    on_cpu(cpu, || {
        let watch = watch(&server)?;
        let mut buffer = vec![1; SMALL];
        let (mut sending, mut reading) = (Vec::new(), Vec::new());
        for _ in 0..BATCHES {
            let begun = now_ns();
            (0..BATCH).try_for_each(|_| send_all(&client, &buffer, SMALL))?;
            let sent = now_ns();
            (0..BATCH).try_for_each(|_| read_all(&server, Some(&watch), &mut buffer, SMALL))?;
            let read = now_ns();
            (0..BATCH).try_for_each(|_| send_all(&server, &buffer, SMALL))?;
            let answered = now_ns();
            (0..BATCH).try_for_each(|_| read_all(&client, None, &mut buffer, SMALL))?;
            let end = now_ns();
            let per_message = |ns: u64| ns as f64 / 2.0 / BATCH as f64;
            sending.push(per_message(sent - begun + answered - read));
            reading.push(per_message(read - sent + end - answered));
        }
        Ok((median(&sending).unwrap_or(0.0), median(&reading).unwrap_or(0.0)))
    })
}

/// What sending and reading a large message take (ns) in a stream whose reader is always there.
fn stream(ends: &Ends, [here, there]: [u32; 2]) -> Result<(f64, f64), Problem> {
    let (client, server) = ends.connect()?;
    std::thread::scope(|scope| {
        let reads = scope.spawn(|| {
            machine::pin(there)?;
            read_stream(&server, here == there)
        });
        let sent = on_cpu(here, || {
            let (buffer, begun) = (vec![1; LARGE], cpu_ns());
            (0..STREAM).try_for_each(|_| send_all(&client, &buffer, LARGE))?;
            let took = cpu_ns() - begun;
            shutdown(&client, Shutdown::Write)?;
            Ok(took as f64 / STREAM as f64)
        });
        let _ = shutdown(&client, Shutdown::Write);
        let read = reads.join().unwrap_or(Err(Errno::SRCH)).map_err(failed)?;
        Ok((sent?, read))
    })
}

/// Reads a stream to its end; CPU time of reading so much as a large message (ns). Where somebody else needs the core, who finds
/// nothing lets them have it.
fn read_stream(socket: &OwnedFd, shared: bool) -> Result<f64, Errno> {
    let (watch, mut buffer) = (watch(socket)?, vec![1; LARGE]);
    let (mut took, mut bytes) = (0, 0);
    let at_once = rustix::time::Timespec { tv_sec: 0, tv_nsec: 0 };
    loop {
        let mut events = Vec::with_capacity(1);
        let begun = cpu_ns();
        if epoll::wait(&watch, rustix::buffer::spare_capacity(&mut events), Some(&at_once))? == 0 {
            if shared {
                rustix::thread::sched_yield();
            }
            continue;
        }
        let (_, got) = recv(socket, &mut *buffer, RecvFlags::empty())?;
        took += cpu_ns() - begun;
        bytes += got;
        if got == 0 {
            return Ok(took as f64 * LARGE as f64 / bytes.max(1) as f64);
        }
    }
}

fn watch(socket: &OwnedFd) -> Result<OwnedFd, Errno> {
    let watch = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&watch, socket, epoll::EventData::new_u64(0), epoll::EventFlags::IN)?;
    Ok(watch)
}

fn send_all(socket: &OwnedFd, buffer: &[u8], bytes: usize) -> Result<(), Errno> {
    let mut left = bytes;
    while left > 0 {
        left -= send(socket, buffer.get(..left).unwrap_or_default(), SendFlags::NOSIGNAL)?;
    }
    Ok(())
}

/// Reads a message, after a look at whether there is one where somebody watches.
fn read_all(socket: &OwnedFd, watch: Option<&OwnedFd>, buffer: &mut [u8], bytes: usize) -> Result<(), Errno> {
    let mut left = bytes;
    while left > 0 {
        if let Some(watch) = watch {
            let mut events = Vec::with_capacity(1);
            epoll::wait(watch, rustix::buffer::spare_capacity(&mut events), None)?;
        }
        match recv(socket, buffer.get_mut(..left).unwrap_or_default(), RecvFlags::empty())? {
            (_, 0) => return Err(Errno::CONNRESET),
            (_, got) => left -= got,
        }
    }
    Ok(())
}

/// CPU time of this thread (ns).
fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}

/// Two threads, each on its CPU, that wait for each other's messages of so many bytes.
fn to_and_fro(ends: &Ends, [here, there]: [u32; 2], bytes: usize) -> Result<Passed, Problem> {
    let (client, server) = ends.connect()?;
    std::thread::scope(|scope| {
        let answers = scope.spawn(|| {
            machine::pin(there)?;
            let (watch, mut buffer) = (watch(&server)?, vec![1; bytes]);
            while read_all(&server, Some(&watch), &mut buffer, bytes).is_ok() {
                send_all(&server, &buffer, bytes)?;
            }
            Ok::<(), Errno>(())
        });
        let asked = on_cpu(here, || {
            let mut buffer = vec![1; bytes];
            let (mut ways, mut sends) = (Vec::new(), Vec::new());
            for _ in 0..ROUND_BATCHES {
                let begun = now_ns();
                for _ in 0..ROUNDS {
                    send_all(&client, &buffer, bytes)?;
                    read_all(&client, None, &mut buffer, bytes)?;
                }
                ways.push((now_ns() - begun) as f64 / 2.0 / ROUNDS as f64);
                let mut sending = 0;
                for _ in 0..ROUNDS {
                    let before = cpu_ns();
                    send_all(&client, &buffer, bytes)?;
                    sending += cpu_ns() - before;
                    read_all(&client, None, &mut buffer, bytes)?;
                }
                let clock = cpu_ns();
                (0..ROUNDS).for_each(|_| {
                    cpu_ns();
                });
                let clock = cpu_ns() - clock;
                sends.push(sending.saturating_sub(clock) as f64 / ROUNDS as f64);
            }
            let middle = |figures: &[f64]| median(figures).unwrap_or(0.0);
            Ok(Passed { one_way_ns: middle(&ways), send_ns: middle(&sends) })
        });
        let _ = shutdown(&client, Shutdown::Both);
        let _ = answers.join();
        asked
    })
}

/// How many bytes are on their way when a reader that was as fast as the sender stops.
fn window(ends: &Ends) -> Result<u64, Problem> {
    let (client, server) = ends.connect()?;
    let stopped = Barrier::new(2);
    std::thread::scope(|scope| {
        let reads = scope.spawn(|| {
            let mut buffer = vec![0; LARGE];
            let mut read = 0;
            while read < WARM_UP {
                match recv(&server, &mut *buffer, RecvFlags::empty()) {
                    Ok((_, got)) if got > 0 => read += got,
                    _ => break,
                }
            }
            stopped.wait();
            read as u64
        });
        let buffer = vec![1; LARGE];
        let mut sent = 0;
        let mut failure = None;
        while sent < WARM_UP as u64 {
            match send(&client, &buffer, SendFlags::NOSIGNAL) {
                Ok(bytes) => sent += bytes as u64,
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        if failure.is_some() {
            let _ = shutdown(&client, Shutdown::Both);
        }
        stopped.wait();
        let read = reads.join().unwrap_or(0);
        let mut full_since = now_ns();
        while now_ns() - full_since < STILL.as_nanos() as u64 {
            if let Ok(bytes) = send(&client, &buffer, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                sent += bytes as u64;
                full_since = now_ns();
            }
        }
        match failure {
            Some(error) => Err(failed(error)),
            None => Ok(sent.saturating_sub(read).max(1)),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_message_takes_time_and_more_for_more() {
        let interrupt = Interrupt::new(Arc::default());
        match measure(&machine::allowed_cpus(), 1510, 10000, &interrupt) {
            Ok(Some(costs)) => {
                println!("{costs:?}");
                for message in [costs.loopback, costs.veth] {
                    assert!(message.send_ns > 0 && message.receive_ns > 0, "{costs:?}");
                }
                assert!(costs.window_bytes > PIECE_BYTES, "{costs:?}");
            }
            Ok(None) => println!("skipped: network calibration: no network namespaces"),
            Err(Problem::Unavailable(why, _)) => println!("skipped: network calibration: {why}"),
            Err(problem) => panic!("{problem:?}"),
        }
    }
}
