//! How fast this machine makes turns of the fixed loop, by the very program that tenants run.

use catamaran_report::statistics::median;
use catamaran_worker::clock::now_ns;
use catamaran_worker::script::Script;
use catamaran_worker::tape::{Tape, head, thread};

use crate::interrupt::Interrupt;
use crate::launcher::{Launcher, WorkerFile};
use crate::order::Order;
use crate::problem::Problem;

/// Turns of one window: about a sixth of a second.
const WINDOW_TURNS: u64 = 100_000_000;
/// Windows, of which the median counts.
const WINDOWS: usize = 5;

/// Turns per CPU second with one core busy.
pub(crate) fn one_busy(interrupt: &Interrupt) -> Result<f64, Problem> {
    let worker = WorkerFile::make()?;
    let mut speeds = Vec::with_capacity(WINDOWS);
    for _ in 0..WINDOWS {
        speeds.extend(window(&worker, 1, interrupt)?);
    }
    median(&speeds).ok_or_else(|| {
        Problem::new(
            "the fixed loop's speed could not be measured: no schedstat",
            "mount /proc; CONFIG_SCHED_INFO=y",
        )
    })
}

/// Turns per CPU second of each of `threads` threads that work at once.
pub(crate) fn window(
    worker: &WorkerFile,
    threads: usize,
    interrupt: &Interrupt,
) -> Result<Vec<f64>, Problem> {
    let tape = Order::turns(threads, WINDOW_TURNS).write()?;
    let mut launcher = Launcher::start(worker, "speed", tape, interrupt)?;
    launcher.carry_out(&Script::default(), interrupt)?;
    launcher.tape.set(head::ORIGIN_NS, now_ns());
    launcher.tape.set(head::BEGIN_NS, now_ns());
    launcher.tape.go();
    launcher.wait_for_end(interrupt)?;
    let layout = launcher.tape.layout();
    Ok((0..threads).filter_map(|number| speed(&launcher.tape, layout.thread(number))).collect())
}

fn speed(tape: &Tape, at: usize) -> Option<f64> {
    let (turns, cpu_ns) = (tape.get(at + thread::TURNS), tape.get(at + thread::CPU_NS));
    (tape.get(at + thread::ENDED) == 1 && cpu_ns > 0).then(|| turns as f64 / (cpu_ns as f64 / 1e9))
}
