//! Scenarios in a few words, and machines without costs, for the tests of laws.

use catamaran_report::report::TenantReport;
use catamaran_scenario::calibration::{Accel, MemoryCosts, VmCosts};
use catamaran_scenario::plan::Scheduler;
use catamaran_scenario::{Calibration, Plan, Platform};
use catamaran_sim::{Options, Outcome, simulate};

/// 40 µs for one operation on the machine, of which 10 are CPU time.
pub(crate) const OPERATION: catamaran_scenario::calibration::OperationCosts =
    catamaran_scenario::calibration::OperationCosts {
        cpu_ns: 4000,
        cpu_ns_per_byte: 1e-6,
        notify_ns: 6000,
        service_ns: 10_000,
        service_ns_per_byte: 0.001,
        latency_ns: 20_000,
        latency_ns_per_byte: 0.0,
    };

/// Guests that cost nothing.
pub(crate) const FREE_GUESTS: VmCosts = VmCosts { exit_ns: Some(0), ..VmCosts::of_speed(Accel::Kvm, 1.0) };

/// A machine on which scheduling costs nothing, so that closed forms hold to the nanosecond.
pub(crate) fn ideal() -> Calibration {
    let mut calibration = Calibration::reference();
    calibration.cpu.turns_per_cpu_s = 1e9;
    calibration.cpu.all_busy_factor = 1.0;
    calibration.cpu.context_switch_ns = 0;
    calibration.cpu.wakeup_idle_ns = 0;
    calibration.cpu.request_overhead_ns = 0;
    calibration.cpu.sleep_overhead_ns = 0;
    calibration.cpu.tick_ns = 0;
    calibration.machine.cgroup_version = 1;
    calibration.memory = Some(MemoryCosts {
        touch_ns: 1000.0,
        retouch_ns: 10.0,
        release_ns: 100.0,
        worker_bytes: 0,
        thread_bytes: 0,
        group_bytes: 0,
        start_bytes: 0,
        worker_rss_bytes: 0,
        swap: None,
        tenant_bytes: std::collections::BTreeMap::new(),
    });
    calibration
}

/// The same with the scheduler of Linux before 6.6 on two cores, and its throttling of whole queues.
pub(crate) fn ideal_cfs() -> Calibration {
    let mut calibration = ideal();
    let knobs = &mut calibration.scheduler;
    knobs.kind = Scheduler::Cfs;
    knobs.base_slice_ns = 1_500_000;
    knobs.latency_ns = 12_000_000;
    knobs.wakeup_granularity_ns = 2_000_000;
    knobs.throttle_by_task = false;
    knobs.delay_dequeue = false;
    knobs.pick_buddy = false;
    knobs.places_running = false;
    calibration
}

/// A plan of `cores` cores for `duration` with these tenants (TOML).
pub(crate) fn plan(cores: u32, duration: &str, platform: &str, tenants: &str) -> Plan {
    let text = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"law\"\nseed = 7\nduration = \"{duration}\"\n\
         platforms = [\"{platform}\"]\n[host]\ncores = {cores}\nmemory = \"1GiB\"\n{tenants}"
    );
    Plan::from_toml(&text, "law.toml").unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A tenant that computes with so many threads.
pub(crate) fn hog(name: &str, threads: u32, work: &str, cpu: &str) -> String {
    let cpu = if cpu.is_empty() { String::new() } else { format!("cpu = {{ {cpu} }}\n") };
    format!(
        "[[tenant]]\nname = \"{name}\"\n{cpu}\
         workload = {{ kind = \"compute\", threads = {threads}, work = \"{work}\" }}\n"
    )
}

/// A server with Poisson arrivals.
pub(crate) fn server(name: &str, rate: &str, cpu: &str, distribution: &str, threads: u32) -> String {
    format!(
        "[[tenant]]\nname = \"{name}\"\n\
         workload = {{ kind = \"server\", threads = {threads}, queue = 100000, \
         arrivals = {{ process = \"poisson\", rate = \"{rate}\" }}, \
         service = {{ cpu = \"{cpu}\", distribution = \"{distribution}\" }} }}\n"
    )
}

/// Simulates on the plan's first platform, with a timeline.
pub(crate) fn run(plan: &Plan, calibration: &Calibration) -> Outcome {
    let options = Options { timeline: true, ..Options::default() };
    let platform = plan.platforms().first().copied().unwrap_or(Platform::BareMetal);
    simulate(plan, platform, calibration, &options).unwrap_or_else(|error| panic!("{error}"))
}

/// The row of a tenant.
pub(crate) fn tenant<'a>(outcome: &'a Outcome, name: &str) -> &'a TenantReport {
    outcome.report.tenants.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("no tenant {name}"))
}

/// CPU seconds of a tenant.
pub(crate) fn cpu_s(outcome: &Outcome, name: &str) -> f64 {
    tenant(outcome, name).cpu_s.unwrap_or(f64::NAN)
}

/// Panics unless `value` is within `tolerance` (relative) of `expected`.
pub(crate) fn near(what: &str, value: f64, expected: f64, tolerance: f64) {
    let error = (value - expected).abs() / expected.abs();
    assert!(error <= tolerance, "{what}: {value} is not within {tolerance} of {expected}");
}
