//! Closed forms of memory: when a leak meets its bound, what touching costs, what swap and `memory.high` do to it.

use catamaran_report::report::{TenantReport, TenantState};
use catamaran_scenario::Calibration;
use catamaran_scenario::calibration::SwapCosts;
use catamaran_sim::Outcome;

use crate::common::{hog, ideal, near, plan, run, tenant};

const MIB: f64 = 1_048_576.0;
/// A page table for every 512 pages.
const WITH_TABLES: f64 = 513.0 / 512.0;

fn leaker(name: &str, bounds: &str, what: &str) -> String {
    let bounds = if bounds.is_empty() { String::new() } else { format!("memory = {{ {bounds} }}\n") };
    format!("[[tenant]]\nname = \"{name}\"\n{bounds}workload = {{ kind = \"memory\", {what} }}\n")
}

fn ended_s(row: &TenantReport) -> f64 {
    row.finished_s.unwrap_or(f64::NAN)
}

#[test]
fn a_leak_meets_its_limit_after_limit_less_start_by_rate() {
    for (limit_mib, start_mib, rate_mib) in [(64.0, 8.0, 20.0), (100.0, 0.0, 90.0), (513.0, 1.0, 64.0)] {
        let bounds = format!("limit = \"{limit_mib}MiB\"");
        let what = format!("start = \"{start_mib}MiB\", leak = \"{rate_mib}MiB/s\"");
        let outcome = run(&plan(1, "20s", "cgroups", &leaker("t", &bounds, &what)), &ideal());
        let row = tenant(&outcome, "t");
        assert_eq!((row.state, row.oom_kills), (TenantState::OomKilled, Some(1)));
        let touching_s = start_mib * 256.0 * 1e-6;
        let room_mib = limit_mib / WITH_TABLES - start_mib;
        let gone_s = limit_mib * 256.0 * 100e-9;
        let expected_s = touching_s + room_mib / rate_mib + gone_s;
        // It is looked at every 10 ms.
        let late_s = ended_s(row) - expected_s;
        assert!((-0.011..0.011).contains(&late_s), "{bounds}, {what}: {late_s} s late");
        near("peak", row.memory_peak_bytes.unwrap_or(0) as f64, limit_mib * MIB, 1e-3);
    }
}

#[test]
fn touching_takes_cpu_time_page_by_page() {
    let outcome = run(
        &plan(1, "2s", "bare-metal", &leaker("t", "", "start = \"64MiB\", leak = \"64MiB/s\"")),
        &ideal(),
    );
    let row = tenant(&outcome, "t");
    assert_eq!(row.state, TenantState::Completed, "it is there to the end");
    let touched_mib = 64.0 + 64.0 * (2.0 - 0.016);
    near("CPU time", row.cpu_s.unwrap_or(0.0), touched_mib * 256.0 * 1e-6, 0.01);
    near("peak", row.memory_peak_bytes.unwrap_or(0) as f64, touched_mib * WITH_TABLES * MIB, 0.01);
    assert_eq!(row.turns, Some(0.0), "touching makes no turns");
}

#[test]
fn a_hot_set_is_touched_every_ten_milliseconds() {
    let outcome =
        run(&plan(1, "2s", "bare-metal", &leaker("t", "", "start = \"64MiB\", touch = \"loop\"")), &ideal());
    let passes = (2.0 - 0.016) / 0.010;
    let expected_s = 16384.0 * 1e-6 + passes * 16384.0 * 10e-9;
    near("CPU time", tenant(&outcome, "t").cpu_s.unwrap_or(0.0), expected_s, 0.01);
}

#[test]
fn a_neighbour_that_computes_halves_the_touching() {
    let two = [hog("hog", 1, "1h", ""), leaker("t", "", "start = \"512MiB\"")].concat();
    let outcome = run(&plan(1, "1s", "bare-metal", &two), &ideal());
    let memory = outcome.report.samples.as_ref().and_then(|samples| samples.series.get(1));
    // 131072 pages take 131 ms alone and twice as long beside a hog.
    let at_100_ms = memory.and_then(|series| series.values.first()).copied().unwrap_or(0.0);
    near("after 100 ms", at_100_ms, 0.1 / 2.0 / 1e-6 * 4096.0 * WITH_TABLES, 0.2);
}

/// The machine of 1 GiB is full; whoever has the greatest badness dies.
fn full(tenants: &[String]) -> Outcome {
    run(&plan(2, "30s", "bare-metal", &tenants.concat()), &ideal())
}

#[test]
fn without_limits_the_one_that_badness_names_dies_at_the_time_that_the_leak_needs() {
    let innocent = leaker("innocent", "", "start = \"600MiB\"");
    let outcome = full(&[innocent, leaker("leaker", "", "leak = \"100MiB/s\"")]);
    let (innocent, leaker) = (tenant(&outcome, "innocent"), tenant(&outcome, "leaker"));
    near("the larger innocent dies", ended_s(innocent), (1024.0 / WITH_TABLES - 600.0) / 100.0, 0.02);
    near("then the leaker has all of it", ended_s(leaker), 1024.0 / WITH_TABLES / 100.0, 0.02);
    let told: Vec<_> =
        outcome.report.events.iter().map(|event| (event.what.as_str(), event.target.as_str())).collect();
    let host = ("out-of-memory", "host");
    assert_eq!(told, [host, ("oom-kill", "innocent"), host, ("oom-kill", "leaker")]);
    assert_eq!(outcome.report.events[1].because, Some(0));
    let trace = &outcome.timeline.trace;
    let kill = trace.iter().find(|entry| entry.what == "oom-kill").expect("in the timeline, too");
    let cause = kill.because.and_then(|cause| trace.get(cause as usize)).expect("with its cause");
    assert_eq!((cause.what.as_str(), cause.actor.as_str()), ("out-of-memory", "leaker/0"));
}

#[test]
fn a_killed_tenant_gives_its_core_back() {
    let two =
        [hog("hog", 1, "2s", ""), leaker("t", "limit = \"64MiB\"", "leak = \"64MiB/s\", touch = \"loop\"")];
    let outcome = run(&plan(1, "20s", "cgroups", &two.concat()), &ideal());
    assert_eq!(tenant(&outcome, "t").state, TenantState::OomKilled);
    assert_eq!(tenant(&outcome, "hog").state, TenantState::Completed);
    assert!(outcome.report.elapsed_s < 3.0, "nobody is left to wait for: {} s", outcome.report.elapsed_s);
}

fn version_2() -> Calibration {
    let mut calibration = ideal();
    calibration.machine.cgroup_version = 2;
    calibration
}

#[test]
fn memory_high_slows_a_leak_down_and_kills_nobody() {
    let what = "leak = \"100MiB/s\"";
    let row = |bounds: &str, calibration: &Calibration| {
        let outcome = run(&plan(1, "5s", "cgroups", &leaker("t", bounds, what)), calibration);
        tenant(&outcome, "t").clone()
    };
    let (free, high) = (row("", &version_2()), row("high = \"100MiB\"", &version_2()));
    assert_eq!(high.state, TenantState::Completed);
    near("unbounded", free.memory_peak_bytes.unwrap_or(0) as f64, 500.0 * WITH_TABLES * MIB, 0.01);
    let peak = high.memory_peak_bytes.unwrap_or(0) as f64 / MIB;
    // By the kernel's table it takes some 25 ms for each quarter of a MiB from 102 MiB on, 57 from 103 on, ….
    assert!((101.5..108.0).contains(&peak), "{peak} MiB");
    let first = row("high = \"100MiB\"", &ideal());
    assert!(first.absent.contains_key("memory.high") && first.memory_peak_bytes == free.memory_peak_bytes);
}

#[test]
fn swap_takes_what_is_cold_and_holds_the_kill_up() {
    let mut calibration = ideal();
    if let Some(memory) = &mut calibration.memory {
        memory.swap = Some(SwapCosts { out_ns: 50_000.0, in_ns: 50_000.0 });
    }
    let text = |swap: &str| {
        format!(
            "schema = \"catamaran/scenario/v1\"\nname = \"law\"\nseed = 7\nduration = \"20s\"\nplatforms = [\"bare-metal\"]\n\
             host = {{ cores = 1, memory = \"256MiB\"{swap} }}\n{}",
            leaker("t", "", "leak = \"100MiB/s\"")
        )
    };
    let ends = |swap: &str| {
        let plan = catamaran_scenario::Plan::from_toml(&text(swap), "law.toml").expect("valid");
        ended_s(tenant(&run(&plan, &calibration), "t"))
    };
    near("without swap", ends(""), 256.0 / WITH_TABLES / 100.0, 0.02);
    // 20,000 pages a second can be swapped out, fewer than leak: 64 MiB take 0.8 s, and the page tables stay.
    near("with 64 MiB of swap", ends(", swap = \"64MiB\""), 2.56 + 16384.0 / 20_000.0, 0.05);
}
