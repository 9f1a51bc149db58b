//! Tenants whose work is done in bare guests, where this machine makes guests.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod common;

use catamaran_native::{dry_run, probe};
use catamaran_report::report::TenantState;
use catamaran_report::{Report, RunError};
use catamaran_scenario::{Plan, Platform};

use common::{PLATFORMS, plan};

const BARE: &str = "[platform.microvm]\nguest = \"bare\"\n";

fn run(plan: &Plan) -> Option<Report> {
    common::tried("microvm", None, common::answer(plan, Platform::Microvm))
}

#[test]
fn work_is_done_in_bare_guests_and_the_report_says_so() {
    let tenants = r#"
[[tenant]]
name = "web"
cpu = { limit = "900m" }
workload = { kind = "server", threads = 2, arrivals = { process = "constant", rate = "100/s" }, service = { cpu = "1ms", distribution = "constant" } }
[[tenant]]
name = "job"
start_at = "100ms"
workload = { phases = [
    { for = "50ms", kind = "compute", work = "1h" },
    { kind = "compute", threads = 2, work = "20ms" },
] }
"#;
    let Some(report) = run(&plan("1s", BARE, tenants)) else { return };
    let [web, job] = report.tenants.as_slice() else { panic!("two tenants: {:?}", report.tenants) };
    let requests = web.requests.as_ref().expect("a server has requests");
    assert_eq!((requests.sent, requests.completed, requests.failed), (100, 100, 0), "{requests:?}");
    assert_eq!(job.state, TenantState::Completed, "{job:?}");
    // How much of a core the first phase had is the machine's to say; the second's work is made to the last turn: two threads of
    // 20 ms beside the server's 100 requests of 1 ms.
    let (served, worked) = (web.turns.expect("turns"), job.turns.expect("turns"));
    assert!(served > 0.0 && worked >= 0.4 * served, "{web:?}\n{job:?}");
    assert!(job.cpu_s.is_some_and(|cpu_s| cpu_s > 0.0), "{job:?}");
    for row in [web, job] {
        let stages: Vec<_> = row.startup_stages.iter().map(|stage| stage.name.as_str()).collect();
        assert!(stages.ends_with(&["exec", "vmm", "boot"]), "{stages:?}");
        assert!(row.absent.contains_key("stolen_s"), "{:?}", row.absent);
    }
    let known = report.identity.machine.as_ref().expect("facts of the machine");
    assert!(known["guest"].starts_with("bare") && known["accelerator"] == "kvm", "{known:?}");
    assert!(report.isolation.is_empty() && report.host.absent.contains_key("isolation"));
}

#[test]
fn memory_that_a_guest_touches_is_its_tenants_and_the_limit_ends_it() {
    let tenant = |limit: &str| {
        format!(
            "[[tenant]]\nname = \"leak\"\nmemory = {{ limit = \"{limit}\" }}\n\
             workload = {{ kind = \"memory\", start = \"64MiB\", leak = \"10MiB/s\", limit_at = \"66MiB\" }}"
        )
    };
    let Some(held) = run(&plan("500ms", BARE, &tenant("128MiB"))) else { return };
    let [leak] = held.tenants.as_slice() else { panic!("one tenant") };
    assert_eq!((leak.state, leak.oom_kills), (TenantState::Completed, Some(0)), "{leak:?}");
    let peak = leak.memory_peak_bytes.expect("a peak");
    assert!((66 << 20..80 << 20).contains(&peak), "{peak} bytes");
    let killed = run(&plan("500ms", BARE, &tenant("32MiB"))).expect("as before");
    let [leak] = killed.tenants.as_slice() else { panic!("one tenant") };
    assert_eq!((leak.state, leak.oom_kills), (TenantState::OomKilled, Some(1)), "{leak:?}");
}

#[test]
fn what_a_bare_guest_does_not_do_is_refused_by_name() {
    if let Err(error) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/kvm") {
        println!("skipped: microvm: /dev/kvm: {error}");
        return;
    }
    let idle = "[[tenant]]\nname = \"t\"\nworkload = { kind = \"idle\" }";
    let with = |workload: &str| format!("[[tenant]]\nname = \"t\"\nworkload = {{ {workload} }}");
    let bare = |more: &str| format!("{BARE}{more}\n");
    let table = [
        (String::new(), idle.to_owned(), "platform.microvm.guest"),
        ("[platform.microvm]\nguest = \"linux\"\n".to_owned(), idle.to_owned(), "platform.microvm.guest"),
        (bare("accel = \"tcg\""), idle.to_owned(), "platform.microvm.accel"),
        (bare("memory = \"4GiB\""), idle.to_owned(), "platform.microvm.memory"),
        (bare("vcpus = 2"), idle.to_owned(), "platform.microvm.vcpus"),
        (bare(""), with("kind = \"compute\", work = \"1s\", threads = 200"), "tenant.t.workload"),
        (bare("memory = \"32MiB\""), with("kind = \"memory\", start = \"31MiB\""), "tenant.t.workload"),
        (
            bare(""),
            with("kind = \"disk\", op = \"write\", size = \"1MiB\", block = \"4KiB\", depth = 1"),
            "tenant.t.workload",
        ),
        (bare(""), with("kind = \"fork\", rate = \"5/s\", lifetime = \"10ms\""), "tenant.t.workload"),
        (
            bare(""),
            with(
                "kind = \"compute\", work = \"1s\", threads = 2, lock = { every = \"1ms\", hold = \"1ms\" }",
            ),
            "tenant.t.workload",
        ),
    ];
    for (settings, tenant, refused) in table {
        match dry_run(&plan("1s", &settings, &tenant), Platform::Microvm) {
            Err(RunError::Unsupported { field, .. }) => assert_eq!(field, refused, "{settings}{tenant}"),
            other => panic!("{settings}{tenant}: {other:?}"),
        }
    }
    for platform in PLATFORMS {
        let settings = format!("[platform.{platform}]\nguest = \"bare\"\n");
        match dry_run(&plan("1s", &settings, idle), platform) {
            Err(RunError::Unsupported { field, .. }) => {
                assert_eq!(field, format!("platform.{platform}.guest"));
            }
            other => panic!("{settings}: {other:?}"),
        }
    }
    let lines = dry_run(&plan("1s", BARE, idle), Platform::Microvm).expect("these are lines");
    assert!(lines.iter().any(|line| line.contains("/dev/kvm")), "{lines:#?}");
    let interrupted = std::sync::Arc::default();
    assert!(matches!(probe(Platform::Microvm, &interrupted), Err(RunError::Unavailable { .. })));
}
