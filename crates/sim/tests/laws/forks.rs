//! Forks: Little's law, the bound of `pids.max`, what a child costs and weighs, and that nothing of the dead is left.

use catamaran_report::report::{Requests, TenantState};
use catamaran_scenario::Calibration;
use catamaran_scenario::calibration::{BusyForkCosts, ForkCosts};
use catamaran_sim::Outcome;

use crate::common::{cpu_s, hog, ideal, near, plan, run, tenant};

/// Of each child 100 µs of CPU time in all, 60 of them the parent's.
const COSTS: ForkCosts = ForkCosts {
    fork_ns: 50_000,
    refused_ns: 30_000,
    start_ns: 15_000,
    exit_ns: 25_000,
    reap_ns: 10_000,
    wakeup_idle_ns: 0,
    child_bytes: 100 << 10,
    busy: None,
};

/// A machine without costs but those of forks.
fn with_forks() -> Calibration {
    Calibration { fork: Some(COSTS), ..ideal() }
}

fn bomb(more: &str, what: &str) -> String {
    format!("[[tenant]]\nname = \"bomb\"\n{more}\nworkload = {{ kind = \"fork\", {what} }}\n")
}

fn forks(outcome: &Outcome) -> Requests {
    tenant(outcome, "bomb").requests.clone().unwrap_or_else(|| panic!("no forks"))
}

#[test]
fn as_many_children_are_there_as_come_in_a_lifetime() {
    // (forks a second, lifetime in ms, children at once)
    for (rate, lifetime, at_once) in [(100, 500, 50), (1000, 100, 100), (3, 1000, 3)] {
        let bomb = bomb("", &format!("rate = \"{rate}/s\", lifetime = \"{lifetime}ms\""));
        let outcome = run(&plan(2, "4s", "bare-metal", &bomb), &with_forks());
        let forks = forks(&outcome);
        assert_eq!((forks.sent, forks.failed), (4 * rate, 0));
        assert_eq!(forks.sent - forks.completed, at_once, "{rate}/s, {lifetime} ms");
        let latency = forks.latency_s.unwrap();
        near("latency", latency.p50, lifetime as f64 / 1e3 + 100e-6, 1e-2);
        // The last ones have been born and are not dead.
        let (whole, born) = (forks.completed as f64, at_once as f64);
        near("CPU time", cpu_s(&outcome, "bomb"), whole * 100e-6 + born * 65e-6, 1e-2);
        near("throughput", tenant(&outcome, "bomb").throughput_per_s.unwrap(), whole / 4.0, 1e-9);
    }
}

#[test]
fn beyond_the_bound_forks_fail_and_are_not_tried_again() {
    // 100 children beside the two threads of the parent. The child of a fork is dead just after the one that is due a lifetime later,
    // so that of 501 in a row 100 succeed.
    let bomb = bomb("pids = { limit = 102 }", "rate = \"1000/s\", lifetime = \"500ms\"");
    let outcome = run(&plan(2, "2s", "cgroups", &bomb), &with_forks());
    let forks = forks(&outcome);
    assert_eq!((forks.sent, forks.failed), (2000, 1600));
    assert_eq!(forks.completed, 300, "the last hundred is at sleep");
    let events: Vec<_> = outcome
        .report
        .events
        .iter()
        .map(|event| (event.at_s, event.what.as_str(), event.target.as_str()))
        .collect();
    assert_eq!(events, [(0.1, "pids-max", "bomb")], "of all refusals the first is noted");
    near("CPU time", cpu_s(&outcome, "bomb"), 1600.0 * 30e-6 + 300.0 * 100e-6 + 100.0 * 65e-6, 1e-2);
}

#[test]
fn where_no_limit_applies_none_is_refused() {
    let bomb = bomb("pids = { limit = 102 }", "rate = \"1000/s\", lifetime = \"500ms\"");
    for platform in ["bare-metal", "chroot", "namespaces"] {
        let outcome = run(&plan(2, "2s", platform, &bomb), &with_forks());
        assert_eq!(forks(&outcome).failed, 0);
        assert!(tenant(&outcome, "bomb").absent.contains_key("pids.limit"), "{platform}");
        assert!(outcome.report.events.is_empty());
    }
}

#[test]
fn a_fork_beyond_max_waits_until_one_was_reaped() {
    let bomb = bomb("", "rate = \"1000/s\", lifetime = \"100ms\", max = 10");
    let forks = forks(&run(&plan(2, "5s", "bare-metal", &bomb), &with_forks()));
    assert_eq!((forks.sent, forks.failed), (5000, 0));
    near("throughput", forks.completed as f64, 10.0 * (5.0 - 0.1) / 0.1001, 2e-2);
    // The one that came last waited for nearly all of the run.
    near("latency", forks.latency_s.unwrap().max, 5.0 * (1.0 - 0.1), 3e-2);
}

#[test]
fn one_thread_of_the_simulator_serves_many_children_in_turn() {
    let bomb = bomb("", "rate = \"1000/s\", lifetime = \"20ms\"");
    let outcome = run(&plan(2, "10s", "bare-metal", &bomb), &with_forks());
    assert!(forks(&outcome).completed > 9_900);
    let most = outcome.timeline.slices.iter().map(|slice| slice.thread).max();
    assert!(most.is_some_and(|most| (20..=22).contains(&most)), "{most:?}");
}

#[test]
fn children_are_charged_until_they_are_reaped() {
    let bomb = bomb("", "rate = \"1000/s\", lifetime = \"50ms\"");
    let outcome = run(&plan(2, "1s", "cgroups", &bomb), &with_forks());
    let none =
        run(&plan(2, "1s", "cgroups", &self::bomb("", "rate = \"1/s\", lifetime = \"0s\"")), &with_forks());
    let peak = |outcome: &Outcome| tenant(outcome, "bomb").memory_peak_bytes.unwrap() as f64;
    near("children", (peak(&outcome) - peak(&none)) / f64::from(100 << 10), 49.0, 0.1);
}

#[test]
fn a_parent_that_is_killed_takes_its_children_with_it() {
    let events = "[[event]]\nat = \"1s\"\ndo = \"kill\"\ntarget = \"bomb\"\n";
    for (restart, sent) in [("never", 1000), ("always", 12_000)] {
        let text = bomb(&format!("restart = \"{restart}\""), "rate = \"1000/s\", lifetime = \"300ms\"");
        // One that works on keeps the run going.
        let text = text + &hog("hog", 1, "1h", "") + events;
        let outcome = run(&plan(2, "12s", "bare-metal", &text), &with_forks());
        let row = tenant(&outcome, "bomb");
        let forks = row.requests.as_ref().unwrap();
        if restart == "never" {
            assert_eq!(row.state, TenantState::Failed);
            near("CPU time", cpu_s(&outcome, "bomb"), 700.0 * 100e-6 + 300.0 * 65e-6, 2e-2);
            near("sent", forks.sent as f64, f64::from(sent), 2e-3);
        } else {
            // The first restart comes at once.
            near("sent", forks.sent as f64, f64::from(sent), 1e-3);
            assert_eq!(row.restarts, Some(1));
        }
    }
}

#[test]
fn a_kill_in_the_midst_of_a_fork_takes_no_memory_that_is_not_there() {
    let text = |at_us: u32| {
        let kill = format!("[[event]]\nat = \"{at_us}us\"\ndo = \"kill\"\ntarget = \"bomb\"\n");
        bomb("restart = \"always\"", "rate = \"1000/s\", lifetime = \"0s\"")
            + &hog("hog", 1, "1h", "")
            + &kill
    };
    // A fork begins every millisecond and takes 50 µs: some of these kills come in one, others while a child lives or is reaped.
    for at_us in (10_000..11_000).step_by(10) {
        let outcome = run(&plan(2, "30ms", "cgroups", &text(at_us)), &with_forks());
        let row = tenant(&outcome, "bomb");
        let most = row.memory_peak_bytes.unwrap();
        assert_eq!(row.restarts, Some(1), "killed at {at_us} µs");
        assert!((100 << 10..2 << 20).contains(&most), "killed at {at_us} µs: {most} bytes");
    }
}

#[test]
fn a_phase_of_forks_ends_with_its_children() {
    let text = "[[tenant]]\nname = \"bomb\"\nworkload = { phases = [\n\
                { kind = \"fork\", rate = \"100/s\", lifetime = \"10s\", for = \"1s\" },\n\
                { kind = \"compute\", work = \"500ms\" }] }\n";
    let outcome = run(&plan(2, "5s", "bare-metal", text), &with_forks());
    let row = tenant(&outcome, "bomb");
    near("end", row.finished_s.unwrap(), 1.5, 1e-2);
    assert_eq!(
        row.requests.as_ref().map(|forks| (forks.sent, forks.completed, forks.failed)),
        Some((100, 0, 0))
    );
    near("CPU time", cpu_s(&outcome, "bomb"), 0.5 + 100.0 * 65e-6, 1e-2);
}

#[test]
fn in_a_guest_children_are_the_guests_own() {
    let bomb = bomb("", "rate = \"100/s\", lifetime = \"200ms\"");
    for platform in ["vm", "microvm", "kata"] {
        let outcome = run(&plan(2, "2s", platform, &bomb), &with_forks());
        let forks = forks(&outcome);
        assert_eq!((forks.sent, forks.completed, forks.failed), (200, 180, 0), "{platform}");
    }
}

#[test]
fn children_share_the_cores_with_everyone_else() {
    // 8 ms of work each in place of a sleep: two hogs beside them get what is left.
    let costs = ForkCosts { start_ns: 8_000_000, ..COSTS };
    let machine = Calibration { fork: Some(costs), ..ideal() };
    let tenants = bomb("", "rate = \"50/s\", lifetime = \"1ms\"") + &hog("hog", 2, "1h", "");
    let outcome = run(&plan(2, "10s", "cgroups", &tenants), &machine);
    near("children", cpu_s(&outcome, "bomb"), 500.0 * 8.1e-3, 2e-2);
    near("hogs", cpu_s(&outcome, "hog"), 20.0 - 500.0 * 8.1e-3, 2e-2);
}

#[test]
fn nobody_is_interrupted_where_no_core_idles() {
    let busy = BusyForkCosts { fork_ns: 40_000, start_ns: 10_000, exit_ns: 20_000 };
    let machine = Calibration { fork: Some(ForkCosts { busy: Some(busy), ..COSTS }), ..ideal() };
    // (what beside, threads of it, CPU time of a child in all)
    let table = [("alone", 0, 100e-6), ("the other core is busy", 1, 80e-6), ("both are busy", 2, 80e-6)];
    for (what, hogs, each) in table {
        let beside = if hogs > 0 { hog("hog", hogs, "1h", "") } else { String::new() };
        let tenants = bomb("", "rate = \"100/s\", lifetime = \"5ms\"") + &beside;
        let outcome = run(&plan(2, "4s", "cgroups", &tenants), &machine);
        near(what, cpu_s(&outcome, "bomb"), 400.0 * each, 2e-2);
    }
}

#[test]
fn a_machine_that_was_calibrated_without_refuses_them() {
    let bomb = bomb("", "rate = \"1/s\", lifetime = \"1s\"");
    let plan = plan(1, "1s", "bare-metal", &bomb);
    let machine = Calibration { fork: None, ..ideal() };
    let answer =
        catamaran_sim::simulate(&plan, plan.platforms()[0], &machine, &catamaran_sim::Options::default());
    let refusal = answer.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refusal.contains("tenant.bomb.workload.kind") && refusal.contains("calibrate"), "{refusal}");
}
