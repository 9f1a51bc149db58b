//! What both backends say of what a scenario has happen to tenants.

use catamaran_report::Report;
use catamaran_report::report::TenantState;
use catamaran_scenario::Platform;

use crate::{Case, has_limits, only};

/// What happened, in order, each with its cause.
fn happened(report: &Report) -> Vec<(&str, &str, Option<u32>)> {
    report.events.iter().map(|event| (&*event.what, &*event.target, event.because)).collect()
}

/// When the event of that place came (s).
fn at_s(report: &Report, place: usize) -> f64 {
    report.events[place].at_s
}

pub(crate) fn who_is_killed_is_started_again() -> Case {
    Case {
        duration: "1s",
        tenant: "restart = \"on-failure\"\n\
                 workload = { kind = \"server\", arrivals = { process = \"constant\", rate = \"200/s\" }, \
                 service = { cpu = \"1ms\", distribution = \"constant\" } }\n\
                 [[event]]\nat = \"400ms\"\ndo = \"kill\"\ntarget = \"t\"",
        body: |report| {
            let (tenant, requests) = (only(report), crate::requests(report));
            let restarted = [("kill", "t", None), ("killed", "t", Some(0)), ("restart", "t", Some(1))];
            // A guest takes longer to boot than this run goes on.
            if report.platform == Platform::Vm && report.events.len() < restarted.len() {
                assert_eq!(happened(report), restarted[..2]);
                return;
            }
            assert_eq!(happened(report), restarted);
            assert_eq!((tenant.state, tenant.restarts), (TenantState::Completed, Some(1)), "{tenant:?}");
            // Clients don't wait for it: what comes while it is gone is lost, and what it was at.
            assert!((199..=200).contains(&requests.sent), "{requests:?}");
            assert!((0.4..0.7).contains(&at_s(report, 1)), "{:?}", report.events);
            let gone = (at_s(report, 2) - at_s(report, 1)) * 200.0;
            let lost = requests.failed as f64;
            assert!((lost - gone).abs() <= 3.0, "{lost} lost of {gone} that came while it was gone");
        },
    }
}

pub(crate) fn another_limit_holds_from_its_moment_on() -> Case {
    Case {
        duration: "1600ms",
        tenant: "cpu = { limit = \"400m\", period = \"20ms\" }\nworkload = { kind = \"compute\", work = \"1h\" }\n\
                 [[event]]\nat = \"800ms\"\ndo = \"set-limit\"\ntarget = \"t\"\ncpu = \"200m\"",
        body: |report| {
            let tenant = only(report);
            assert_eq!(tenant.state, TenantState::Running, "{tenant:?}");
            if !has_limits(report.platform) {
                assert_eq!(happened(report), [("set-limit", "t", None)], "nothing follows");
                assert!(tenant.absent.contains_key("event.set-limit"), "and it says so: {:?}", tenant.absent);
                return;
            }
            assert_eq!(happened(report), [("set-limit", "t", None), ("cpu-limit", "t", Some(0))]);
            // Two fifths of a core for one half, one fifth for the other: neither one all the time. A busy machine gives less.
            let cpu_s = tenant.cpu_s.expect("CPU time");
            assert!((0.34..0.56).contains(&cpu_s), "{cpu_s} s of 0.48 s");
        },
    }
}

pub(crate) fn replicas_come_and_go() -> Case {
    Case {
        duration: "1500ms",
        tenant: "workload = { kind = \"server\", arrivals = { process = \"constant\", rate = \"100/s\" }, \
                 service = { cpu = \"1ms\", distribution = \"constant\" } }\n\
                 [[event]]\nat = \"400ms\"\ndo = \"scale\"\ntarget = \"t\"\nreplicas = 2\n\
                 [[event]]\nat = \"1100ms\"\ndo = \"scale\"\ntarget = \"t\"\nreplicas = 1",
        body: |report| {
            let [first, second] = report.tenants.as_slice() else { panic!("{:?}", report.tenants) };
            let scaled = [
                ("scale", "t", None),
                ("start", "t/1", Some(0)),
                ("scale", "t", None),
                ("stop", "t/1", Some(2)),
            ];
            // A guest takes longer to boot than it is wanted.
            if report.platform == Platform::Vm && report.events.len() < scaled.len() {
                assert_eq!(happened(report), [scaled[0], scaled[2]]);
                return;
            }
            assert_eq!(happened(report), scaled);
            assert_eq!((first.state, first.restarts), (TenantState::Completed, Some(0)), "{first:?}");
            assert_eq!((second.state, second.restarts), (TenantState::Completed, Some(0)), "{second:?}");
            assert!(second.finished_s.is_some_and(|at_s| (1.1..1.5).contains(&at_s)), "{second:?}");
            let sent = |row: &catamaran_report::report::TenantReport| {
                row.requests.as_ref().map_or(0.0, |requests| requests.sent as f64)
            };
            assert!((149.0..=150.0).contains(&sent(first)), "{first:?}");
            let there = (at_s(report, 3) - at_s(report, 1)) * 100.0;
            assert!((sent(second) - there).abs() <= 2.0, "its clients are there as long as it: {second:?}");
        },
    }
}

pub(crate) fn an_update_replaces_one_after_the_other() -> Case {
    Case {
        duration: "1500ms",
        tenant: "replicas = 2\nworkload = { kind = \"idle\" }\n\
                 [[image]]\nname = \"next\"\nlayers = [{ id = \"base\", size = \"1MiB\" }]\n\
                 [[event]]\nat = \"300ms\"\ndo = \"update\"\ntarget = \"t\"\nimage = \"next\"",
        body: |report| {
            let replaced = [
                ("update", "t", None),
                ("stop", "t", Some(0)),
                ("start", "t", Some(1)),
                ("stop", "t/1", Some(0)),
                ("start", "t/1", Some(3)),
            ];
            if report.platform == Platform::Vm && report.events.len() < replaced.len() {
                assert_eq!(happened(report), replaced[..2]);
                return;
            }
            assert_eq!(happened(report), replaced);
            for tenant in &report.tenants {
                assert_eq!((tenant.state, tenant.restarts), (TenantState::Completed, Some(0)), "{tenant:?}");
                assert!(tenant.absent.contains_key("event.update.image"), "{:?}", tenant.absent);
            }
        },
    }
}
