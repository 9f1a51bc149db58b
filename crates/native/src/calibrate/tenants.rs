//! What is measured with small scenarios of our own, by the very runner that carries out everyone else's.

use std::collections::BTreeMap;

use catamaran_report::Report;
use catamaran_report::report::StageRow;
use catamaran_report::statistics::median;
use catamaran_scenario::calibration::StartupStage;
use catamaran_scenario::{Plan, Platform};

use super::Progress;
use super::scenario::{ON_ONE_CORE, Scenario};
use crate::interrupt::Interrupt;
use crate::problem::Problem;
use crate::run::Run;

/// A server whose requests take next to nothing and wait for one another, so that it never sleeps between them.
pub(crate) const QUEUED: Scenario<'_> = Scenario {
    name: "requests",
    duration: "2s",
    tenants: r#"
[[tenant]]
name = "server"
workload = { kind = "server", queue = 20000, arrivals = { process = "burst", size = 10000, rate = "10000/s" }, service = { cpu = "1us", distribution = "constant" } }
"#,
    ..ON_ONE_CORE
};
/// The same, but for a sleep before each request, on a core that is busy otherwise: alone, each would also pay for the
/// core's way out of idleness.
pub(crate) const AWAITED: Scenario<'_> = Scenario {
    name: "sleeps",
    duration: "2s",
    tenants: r#"
[[tenant]]
name = "server"
workload = { kind = "server", arrivals = { process = "constant", rate = "1000/s" }, service = { cpu = "1us", distribution = "constant" } }
[[tenant]]
name = "hog"
workload = { kind = "compute", work = "1h" }
"#,
    ..ON_ONE_CORE
};
/// CPU time of a request of [`QUEUED`] and [`AWAITED`] (ns).
const DEMAND_NS: f64 = 1000.0;

/// One thread that is throttled most of the time.
const THROTTLED: Scenario<'_> = Scenario {
    name: "throttling",
    platforms: &[Platform::Cgroups],
    tenants: r#"
[[tenant]]
name = "hog"
cpu = { limit = "200m" }
workload = { kind = "compute", work = "1h" }
"#,
    ..ON_ONE_CORE
};

/// A tenant with limits that does nothing once it is there.
pub(crate) const STARTUP: Scenario<'_> = Scenario {
    name: "startup",
    platforms: &[
        Platform::BareMetal,
        Platform::Chroot,
        Platform::Cgroups,
        Platform::Namespaces,
        Platform::Container,
    ],
    tenants: r#"
[[tenant]]
name = "idle"
cpu = { request = "500m", limit = "500m" }
workload = { kind = "idle" }
"#,
    ..ON_ONE_CORE
};
/// Starts per platform, of which the median of each stage counts.
pub(crate) const STARTS: u32 = 20;

/// What answering costs beyond the demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overheads {
    /// CPU time of each request (ns).
    pub(crate) request_ns: u64,
    /// CPU time of each sleep, the switch to its thread left out (ns).
    pub(crate) sleep_ns: u64,
}

/// Starts a tenant and ends it: whoever can't do that is told so before the machine works for a minute.
pub(crate) fn try_one(interrupt: &Interrupt) -> Result<(), Problem> {
    Run::start(&STARTUP.plan()?, Platform::BareMetal, 1e8, interrupt).map(drop)
}

/// CPU time of a request and of a sleep, by the plans of [`QUEUED`] and [`AWAITED`].
pub(crate) fn overheads(
    (queued, awaited): (&Plan, &Plan),
    turns_per_cpu_s: f64,
    context_switch_ns: u64,
    interrupt: &Interrupt,
) -> Result<Overheads, Problem> {
    let request_ns = cpu_ns_of_a_request(queued, turns_per_cpu_s, interrupt)? - DEMAND_NS;
    let awaited_ns = cpu_ns_of_a_request(awaited, turns_per_cpu_s, interrupt)? - DEMAND_NS;
    let sleep_ns = awaited_ns - request_ns - context_switch_ns as f64;
    let whole = |ns: f64| ns.max(0.0).round() as u64;
    Ok(Overheads { request_ns: whole(request_ns), sleep_ns: whole(sleep_ns) })
}

fn cpu_ns_of_a_request(plan: &Plan, turns_per_cpu_s: f64, interrupt: &Interrupt) -> Result<f64, Problem> {
    let report = carry_out(plan, turns_per_cpu_s, interrupt)?;
    let tenant = report.tenants.first();
    let completed =
        tenant.and_then(|tenant| tenant.requests.as_ref()).map_or(0, |requests| requests.completed);
    match tenant.and_then(|tenant| tenant.cpu_s) {
        Some(cpu_s) if completed > 0 => Ok(cpu_s * 1e9 / completed as f64),
        _ => Err(Problem::new(
            "no request of the calibration was answered",
            "try again when the machine is quieter",
        )),
    }
}

/// Whether a thread's run-queue wait goes on while its group is throttled: a hog that waits for nobody else has either
/// waited as long as it was throttled, or not at all.
pub(crate) fn run_delay_includes_throttled(
    turns_per_cpu_s: f64,
    interrupt: &Interrupt,
) -> Result<bool, Problem> {
    let report = carry_out(&THROTTLED.plan()?, turns_per_cpu_s, interrupt)?;
    let figures = report.tenants.first().and_then(|tenant| Some((tenant.waited_s?, tenant.throttled_s?)));
    match figures {
        Some((waited_s, throttled_s)) if throttled_s > 0.2 => Ok(waited_s > throttled_s / 2.0),
        _ => Err(Problem::new("a limit of 200m did not throttle a hog", "check CONFIG_CFS_BANDWIDTH")),
    }
}

/// Median length of each start-up stage on each platform.
pub(crate) fn startups(
    turns_per_cpu_s: f64,
    interrupt: &Interrupt,
    progress: Progress<'_>,
) -> Result<BTreeMap<Platform, Vec<StartupStage>>, Problem> {
    let plan = STARTUP.plan()?;
    let mut starts: BTreeMap<Platform, Vec<Vec<StageRow>>> = BTreeMap::new();
    for start in 0..STARTS {
        progress("start-ups", 0.5 + 0.25 * f64::from(start) / f64::from(STARTS));
        for platform in plan.platforms() {
            let run = Run::start(&plan, *platform, turns_per_cpu_s, interrupt)?;
            starts.entry(*platform).or_default().push(run.startup_stages());
        }
    }
    Ok(starts.into_iter().map(|(platform, starts)| (platform, medians(&starts))).collect())
}

/// Each stage of the first start, with its median length over all of them.
pub(crate) fn medians(starts: &[Vec<StageRow>]) -> Vec<StartupStage> {
    let stages = starts.first().into_iter().flatten().enumerate();
    let median_of = |(place, first): (usize, &StageRow)| {
        let lengths_ns = starts.iter().filter_map(|stages| Some(stages.get(place)?.length()? * 1e9));
        let median_ns = median(&lengths_ns.collect::<Vec<_>>())?.round() as u64;
        Some(StartupStage { name: first.name.clone(), actor: first.actor.clone(), median_ns })
    };
    stages.filter_map(median_of).collect()
}

fn carry_out(plan: &Plan, turns_per_cpu_s: f64, interrupt: &Interrupt) -> Result<Report, Problem> {
    let platform = plan.platforms().first().copied().unwrap_or(Platform::BareMetal);
    Run::start(plan, platform, turns_per_cpu_s, interrupt)?.carry_out(0, &mut None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scenarios_of_the_calibration_are_valid() {
        for scenario in [QUEUED, AWAITED, THROTTLED, STARTUP] {
            scenario.plan().unwrap();
        }
    }
}
