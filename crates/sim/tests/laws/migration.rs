//! Guests that move while they run, against closed forms.

use catamaran_report::report::{EventRow, TenantState};
use catamaran_scenario::calibration::VmCosts;
use catamaran_scenario::{Calibration, Plan};
use catamaran_sim::Outcome;

use crate::common::{FREE_GUESTS, ideal, near, run};

const LEAK: &str = "{ kind = \"memory\", start = \"0MiB\", leak = \"20MB/s\" }";

/// Two nodes with a link, and a tenant that moves from one to the other after 2 s.
fn plan(workload: &str, more: &str) -> Plan {
    plan_by("", workload, more)
}

/// The same with more settings of guests.
fn plan_by(settings: &str, workload: &str, more: &str) -> Plan {
    let text = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"law\"\nseed = 7\nduration = \"30s\"\nplatforms = [\"vm\"]\n\
         [host]\ncores = 1\nnodes = 3\nmemory = \"8GiB\"\nnetwork = {{ bandwidth = \"800Mbit/s\" }}\n\
         [platform.vm]\nmemory = \"4GiB\"\n{settings}\
         [[tenant]]\nname = \"app\"\nworkload = {workload}\n\
         [[event]]\nat = \"2s\"\ndo = \"migrate\"\ntarget = \"app\"\nto = 1\n{more}"
    );
    Plan::from_toml(&text, "law.toml").unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn of<'a>(outcome: &'a Outcome, what: &'static str) -> impl Iterator<Item = &'a EventRow> {
    outcome.report.events.iter().filter(move |event| event.what == what)
}

fn at(outcome: &Outcome, what: &'static str) -> f64 {
    of(outcome, what).next().map_or(f64::NAN, |event| event.at_s)
}

/// A machine without costs on which a guest holds 100 MB while it is idle.
fn machine() -> Calibration {
    let mut calibration = ideal();
    // For one of 256 MiB; of 4 GiB the kernel keeps a 64th more.
    let idle_bytes = Some(100_000_000 - (60 << 20));
    calibration.vm = Some(VmCosts { idle_bytes, ..FREE_GUESTS });
    calibration
}

#[test]
fn rounds_shrink_as_a_geometric_series() {
    let outcome = run(&plan(LEAK, ""), &machine());
    let rounds: Vec<_> = outcome.report.events.iter().filter_map(|event| event.bytes).collect();
    // 100 MB and what leaked in 2 s, over 100 MB/s: then a fifth each time, until it fits into 300 ms (30 MB).
    near("round 0", rounds[0] as f64, 140e6, 0.01);
    near("the last round", rounds[1] as f64, 28e6, 0.02);
    assert_eq!(rounds.len(), 2);
    let (begun, pause, resume) =
        (at(&outcome, "migration-round"), at(&outcome, "migration-pause"), at(&outcome, "migration-resume"));
    near("begun", begun, 2.0, 1e-9);
    near("how long it ran", pause - begun, rounds[0] as f64 / 100e6, 1e-6);
    near("how long it stood still", resume - pause, rounds[1] as f64 / 100e6, 1e-6);
    // A shorter down-time takes more rounds.
    let brief = run(&plan_by("downtime = \"3ms\"\n", LEAK, ""), &machine());
    let rounds: Vec<_> = brief.report.events.iter().filter_map(|event| event.bytes).collect();
    assert_eq!(rounds.len(), 5);
    let mut expected = 140e6;
    for (n, bytes) in rounds.iter().enumerate() {
        // A leak is looked at every 10 ms, in which it is 200 KB.
        assert!((*bytes as f64 - expected).abs() < 4e5, "round {n}: {bytes}, not {expected}");
        expected /= 5.0;
    }
}

#[test]
fn each_event_of_a_migration_follows_from_the_one_before() {
    let outcome = run(&plan(LEAK, ""), &machine());
    let events = &outcome.report.events;
    let story: Vec<&str> = events.iter().map(|event| event.what.as_str()).collect();
    assert_eq!(story, ["migrate", "migration-round", "migration-pause", "migration-resume"]);
    let causes: Vec<_> = events.iter().map(|event| event.because).collect();
    assert_eq!(causes, [None, Some(0), Some(1), Some(2)]);
    assert_eq!(events[3].actor, "node-1");
    assert_eq!(outcome.report.unexplained(), Vec::<String>::new());
}

#[test]
fn requests_wait_while_a_guest_stands_still_and_none_is_lost() {
    let server = "{ kind = \"server\", arrivals = { process = \"constant\", rate = \"100/s\" }, service = { cpu = \"1ms\", distribution = \"constant\" } }";
    let outcome = run(&plan(server, ""), &machine());
    let row = &outcome.report.tenants[0];
    let requests = row.requests.as_ref().unwrap();
    assert_eq!((requests.failed, requests.in_flight), (0, 0));
    // Nothing is written: the last round is empty, and the guest stands still for no time.
    assert!(at(&outcome, "migration-resume") - at(&outcome, "migration-pause") < 1e-6);
    let still = run(&apart(), &machine());
    let stood = at(&still, "migration-resume") - at(&still, "migration-pause");
    assert!(stood > 0.2, "{stood}");
    let late = still.timeline.requests.iter().filter(|request| {
        let arrival_s = request.arrival_ns as f64 / 1e9;
        arrival_s > at(&still, "migration-pause") && arrival_s < at(&still, "migration-resume")
    });
    for request in late.clone() {
        let done = request.completed_ns.unwrap() as f64 / 1e9;
        assert!(done >= at(&still, "migration-resume"), "{request:?}");
    }
    assert_eq!(late.count(), (stood * 100.0) as usize);
    let row = &still.report.tenants[0];
    let requests = row.requests.as_ref().unwrap();
    assert_eq!((requests.failed, requests.in_flight), (0, 0));
    // All that it has run is told, on whichever node.
    near("CPU time", row.cpu_s.unwrap(), requests.sent as f64 * 1e-3, 0.05);
    near("the longest", requests.latency_s.as_ref().unwrap().max, stood, 0.1);
}

/// A server that holds 25 MB in a phase before, and touches them while it is moved.
fn apart() -> Plan {
    let phases = "{ phases = [\n\
         { kind = \"memory\", start = \"24MiB\", touch = \"loop\", for = \"3100ms\" },\n\
         { kind = \"server\", arrivals = { process = \"constant\", rate = \"100/s\" }, service = { cpu = \"1ms\", distribution = \"constant\" }, for = \"20s\" }] }";
    plan(&phases.replace('\n', ""), "")
}

#[test]
fn a_guest_that_goes_on_elsewhere_answers_as_if_it_had_stayed() {
    let compute = "{ kind = \"compute\", work = \"10s\" }";
    let moved = run(&plan(compute, ""), &machine());
    let row = &moved.report.tenants[0];
    assert_eq!(row.state, TenantState::Completed);
    near("finished", row.finished_s.unwrap(), 10.0, 0.01);
    near("CPU time", row.cpu_s.unwrap(), 10.0, 0.01);
    // On core 0 of node 0 until it moves, then on that of node 1.
    let pause = at(&moved, "migration-pause");
    for slice in &moved.timeline.slices {
        let (start_s, end_s) = (slice.start_ns as f64 / 1e9, slice.end_ns as f64 / 1e9);
        assert!(if slice.core == 0 { end_s <= pause + 1e-9 } else { start_s >= pause - 1e-9 }, "{slice:?}");
    }
    assert!(moved.timeline.slices.iter().any(|slice| slice.core == 1));
}

#[test]
fn a_guest_that_writes_faster_than_the_link_is_never_done() {
    let hot = "{ kind = \"memory\", start = \"100MiB\", touch = \"loop\" }";
    let outcome = run(&plan(hot, ""), &machine());
    assert_eq!(of(&outcome, "migration-pause").count(), 0);
    assert!(of(&outcome, "migration-round").count() > 10);
    assert_eq!(outcome.report.tenants[0].state, TenantState::Completed);
}

#[test]
fn a_migration_comes_to_nothing_where_it_can_not_be() {
    // What happens besides, and when the migration is given up.
    let table = [
        ("[[event]]\nat = \"2.5s\"\ndo = \"kill\"\ntarget = \"app\"\n", 2.5),
        ("[[event]]\nat = \"2.5s\"\ndo = \"fail-node\"\ntarget = 1\n", 2.5),
        ("[[event]]\nat = \"2.5s\"\ndo = \"partition\"\ntarget = 1\nfor = \"1s\"\n", 2.5),
        ("[[event]]\nat = \"1s\"\ndo = \"partition\"\ntarget = 0\nfor = \"5s\"\n", 2.0),
        ("[[event]]\nat = \"1s\"\ndo = \"kill\"\ntarget = \"app\"\n", 2.0),
        // Another that has no room: 8 GiB less what is there.
        ("[[tenant]]\nname = \"full\"\nnode = 1\nreplicas = 87\nworkload = { kind = \"idle\" }\n", f64::NAN),
    ];
    for (more, at_s) in table {
        let outcome = run(&plan(LEAK, more), &machine());
        assert_eq!(of(&outcome, "migration-resume").count(), 0, "{more}");
        assert_eq!(of(&outcome, "migration-failed").count(), 1, "{more}");
        if at_s.is_finite() {
            near(more, at(&outcome, "migration-failed"), at_s, 1e-9);
        }
        let killed = more.contains("kill");
        let state = if killed { TenantState::Failed } else { TenantState::Completed };
        assert_eq!(outcome.report.tenants[0].state, state, "{more}");
    }
}

#[test]
fn one_guest_moves_after_the_other_and_back_again() {
    let back = "[[event]]\nat = \"10s\"\ndo = \"migrate\"\ntarget = \"app\"\nto = 0\n\
         [[event]]\nat = \"14s\"\ndo = \"kill\"\ntarget = \"app\"\n";
    let text = plan("{ kind = \"compute\", work = \"60s\" }\nreplicas = 3", back);
    let outcome = run(&text, &machine());
    let resumed: Vec<_> = of(&outcome, "migration-resume").map(|event| event.target.as_str()).collect();
    assert_eq!(resumed, ["app", "app/1", "app/2", "app", "app/1", "app/2"]);
    assert_eq!(of(&outcome, "kill").count(), 1);
    assert_eq!(of(&outcome, "killed").count(), 3);
    let cpu_s: f64 = outcome.report.tenants.iter().filter_map(|row| row.cpu_s).sum();
    // A core of one node, and of both while some are here and some there.
    let resumed: Vec<f64> = of(&outcome, "migration-resume").map(|event| event.at_s).collect();
    let both = resumed[2] - resumed[0] + resumed[5] - resumed[3];
    near("CPU time", cpu_s, 14.0 + both, 0.01);
}

#[test]
fn memory_goes_along() {
    let start = "{ kind = \"memory\", start = \"64MiB\" }";
    let outcome = run(&plan(start, ""), &machine());
    let samples = outcome.report.samples.as_ref().unwrap();
    assert_eq!(samples.series.len(), 1, "one of the tenant, whatever its node");
    let values = &samples.series[0].values;
    let first = values[15];
    // It is charged once at each instant, before and after.
    assert!(values.iter().skip(15).all(|value| (*value - first).abs() < 1.0), "{values:?}");
}
