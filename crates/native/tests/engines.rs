//! Tenants that a container engine starts: podman, containerd, docker, LXC, each of the run's own.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod common;

use std::process::{Command, id};
use std::time::{Duration, Instant};

use catamaran_native::dry_run;
use catamaran_report::report::TenantState;
use catamaran_report::{Report, RunError};
use catamaran_scenario::{Plan, Platform};

use common::TRIAL;
use common::left::{BY_HAND_FOLDER, left};

const ENGINES: [Platform; 4] = [Platform::Podman, Platform::Containerd, Platform::Docker, Platform::Lxc];

/// A server and a tenant that computes for as long as it is let.
const TWO: &str = "[[tenant]]\nname = \"web\"\nreplicas = 2\nworkload = { kind = \"server\", arrivals = { process = \"poisson\", \
                   rate = \"200/s\" }, service = { cpu = \"500us\", distribution = \"constant\" } }\n\
                   [[tenant]]\nname = \"batch\"\ncpu = { request = \"100m\", limit = \"200m\", period = \"20ms\" }\n\
                   memory = { limit = \"32MiB\", oom_score_adj = 5 }\n\
                   workload = { kind = \"compute\", work = \"1h\" }";

fn plan(host: &str, tenants: &str) -> Plan {
    common::plan("600ms", host, tenants)
}

/// The report; says why there is none where an engine is not to be had here.
fn report(platform: Platform, plan: &Plan) -> Option<Report> {
    common::tried(platform.name(), None, common::answer(plan, platform))
}

#[test]
fn an_engine_of_the_runs_own_starts_tenants_and_leaves_nothing() {
    let _turn = common::turn();
    for platform in ENGINES {
        let before = left(id());
        let Some(report) = report(platform, &plan("", TWO)) else { continue };
        let machine = report.identity.machine.as_ref().expect("a machine");
        let version = machine.get("runtime").expect("the versions");
        assert!(version.to_lowercase().starts_with(platform.name()), "{version}");
        assert!(version.contains(" with ") || platform == Platform::Lxc, "its runtime's version: {version}");
        assert_eq!((report.trial, report.tenants.len()), (TRIAL, 3));
        for tenant in &report.tenants {
            assert!(tenant.cpu_s.is_some_and(|s| s > 0.0), "{platform}: {tenant:?}");
            assert!(tenant.startup_s.is_some_and(|s| s > 0.01), "{platform}: {tenant:?}");
            let (first, last) = (tenant.startup_stages.first(), tenant.startup_stages.last());
            let name = if platform == Platform::Lxc { "config" } else { "request" };
            assert_eq!(first.map(|row| (&*row.name, row.start_s)), Some((name, Some(0.0))));
            assert_eq!(last.map(|row| (&*row.name, row.end_s)), Some(("exec", tenant.startup_s)));
            common::assert_every_stage_was_seen(platform, tenant);
        }
        // Whoever is in the engine's room is nobody else.
        let cpu_s: f64 = report.tenants.iter().filter_map(|tenant| tenant.cpu_s).sum();
        let engine_s = report.host.overhead_cpu_s.expect("the engine's CPU time");
        assert!(engine_s < cpu_s, "{platform}: a tenant counts as its engine: {:?}", report.host);
        let daemon = [Platform::Containerd, Platform::Docker].contains(&platform);
        assert!(!daemon || engine_s > 0.0, "{platform}: {:?}", report.host);
        // A monitor for each of three containers, or daemons of some ten megabytes and shims.
        let held_mib =
            report.host.overhead_memory_bytes.map(|bytes| bytes >> 10).map(|kib| kib as f64 / 1024.0);
        let bounds = if daemon { 16.0..512.0 } else { 0.3..16.0 };
        assert!(held_mib.is_some_and(|mib| bounds.contains(&mib)), "{platform}: {:?}", report.host);
        let states = report.tenants.iter().map(|tenant| tenant.state).collect::<Vec<_>>();
        let (ends, stays) = (TenantState::Completed, TenantState::Running);
        assert_eq!(states, [ends, ends, stays], "{platform}: {:?}", report.tenants);
        let [web, _, batch] = &*report.tenants else { panic!("{:?}", report.tenants) };
        assert!(web.requests.as_ref().is_some_and(|requests| requests.completed > 60), "{web:?}");
        assert!(batch.throttled_periods.is_some_and(|periods| periods > 5), "{platform}: {batch:?}");
        assert!(batch.cpu_s.is_some_and(|s| s < 0.2), "{platform}: {batch:?}");
        let own = report.isolation.iter().filter(|row| row.observer == "web");
        let own = own.filter(|row| format!("{:?}", row.sees) == "Own").count();
        assert!(own >= 5, "{platform}: {:?}", report.isolation);
        assert_eq!(left(id()), before, "{platform}");
    }
}

/// A program of the user's own, with what it needs of the machine, in each engine's container.
#[test]
fn a_program_runs_in_an_engines_container_and_reaches_no_more_than_in_ours() {
    let _turn = common::turn();
    let tenants = "[[tenant]]\nname = \"fine\"\nworkload = { kind = \"command\", argv = [\"/bin/sh\", \"-c\", \
                   \"test -e /usr/bin/env && ! touch /usr/x 2>/dev/null && ! head -c 1 /proc/1/fd/1 2>/dev/null && ! mount -o remount,bind,rw /usr 2>/dev/null && exec sleep 9\"] }\n\
                   [[tenant]]\nname = \"port\"\nworkload = { kind = \"command\", probe = { tcp = 18300 }, argv = [\"perl\", \"-e\", \
                   \"use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => 18300, Listen => 5) or die; sleep 9\"] }\n\
                   [[tenant]]\nname = \"fails\"\nworkload = { kind = \"command\", argv = [\"/bin/sh\", \"-c\", \"echo no; exit 3\"] }";
    for platform in ENGINES {
        let before = left(id());
        let Some(report) = report(platform, &plan("", tenants)) else { continue };
        let states = report.tenants.iter().map(|tenant| tenant.state).collect::<Vec<_>>();
        let expected = [TenantState::Completed, TenantState::Completed, TenantState::Failed];
        assert_eq!(states, expected, "{platform}: {:?}", report.tenants);
        let why = report.tenants.last().and_then(|tenant| tenant.error.as_deref()).unwrap_or_default();
        assert!(why.contains("exit code 3") && why.contains("it said last: no"), "{platform}: {why}");
        let ready = report.tenants.get(1).and_then(|tenant| tenant.startup_stages.last());
        assert_eq!(ready.map(|stage| &*stage.name), Some("ready"), "{platform}");
        assert_eq!(left(id()), before, "{platform}");
    }
}

/// Also where the engine's client has no option for them.
#[test]
fn each_engine_bounds_processes_and_cores() {
    let _turn = common::turn();
    let tenants = "[[tenant]]\nname = \"forks\"\npids = { limit = 12 }\n\
                   workload = { kind = \"fork\", rate = \"100/s\", lifetime = \"1h\" }\n\
                   [[tenant]]\nname = \"pinned\"\ncpu = { set = \"0\" }\n\
                   workload = { kind = \"compute\", threads = 2, work = \"1h\" }";
    let plan = common::plan_of_cores(2, "600ms", "", tenants);
    for platform in ENGINES {
        let Some(report) = report(platform, &plan) else { continue };
        let [forks, pinned] = &*report.tenants else { panic!("{:?}", report.tenants) };
        let failed = forks.requests.as_ref().map_or(0, |requests| requests.failed);
        assert!(failed > 20, "{platform}: of 60 forks all but some ten fail: {:?}", forks.requests);
        // Two threads on two cores would have 1.2 s in 0.6.
        assert!(pinned.cpu_s.is_some_and(|s| s > 0.1 && s < 0.65), "{platform}: {:?}", pinned.cpu_s);
    }
}

/// What a person may type starts the same containers, with the same limits, and leaves nothing.
#[test]
fn the_lines_with_an_engine_can_be_typed() {
    let _turn = common::turn();
    let tenants = "[[tenant]]\nname = \"web\"\nreplicas = 2\ncpu = { limit = \"200m\", period = \"20ms\", nice = 3 }\n\
                   memory = { limit = \"32MiB\", oom_score_adj = 5 }\nworkload = { kind = \"idle\" }\n\
                   [[event]]\nat = \"100ms\"\ndo = \"set-limit\"\ntarget = \"web\"\ncpu = \"100m\"";
    let of_group = |name: &str| {
        format!("cat $(find /sys/fs/cgroup -path \"*catamaran-by-hand*\" -path \"*$GROUP1/{name}\")\n")
    };
    let (quota, memory) = (of_group("cpu.cfs_quota_us"), of_group("memory.limit_in_bytes"));
    let process = "nsenter --target $PROCESS --uts hostname; tr '\\0' ' ' < /proc/$PROCESS/cmdline; echo\n\
                   ps -o ni= -p $PROCESS; cat /proc/$PROCESS/oom_score_adj\n";
    let looks = ["sleep 0.1\necho LOOK\n", &quota, &memory, process].concat();
    for platform in ENGINES {
        let before = left(id());
        let lines = match dry_run(&plan("", tenants), platform) {
            Ok(lines) if lines.iter().all(|line| line.starts_with('#')) => {
                println!("skipped: {platform} by hand: {lines:?}");
                continue;
            }
            Ok(lines) => lines.join("\n"),
            Err(RunError::Unavailable { why, .. }) => {
                println!("skipped: {platform} by hand: {why}");
                continue;
            }
            Err(error) => panic!("{platform}: {error}"),
        };
        // Whatever fails, nobody is left to wait for.
        let script = format!("trap ': > {BY_HAND_FOLDER}/end' EXIT\n{lines}\ntrap - EXIT\n")
            .replacen("# At 0.1 s", &format!("{looks}# At 0.1 s"), 1)
            .replacen("\n: > ", &format!("\n{quota}: > "), 1);
        let run = Command::new("sh").args(["-e", "-c", &script]).env("WORKER", "sleep 9").output();
        let run = run.expect("sh");
        let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert!(run.status.success(), "{platform}: {}: {out}{err}\n{script}", run.status);
        let seen = out.rsplit_once("LOOK\n").map_or("", |(_, seen)| seen);
        let seen: Vec<&str> = seen.lines().map(str::trim).collect();
        // ctr has no option for a host name.
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
        let host = if platform == Platform::Containerd { host.trim() } else { "web" };
        let expected = ["4000", "33554432", host, "sleep 9", "3", "5", "2000"];
        assert_eq!(seen, expected, "{platform}: {out}{err}\n{script}");
        assert_eq!(left(id()), before, "{platform}");
    }
}

#[test]
fn an_engines_containers_are_counted_until_the_guard_is_full() {
    let _turn = common::turn();
    for platform in ENGINES {
        let before = left(id());
        let counted = match common::count(platform, 100) {
            Ok(counted) => counted,
            Err(RunError::Unavailable { why, .. }) => {
                println!("skipped: a density on {platform}: {why}");
                continue;
            }
            Err(error) => panic!("{platform}: {error}"),
        };
        common::assert_full(counted);
        if [Platform::Podman, Platform::Lxc].contains(&platform) {
            let few = common::count(platform, 2).expect("as before");
            assert!(!few.full && few.tenants == 2, "{few:?}");
            let close = common::HELD..common::HELD + (4 << 20);
            assert!(few.tenant_bytes.is_some_and(|bytes| close.contains(&bytes)), "{few:?}");
            assert!(few.engine_bytes < counted.engine_bytes, "a monitor for each: {few:?}, {counted:?}");
        }
        assert_eq!(left(id()), before, "{platform}");
    }
}

/// Set for the process that is killed.
const VICTIM: &str = "CATAMARAN_ENGINES_VICTIM";

#[test]
fn victim() {
    if std::env::var_os(VICTIM).is_some() {
        let _ = common::count(Platform::Docker, 100);
    }
}

#[test]
fn a_density_that_is_killed_leaves_nothing_of_its_engine() {
    let _turn = common::turn();
    let Some((number, _)) = common::killed_at("engine", (VICTIM, "docker")) else { return };
    assert_ne!(left(number), left(id()), "it was killed in the middle");
    let deadline = Instant::now() + Duration::from_secs(5);
    // The room ends by itself; until then the run lives.
    while left(number) != left(id()) && Instant::now() < deadline {
        catamaran_native::clean().expect("cleaned");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(left(number), left(id()));
}

/// The engine alone knows how a tenant has ended that is not our child.
#[test]
fn who_is_killed_for_memory_is_told_from_who_ends() {
    let _turn = common::turn();
    let tenants = "[[tenant]]\nname = \"leak\"\nmemory = { limit = \"16MiB\" }\n\
                   workload = { kind = \"memory\", start = \"64MiB\" }\n\
                   [[tenant]]\nname = \"job\"\nworkload = { kind = \"compute\", work = \"20ms\" }";
    for platform in ENGINES {
        let Some(report) = report(platform, &plan("", tenants)) else { continue };
        let states = report.tenants.iter().map(|tenant| (tenant.state, tenant.oom_kills)).collect::<Vec<_>>();
        let expected = [(TenantState::OomKilled, Some(1)), (TenantState::Completed, Some(0))];
        assert_eq!(states, expected, "{platform}: {:?}", report.tenants);
    }
}

#[test]
fn tenants_talk_and_have_their_files_and_another_runtime_does_as_well() {
    let _turn = common::turn();
    let tenants = "[[tenant]]\nname = \"echo\"\nworkload = { kind = \"idle\" }\n\
                   [[tenant]]\nname = \"ask\"\nworkload = { kind = \"network\", to = \"echo\", requests = 200, size = \"1KiB\" }\n\
                   [[tenant]]\nname = \"read\"\n\
                   workload = { kind = \"disk\", op = \"read\", size = \"1MiB\", block = \"64KiB\" }\n\
                   [platform.podman]\nruntime = \"runc\"";
    for platform in ENGINES {
        let Some(report) = report(platform, &plan("", tenants)) else { continue };
        let [_, ask, read] = &*report.tenants else { panic!("{:?}", report.tenants) };
        assert_eq!(
            (ask.state, read.state),
            (TenantState::Completed, TenantState::Completed),
            "{platform}: {report:?}"
        );
        assert!(ask.requests.as_ref().is_some_and(|requests| requests.completed == 200), "{ask:?}");
        let machine = report.identity.machine.as_ref().and_then(|machine| machine.get("runtime"));
        assert!(
            platform == Platform::Lxc || machine.is_some_and(|text| text.contains("with runc")),
            "{machine:?}"
        );
    }
}

#[test]
fn what_an_engine_cannot_be_told_is_refused_by_its_field() {
    let _turn = common::turn();
    let tenant = |more: &str| {
        format!("[[tenant]]\nname = \"t\"\n{more}\nworkload = {{ kind = \"compute\", work = \"1h\" }}")
    };
    let of_all = [
        ("", tenant("cpu = { limit = \"200m\", burst = \"10ms\" }"), "tenant.t.cpu.burst"),
        ("disk = { read = \"10MB/s\" }", tenant(""), "host.disk"),
    ];
    let refused = |platform: Platform, host: &str, tenants: &str, expected: &str| match common::answer(
        &plan(host, tenants),
        platform,
    ) {
        Err(RunError::Unsupported { field, .. }) => assert_eq!(field, expected, "{platform}"),
        Err(RunError::Unavailable { why, .. }) => println!("skipped: {platform}: {why}"),
        other => panic!("{expected} on {platform}: {other:?}"),
    };
    for (host, tenants, expected) in &of_all {
        ENGINES.into_iter().for_each(|platform| refused(platform, host, tenants, expected));
    }
    let settings = format!("{}\n[platform.docker]\nrootless = true", tenant(""));
    refused(Platform::Docker, "", &settings, "platform.docker.rootless");
    let settings = format!("{}\n[platform.podman]\nrootless = true", tenant(""));
    match common::answer(&plan("", &settings), Platform::Podman) {
        Err(RunError::Unavailable { why, remedy, .. }) => {
            assert!(why.contains("ordinary user") && !remedy.is_empty(), "{why}: {remedy}");
        }
        other => panic!("rootless podman by root, or on version 1: {other:?}"),
    }
    let settings = format!("{}\n[platform.lxc]\nruntime = \"runc\"", tenant(""));
    refused(Platform::Lxc, "", &settings, "platform.lxc.runtime");
    let settings = format!("{}\n[platform.docker]\nruntime = \"runsc\"", tenant(""));
    refused(Platform::Docker, "", &settings, "platform.docker.runtime");
}
