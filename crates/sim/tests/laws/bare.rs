//! Guests without a kernel: processes on a machine on which the same things cost something else.

use catamaran_report::RunError;
use catamaran_report::report::TenantState;
use catamaran_scenario::calibration::{BareGuestCosts, StartupStage};
use catamaran_scenario::{Calibration, Platform};
use catamaran_sim::{Options, simulate};

use super::common::{cpu_s, hog, ideal, near, plan, run, server, tenant};

const BARE: &str = "[platform.microvm]\nguest = \"bare\"\n";
const DOORBELL_NS: u64 = 30_000;

fn with_guests() -> Calibration {
    let mut calibration = ideal();
    calibration.bare = Some(BareGuestCosts {
        speed_factor: 0.5,
        request_overhead_ns: DOORBELL_NS,
        sleep_overhead_ns: 0,
        touch_ns: 3000.0,
        retouch_ns: 10.0,
        release_ns: 100.0,
        tenant_bytes: 4 << 20,
        thread_bytes: 0,
        rss_bytes: 4 << 20,
        startup: vec![StartupStage { name: "vmm".into(), actor: "monitor".into(), median_ns: 600_000 }],
    });
    calibration
}

#[test]
fn a_request_pays_the_doorbell_and_turns_are_the_guests() {
    let calibration = with_guests();
    let text = [BARE, &server("web", "100/s", "1ms", "constant", 1)].concat();
    let outcome = run(&plan(1, "10s", "microvm", &text), &calibration);
    let web = tenant(&outcome, "web");
    let completed = web.requests.as_ref().map_or(0, |requests| requests.completed) as f64;
    // At half the speed a demand of 1 ms takes 2 ms.
    near("CPU time", cpu_s(&outcome, "web"), completed * (2e-3 + DOORBELL_NS as f64 / 1e9), 1e-6);
    near("turns", web.turns.unwrap_or(0.0), completed * 1e6, 1e-6);
    near("start-up", web.startup_s.unwrap_or(0.0), 600e-6, 1e-9);
    assert!(web.absent.contains_key("stolen_s") && outcome.report.isolation.is_empty(), "{web:?}");
}

#[test]
fn limits_hold_processors_as_they_hold_threads() {
    let text = [BARE, &hog("job", 2, "1h", "limit = \"500m\"")].concat();
    let outcome = run(&plan(2, "10s", "microvm", &text), &with_guests());
    near("CPU time", cpu_s(&outcome, "job"), 5.0, 0.02);
    assert!(tenant(&outcome, "job").throttled_s.is_some_and(|throttled_s| throttled_s > 1.0));
}

#[test]
fn memory_that_is_touched_is_its_tenants_and_the_limit_ends_it() {
    let leak = |limit: &str| {
        format!(
            "{BARE}[[tenant]]\nname = \"leak\"\nmemory = {{ limit = \"{limit}\" }}\n\
             workload = {{ kind = \"memory\", start = \"64MiB\" }}\n"
        )
    };
    let held = run(&plan(1, "1s", "microvm", &leak("128MiB")), &with_guests());
    let peak = tenant(&held, "leak").memory_peak_bytes.unwrap_or(0);
    assert!((68 << 20..69 << 20).contains(&peak), "{peak}");
    near("touches", cpu_s(&held, "leak"), (64 << 20) as f64 / 4096.0 * 3e-6, 0.01);
    let killed = run(&plan(1, "1s", "microvm", &leak("32MiB")), &with_guests());
    assert_eq!(tenant(&killed, "leak").state, TenantState::OomKilled);
}

#[test]
fn what_a_bare_guest_does_not_do_is_refused_by_name() {
    let with = |workload: &str| format!("[[tenant]]\nname = \"t\"\nworkload = {{ {workload} }}\n");
    let idle = with("kind = \"idle\"");
    let bare = |more: &str| format!("{BARE}{more}\n");
    let table = [
        (bare("accel = \"tcg\""), idle.clone(), "platform.microvm.accel"),
        (bare("memory = \"4GiB\""), idle.clone(), "platform.microvm.memory"),
        (bare("vcpus = 2"), idle.clone(), "platform.microvm.vcpus"),
        (bare("hz = 100"), idle.clone(), "platform.microvm.hz"),
        (bare("memory = \"32MiB\""), with("kind = \"memory\", start = \"31MiB\""), "tenant.t.workload"),
        (bare(""), with("kind = \"fork\", rate = \"5/s\", lifetime = \"10ms\""), "tenant.t.workload"),
        (
            bare(""),
            with("kind = \"disk\", op = \"write\", size = \"1MiB\", block = \"4KiB\", depth = 1"),
            "tenant.t.workload",
        ),
        (
            bare(""),
            with(
                "kind = \"compute\", work = \"1s\", threads = 2, lock = { every = \"1ms\", hold = \"1ms\" }",
            ),
            "tenant.t.workload",
        ),
    ];
    for (settings, tenant, refused) in &table {
        let plan = plan(1, "1s", "microvm", &format!("{settings}{tenant}"));
        assert_refused(&plan, &with_guests(), refused);
    }
    let plain = plan(1, "1s", "microvm", &format!("{BARE}{idle}"));
    assert_refused(&plain, &ideal(), "platform.microvm.guest");
}

fn assert_refused(plan: &catamaran_scenario::Plan, machine: &Calibration, refused: &str) {
    match simulate(plan, Platform::Microvm, machine, &Options::default()) {
        Err(RunError::Unsupported { field, .. }) => assert_eq!(field, refused),
        other => panic!("{refused}: {:?}", other.map(|outcome| outcome.report)),
    }
}
