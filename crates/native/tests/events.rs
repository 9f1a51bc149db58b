//! What a scenario has happen to tenants, for real, beyond what both backends are asked for alike (`tests/tests/conformance`):
//! engines and bare guests, restarts without an event, bounds of memory, and what is refused.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod common;

use catamaran_report::report::{TenantReport, TenantState};
use catamaran_report::{Report, RunError};
use catamaran_scenario::Platform;

const SERVER: &str = "workload = { kind = \"server\", arrivals = { process = \"constant\", rate = \"100/s\" }, \
                      service = { cpu = \"500us\", distribution = \"constant\" } }";
/// Room for engines that start a container in half a second.
const EVENTS: &str = "[[event]]\nat = \"100ms\"\ndo = \"kill\"\ntarget = \"web\"\n\
                      [[event]]\nat = \"200ms\"\ndo = \"scale\"\ntarget = \"more\"\nreplicas = 2\n\
                      [[event]]\nat = \"800ms\"\ndo = \"set-limit\"\ntarget = \"batch\"\ncpu = \"100m\"\nmemory = \"48MiB\"\n\
                      [[event]]\nat = \"2800ms\"\ndo = \"scale\"\ntarget = \"more\"\nreplicas = 1";

fn report(platform: Platform, duration: &str, text: &str) -> Option<Report> {
    common::tried(platform.name(), None, common::answer(&common::plan(duration, "", text), platform))
}

/// What happened to a tenant, in order, each with what happened to it or was asked before that.
fn story(report: &Report, label: &str) -> Vec<(String, Option<String>)> {
    let told = report.events.iter().filter(|event| event.target == label);
    let what = |place: u32| report.events.get(place as usize).map(|event| event.what.clone());
    told.map(|event| (event.what.clone(), event.because.and_then(what))).collect()
}

fn words(told: &[(String, Option<String>)]) -> Vec<(&str, Option<&str>)> {
    told.iter().map(|(what, because)| (what.as_str(), because.as_deref())).collect()
}

fn row<'a>(report: &'a Report, label: &str) -> &'a TenantReport {
    report.tenants.iter().find(|row| row.label() == label).expect("it has a row")
}

#[test]
fn events_reach_engines_and_bare_guests() {
    let tenants = format!(
        "[platform.microvm]\nguest = \"bare\"\n[[tenant]]\nname = \"web\"\nrestart = \"on-failure\"\n{SERVER}\n\
         [[tenant]]\nname = \"more\"\n{SERVER}\n\
         [[tenant]]\nname = \"batch\"\ncpu = {{ limit = \"400m\", period = \"20ms\" }}\nmemory = {{ limit = \"64MiB\" }}\n\
         workload = {{ kind = \"compute\", work = \"1h\" }}\n{EVENTS}"
    );
    let engines = [Platform::Podman, Platform::Containerd, Platform::Docker, Platform::Lxc];
    for platform in engines.into_iter().chain([Platform::Microvm]) {
        let Some(report) = report(platform, "3s", &tenants) else { continue };
        let killed = [("kill", None), ("killed", Some("kill")), ("restart", Some("killed"))];
        assert_eq!(words(&story(&report, "web")), killed, "{platform}");
        let second = [("start", Some("scale")), ("stop", Some("scale"))];
        assert_eq!(words(&story(&report, "more/1")), second, "{platform}");
        let limited =
            [("set-limit", None), ("cpu-limit", Some("set-limit")), ("memory-limit", Some("set-limit"))];
        assert_eq!(words(&story(&report, "batch")), limited, "{platform}");
        let web = row(&report, "web");
        assert_eq!((web.state, web.restarts), (TenantState::Completed, Some(1)), "{platform}: {web:?}");
        let requests = web.requests.as_ref().expect("a server");
        assert!((299..=300).contains(&requests.sent) && requests.in_flight == 0, "{platform}: {requests:?}");
        let more = row(&report, "more/1");
        assert_eq!((more.state, more.error.as_ref()), (TenantState::Completed, None), "{platform}: {more:?}");
        // 400m for 0.8 s and 100m for 2.2 s; 1.2 s were the bound not set anew.
        let cpu_s = row(&report, "batch").cpu_s.expect("CPU time");
        assert!((0.45..0.7).contains(&cpu_s), "{platform}: {cpu_s} s");
    }
}

#[test]
fn what_ends_is_started_again_by_its_restart() {
    let text = "[[tenant]]\nname = \"leak\"\nrestart = \"on-failure\"\nmemory = { limit = \"16MiB\" }\n\
                workload = { kind = \"memory\", start = \"4MiB\", leak = \"200MiB/s\" }\n\
                [[tenant]]\nname = \"again\"\nrestart = \"always\"\nworkload = { kind = \"compute\", work = \"30ms\" }\n\
                [[tenant]]\nname = \"once\"\nrestart = \"on-failure\"\nworkload = { kind = \"compute\", work = \"30ms\" }";
    let Some(report) = report(Platform::Container, "1s", text) else { return };
    // After the second end the back-off is 10 s, which is more than the run has.
    let killed = [
        ("out-of-memory", None),
        ("oom-kill", Some("out-of-memory")),
        ("restart", Some("oom-kill")),
        ("out-of-memory", None),
        ("oom-kill", Some("out-of-memory")),
    ];
    assert_eq!(words(&story(&report, "leak")), killed);
    let leak = row(&report, "leak");
    assert_eq!((leak.state, leak.oom_kills, leak.restarts), (TenantState::OomKilled, Some(2), Some(1)));
    let finished = [("finish", None), ("restart", Some("finish")), ("finish", None)];
    assert_eq!(words(&story(&report, "again")), finished);
    let (again, once) = (row(&report, "again"), row(&report, "once"));
    assert_eq!((again.state, again.restarts), (TenantState::Completed, Some(1)), "{again:?}");
    assert_eq!((once.state, once.restarts), (TenantState::Completed, Some(0)), "{once:?}");
    assert_eq!(story(&report, "once"), []);
    let times = again.turns.zip(once.turns).map(|(again, once)| again / once);
    assert!(times.is_some_and(|times| (times - 2.0).abs() < 0.01), "two lives of the same work: {times:?}");
    assert!(report.elapsed_s > 0.9, "a life is still to come: {} s", report.elapsed_s);
}

#[test]
fn a_bound_below_what_is_held_is_refused_or_kills() {
    let text = "[[tenant]]\nname = \"cache\"\nmemory = { limit = \"64MiB\" }\n\
                workload = { kind = \"memory\", start = \"32MiB\", touch = \"loop\" }\n\
                [[event]]\nat = \"400ms\"\ndo = \"set-limit\"\ntarget = \"cache\"\nmemory = \"48MiB\"\n\
                [[event]]\nat = \"600ms\"\ndo = \"set-limit\"\ntarget = \"cache\"\nmemory = \"16MiB\"";
    let Some(report) = report(Platform::Cgroups, "1s", text) else { return };
    let (told, cache) = (story(&report, "cache"), row(&report, "cache"));
    let mut expected = vec![("set-limit", None), ("memory-limit", Some("set-limit")), ("set-limit", None)];
    if report.identity.machine.as_ref().is_some_and(|facts| facts["cgroup_version"] == "1") {
        expected.push(("memory-limit-refused", Some("set-limit")));
        assert_eq!((cache.state, cache.oom_kills), (TenantState::Completed, Some(0)), "{cache:?}");
    } else {
        expected.extend([
            ("memory-limit", Some("set-limit")),
            ("out-of-memory", Some("set-limit")),
            ("oom-kill", Some("out-of-memory")),
        ]);
        assert_eq!((cache.state, cache.oom_kills), (TenantState::OomKilled, Some(1)), "{cache:?}");
    }
    assert_eq!(words(&told), expected);
}

#[test]
fn what_cannot_happen_here_is_refused_by_its_field() {
    let idle = "[[tenant]]\nname = \"x\"\nworkload = { kind = \"idle\" }";
    let layer = "[[image]]\nname = \"i\"\nlayers = [{ id = \"l\", size = \"1MiB\" }]\n\
                 [[tenant]]\nname = \"x\"\nimage = \"i\"\n\
                 workload = { kind = \"disk\", op = \"read\", size = \"1MiB\", layer = \"l\" }";
    let talk = "[[tenant]]\nname = \"y\"\nworkload = { kind = \"idle\" }\n\
                [[tenant]]\nname = \"x\"\nworkload = { kind = \"network\", to = \"y\", requests = 5, size = \"1KiB\" }";
    let event = |rest: &str| format!("\n[[event]]\nat = \"10ms\"\n{rest}");
    let kill = |target: &str| event(&format!("do = \"kill\"\ntarget = \"{target}\""));
    let more = event("do = \"scale\"\ntarget = \"x\"\nreplicas = 2");
    let again = |tenant: &str| tenant.replace("name = \"x\"", "name = \"x\"\nrestart = \"always\"");
    let of = |tenants: &str, rest: String| format!("{tenants}{rest}");
    let bound = event("do = \"set-limit\"\ntarget = \"x\"\nmemory = \"64MiB\"");
    let table = [
        (Platform::Cgroups, of(idle, event("do = \"fail-node\"\ntarget = 0")), "event.do"),
        (Platform::Cgroups, of(idle, event("do = \"drain\"\ntarget = 0")), "event.do"),
        (Platform::Cgroups, of(idle, event("do = \"partition\"\ntarget = 0\nfor = \"5ms\"")), "event.do"),
        (Platform::Cgroups, of(talk, kill("x")), "event.do"),
        (Platform::Cgroups, of(talk, kill("y")), "event.do"),
        (Platform::Cgroups, again(talk), "tenant.x.restart"),
        (Platform::Container, of(layer, more.clone()), "event.do"),
        (Platform::Container, again(layer), "tenant.x.restart"),
        (Platform::Vm, again(idle), "tenant.x.restart"),
        (Platform::Vm, of(idle, more), "event.do"),
        (Platform::Vm, of(idle, bound), "event.memory"),
    ];
    for (platform, tenants, expected) in table {
        match common::answer(&common::plan("50ms", "", &tenants), platform) {
            Err(RunError::Unsupported { field, backend: "native", what, advice }) => {
                assert_eq!(field, expected, "{tenants}");
                assert!(
                    !what.is_empty() && advice.contains("simulate") || expected == "event.memory",
                    "{advice}"
                );
            }
            other => panic!("{platform}: {tenants}: {other:?}"),
        }
    }
}
