//! Measures what the simulator needs to know of this machine. Everything here is measured for its own sake; nothing is
//! fitted to a scenario.

mod bare;
mod disk;
mod forks;
mod guests;
mod knobs;
mod memory;
mod network;
mod pulse;
mod scenario;
mod starts;
mod switch;
mod tenants;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use catamaran_report::RunError;
use catamaran_report::statistics::median;
use catamaran_scenario::calibration::CpuCosts;
use catamaran_scenario::{Calibration, Platform};

use crate::interrupt::Interrupt;
use crate::launcher::WorkerFile;
use crate::problem::Problem;
use crate::{machine, speed};

/// `schema` of `host.toml`.
const SCHEMA: &str = "catamaran/host/v1";
/// Rounds in which the speed of one busy core and of all is compared.
const SPEED_ROUNDS: usize = 7;

/// Called with what is being measured and the share done (0–1).
type Progress<'a> = &'a mut dyn FnMut(&str, f64);

/// Measures this machine; `progress` gets what is being measured and the share done (0–1).
///
/// # Errors
/// [`RunError::Unavailable`] where this user or machine can't carry out what is measured, [`RunError::Failed`],
/// [`RunError::Interrupted`].
pub fn calibrate(
    interrupted: &Arc<AtomicBool>,
    progress: &mut dyn FnMut(&str, f64),
) -> Result<Calibration, RunError> {
    crate::clean()?;
    let interrupt = Interrupt::new(Arc::clone(interrupted));
    measure(&interrupt, progress).map_err(|problem| problem.on(Platform::BareMetal))
}

fn measure(interrupt: &Interrupt, progress: Progress<'_>) -> Result<Calibration, Problem> {
    progress("what can be run", 0.0);
    tenants::try_one(interrupt)?;
    let cpus = machine::allowed_cpus();
    progress("speed", 0.0);
    let (with_ticks, all_busy_factor) = speeds(cpus.len(), interrupt)?;
    progress("timer ticks and wake-ups", 0.2);
    let last = cpus.last().copied().unwrap_or(0);
    let pulse = pulse::measure(last)?;
    // What the ticks took is a cost of its own to the simulator: counted here too, it would be paid twice.
    let turns_per_cpu_s = with_ticks / (1.0 - f64::from(pulse.hz) * pulse.tick_ns as f64 / 1e9);
    interrupt.check()?;
    progress("context switches", 0.3);
    let context_switch_ns = switch::measure(last)?;
    progress("requests", 0.35);
    let (queued, awaited) = (tenants::QUEUED.plan()?, tenants::AWAITED.plan()?);
    let overheads = tenants::overheads((&queued, &awaited), turns_per_cpu_s, context_switch_ns, interrupt)?;
    progress("limits", 0.45);
    let run_delay_includes_throttled = tenants::run_delay_includes_throttled(turns_per_cpu_s, interrupt)?;
    progress("memory", 0.47);
    let mut memory = memory::measure(turns_per_cpu_s, interrupt)?;
    progress("disk", 0.49);
    let disk = disk::measure(context_switch_ns, pulse.hz, turns_per_cpu_s, interrupt)?;
    progress("network", 0.5);
    let network = network::measure(&cpus, context_switch_ns, overheads.sleep_ns, interrupt)?;
    progress("forks", 0.495);
    let fork = forks::measure(turns_per_cpu_s, context_switch_ns, overheads, interrupt)?;
    let mut startup = tenants::startups(turns_per_cpu_s, interrupt, progress)?;
    startup.extend(starts::measure(turns_per_cpu_s, interrupt, progress)?);
    let cpu = CpuCosts {
        turns_per_cpu_s,
        all_busy_factor,
        context_switch_ns,
        wakeup_idle_ns: pulse.wakeup_ns,
        request_overhead_ns: overheads.request_ns,
        sleep_overhead_ns: overheads.sleep_ns,
        tick_ns: pulse.tick_ns,
    };
    let bare = bare::measure(&cpu, interrupt, progress)?;
    let guests = guests::measure(turns_per_cpu_s, interrupt, progress)?;
    let vm = guests.map(|guests| {
        startup.insert(Platform::Vm, guests.stages);
        memory.tenant_bytes.extend(guests.charged_bytes.map(|bytes| (Platform::Vm, bytes)));
        guests.costs
    });
    progress("done", 1.0);
    Ok(Calibration {
        schema: SCHEMA.to_owned(),
        machine: machine(),
        cpu,
        scheduler: knobs::read(pulse.hz, run_delay_includes_throttled),
        memory: Some(memory),
        disk,
        network,
        fork,
        vm,
        bare,
        startup,
    })
}

/// Turns per CPU second with one core busy, and the share of it that each core makes with all of them busy: windows
/// of both kinds in turn, so that a machine that drifts drifts under both.
fn speeds(cores: usize, interrupt: &Interrupt) -> Result<(f64, f64), Problem> {
    let worker = WorkerFile::make()?;
    let (mut one, mut factors) = (Vec::new(), Vec::new());
    for _ in 0..SPEED_ROUNDS {
        let alone = median(&speed::window(&worker, 1, interrupt)?);
        let together = median(&speed::window(&worker, cores, interrupt)?);
        if let (Some(alone), Some(together)) = (alone, together) {
            one.push(alone);
            factors.push(together / alone);
        }
    }
    match (median(&one), median(&factors)) {
        (Some(one), Some(factor)) => Ok((one, factor.min(1.0))),
        _ => Err(Problem::new(
            "the fixed loop's speed could not be measured",
            "mount /proc; CONFIG_SCHED_INFO=y",
        )),
    }
}
