//! How many fit: the closed form against the simulation, in which one more is one too many.

use crate::common::{FREE_GUESTS, ideal, run};
use catamaran_report::RunError;
use catamaran_report::report::{Report, TenantState};
use catamaran_scenario::calibration::VmCosts;
use catamaran_scenario::{Calibration, Plan, Platform};
use catamaran_sim::{Density, density};

const IDLE: &str = "{ kind = \"idle\" }";
const BUSY: &str = "{ kind = \"memory\", start = \"3MiB\", touch = \"loop\" }";
const LEAK: &str = "{ kind = \"memory\", start = \"1MiB\", leak = \"1MiB/s\", limit_at = \"5MiB\" }";
const COMPUTE: &str = "{ kind = \"compute\", threads = 3, work = \"10ms\" }";

/// A machine on which a process weighs 700 KiB, a container 1500 KiB, a guest 20 MiB.
fn weighty() -> Calibration {
    let mut calibration = ideal();
    if let Some(memory) = &mut calibration.memory {
        memory.worker_bytes = 700 << 10;
        memory.thread_bytes = 100 << 10;
        memory.worker_rss_bytes = 500 << 10;
        memory.tenant_bytes = [(Platform::Container, 1500 << 10), (Platform::Vm, 20 << 20)].into();
    }
    calibration.vm = Some(VmCosts { idle_bytes: Some(24 << 20), ..FREE_GUESTS });
    calibration
}

fn copies(platform: Platform, workload: &str, replicas: u64, more: &str) -> Plan {
    let text = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"density\"\nseed = 7\nduration = \"6s\"\n\
         platforms = [\"{platform}\"]\n[host]\nmemory = \"64MiB\"\n[[tenant]]\nname = \"copy\"\n\
         replicas = {replicas}\nworkload = {workload}\n{more}"
    );
    Plan::from_toml(&text, "density.toml").unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn fits(platform: Platform, workload: &str) -> Density {
    density(&copies(platform, workload, 1, ""), platform, &weighty())
        .unwrap_or_else(|error| panic!("{platform}: {error}"))
}

fn simulated(platform: Platform, workload: &str, replicas: u64) -> Report {
    run(&copies(platform, workload, replicas, ""), &weighty()).report
}

fn killed(report: &Report) -> usize {
    report.tenants.iter().filter(|row| row.state == TenantState::OomKilled).count()
}

#[test]
fn so_many_fit_as_all_live_and_one_more_is_killed() {
    // 64 MiB are 16384 pages: of 175, 375 (a container), 5120 (a guest), with what is touched and its tables.
    let table = [
        (Platform::BareMetal, IDLE, 16384 / 175),
        (Platform::Cgroups, COMPUTE, 16384 / 225),
        (Platform::Container, IDLE, 16384 / 375),
        (Platform::Vm, IDLE, 3),
        (Platform::BareMetal, BUSY, 16384 / (175 + 768 + 2)),
        (Platform::Container, BUSY, 16384 / (375 + 768 + 2)),
        (Platform::BareMetal, LEAK, 16384 / (175 + 1280 + 3)),
        // Page tables of two kernels.
        (Platform::Vm, LEAK, 16384 / (5120 + 1280 + 2 * 3)),
    ];
    for (platform, workload, expected) in table {
        let what = format!("{workload} on {platform}");
        let tenants = fits(platform, workload).tenants;
        assert_eq!(tenants, expected, "{what}");
        let enough = simulated(platform, workload, tenants);
        assert_eq!(killed(&enough), 0, "{what}");
        let peak = enough.host.memory_peak_bytes.unwrap_or(0);
        assert!((48 << 20..=64 << 20).contains(&peak), "{what}: {peak}");
        let one_more = simulated(platform, workload, tenants + 1);
        assert_eq!(killed(&one_more), 1, "{what}");
        assert!(one_more.events.iter().any(|event| event.what == "oom-kill" && event.because.is_some()));
    }
}

#[test]
fn a_guest_that_does_not_fit_takes_nothing() {
    let report = simulated(Platform::Vm, IDLE, 5);
    assert_eq!(killed(&report), 2);
    assert_eq!(report.host.overhead_memory_bytes, Some(3 * (24 << 20)), "as resident pages");
    assert_eq!(report.tenants.first().and_then(|row| row.memory_peak_bytes), Some(20 << 20), "as charged");
    assert_eq!(report.unexplained(), Vec::<String>::new());
}

#[test]
fn memory_touched_in_a_guest_comes_on_top_as_far_as_the_guest_has_it() {
    let (idle, busy) = (fits(Platform::Vm, IDLE), fits(Platform::Vm, BUSY));
    assert_eq!(busy.tenant_bytes - idle.tenant_bytes, (768 + 2 * 2) * 4096);
    let greedy = "{ kind = \"memory\", start = \"200MiB\" }";
    let answer = density(&copies(Platform::Vm, greedy, 1, ""), Platform::Vm, &weighty());
    let field = match answer {
        Err(RunError::Unsupported { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(field, "platform.vm.memory");
}

#[test]
fn a_density_is_of_one_kind_of_tenant() {
    let more = format!("[[tenant]]\nname = \"other\"\nworkload = {IDLE}\n");
    let answer = density(&copies(Platform::BareMetal, IDLE, 1, &more), Platform::BareMetal, &weighty());
    assert!(matches!(answer, Err(RunError::Unsupported { field, .. }) if field == "tenant"));
}
