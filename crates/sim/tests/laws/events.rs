//! What happens to a tenant from outside: it is killed, limited anew, scaled, replaced, lost with its node, started again.

use catamaran_report::Report;
use catamaran_report::report::{TenantReport, TenantState};
use catamaran_scenario::Calibration;
use catamaran_sim::Outcome;

use crate::common::{cpu_s, hog, ideal, near, plan, run, server, tenant};

/// The machine without costs, on which a start takes 50 ms on every platform.
fn machine() -> Calibration {
    let mut calibration = ideal();
    let stage = catamaran_scenario::calibration::StartupStage {
        name: "exec".into(),
        actor: "kernel".into(),
        median_ns: 50_000_000,
    };
    for stages in calibration.startup.values_mut() {
        *stages = vec![stage.clone()];
    }
    calibration
}

fn event(at: &str, what: &str) -> String {
    format!("[[event]]\nat = \"{at}\"\n{what}\n")
}

fn kill(at: &str) -> String {
    event(at, "do = \"kill\"\ntarget = \"t\"")
}

/// `t` with a further field.
fn with(field: &str, tenant: &str) -> String {
    tenant.replacen("name = \"t\"\n", &format!("name = \"t\"\n{field}\n"), 1)
}

/// What the report tells, each row with its cause: `kill t < scenario`.
fn told(report: &Report) -> Vec<String> {
    let row = |event: &catamaran_report::report::EventRow| {
        let cause = event.because.and_then(|cause| report.events.get(cause as usize));
        let because = cause.map_or(String::new(), |cause| format!(" < {} {}", cause.what, cause.target));
        format!("{:.2} {} {} {}{because}", event.at_s, event.actor, event.what, event.target)
    };
    report.events.iter().map(row).collect()
}

fn counts(row: &TenantReport) -> (u64, u64, u64, u64) {
    let requests = row.requests.as_ref().unwrap_or_else(|| panic!("{} is no server", row.label()));
    (requests.sent, requests.completed, requests.failed, requests.in_flight)
}

/// Ten requests a second, each of 1 ms: numbers 0, 1, … arrive at 0, 100, … ms.
fn ten_a_second() -> String {
    server("t", "10/s", "1ms", "constant", 1).replace("poisson", "constant")
}

#[test]
fn requests_of_a_killed_server_are_refused_until_it_is_there_again() {
    // (restart, what becomes of the hundred requests of ten seconds: completed, failed; restarts, state)
    let table = [
        ("never", 40, 60, 0, TenantState::Failed),
        // At once, after a start of 50 ms: request 40 arrives at 4.000 s, when it is killed, and 41 at 4.1 s finds it.
        ("on-failure", 99, 1, 1, TenantState::Completed),
        ("always", 99, 1, 1, TenantState::Completed),
    ];
    for (restart, completed, failed, restarts, state) in table {
        let text = with(&format!("restart = \"{restart}\""), &ten_a_second());
        // Another tenant keeps the machine up to the end.
        let idle = "[[tenant]]\nname = \"idle\"\nworkload = { kind = \"idle\" }\n";
        let outcome =
            run(&plan(1, "10s", "bare-metal", &[&text, idle, &kill("3999ms")].concat()), &machine());
        let row = tenant(&outcome, "t");
        assert_eq!(counts(row), (100, completed, failed, 0), "{restart}");
        assert_eq!((row.restarts, row.state), (Some(restarts), state), "{restart}");
        let late = outcome.timeline.requests.iter().filter(|one| one.failed_ns.is_some());
        assert!(late.clone().all(|one| one.failed_ns == Some(one.arrival_ns)), "refused as they come");
        assert_eq!(late.count() as u64, failed);
        assert_eq!(row.error.is_some(), state == TenantState::Failed);
    }
}

#[test]
fn what_a_server_had_begun_and_queued_is_lost_with_it() {
    // One request of 1 s each 100 ms: killed at 250 ms it is at the first, and two wait.
    let slow = server("t", "10/s", "1s", "constant", 1).replace("poisson", "constant");
    let outcome = run(&plan(1, "1s", "bare-metal", &[slow, kill("250ms")].concat()), &machine());
    let failed: Vec<_> = outcome.timeline.requests.iter().filter_map(|one| one.failed_ns).collect();
    assert_eq!(failed, [250_000_000; 3], "nothing is left to wait for then");
    near("it ends there", outcome.report.elapsed_s, 0.25, 1e-6);
}

#[test]
fn restarts_come_after_the_back_off_and_the_start() {
    // (restart, what it does, when it is there again until 100 s, in ms)
    let crash = |at: &[&str]| at.iter().map(|at| kill(at)).collect::<String>();
    let table = [
        ("on-failure", crash(&["1s", "2s", "13s", "34s"]), vec![1050, 12050, 33050, 74050]),
        // Killed while it is not there: nobody is.
        ("on-failure", crash(&["1s", "2s", "3s", "13s"]), vec![1050, 12050, 33050]),
        ("never", crash(&["1s", "2s"]), vec![]),
    ];
    for (restart, kills, expected) in table {
        let busy = with(&format!("restart = \"{restart}\""), &hog("t", 1, "1h", ""));
        let outcome = run(&plan(1, "100s", "bare-metal", &[busy, kills].concat()), &machine());
        let again = outcome.report.events.iter().filter(|event| event.what == "restart");
        let again: Vec<u64> = again.map(|event| (event.at_s * 1e3).round() as u64).collect();
        assert_eq!(again, expected, "{restart}");
        assert_eq!(tenant(&outcome, "t").restarts, Some(expected.len() as u64));
    }
}

#[test]
fn what_ends_by_itself_is_started_again_only_where_always_says_so() {
    for (restart, restarts, cpu) in [("never", 0, 1.0), ("on-failure", 0, 1.0), ("always", 2, 3.0)] {
        let short = with(&format!("restart = \"{restart}\""), &hog("t", 1, "1s", ""));
        let outcome = run(&plan(1, "20s", "bare-metal", &short), &machine());
        let row = tenant(&outcome, "t");
        assert_eq!((row.restarts, row.state), (Some(restarts), TenantState::Completed), "{restart}");
        near("CPU time of all lives", cpu_s(&outcome, "t"), cpu, 1e-6);
        // At 1.05 s and, 10 s after the second end at 2.05 s, at 12.1 s.
        let finished = if restarts == 0 { 1.0 } else { 13.1 };
        near(restart, row.finished_s.unwrap_or(0.0), finished, 1e-6);
    }
}

#[test]
fn a_leaker_that_is_started_again_leaks_again() {
    let leaker = "[[tenant]]\nname = \"t\"\nrestart = \"on-failure\"\nmemory = { limit = \"64MiB\" }\n\
                  workload = { kind = \"memory\", leak = \"64MiB/s\" }\n";
    let outcome = run(&plan(1, "14s", "cgroups", leaker), &machine());
    let row = tenant(&outcome, "t");
    assert_eq!((row.oom_kills, row.restarts, row.state), (Some(3), Some(2), TenantState::OomKilled));
    let told = told(&outcome.report);
    let expected = ["out-of-memory t", "oom-kill t < out-of-memory t", "restart t < oom-kill t"];
    for (line, end) in told.iter().zip(expected.iter().cycle()) {
        assert!(line.ends_with(end), "{told:#?}");
    }
    assert_eq!(told.len(), 8, "{told:#?}");
}

#[test]
fn a_phase_that_starts_over_has_its_clients_anew() {
    let phases = "[[tenant]]\nname = \"t\"\nrestart = \"always\"\nworkload = { phases = [ { kind = \"compute\", work = \"1s\" }, \
                  { kind = \"server\", arrivals = { process = \"constant\", rate = \"10/s\" }, service = { cpu = \"1ms\", distribution = \"constant\" }, for = \"2s\" } ] }\n";
    let outcome = run(&plan(1, "6s", "bare-metal", &[phases, &kill("2500ms")].concat()), &machine());
    // From 1 s to 2.5 s fifteen or sixteen come, at 2.5 s one is refused; from 3.55 s on there are twenty more.
    let row = tenant(&outcome, "t");
    let (sent, completed, failed, _) = counts(row);
    assert_eq!((completed, sent - failed), (35, 35), "{:?}", counts(row));
    assert!(failed <= 1, "{failed}");
}

/// CPU time of `t` in each second.
fn each_second(outcome: &Outcome) -> Vec<f64> {
    let mut seconds = vec![0.0; outcome.report.elapsed_s.ceil() as usize];
    for slice in outcome.timeline.slices.iter().filter(|slice| slice.tenant == 0) {
        let mut from = slice.start_ns;
        while from < slice.end_ns {
            let second = from / 1_000_000_000;
            let to = slice.end_ns.min((second + 1) * 1_000_000_000);
            seconds[second as usize] += (to - from) as f64 / 1e9;
            from = to;
        }
    }
    seconds
}

#[test]
fn another_cpu_limit_holds_from_then_on() {
    // (limit before, limit set at 2 s, CPU time a second after)
    let table = [("limit = \"500m\"", "200m", 0.2), ("limit = \"200m\"", "800m", 0.8), ("", "300m", 0.3)];
    for (before, after, expected) in table {
        let set = event("2s", &format!("do = \"set-limit\"\ntarget = \"t\"\ncpu = \"{after}\""));
        let outcome = run(&plan(1, "6s", "cgroups", &[hog("t", 1, "1h", before), set].concat()), &machine());
        let seconds = each_second(&outcome);
        let own = if before.is_empty() {
            1.0
        } else if before.contains("500") {
            0.5
        } else {
            0.2
        };
        near("before", seconds[1], own, 0.15);
        near("after", (seconds[3] + seconds[4] + seconds[5]) / 3.0, expected, 0.06);
        assert_eq!(
            told(&outcome.report),
            ["2.00 scenario set-limit t", "2.00 kernel cpu-limit t < set-limit t"]
        );
    }
    let set = event("2s", "do = \"set-limit\"\ntarget = \"t\"\ncpu = \"100m\"");
    let outcome = run(&plan(1, "4s", "bare-metal", &[hog("t", 1, "1h", ""), set].concat()), &machine());
    near("without limits nothing follows", cpu_s(&outcome, "t"), 4.0, 1e-3);
    assert!(tenant(&outcome, "t").absent.contains_key("event.set-limit"));
}

#[test]
fn a_smaller_memory_limit_kills_on_version_2_and_is_refused_on_version_1() {
    let holder = "[[tenant]]\nname = \"t\"\nmemory = { limit = \"200MiB\" }\nworkload = { kind = \"memory\", start = \"100MiB\" }\n";
    let set = |limit: &str| event("2s", &format!("do = \"set-limit\"\ntarget = \"t\"\nmemory = \"{limit}\""));
    let table = [
        (1, "64MiB", TenantState::Completed, "memory-limit-refused"),
        (2, "64MiB", TenantState::OomKilled, "out-of-memory"),
        (1, "128MiB", TenantState::Completed, "memory-limit"),
        (2, "128MiB", TenantState::Completed, "memory-limit"),
    ];
    for (version, limit, state, what) in table {
        let mut calibration = machine();
        calibration.machine.cgroup_version = version;
        let outcome = run(&plan(1, "4s", "cgroups", &[holder, &set(limit)].concat()), &calibration);
        assert_eq!(tenant(&outcome, "t").state, state, "{limit} on version {version}");
        let events = &outcome.report.events;
        assert_eq!(
            (events[1].what.as_str(), events[1].because),
            (what, Some(0)),
            "{:#?}",
            told(&outcome.report)
        );
    }
}

#[test]
fn replicas_come_and_go_with_their_clients() {
    let scale = |at: &str, to: u32| event(at, &format!("do = \"scale\"\ntarget = \"t\"\nreplicas = {to}"));
    let two = with("replicas = 2", &ten_a_second());
    let text = [two, scale("2s", 3), scale("5s", 1), scale("8s", 2)].concat();
    let outcome = run(&plan(2, "10s", "bare-metal", &text), &machine());
    assert_eq!(
        told(&outcome.report),
        [
            "2.00 scenario scale t",
            "2.05 runtime start t/2 < scale t",
            "5.00 scenario scale t",
            "5.00 runtime stop t/2 < scale t",
            "5.00 runtime stop t/1 < scale t",
            "8.00 scenario scale t",
            "8.05 runtime start t/1 < scale t",
        ]
    );
    let rows = &outcome.report.tenants;
    assert_eq!(rows.len(), 3);
    // Replica 1: 50 requests until 5 s, 19 from 8.1 s on; replica 2: from 2.1 s to 5 s.
    for (row, (least, most)) in rows.iter().zip([(100, 100), (69, 70), (29, 30)]) {
        let (sent, completed, failed, in_flight) = counts(row);
        assert!((least..=most).contains(&sent), "{}: {sent}", row.label());
        assert_eq!((completed + failed, in_flight), (sent, 0));
        assert!(failed <= 1 && row.state == TenantState::Completed && row.restarts == Some(0));
    }
    let never = [ten_a_second(), scale("9s", 2), event("1s", "do = \"scale\"\ntarget = \"t\"\nreplicas = 1")]
        .concat();
    let outcome = run(&plan(2, "9s500ms", "bare-metal", &never), &machine());
    assert_eq!(outcome.report.tenants[1].replica, 1);
}

#[test]
fn one_that_comes_later_was_charged_nothing_before() {
    let leaker = "[[tenant]]\nname = \"t\"\nworkload = { kind = \"memory\", start = \"8MiB\" }\n";
    let scale = event("2s", "do = \"scale\"\ntarget = \"t\"\nreplicas = 2");
    let outcome = run(&plan(2, "4s", "bare-metal", &[leaker, &scale].concat()), &machine());
    let samples = outcome.report.samples.as_ref().expect("of memory");
    let held = |tenant: &str| {
        let series = samples.series.iter().find(|series| series.tenant == tenant).expect("a series");
        series.values.iter().filter(|bytes| **bytes > 0.0).count()
    };
    assert!(samples.series.iter().all(|series| series.values.len() == 39), "one for each 100 ms");
    assert_eq!((held("t"), held("t/1")), (39, 19), "from 2.05 s on");
}

#[test]
fn an_update_replaces_one_replica_after_the_other() {
    let image = "[[image]]\nname = \"new\"\nlayers = [{ id = \"a\", size = \"1MiB\" }]\n";
    let update = event("2s", "do = \"update\"\ntarget = \"t\"\nimage = \"new\"");
    let text = [image, &with("replicas = 2", &ten_a_second()), &update].concat();
    let outcome = run(&plan(2, "10s", "bare-metal", &text), &machine());
    assert_eq!(
        told(&outcome.report),
        [
            "2.00 scenario update t",
            "2.00 runtime stop t < update t",
            "2.05 runtime start t < stop t",
            "2.05 runtime stop t/1 < update t",
            "2.10 runtime start t/1 < stop t/1",
        ]
    );
    for row in &outcome.report.tenants {
        let (sent, completed, failed, _) = counts(row);
        assert_eq!((sent, completed + failed), (100, 100));
        assert!(failed <= 1 && row.absent.contains_key("event.update.image"), "{failed}");
    }
}

#[test]
fn a_node_that_fails_takes_all_with_it_and_nobody_comes_back() {
    let on = |node: u32, text: &str| with(&format!("node = {node}\nrestart = \"always\""), text);
    let other = hog("u", 1, "1h", "").replacen("name = \"u\"\n", "name = \"u\"\nnode = 1\n", 1);
    let fail = event("3s", "do = \"fail-node\"\ntarget = 0");
    let text = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"law\"\nseed = 7\nduration = \"8s\"\nplatforms = [\"bare-metal\"]\n\
         host = {{ cores = 1, memory = \"1GiB\", nodes = 2 }}\n{}{other}{fail}",
        on(0, &ten_a_second())
    );
    let plan = catamaran_scenario::Plan::from_toml(&text, "law.toml").expect("valid");
    let outcome = run(&plan, &machine());
    let row = tenant(&outcome, "t");
    assert_eq!((row.state, row.restarts), (TenantState::Failed, Some(0)));
    assert_eq!(row.error.as_deref(), Some("its node failed at 3 s"));
    assert_eq!(
        told(&outcome.report),
        ["3.00 scenario fail-node node-0", "3.00 node-0 lost t < fail-node node-0"]
    );
    near("the other node goes on", cpu_s(&outcome, "u"), 8.0, 1e-3);
}

#[test]
fn a_guest_can_be_killed_and_limited_and_started_again() {
    let guest = with("restart = \"on-failure\"\ncpu = { limit = \"500m\" }", &hog("t", 2, "1h", ""));
    let set = event("6s", "do = \"set-limit\"\ntarget = \"t\"\ncpu = \"1\"");
    let mut calibration = machine();
    calibration.vm = None;
    let outcome = run(&plan(2, "10s", "vm", &[guest, kill("2s"), set].concat()), &calibration);
    let row = tenant(&outcome, "t");
    assert_eq!((row.state, row.restarts), (TenantState::Running, Some(1)), "{:#?}", told(&outcome.report));
    let seconds = each_second(&outcome);
    near("before", seconds[1], 0.5, 0.15);
    near("after", (seconds[7] + seconds[8] + seconds[9]) / 3.0, 1.0, 0.06);
}
