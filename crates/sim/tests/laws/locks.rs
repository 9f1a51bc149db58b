//! Spin locks: closed forms, and what a holder without a core costs the others.

use catamaran_scenario::{Calibration, Plan};
use catamaran_sim::Outcome;

use crate::common::{FREE_GUESTS, cpu_s, ideal, near, plan, run, tenant};

/// A tenant whose threads share a lock.
fn locked(name: &str, threads: u32, work: &str, every: &str, hold: &str) -> String {
    format!(
        "[[tenant]]\nname = \"{name}\"\nworkload = {{ kind = \"compute\", threads = {threads}, work = \"{work}\", \
         lock = {{ every = \"{every}\", hold = \"{hold}\" }} }}\n"
    )
}

fn ends(outcome: &Outcome, name: &str) -> f64 {
    tenant(outcome, name).finished_s.unwrap_or_else(|| panic!("{name} never ends"))
}

#[test]
fn with_a_core_for_each_thread_the_lock_is_the_bottleneck_or_it_is_not() {
    // Threads, without, with the lock: how long 1 s of work of each thread takes. After the first turns everyone comes when
    // it is free as long as there is time for all; else they stand in line, and it is never free.
    let table = [
        (1, "1ms", "1ms", 1.0),
        (2, "1ms", "1ms", 1.0),
        (2, "900us", "100us", 1.0),
        (4, "100us", "100us", 2.0),
        (8, "1ms", "1ms", 4.0),
        (4, "50us", "950us", 3.8),
    ];
    for (threads, every, hold, expected_s) in table {
        let work = format!("{threads}s");
        let plan = plan(threads, "20s", "bare-metal", &locked("t", threads, &work, every, hold));
        let outcome = run(&plan, &ideal());
        let what = format!("{threads} threads, {every} without, {hold} with");
        near(&what, ends(&outcome, "t"), expected_s, 0.01);
        let burnt = cpu_s(&outcome, "t");
        assert!(burnt <= f64::from(threads) * expected_s * 1.001, "{what}: {burnt}");
        assert!(burnt >= f64::from(threads) * expected_s * 0.9, "{what}: who waits burns its core: {burnt}");
    }
}

#[test]
fn on_one_core_whoever_waits_burns_its_turn() {
    // A holder that loses its core is found by all others, which burn a slice each.
    let alone = run(&plan(1, "60s", "bare-metal", &locked("t", 4, "4s", "1ms", "1us")), &ideal());
    let held = run(&plan(1, "60s", "bare-metal", &locked("t", 4, "4s", "500us", "500us")), &ideal());
    near("hardly ever held", ends(&alone, "t"), 4.0, 0.1);
    assert!(ends(&held, "t") > 1.4 * ends(&alone, "t"), "half of the time held: {}", ends(&held, "t"));
    near("all of it is CPU time", cpu_s(&held, "t"), ends(&held, "t"), 1e-3);
}

#[test]
fn work_is_conserved_and_a_phase_ends_on_time() {
    let text = "[[tenant]]\nname = \"t\"\nworkload = { phases = [\n\
                { kind = \"compute\", threads = 3, work = \"1h\", lock = { every = \"1ms\", hold = \"2ms\" }, for = \"1s\" },\n\
                { kind = \"compute\", threads = 2, work = \"200ms\" } ] }\n";
    let outcome = run(&plan(3, "20s", "bare-metal", text), &ideal());
    near("the second phase begins when the first is over", ends(&outcome, "t"), 1.1, 1e-3);
    let turns = tenant(&outcome, "t").turns.unwrap();
    // One at a time 2 of 3 ms under the lock: 1 s of holding, and half as much without.
    near("turns are those of work alone", turns / 1e9, 1.5 + 0.2, 0.02);
}

fn guests(calibration: &mut Calibration) {
    calibration.vm = Some(FREE_GUESTS);
}

#[test]
fn in_a_guest_a_virtual_cpu_that_holds_the_lock_and_has_no_core_keeps_the_others() {
    let mut calibration = ideal();
    guests(&mut calibration);
    // Beside a hog of its own guest, on two cores: one of its virtual CPUs is without a core most of the time.
    let beside = |every: &str, hold: &str| -> Plan {
        let tenants = [locked("a", 2, "2s", every, hold), crate::common::hog("b", 1, "1h", "")].concat();
        plan(2, "60s", "vm", &format!("{tenants}[platform.vm]\nvcpus = 2\n"))
    };
    let [free, held] = [("1ms", "1us"), ("500us", "500us")]
        .map(|(every, hold)| ends(&run(&beside(every, hold), &calibration), "a"));
    assert!(held > 1.15 * free, "pre-empted holders: {held} against {free}");
}

#[test]
fn a_guest_of_one_virtual_cpu_runs_its_threads_as_a_machine_does() {
    let mut calibration = ideal();
    guests(&mut calibration);
    calibration.scheduler.kind = catamaran_scenario::plan::Scheduler::Cfs;
    let text = locked("t", 3, "3s", "700us", "300us");
    let inside = run(&plan(1, "60s", "vm", &format!("{text}[platform.vm]\nvcpus = 1\n")), &calibration);
    near("CPU time", cpu_s(&inside, "t"), ends(&inside, "t"), 1e-3);
    assert!(ends(&inside, "t") > 3.3, "holders lose the core: {}", ends(&inside, "t"));
}
