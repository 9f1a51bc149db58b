//! Laws that hold for any valid scenario, whatever it says.

use catamaran_report::{Report, RunError, Timeline};
use catamaran_scenario::arbitrary::{computing_toml, scenario_toml};
use catamaran_scenario::plan::{Memory, Tenant, Workload};
use catamaran_scenario::{Calibration, Plan, Platform};
use catamaran_sim::{Options, Outcome, naive, simulate};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

/// Rounding of a sum of times in seconds.
const ROUNDING_S: f64 = 1e-6;

fn plan(text: &str) -> Result<Plan, TestCaseError> {
    Plan::from_toml(text, "any.toml").map_err(|error| TestCaseError::fail(error.to_string()))
}

/// The scenario's platforms, without guests where it is about memory: that of a guest is refused by name.
fn platforms(plan: &Plan) -> Vec<Platform> {
    let is_of_memory = |tenant: &Tenant| {
        let kinds = match &tenant.workload {
            Workload::Phases(phases) => phases.iter().map(|phase| &phase.workload).collect(),
            other => vec![other],
        };
        let mut asked = tenant.memory.clone();
        asked.request = None;
        let asks = asked != Memory::default();
        asks || kinds.into_iter().any(|workload| matches!(workload, Workload::Memory { .. }))
    };
    let in_guests = !plan.tenants().iter().any(is_of_memory);
    plan.platforms().iter().copied().filter(|platform| in_guests || *platform != Platform::Vm).collect()
}

fn run(plan: &Plan, platform: Platform, timeline: bool) -> Result<Outcome, TestCaseError> {
    let options = Options { timeline, ..Options::default() };
    simulate(plan, platform, &Calibration::reference(), &options)
        .map_err(|refusal| TestCaseError::fail(refusal.to_string()))
}

proptest! {
    #[test]
    fn what_the_simulator_cannot_do_is_refused_by_name(text in scenario_toml()) {
        let plan = plan(&text)?;
        for &platform in plan.platforms() {
            match simulate(&plan, platform, &Calibration::reference(), &Options::default()) {
                Ok(outcome) => prop_assert_eq!(outcome.report.unexplained(), Vec::<String>::new()),
                Err(RunError::Unsupported { field, what, advice, .. }) => {
                    prop_assert!(!field.is_empty() && !what.is_empty() && !advice.is_empty());
                }
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }

    #[test]
    fn nothing_is_lost_and_nothing_comes_from_nowhere(text in computing_toml()) {
        let plan = plan(&text)?;
        for &platform in &platforms(&plan) {
            let report = run(&plan, platform, false)?.report;
            requests_are_all_accounted_for(&report)?;
            processor_time_is_bounded(&plan, &report)?;
            memory_is_bounded(&plan, &report)?;
            if [Platform::Cgroups, Platform::Vm].contains(&platform) {
                quotas_hold(&plan, &report)?;
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes(text in computing_toml()) {
        let plan = plan(&text)?;
        for &platform in &platforms(&plan) {
            let (first, second) = (run(&plan, platform, true)?, run(&plan, platform, true)?);
            prop_assert_eq!(first.report.to_json(), second.report.to_json());
            prop_assert_eq!(&first.timeline, &second.timeline);
            let unrecorded = run(&plan, platform, false)?;
            prop_assert_eq!(&unrecorded.report, &first.report, "looking changes nothing");
            let read = Report::from_json(&first.report.to_json()).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(&read, &first.report);
        }
    }

    #[test]
    fn the_timeline_tells_the_same_story_as_the_report(text in computing_toml()) {
        let plan = plan(&text)?;
        for &platform in &platforms(&plan) {
            let Outcome { report, timeline } = run(&plan, platform, true)?;
            cores_run_one_thread_at_a_time(&report, &timeline)?;
            slices_add_up_to_processor_time(&report, &timeline)?;
            virtual_cpus_run_or_wait_or_rest(&report, &timeline)?;
            for (index, entry) in timeline.trace.iter().enumerate() {
                prop_assert!(entry.because.is_none_or(|cause| (cause as usize) < index), "causes come first");
            }
        }
    }

    #[test]
    fn naive_predictions_are_made_of_anything(text in computing_toml()) {
        let plan = plan(&text)?;
        let (calibration, options) = (Calibration::reference(), Options::default());
        for &platform in &platforms(&plan) {
            for prediction in [naive::alone, naive::fluid] {
                let report = prediction(&plan, platform, &calibration, &options)
                    .map_err(|refusal| TestCaseError::fail(refusal.to_string()))?;
                prop_assert_eq!(report.tenants.len(), plan.instances().count());
                requests_are_all_accounted_for(&report)?;
            }
        }
    }
}

fn requests_are_all_accounted_for(report: &Report) -> Result<(), TestCaseError> {
    prop_assert_eq!(report.unexplained(), Vec::<String>::new());
    for tenant in &report.tenants {
        let Some(requests) = &tenant.requests else { continue };
        prop_assert_eq!(requests.completed + requests.failed + requests.in_flight, requests.sent);
        let in_bins: u64 = requests.histogram.iter().map(|bin| bin.count).sum();
        prop_assert_eq!(in_bins, requests.completed);
        prop_assert_eq!(requests.latency_s.is_some(), requests.completed > 0);
    }
    Ok(())
}

fn processor_time_is_bounded(plan: &Plan, report: &Report) -> Result<(), TestCaseError> {
    let available_s = f64::from(plan.host().cores) * report.elapsed_s;
    let cpu_s: f64 = report.tenants.iter().filter_map(|tenant| tenant.cpu_s).sum();
    prop_assert!(cpu_s <= available_s + ROUNDING_S, "{cpu_s} s of {available_s} s");
    prop_assert!(report.elapsed_s <= plan.duration().seconds() + ROUNDING_S);
    prop_assert!(report.host.cpu_utilisation.is_none_or(|share| (0.0..=1.0 + ROUNDING_S).contains(&share)));
    for tenant in &report.tenants {
        prop_assert!(tenant.finished_s.is_none_or(|end| end <= report.elapsed_s + ROUNDING_S), "{tenant:?}");
    }
    Ok(())
}

/// Nobody has more than the bounds say, but for what a worker is charged for being there, which nobody asks about.
fn memory_is_bounded(plan: &Plan, report: &Report) -> Result<(), TestCaseError> {
    let calibration = Calibration::reference();
    let costs = calibration.memory.as_ref().ok_or_else(|| TestCaseError::fail("memory is not calibrated"))?;
    let own = |threads: u64| costs.worker_bytes + threads * costs.thread_bytes;
    let Some(host) = report.host.memory_peak_bytes else {
        prop_assert_eq!(report.platform, Platform::Vm, "only guests that may be swapped out are unknown");
        return Ok(());
    };
    if report.platform == Platform::Vm {
        // A guest that finds no room is killed before it holds anything.
        prop_assert!(host <= plan.host().memory.0, "{host} bytes");
        return Ok(());
    }
    let there = report.tenants.len() as u64 * own(5);
    prop_assert!(host <= plan.host().memory.0.max(there), "{host} bytes");
    for ((index, _), tenant) in plan.instances().zip(&report.tenants) {
        let limit = plan.tenants()[index].memory.limit.filter(|_| report.platform == Platform::Cgroups);
        let most = limit.map_or(host, |limit| limit.0.max(own(5)));
        let peak = tenant.memory_peak_bytes.unwrap_or(u64::MAX);
        prop_assert!(peak <= most, "{}: {peak} bytes of {most}", tenant.label());
        let killed = tenant.state == catamaran_report::report::TenantState::OomKilled;
        prop_assert_eq!(tenant.oom_kills, Some(u64::from(killed)));
    }
    Ok(())
}

/// A group's periods begin at a moment of their own: the quota comes once at the start and then at each turn of a period.
/// At the end each core may have run on for a tick before it saw that its slice of the quota was gone.
fn quotas_hold(plan: &Plan, report: &Report) -> Result<(), TestCaseError> {
    let scheduler = Calibration::reference().scheduler;
    let overrun_s = scheduler.bandwidth_slice_ns as f64 / 1e9 + 1.0 / f64::from(scheduler.hz);
    for ((index, _), tenant) in plan.instances().zip(&report.tenants) {
        let cpu = &plan.tenants()[index].cpu;
        let Some(limit) = cpu.limit else { continue };
        let turns = (report.elapsed_s / cpu.period.seconds()).floor() + 1.0;
        let quota_s = limit.cores() * cpu.period.seconds();
        let most_s = (1.0 + turns) * quota_s
            + cpu.burst.seconds()
            + f64::from(plan.host().cores) * overrun_s
            + ROUNDING_S;
        let cpu_s = tenant.cpu_s.unwrap_or(0.0);
        prop_assert!(cpu_s <= most_s, "{}: {cpu_s} s of {most_s} s in {turns} periods", tenant.label());
        let throttled = tenant.throttled_periods.unwrap_or(0);
        prop_assert!(throttled as f64 <= turns, "{}: {throttled} of {turns} periods", tenant.label());
    }
    Ok(())
}

fn cores_run_one_thread_at_a_time(report: &Report, timeline: &Timeline) -> Result<(), TestCaseError> {
    let mut free_ns = vec![0; timeline.cores as usize];
    for slice in &timeline.slices {
        let free_ns = &mut free_ns[slice.core as usize];
        prop_assert!(*free_ns <= slice.start_ns, "{slice:?} begins before the one before it ends");
        prop_assert!(slice.start_ns < slice.end_ns && (slice.tenant as usize) < report.tenants.len());
        *free_ns = slice.end_ns;
    }
    Ok(())
}

fn slices_add_up_to_processor_time(report: &Report, timeline: &Timeline) -> Result<(), TestCaseError> {
    for (index, tenant) in report.tenants.iter().enumerate() {
        let of_tenant = timeline.slices.iter().filter(|slice| slice.tenant as usize == index);
        let drawn_s = of_tenant.map(|slice| slice.end_ns - slice.start_ns).sum::<u64>() as f64 / 1e9;
        let cpu_s = tenant.cpu_s.unwrap_or(0.0);
        prop_assert!(
            (drawn_s - cpu_s).abs() < ROUNDING_S,
            "{}: {drawn_s} drawn, {cpu_s} reported",
            tenant.label()
        );
    }
    Ok(())
}

/// A virtual CPU does one thing at a time; what it runs is its threads' processor time, what it waits for is the steal, and
/// the rest of the time it is halted.
fn virtual_cpus_run_or_wait_or_rest(report: &Report, timeline: &Timeline) -> Result<(), TestCaseError> {
    prop_assert!(timeline.guests.is_empty() || report.platform == Platform::Vm);
    let mut free_ns = std::collections::BTreeMap::new();
    for slice in &timeline.guests {
        let free_ns = free_ns.entry((slice.tenant, slice.vcpu)).or_insert(0);
        prop_assert!(*free_ns <= slice.start_ns && slice.start_ns < slice.end_ns, "{slice:?}");
        *free_ns = slice.end_ns;
    }
    for (index, tenant) in report.tenants.iter().enumerate().filter(|_| report.platform == Platform::Vm) {
        let sum_s = |runs: bool| {
            let own = timeline.guests.iter().filter(|one| one.tenant as usize == index);
            let own = own.filter(|one| one.thread.is_some() == runs);
            own.map(|one| one.end_ns - one.start_ns).sum::<u64>() as f64 / 1e9
        };
        let (ran_s, stolen_s) = (sum_s(true), sum_s(false));
        let label = tenant.label();
        prop_assert!((ran_s - tenant.cpu_s.unwrap_or(0.0)).abs() < ROUNDING_S, "{label}: {ran_s} s run");
        prop_assert!(
            (stolen_s - tenant.stolen_s.unwrap_or(0.0)).abs() < ROUNDING_S,
            "{label}: {stolen_s} s stolen"
        );
    }
    Ok(())
}
