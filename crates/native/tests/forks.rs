//! Tenants that fork: counts, the bound of `pids.max`, and that nobody is left.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod common;

use catamaran_report::report::{Requests, TenantState};
use catamaran_report::{Report, RunError};
use catamaran_scenario::{Plan, Platform};

use common::{PLATFORMS, answer};

fn plan(duration: &str, bomb: &str) -> Plan {
    common::plan(duration, "", &format!("[[tenant]]\nname = \"bomb\"\n{bomb}\n"))
}

/// The report, or `None` with a printed reason where this machine does not offer the platform.
fn tried(plan: &Plan, platform: Platform) -> Option<Report> {
    common::tried(platform.name(), Some("CATAMARAN_CGROUP"), answer(plan, platform))
}

fn forks(report: &Report) -> Requests {
    report.tenants[0].requests.clone().expect("forks")
}

#[test]
fn every_fork_is_accounted_for_on_every_platform() {
    // Of 60 forks the last 10 have no time to live to their end, or all but one of them: the end is seen a moment late.
    let work = "workload = { kind = \"fork\", rate = \"100/s\", lifetime = \"100ms\" }";
    for platform in PLATFORMS {
        let Some(report) = tried(&plan("600ms", work), platform) else { continue };
        let (row, forks) = (&report.tenants[0], forks(&report));
        assert_eq!((forks.sent, forks.failed), (60, 0), "{platform}");
        assert!((40..=51).contains(&forks.completed), "{platform}: {forks:?}");
        assert!(
            forks.latency_s.is_some_and(|latency| latency.p50 >= 0.1),
            "{platform}: a child sleeps all its lifetime"
        );
        assert_eq!((row.state, row.waited_s), (TenantState::Completed, None));
        assert!(
            row.absent.contains_key("waited_s") && row.cpu_s.is_some_and(|cpu_s| cpu_s > 0.0),
            "{platform}"
        );
        assert!(report.events.is_empty(), "{platform}: {:?}", report.events);
    }
}

#[test]
fn the_kernel_refuses_what_is_beyond_the_bound() {
    // Ten children beside two threads, which outlive the run: all other forks fail.
    let work = "pids = { limit = 12 }\nworkload = { kind = \"fork\", rate = \"100/s\", lifetime = \"1h\" }";
    for platform in [Platform::Cgroups, Platform::Container] {
        let Some(report) = tried(&plan("500ms", work), platform) else { continue };
        let forks = forks(&report);
        assert_eq!((forks.sent, forks.completed), (50, 0), "{platform}");
        // Whether the last one was tried before the end is up to the scheduler.
        assert!((38..=40).contains(&forks.failed), "{platform}: {forks:?}");
        let events: Vec<_> =
            report.events.iter().map(|event| (event.what.as_str(), event.target.as_str())).collect();
        assert_eq!(events, [("pids-max", "bomb")], "{platform}");
        assert!(report.events[0].at_s >= 0.1, "{platform}: the eleventh is due at 100 ms");
    }
}

#[test]
fn no_more_children_than_max_are_there() {
    let work = "workload = { kind = \"fork\", rate = \"1000/s\", lifetime = \"50ms\", max = 3 }";
    let Some(report) = tried(&plan("500ms", work), Platform::BareMetal) else { return };
    let forks = forks(&report);
    assert_eq!((forks.sent, forks.failed), (500, 0));
    // Three in each 50 ms at most.
    assert!((1..=30).contains(&forks.completed), "{forks:?}");
}

#[test]
fn a_phase_ends_with_its_children_and_the_next_one_begins() {
    let work = "workload = { phases = [{ kind = \"fork\", rate = \"100/s\", lifetime = \"1h\", for = \"100ms\" }, { kind = \
                \"compute\", work = \"10ms\" }] }";
    let Some(report) = tried(&plan("5s", work), Platform::BareMetal) else { return };
    let row = &report.tenants[0];
    assert_eq!(row.state, TenantState::Completed, "{row:?}");
    assert_eq!((forks(&report).sent, forks(&report).completed), (10, 0));
}

#[test]
fn what_a_machine_cannot_safely_bear_is_refused_by_name() {
    let refused = |bomb: &str, platform| match answer(&plan("10s", bomb), platform) {
        Err(RunError::Unsupported { field, backend: "native", .. }) => field,
        other => panic!("{bomb}: {other:?}"),
    };
    let many = "workload = { kind = \"fork\", rate = \"500000/s\", lifetime = \"1h\" }";
    assert_eq!(refused(many, Platform::BareMetal), "tenant.bomb.workload.max");
    // A limit that is not applied bounds nothing.
    assert_eq!(
        refused(&format!("pids = {{ limit = 9 }}\n{many}"), Platform::BareMetal),
        "tenant.bomb.workload.max"
    );
    let few = "workload = { kind = \"fork\", rate = \"1/s\", lifetime = \"1s\" }";
    assert_eq!(refused(many, Platform::Vm), "tenant.bomb.workload.max");
    assert_eq!(
        refused(&format!("pids = {{ limit = 1 }}\n{few}"), Platform::Cgroups),
        "tenant.bomb.pids.limit"
    );
}
