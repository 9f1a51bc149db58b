//! `catamaran calibrate`.

use std::io;
use std::path::Path;

use catamaran_scenario::Calibration;

use crate::args::Calibrate;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::{host, interrupt, output, units};

pub(crate) fn calibrate(args: &Calibrate, terminal: &Terminal) -> Result<(), Failure> {
    let interrupted = interrupt::flag()?;
    let path = args.output.as_deref().filter(|path| *path != Path::new("-"));
    if let Some(path) = path {
        output::check(path)?;
    }
    if args.output.is_none() {
        host::check_cache().map_err(|error| not_kept(&error))?;
    }
    let calibration = host::measure(&interrupted, terminal)?;
    let written = match (path, &args.output) {
        (Some(path), _) => {
            output::write(path, &calibration.to_toml())?;
            path.to_owned()
        }
        (None, Some(_standard_output)) => return terminal.print(&calibration.to_toml()),
        (None, None) => host::keep(&calibration).map_err(|error| not_kept(&error))?,
    };
    terminal.print(&format!("{}written to {}\n", summary(&calibration), written.display()))
}

fn not_kept(error: &io::Error) -> Failure {
    let place = "-o host.toml writes them elsewhere, XDG_CACHE_HOME names another cache";
    Failure::input(format!("cannot keep the figures in the cache: {error}; {place}"))
}

fn summary(calibration: &Calibration) -> String {
    let Calibration { machine, cpu, scheduler, .. } = calibration;
    let nanoseconds = |ns: u64| units::seconds(ns as f64 / 1e9);
    let memory = calibration.memory.as_ref().map_or_else(String::new, |memory| {
        format!("a page is first touched in {}\n", units::seconds(memory.touch_ns / 1e9))
    });
    format!(
        "{}, {} cores, kernel {}\n\
         speed: {:.0} million turns of the fixed loop a CPU second, {} of it with all cores busy\n\
         scheduler: {:?} at {} Hz, base slice {}\n\
         a context switch takes {}, a wake-up on an idle core {}\n{memory}",
        machine.cpu_model,
        machine.cores,
        machine.kernel,
        cpu.turns_per_cpu_s / 1e6,
        units::percent(cpu.all_busy_factor),
        scheduler.kind,
        scheduler.hz,
        nanoseconds(scheduler.base_slice_ns),
        nanoseconds(cpu.context_switch_ns),
        nanoseconds(cpu.wakeup_idle_ns),
    )
}
