//! One body of tests, two backends: what both must answer alike, on every platform that both have.
//!
//! The native arm measures nothing and asserts no speed: it holds the machine to what the kernel guarantees. Where a
//! platform is not to be had here, a test says `skipped: NAME: reason` and ends.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests say what they expect by panicking"
)]

#[path = "conformance/events.rs"]
mod events;

use std::sync::{Mutex, MutexGuard, PoisonError};

use catamaran_native::{Runner, RunnerOptions};
use catamaran_report::report::{BackendKind, Requests, Sees, TenantReport, TenantState};
use catamaran_report::{Backend, Report, RunError};
use catamaran_scenario::{Calibration, Plan, Platform};
use catamaran_sim::{Options, simulate};
use events::{
    an_update_replaces_one_after_the_other, another_limit_holds_from_its_moment_on, replicas_come_and_go,
    who_is_killed_is_started_again,
};

/// The model as a backend.
struct Simulator(Calibration);

impl Backend for Simulator {
    fn name(&self) -> &'static str {
        "simulated"
    }
    fn run(&mut self, plan: &Plan, platform: Platform, _: u32) -> Result<Report, RunError> {
        simulate(plan, platform, &self.0, &Options::default()).map(|outcome| outcome.report)
    }
}

/// Native runs take turns: libtest would let them compete for the cores.
static MACHINE: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Turns in a CPU second of a scenario, for both backends; fewer where this is an emulated machine.
fn turns_per_cpu_s() -> f64 {
    emulated().unwrap_or_else(|| Calibration::reference().cpu.turns_per_cpu_s)
}

/// Turns in a CPU second, as whoever runs us on an emulated machine has told; on no other is it told.
fn emulated() -> Option<f64> {
    std::env::var("CATAMARAN_TURNS_PER_CPU_S").ok()?.parse().ok()
}

type Body = fn(&Report);

/// A scenario of one tenant called `t`, and what must hold of its report.
struct Case {
    duration: &'static str,
    tenant: &'static str,
    body: Body,
}

impl Case {
    fn plan(&self, platform: Platform) -> Plan {
        let text = format!(
            "schema = \"catamaran/scenario/v1\"\nname = \"conformance\"\nduration = \"{}\"\nplatforms = [\"{platform}\"]\n\
             host = {{ cores = 1, memory = \"512MiB\" }}\n[[tenant]]\nname = \"t\"\n{}\n",
            self.duration, self.tenant
        );
        Plan::from_toml(&text, "conformance.toml").unwrap_or_else(|error| panic!("{error}"))
    }

    /// Carries the case out; `name` is the test's.
    fn hold(&self, name: &str, backend: Result<&mut dyn Backend, RunError>, platform: Platform) {
        let kind = match name.split("::").next() {
            Some("native") => BackendKind::Native,
            _ => BackendKind::Simulated,
        };
        let answer = backend.and_then(|backend| backend.run(&self.plan(platform), platform, 0));
        match answer {
            Ok(report) => {
                assert_eq!((report.platform, report.backend), (platform, kind));
                assert_eq!(report.unexplained(), Vec::<String>::new(), "unknown without a reason");
                (self.body)(&report);
            }
            Err(RunError::Unavailable { why, .. }) => println!("skipped: {name}: {}", why.replace('\n', " ")),
            // A guest's files are its own, and neither backend says anything about them yet, nor of bounds in its memory.
            Err(RunError::Unsupported { field, .. }) if platform == Platform::Vm && self.is_inside() => {
                assert!(field.starts_with("tenant.t."), "{field}");
            }
            // Natively no guest is booted while the run goes on.
            Err(RunError::Unsupported { field, backend: "native", .. })
                if platform == Platform::Vm && self.tenant.contains("[[event]]") =>
            {
                assert!(["tenant.t.restart", "event.do"].contains(&field.as_str()), "{field}");
            }
            Err(other) => panic!("{other}"),
        }
    }

    fn is_inside(&self) -> bool {
        ["memory", "disk"].iter().any(|kind| self.tenant.contains(&format!("kind = {kind:?}")))
    }
}

/// Whether the platform applies a tenant's limits.
fn has_limits(platform: Platform) -> bool {
    matches!(
        platform,
        Platform::Cgroups
            | Platform::Container
            | Platform::Runc
            | Platform::Crun
            | Platform::Youki
            | Platform::Vm
    )
}

fn only(report: &Report) -> &TenantReport {
    let [tenant] = report.tenants.as_slice() else { panic!("one tenant: {:?}", report.tenants) };
    tenant
}

fn requests(report: &Report) -> &Requests {
    only(report).requests.as_ref().expect("a server has requests")
}

fn lone_compute() -> Case {
    Case {
        duration: "30s",
        tenant: "workload = { kind = \"compute\", work = \"500ms\" }",
        body: |report| {
            let tenant = only(report);
            assert_eq!(tenant.state, TenantState::Completed);
            let turns = tenant.turns.expect("turns are counted");
            assert!((turns / (0.5 * turns_per_cpu_s()) - 1.0).abs() < 0.001, "{turns} turns");
            let cpu_s = tenant.cpu_s.expect("CPU time");
            let speed = report.host.turns_per_cpu_s.expect("a speed") / turns_per_cpu_s();
            assert!((cpu_s / (0.5 / speed) - 1.0).abs() < 0.03, "{cpu_s} s at speed {speed}");
            let finished_s = tenant.finished_s.expect("it ended");
            // A guest's CPU time is that of its kernel and its monitor, too; under emulation every switch costs more.
            let own = if report.platform == Platform::Vm || emulated().is_some() { 0.85 } else { 0.97 };
            assert!(finished_s > own * cpu_s, "one thread needs {cpu_s} s, not {finished_s} s");
        },
    }
}

fn a_limit_throttles() -> Case {
    Case {
        duration: "30s",
        tenant: "cpu = { limit = \"200m\" }\nworkload = { kind = \"compute\", work = \"500ms\" }",
        body: |report| {
            let tenant = only(report);
            assert_eq!(tenant.state, TenantState::Completed);
            if !has_limits(report.platform) {
                assert_eq!(tenant.throttled_periods.unwrap_or(0), 0, "the platform has no limits");
                assert!(tenant.absent.contains_key("cpu.limit"), "and says so: {:?}", tenant.absent);
                return;
            }
            assert!(tenant.throttled_periods.unwrap() > 0, "{tenant:?}");
            assert!(tenant.throttled_s.unwrap() > 0.0, "{tenant:?}");
            // 20 % of each period: five times as long, less what the first period and the last spare.
            let times = tenant.finished_s.unwrap() / tenant.cpu_s.unwrap();
            assert!((3.5..10.0).contains(&times), "{times} times as long");
        },
    }
}

fn idle_uses_next_to_nothing() -> Case {
    Case {
        duration: "2s",
        tenant: "workload = { kind = \"idle\" }",
        body: |report| {
            let cpu_s = only(report).cpu_s.expect("CPU time");
            // A guest has a kernel that ticks now and then, under emulation at a price.
            let share = if report.platform == Platform::Vm { 0.08 } else { 0.01 };
            assert!(cpu_s < share * 2.0, "{cpu_s} s of 2 s");
        },
    }
}

fn an_overfull_queue_fails_requests() -> Case {
    Case {
        duration: "2s",
        tenant: "workload = { kind = \"server\", queue = 4, arrivals = { process = \"constant\", rate = \"400/s\" }, \
                 service = { cpu = \"20ms\", distribution = \"constant\" } }",
        body: |report| {
            let requests = requests(report);
            assert!(requests.failed > 0 && requests.completed > 0, "{requests:?}");
            assert_eq!(requests.completed + requests.failed + requests.in_flight, requests.sent);
            // Both replay the arrivals of the seed: 400 a second for 2 seconds, whatever becomes of them.
            assert!((799..=800).contains(&requests.sent), "{requests:?}");
        },
    }
}

/// Both backends say the same of what a tenant sees, row by row.
fn what_is_seen_is_what_the_platform_promises() -> Case {
    Case {
        duration: "100ms",
        tenant: "workload = { kind = \"idle\" }",
        body: |report| {
            let rows = report.isolation.iter();
            let mut rows: Vec<(&str, Sees)> = rows.map(|row| (row.resource.as_str(), row.sees)).collect();
            rows.sort_unstable_by_key(|(resource, _)| *resource);
            let (mut own, mut files, mut devices) = (Sees::Host, Sees::Host, Sees::Host);
            if report.platform == Platform::Vm {
                // A guest has a machine of its own; natively nobody looks into it.
                assert!(rows.iter().all(|(_, sees)| *sees == Sees::Own), "{rows:?}");
                return;
            }
            match report.platform {
                Platform::Chroot => (files, devices) = (Sees::Some, Sees::Some),
                Platform::Namespaces => (own, files) = (Sees::Own, Sees::Some),
                Platform::Container | Platform::Runc | Platform::Crun | Platform::Youki => {
                    (own, files, devices) = (Sees::Own, Sees::Own, Sees::Some);
                }
                _ => {}
            }
            let expected = [
                ("cgroup", own),
                ("device", devices),
                ("host-name", own),
                ("ipc", own),
                ("kernel", Sees::Host),
                ("mount", files),
                ("network", own),
                ("pid", own),
                ("process", own),
                ("time", Sees::Host),
                ("user", Sees::Host),
            ];
            assert_eq!(rows, expected, "{}", report.platform);
            assert!(report.isolation.iter().all(|row| row.observer == "t"), "{:?}", report.isolation);
        },
    }
}

const MIB: u64 = 1 << 20;

/// What the guest holds while it is idle; 0 where there is none.
fn idle_guest(report: &Report) -> u64 {
    let facts = report.identity.machine.as_ref();
    facts.and_then(|facts| facts.get("guest_idle_bytes")).map_or(0, |bytes| bytes.parse().expect("a number"))
}

fn touched_memory_is_charged() -> Case {
    Case {
        // The leak is over after a quarter of a second; the rest is for machines that are busy otherwise.
        duration: "3s",
        tenant: "workload = { kind = \"memory\", start = \"48MiB\", leak = \"64MiB/s\", limit_at = \"64MiB\" }",
        body: |report| {
            let tenant = only(report);
            assert_eq!((tenant.state, tenant.oom_kills), (TenantState::Completed, Some(0)));
            // The pages, their tables and what the worker itself is charged.
            let peak = tenant.memory_peak_bytes.expect("a peak");
            let peak_of_it = peak.saturating_sub(idle_guest(report));
            // Natively a guest's kernel and its monitor are in the same group.
            let guest = report.platform == Platform::Vm && report.backend == BackendKind::Native;
            let most = if guest { 512 * MIB } else { 72 * MIB };
            assert!((64 * MIB..most).contains(&peak_of_it), "{peak_of_it} bytes: {report:?}");
            assert!(report.host.memory_peak_bytes.is_some_and(|host| host >= peak), "{:?}", report.host);
            let samples = report.samples.as_ref().expect("samples");
            let memory = samples.series.iter().find(|series| series.metric == "memory").expect("of memory");
            let [first, .., last] = memory.values.as_slice() else { panic!("{memory:?}") };
            // How far it is at the first sample depends on how fast the machine touches pages.
            assert!(first <= last && *last >= (64 * MIB) as f64, "{memory:?}");
        },
    }
}

fn a_memory_limit_kills() -> Case {
    Case {
        duration: "2s",
        tenant: "memory = { limit = \"32MiB\" }\n\
                 workload = { kind = \"memory\", start = \"8MiB\", leak = \"40MiB/s\" }",
        body: |report| {
            let tenant = only(report);
            if !has_limits(report.platform) {
                assert_eq!((tenant.state, tenant.oom_kills), (TenantState::Completed, Some(0)));
                assert!(tenant.absent.contains_key("memory.limit"), "and says so: {:?}", tenant.absent);
                return;
            }
            assert_eq!((tenant.state, tenant.oom_kills), (TenantState::OomKilled, Some(1)));
            let finished_s = tenant.finished_s.expect("its end");
            assert!((0.45..1.5).contains(&finished_s), "24 MiB at 40 MiB/s are 0.6 s, not {finished_s} s");
            let peak = tenant.memory_peak_bytes.expect("a peak");
            assert!((31 * MIB..=32 * MIB).contains(&peak), "{peak} bytes");
            let whats: Vec<_> = report.events.iter().map(|event| event.what.as_str()).collect();
            assert_eq!(whats, ["out-of-memory", "oom-kill"]);
            assert!(tenant.error.as_ref().is_some_and(|error| error.contains("memory.limit")), "{tenant:?}");
        },
    }
}

fn a_file_is_read_block_by_block() -> Case {
    Case {
        duration: "30s",
        tenant: "workload = { kind = \"disk\", op = \"randread\", size = \"8MiB\", depth = 2 }",
        body: |report| {
            let (tenant, requests) = (only(report), requests(report));
            assert_eq!(tenant.state, TenantState::Completed, "{tenant:?}");
            assert_eq!((requests.sent, requests.completed, requests.failed), (2048, 2048, 0));
            assert_eq!(tenant.disk_bytes, Some(8 * MIB));
            let (latency, finished_s) = (requests.latency_s.unwrap(), tenant.finished_s.unwrap());
            // Two at a time: all latencies together are at most twice the time, but for what lies between two operations.
            let together_s = latency.mean * 2048.0;
            assert!(latency.p50 > 0.0 && together_s <= 2.0 * finished_s, "{latency:?} in {finished_s} s");
        },
    }
}

fn a_disk_limit_holds() -> Case {
    Case {
        duration: "30s",
        tenant: "io = { write = \"8MB/s\" }\n\
                 workload = { kind = \"disk\", op = \"write\", size = \"16MiB\", block = \"64KiB\", fsync = true }",
        body: |report| {
            let tenant = only(report);
            assert_eq!((tenant.state, tenant.disk_bytes), (TenantState::Completed, Some(16 * MIB)));
            // A guest's monitor is in the tenant's group.
            if !has_limits(report.platform) {
                assert!(tenant.absent.contains_key("io.write"), "and says so: {:?}", tenant.absent);
                return;
            }
            // 2.1 s at the limit, less what the first slice lets through at once and one slice that is kept.
            let finished_s = tenant.finished_s.unwrap();
            assert!(finished_s > 1.7, "{finished_s} s");
        },
    }
}

fn a_rate_paces_the_disk() -> Case {
    Case {
        duration: "1s",
        tenant: "workload = { kind = \"disk\", op = \"read\", size = \"64MiB\", block = \"64KiB\", cached = true, \
                 rate = \"6553600B/s\" }",
        body: |report| {
            let (tenant, requests) = (only(report), requests(report));
            assert_eq!(tenant.state, TenantState::Running, "{tenant:?}");
            // A hundred a second, in a second and what it takes to notice its end.
            assert!((80..=102).contains(&requests.completed), "{requests:?}");
            assert_eq!(tenant.disk_bytes, Some(requests.completed * 65_536));
        },
    }
}

/// The tests of a platform, once for each backend.
macro_rules! conformance {
    ($($module:ident = $platform:expr;)*) => {
        mod simulated { $(mod $module {
            use crate::*;
            conformance!(@cases $platform, |case: Case, name: &str, platform| {
                let mut simulator = Simulator(Calibration::reference());
                case.hold(&format!("simulated::{}::{name}", stringify!($module)), Ok(&mut simulator), platform);
            });
        })* }
        mod native { $(mod $module {
            use crate::*;
            conformance!(@cases $platform, |case: Case, name: &str, platform| {
                let _turn = turn();
                let options =
                    RunnerOptions { turns_per_cpu_s: Some(turns_per_cpu_s()), ..RunnerOptions::default() };
                let mut runner = Runner::new(options);
                let backend = runner.as_mut().map(|runner| runner as &mut dyn Backend).map_err(|error| error.clone());
                case.hold(&format!("native::{}::{name}", stringify!($module)), backend, platform);
            });
        })* }
    };
    (@cases $platform:expr, $run:expr) => {
        conformance!(@each $platform, $run,
            lone_compute a_limit_throttles idle_uses_next_to_nothing what_is_seen_is_what_the_platform_promises
            touched_memory_is_charged a_memory_limit_kills a_file_is_read_block_by_block a_disk_limit_holds
            a_rate_paces_the_disk an_overfull_queue_fails_requests
            who_is_killed_is_started_again another_limit_holds_from_its_moment_on replicas_come_and_go
            an_update_replaces_one_after_the_other
        );
    };
    (@each $platform:expr, $run:expr, $($case:ident)*) => {
        $(#[test]
        fn $case() {
            ($run)(crate::$case(), stringify!($case), $platform);
        })*
    };
}

conformance! {
    bare_metal = Platform::BareMetal;
    chroot = Platform::Chroot;
    cgroups = Platform::Cgroups;
    namespaces = Platform::Namespaces;
    container = Platform::Container;
    runc = Platform::Runc;
    crun = Platform::Crun;
    youki = Platform::Youki;
    vm = Platform::Vm;
}
