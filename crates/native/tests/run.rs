//! Short real runs on every platform that is carried out natively.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod common;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use catamaran_native::{Runner, RunnerOptions, dry_run};
use catamaran_report::report::TenantState;
use catamaran_report::{Backend as _, Report, RunError};
use catamaran_scenario::{Plan, Platform};

use common::{PLATFORMS, TRIAL, answer};

fn plan(duration: &str, tenants: &str) -> Plan {
    common::plan(duration, "", tenants)
}

const SERVER_AND_JOB: &str = r#"
[[tenant]]
name = "web"
cpu = { limit = "300m" }
workload = { kind = "server", threads = 2, arrivals = { process = "constant", rate = "100/s" }, service = { cpu = "100us", distribution = "constant" } }
[[tenant]]
name = "job"
start_at = "100ms"
workload = { kind = "compute", threads = 2, work = "20ms" }
"#;

/// The report, or `None` with a printed reason where this machine does not offer the platform.
fn tried(name: &str, answer: Result<Report, RunError>) -> Option<Report> {
    common::tried(name, None, answer)
}

#[test]
fn a_server_and_a_job_are_carried_out_and_every_figure_is_there_or_explained() {
    let plan = plan("600ms", SERVER_AND_JOB);
    for platform in PLATFORMS {
        let Some(report) = tried(platform.name(), answer(&plan, platform)) else { continue };
        assert_eq!(report.unexplained(), Vec::<String>::new(), "{platform}");
        assert_eq!((report.platform, report.trial, report.seed), (platform, TRIAL, 5));
        let [web, job] = report.tenants.as_slice() else { panic!("two tenants") };
        let requests = web.requests.as_ref().expect("web is a server");
        assert_eq!(requests.sent, 60, "100 a second for 600 ms");
        assert_eq!(requests.completed + requests.failed + requests.in_flight, requests.sent);
        assert_eq!(web.state, TenantState::Completed, "a server is there until the end");
        assert_eq!(job.state, TenantState::Completed, "{platform}: {:?}", job.error);
        assert_eq!(job.turns, Some(2e6), "20 ms of 1e8 turns a second");
        assert!(job.finished_s.is_some_and(|at| at > 0.1), "it starts at 100 ms: {:?}", job.finished_s);
        let limits = matches!(platform, Platform::Cgroups | Platform::Container);
        assert_eq!(web.throttled_s.is_some(), limits, "{platform}");
        assert_eq!(web.absent.contains_key("cpu.limit"), !limits, "{platform}");
        let names: Vec<&str> = web.startup_stages.iter().map(|stage| stage.name.as_str()).collect();
        // On cgroup v2 a process is born in its group.
        let names: Vec<&str> = names.into_iter().filter(|name| *name != "join").collect();
        let expected = match platform {
            Platform::Chroot => "rootfs clone chroot exec",
            Platform::Namespaces => "clone isolate exec",
            Platform::Cgroups => "limits clone exec",
            Platform::Container => "limits clone isolate rootfs pivot-root confine exec",
            _ => "clone exec",
        };
        assert_eq!(names.join(" "), expected, "{platform}");
    }
}

#[test]
fn threads_that_share_a_lock_make_all_their_turns() {
    // The second has a phase that ends while somebody holds the lock and somebody waits.
    let locked = r#"
[[tenant]]
name = "pool"
workload = { kind = "compute", threads = 3, work = "30ms", lock = { every = "500us", hold = "500us" } }
[[tenant]]
name = "short"
workload = { phases = [
    { kind = "compute", threads = 2, work = "1h", lock = { every = "10us", hold = "1s" }, for = "100ms" },
    { kind = "compute", work = "1ms" },
] }
"#;
    let answer = answer(&plan("20s", locked), Platform::BareMetal);
    let Some(report) = tried("bare-metal", answer) else { return };
    let [pool, short] = report.tenants.as_slice() else { panic!("two tenants") };
    assert_eq!((pool.state, pool.turns), (TenantState::Completed, Some(3e6)), "{:?}", pool.error);
    assert_eq!(short.state, TenantState::Completed, "{:?}", short.error);
    assert!(short.finished_s.is_some_and(|at| at > 0.1), "{:?}", short.finished_s);
    assert_eq!(report.host.turns_per_cpu_s, None, "spinning is no turning");
}

#[test]
fn an_interrupted_run_ends_at_once_and_says_so() {
    let plan = plan("60s", SERVER_AND_JOB);
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    let user = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(600));
        flag.store(true, Ordering::Relaxed);
    });
    let start = Instant::now();
    let options = RunnerOptions { turns_per_cpu_s: Some(1e8), interrupted, ..RunnerOptions::default() };
    let answer = Runner::new(options).and_then(|mut runner| runner.run(&plan, Platform::Cgroups, TRIAL));
    user.join().expect("the user");
    if let Err(RunError::Unavailable { why, .. }) = answer {
        println!("skipped: interrupt: {why}");
        return;
    }
    assert_eq!(answer.map(|_| ()), Err(RunError::Interrupted));
    assert!(start.elapsed() < Duration::from_secs(50), "it must not wait for the end of the scenario");
}

#[test]
fn what_is_not_carried_out_is_refused_by_its_field() {
    let table = [
        ("workload = { kind = \"command\", argv = [\"./true\"] }", "tenant.x.workload.argv"),
        ("workload = { kind = \"idle\" }\npids = { limit = 1 }", "tenant.x.pids.limit"),
        (
            "image = \"i\"\nworkload = { phases = [\
             { kind = \"disk\", op = \"read\", size = \"1MiB\", layer = \"l\" },\
             { kind = \"disk\", op = \"read\", size = \"1MiB\" } ] }\n\
             [[image]]\nname = \"i\"\nlayers = [{ id = \"l\", size = \"1MiB\" }]",
            "tenant.x.workload",
        ),
    ];
    for (tenant, expected) in table {
        let plan = plan("1s", &format!("[[tenant]]\nname = \"x\"\n{tenant}\n"));
        match answer(&plan, Platform::Cgroups) {
            Err(RunError::Unsupported { field, backend: "native", .. }) => assert_eq!(field, expected),
            other => panic!("{tenant}: {other:?}"),
        }
    }
    let idle = plan("1s", "[[tenant]]\nname = \"x\"\nworkload = { kind = \"idle\" }\n");
    let never = [Platform::Rkt, Platform::VmHosted, Platform::Gvisor, Platform::Kata, Platform::CriO];
    for refused in never.into_iter().chain([Platform::Kubernetes]) {
        match answer(&idle, refused) {
            Err(RunError::Unavailable { platform, why, remedy }) => {
                assert_eq!(platform, refused);
                assert!(remedy.contains("simulate it") && remedy.lines().count() == 1, "{refused}: {remedy}");
                assert!(why.starts_with(refused.name()), "{refused}: {why}");
            }
            other => panic!("{refused}: {other:?}"),
        }
    }
}

#[test]
fn a_machine_that_is_too_small_is_refused() {
    let text = "schema = \"catamaran/scenario/v1\"\nname = \"huge\"\nseed = 5\nduration = \"1s\"\nplatforms = [\"cgroups\"]\n\
                [host]\ncores = 256\nmemory = \"128MiB\"\n[[tenant]]\nname = \"x\"\nworkload = { kind = \"idle\" }\n";
    let plan = Plan::from_toml(text, "run.rs").expect("a valid scenario");
    match answer(&plan, Platform::Cgroups) {
        Err(RunError::Unavailable { why, remedy, .. }) => {
            assert!(why.contains("256 cores") && remedy.contains("host.cores"), "{why}; {remedy}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_lines_of_a_dry_run_can_be_typed() {
    for platform in PLATFORMS {
        let name = format!("dry run on {platform}");
        let plan = plan("600ms", SERVER_AND_JOB);
        if tried(&name, answer(&plan, platform)).is_none() {
            continue;
        }
        let lines = dry_run(&plan, platform).expect("what can be run can be shown");
        let script = format!("set -e\n{}\n", lines.join("\n"));
        let output =
            Command::new("sh").args(["-c", &script]).env("WORKER", "true").output().expect("a shell");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{name}: {said}\n{script}");
    }
}

/// Whether this process may lower an `oom_score_adj` is for its kernel to say: it is tried on a child that then ends.
fn may_lower_oom_score_adj() -> bool {
    let lower = "echo -1 > /proc/self/oom_score_adj";
    let tried = Command::new("sh").args(["-c", lower]).stderr(std::process::Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

#[test]
fn an_adjustment_that_may_not_be_made_is_clamped_and_said() {
    let tenants = "[[tenant]]\nname = \"down\"\nmemory = { oom_score_adj = -1 }\nworkload = { kind = \"idle\" }\n\
                   [[tenant]]\nname = \"up\"\nmemory = { oom_score_adj = 7 }\nworkload = { kind = \"idle\" }\n";
    let plan = plan("300ms", tenants);
    let lowered = may_lower_oom_score_adj();
    for platform in PLATFORMS {
        let Some(report) = tried(platform.name(), answer(&plan, platform)) else { continue };
        let [down, up] = report.tenants.as_slice() else { panic!("two tenants") };
        assert_eq!(
            down.absent.contains_key("memory.oom_score_adj"),
            !lowered,
            "{platform}: {:?}",
            down.absent
        );
        assert!(!up.absent.contains_key("memory.oom_score_adj"), "raising is always allowed");
        assert_eq!((down.state, up.state), (TenantState::Completed, TenantState::Completed), "{platform}");
    }
}

/// Nice values of the processes whose parent this one is, now (proc_pid_stat(5): fields 4 and 19).
fn nice_of_children() -> Vec<i32> {
    let own = std::process::id().to_string();
    let entries = std::fs::read_dir("/proc").expect("/proc");
    let nice = |entry: std::io::Result<std::fs::DirEntry>| {
        let stat = std::fs::read_to_string(entry.ok()?.path().join("stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        if fields.get(1).copied() != Some(&own) {
            return None;
        }
        fields.get(16)?.parse().ok()
    };
    entries.filter_map(nice).collect()
}

#[test]
fn nice_values_are_given_and_divide_a_core_where_tenants_share_a_group() {
    let hog = |name: &str, nice: i32| {
        format!(
            "[[tenant]]\nname = \"{name}\"\ncpu = {{ nice = {nice} }}\n\
             workload = {{ kind = \"compute\", work = \"1h\" }}\n"
        )
    };
    let plan = plan("2s", &[hog("plain", 0), hog("nice", 5)].concat());
    let own = std::fs::read_to_string("/proc/self/stat").expect("our own stat");
    let own: i32 =
        own.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(16)?.parse().ok()).expect("nice");
    for platform in PLATFORMS {
        let ended = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&ended);
        let watcher = std::thread::spawn(move || {
            let mut seen = false;
            while !flag.load(Ordering::Relaxed) {
                seen |= nice_of_children().contains(&(own + 5));
                std::thread::sleep(Duration::from_millis(20));
            }
            seen
        });
        let answer = answer(&plan, platform);
        ended.store(true, Ordering::Relaxed);
        let seen = watcher.join().expect("the watcher");
        let Some(report) = tried(platform.name(), answer) else { continue };
        assert!(seen, "{platform}: a child has nice {}", own + 5);
        let cpu: Vec<f64> = report.tenants.iter().map(|row| row.cpu_s.expect("CPU time")).collect();
        let [plain, nice] = cpu.as_slice() else { panic!("two tenants") };
        let own_groups = matches!(platform, Platform::Cgroups | Platform::Container);
        let expected = if own_groups { 1.0 } else { 1024.0 / 335.0 };
        let error = (plain / nice / expected).ln().abs();
        assert!(error < 0.15, "{platform}: {plain} s to {nice} s, where {expected} is right");
        let typed = dry_run(&plan, platform).expect("what can be run can be shown").join("\n");
        assert_eq!(typed.matches("nice -n 5 ").count(), 1, "{platform}: {typed}");
    }
}

#[test]
fn a_nice_value_that_may_not_be_given_is_clamped_and_said() {
    let tenants = "[[tenant]]\nname = \"down\"\ncpu = { nice = -1 }\nworkload = { kind = \"idle\" }\n";
    let plan = plan("300ms", tenants);
    // A thread has a nice value of its own on Linux, and takes it along.
    let lowered =
        std::thread::spawn(|| rustix::process::setpriority_process(None, -1).is_ok()).join().unwrap();
    for platform in PLATFORMS {
        let Some(report) = tried(platform.name(), answer(&plan, platform)) else { continue };
        let [down] = report.tenants.as_slice() else { panic!("one tenant") };
        assert_eq!(down.absent.contains_key("cpu.nice"), !lowered, "{platform}: {:?}", down.absent);
        assert_eq!(down.state, TenantState::Completed, "{platform}");
    }
}
