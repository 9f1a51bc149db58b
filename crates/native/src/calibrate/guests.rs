//! What guests cost on this machine: how long one takes to be there, what memory it holds, how fast it makes turns.

use catamaran_report::statistics::median;
use catamaran_scenario::calibration::{StartupStage, VmCosts};
use catamaran_scenario::{Plan, Platform};

use super::scenario::{ON_ONE_CORE, Scenario};
use super::{Progress, tenants};
use crate::density;
use crate::interrupt::Interrupt;
use crate::problem::Problem;
use crate::run::Run;

/// Memory that is touched in a guest (bytes).
const TOUCHED_BYTES: u64 = 64 << 20;
/// Guests in which memory is touched, of which the median counts.
const TOUCHERS: usize = 3;
/// Boots, of which the median of each stage, the memory and the speed count. The move into the groups waits for a grace
/// period, 5 to 12 ms here, which takes so many to have a median.
const BOOTS: u32 = 9;

/// What guests cost, and their start-up stages.
pub(crate) struct Guests {
    pub(crate) costs: VmCosts,
    /// What the groups of a run are charged for one that is there (bytes); none where memory is not counted.
    pub(crate) charged_bytes: Option<u64>,
    pub(crate) stages: Vec<StartupStage>,
}

/// Boots some guests; `None` where this machine can't boot any.
pub(crate) fn measure(
    turns_per_cpu_s: f64,
    interrupt: &Interrupt,
    progress: Progress<'_>,
) -> Result<Option<Guests>, Problem> {
    let plan = guest_that_never_rests()?;
    let (mut starts, mut speeds, mut accel) = (Vec::new(), Vec::new(), None);
    let (mut idle_bytes, mut charged) = (Vec::new(), Vec::new());
    for boot in 0..BOOTS {
        progress("guests", 0.8 + 0.2 * f64::from(boot) / f64::from(BOOTS));
        let run = match start(&plan, turns_per_cpu_s, interrupt) {
            Ok(run) => run,
            Err(Problem::Unavailable(why, _)) => {
                tracing::debug!(why, "no guests are measured");
                return Ok(None);
            }
            Err(other) => return Err(other),
        };
        starts.push(run.startup_stages());
        charged.extend(run.charged_bytes().map(|bytes| bytes as f64));
        accel = run.accelerator();
        let report = run.carry_out(0, &mut None)?;
        let tenant = report.tenants.first();
        let of_the_vcpu = |cpu_s: f64| cpu_s - report.host.overhead_cpu_s.unwrap_or(0.0);
        let turns = tenant.and_then(|tenant| Some(tenant.turns? / of_the_vcpu(tenant.cpu_s?)));
        speeds.extend(turns.map(|turns| turns / turns_per_cpu_s));
        idle_bytes.extend(report.host.overhead_memory_bytes.map(|bytes| bytes as f64));
    }
    let (Some(accel), Some(speed_factor)) = (accel, median(&speeds)) else { return Ok(None) };
    let whole = |figures: &[f64]| median(figures).map(|bytes| bytes.round() as u64);
    let (idle_bytes, charged_bytes) = (whole(&idle_bytes), whole(&charged));
    let reserve_bytes = charged_bytes.map(|idle| reserve_bytes(idle, interrupt)).transpose()?.flatten();
    // What an exit costs shows in no figure of a run; where there is none, the simulator takes a published one.
    let costs = VmCosts { idle_bytes, reserve_bytes, ..VmCosts::of_speed(accel, speed_factor) };
    Ok(Some(Guests { costs, charged_bytes, stages: tenants::medians(&starts) }))
}

fn guest_that_never_rests() -> Result<Plan, Problem> {
    guest("2s", "{ kind = \"compute\", work = \"1h\" }")
}

/// One whose tenant touches [`TOUCHED_BYTES`] and waits.
fn guest_that_touches() -> Result<Plan, Problem> {
    guest("60s", &format!("{{ kind = \"memory\", start = \"{}MiB\" }}", TOUCHED_BYTES >> 20))
}

/// A guest with one processor and this workload.
fn guest(duration: &str, workload: &str) -> Result<Plan, Problem> {
    let tenants =
        format!("platform = {{ vm = {{ vcpus = 1 }} }}\n[[tenant]]\nname = \"guest\"\nworkload = {workload}");
    let platforms = &[Platform::Vm];
    Scenario { name: "guests", duration, platforms, memory: "1GiB", tenants: &tenants, ..ON_ONE_CORE }.plan()
}

/// What of [`TOUCHED_BYTES`] the machine need not give to a guest that is charged `idle_bytes` before.
fn reserve_bytes(idle_bytes: u64, interrupt: &Interrupt) -> Result<Option<u64>, Problem> {
    let plan = guest_that_touches()?;
    let mut reserves = Vec::new();
    for _ in 0..TOUCHERS {
        let weights = density::weigh(&plan, &[Platform::Vm], 1, interrupt)?;
        let reserve = |bytes: u64| (idle_bytes + TOUCHED_BYTES).saturating_sub(bytes) as f64;
        reserves.extend(weights.first().map(|weight| reserve(weight.bytes)));
    }
    Ok(median(&reserves).map(|bytes| bytes as u64))
}

fn start<'a>(plan: &'a Plan, turns_per_cpu_s: f64, interrupt: &'a Interrupt) -> Result<Run<'a>, Problem> {
    Run::start(plan, Platform::Vm, turns_per_cpu_s, interrupt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scenarios_of_the_calibration_are_valid() {
        guest_that_never_rests().unwrap();
        guest_that_touches().unwrap();
    }
}
