//! What it costs to go from one thread to another on a core: two threads pass a byte to and fro, and what the same
//! calls cost without a switch is taken away.

use std::os::fd::OwnedFd;
use std::thread;

use catamaran_report::statistics::median;
use catamaran_worker::clock::now_ns;
use rustix::pipe::{PipeFlags, pipe_with};

use crate::machine;
use crate::problem::Problem;

/// Rounds of a batch; batches, of which the median counts.
const ROUNDS: u64 = 2_000;
const BATCHES: usize = 15;

/// One switch (ns) on one CPU.
pub(crate) fn measure(cpu: u32) -> Result<u64, Problem> {
    let impossible = |error: &dyn std::fmt::Display| {
        Problem::new(
            format!("context switches cannot be measured: {error}"),
            "see `ulimit -n` and `ulimit -u`",
        )
    };
    let (there_out, there_in) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| impossible(&error))?;
    let (back_out, back_in) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| impossible(&error))?;
    let answer = thread::spawn(move || {
        machine::pin(cpu).ok()?;
        while pass(&there_out, &back_in) {}
        Some(())
    });
    let ask = thread::spawn(move || {
        machine::pin(cpu).ok()?;
        let batches: Vec<f64> = (0..BATCHES).filter_map(|_| batch(&there_in, &back_out)).collect();
        median(&batches)
    });
    let switch_ns = ask.join().ok().flatten();
    let _ = answer.join();
    switch_ns.map(|ns| ns.max(0.0).round() as u64).ok_or_else(|| impossible(&"no figures"))
}

/// One switch (ns) by one batch: half a round trip, less one write and one read that wait for nobody.
fn batch(there_in: &OwnedFd, back_out: &OwnedFd) -> Option<f64> {
    let start = now_ns();
    for _ in 0..ROUNDS {
        rustix::io::write(there_in, b".").ok()?;
        rustix::io::read(back_out, &mut [0_u8]).ok()?;
    }
    let round_ns = (now_ns() - start) as f64 / ROUNDS as f64;
    let (own_out, own_in) = pipe_with(PipeFlags::CLOEXEC).ok()?;
    let start = now_ns();
    for _ in 0..ROUNDS {
        rustix::io::write(&own_in, b".").ok()?;
        rustix::io::read(&own_out, &mut [0_u8]).ok()?;
    }
    let calls_ns = (now_ns() - start) as f64 / ROUNDS as f64;
    Some(round_ns / 2.0 - calls_ns)
}

/// Passes one byte on; whether there was one.
fn pass(from: &OwnedFd, to: &OwnedFd) -> bool {
    rustix::io::read(from, &mut [0_u8]) == Ok(1) && rustix::io::write(to, b".") == Ok(1)
}
