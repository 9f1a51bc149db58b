//! What guests without a kernel cost on this machine, by the same small scenarios as processes.

use catamaran_report::statistics::median;
use catamaran_scenario::calibration::{BareGuestCosts, CpuCosts, StartupStage};
use catamaran_scenario::{Plan, Platform};

use super::Progress;
use super::memory::{self, PageCosts};
use super::scenario::{ON_ONE_CORE, Scenario};
use super::tenants::{self, AWAITED, QUEUED, STARTS, STARTUP};
use crate::density;
use crate::interrupt::Interrupt;
use crate::launcher::WorkerFile;
use crate::microvm;
use crate::problem::Problem;
use crate::run::Run;

/// Memory of the guests (bytes).
const GUEST_BYTES: u64 = 256 << 20;
/// Guests that are weighed together.
const GUESTS: u64 = 8;
/// Processors of the guests by which a further one is weighed.
const PROCESSORS: u64 = 9;
/// Runs of which the median is the speed.
const SPEED_ROUNDS: usize = 5;

const BUSY: Scenario<'_> = Scenario {
    name: "bare-speed",
    tenants: "[[tenant]]\nname = \"guest\"\nworkload = { kind = \"compute\", work = \"1h\" }",
    ..ON_ONE_CORE
};

/// Measures; `None` where this machine or user makes no guests.
pub(crate) fn measure(
    cpu: &CpuCosts,
    interrupt: &Interrupt,
    progress: Progress<'_>,
) -> Result<Option<BareGuestCosts>, Problem> {
    if let Err(error) = microvm::check_device() {
        tracing::debug!(%error, "no bare guests are measured");
        return Ok(None);
    }
    progress("bare guests", 0.8);
    let overheads = tenants::overheads(
        (&in_guest(&QUEUED)?, &in_guest(&AWAITED)?),
        cpu.turns_per_cpu_s,
        cpu.context_switch_ns,
        interrupt,
    )?;
    let pages = memory::page_costs(&WorkerFile::make()?, GUEST_BYTES, interrupt)?;
    let PageCosts { touch_ns, retouch_ns, release_ns } = pages;
    let weigh = |processors: u64| weight(processors, interrupt);
    let (tenant_bytes, many) = (weigh(1)?, weigh(PROCESSORS)?);
    Ok(Some(BareGuestCosts {
        speed_factor: speed_factor(cpu.turns_per_cpu_s, interrupt)?,
        request_overhead_ns: overheads.request_ns,
        sleep_overhead_ns: overheads.sleep_ns,
        touch_ns,
        retouch_ns,
        release_ns,
        tenant_bytes,
        thread_bytes: many.saturating_sub(tenant_bytes) / (PROCESSORS - 1),
        rss_bytes: memory::weigh_for_the_killer(&idle(1)?, cpu.turns_per_cpu_s, interrupt)?,
        startup: startup(cpu.turns_per_cpu_s, interrupt)?,
    }))
}

/// The same scenario, its work done in bare guests.
fn in_guest(scenario: &Scenario<'_>) -> Result<Plan, Problem> {
    let tenants = format!("platform = {{ microvm = {{ guest = \"bare\" }} }}\n{}", scenario.tenants);
    Scenario { platforms: &[Platform::Microvm], tenants: &tenants, ..*scenario }.plan()
}

/// One that waits, with so many processors.
fn idle(processors: u64) -> Result<Plan, Problem> {
    in_guest(&Scenario { tenants: &memory::waiting(processors), ..memory::WAITING })
}

/// What the groups of a run are charged for such a guest (bytes).
fn weight(processors: u64, interrupt: &Interrupt) -> Result<u64, Problem> {
    let weights = density::weigh(&idle(processors)?, &[Platform::Microvm], GUESTS, interrupt)?;
    weights.first().map(|weight| weight.bytes).ok_or_else(memory::no_controller)
}

/// Turns of a guest's processor per CPU second, relative to those of a process.
fn speed_factor(turns_per_cpu_s: f64, interrupt: &Interrupt) -> Result<f64, Problem> {
    let plan = in_guest(&BUSY)?;
    let mut factors = Vec::new();
    for _ in 0..SPEED_ROUNDS {
        let report =
            Run::start(&plan, Platform::Microvm, turns_per_cpu_s, interrupt)?.carry_out(0, &mut None)?;
        let guest = report.tenants.first();
        factors.extend(guest.and_then(|guest| Some(guest.turns? / guest.cpu_s? / turns_per_cpu_s)));
    }
    median(&factors).ok_or_else(memory::no_figures)
}

/// Median length of each stage of a start.
fn startup(turns_per_cpu_s: f64, interrupt: &Interrupt) -> Result<Vec<StartupStage>, Problem> {
    let plan = in_guest(&STARTUP)?;
    let starts: Result<Vec<_>, Problem> = (0..STARTS)
        .map(|_| Ok(Run::start(&plan, Platform::Microvm, turns_per_cpu_s, interrupt)?.startup_stages()))
        .collect();
    Ok(tenants::medians(&starts?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scenarios_of_the_calibration_are_valid() {
        for scenario in [QUEUED, AWAITED, STARTUP, BUSY] {
            in_guest(&scenario).unwrap();
        }
        idle(PROCESSORS).unwrap();
    }
}
