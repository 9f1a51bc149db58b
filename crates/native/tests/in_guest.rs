//! Programs of the user's own, and what else processes do, in virtual machines: emulated, so that they work without KVM.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use catamaran_report::Report;
use catamaran_report::report::{TenantReport, TenantState};
use catamaran_scenario::{Plan, Platform};

use common::{MARKER, answer, line_of_a_prisoner, tried, turn};

/// Set for the process that another test kills.
const VICTIM: &str = "CATAMARAN_IN_GUEST_VICTIM";
/// How long a process that is killed with the runner may take to be gone.
const END_PATIENCE: Duration = Duration::from_secs(5);

fn plan(duration: &str, tenants: &str) -> Plan {
    common::guest_plan("", duration, "accel = \"tcg\"\nvcpus = 1\nmemory = \"192MiB\"", tenants)
}

fn run(name: &str, plan: &Plan) -> Option<Report> {
    tried(name, None, answer(plan, Platform::Vm))
}

/// A tenant that calls a program.
fn calls(name: &str, argv: &[&str], more: &str) -> String {
    format!("[[tenant]]\nname = \"{name}\"\nworkload = {{ kind = \"command\", argv = {argv:?}{more} }}\n")
}

/// The status of each process that lives, by number, whose command line holds a word.
fn living(word: &str) -> BTreeMap<u32, String> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let status = |number: u32| {
        let line = fs::read(format!("/proc/{number}/cmdline")).ok()?;
        let is_it = String::from_utf8_lossy(&line).contains(word);
        Some((number, fs::read_to_string(format!("/proc/{number}/status")).ok().filter(|_| is_it)?))
    };
    numbers.filter_map(status).collect()
}

/// What belongs to the runs of a process: their folders are called by its number.
fn ours(process: u32) -> String {
    format!("/run/catamaran/{process:x}-")
}

fn row<'a>(report: &'a Report, name: &str) -> &'a TenantReport {
    report.tenants.iter().find(|row| row.name == name).expect("a row")
}

fn error(row: &TenantReport) -> &str {
    row.error.as_deref().unwrap_or_default()
}

/// What a daemon that serves has, as the kernel tells of it.
fn confinement(status: &str) -> Vec<&str> {
    let told = ["CapEff", "CapPrm", "Seccomp:"];
    status.lines().filter(|line| told.iter().any(|word| line.starts_with(word))).collect()
}

#[test]
fn programs_run_in_guests_as_in_containers_and_reach_no_more() {
    let _turn = turn();
    let name = "programs_run_in_guests_as_in_containers_and_reach_no_more";
    // One that lies where no program of the machine's does.
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("prisoner");
    fs::write(&script, format!("#!/bin/sh\n{}\n", line_of_a_prisoner())).expect("a script");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("executable");
    let server = "use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 18300, \
                  Listen => 5, ReuseAddr => 1) or die; while (my $c = $s->accept) { close $c }";
    let tenants = [
        calls("web", &["perl", "-e", server], ", probe = { tcp = 18300 }"),
        calls("prisoner", &[script.to_str().expect("a path")], ""),
        calls("fails", &["/bin/sh", "-c", "echo one; echo two >&2; exit 3"], ""),
    ];
    let seen = std::sync::Mutex::new(BTreeMap::new());
    let over = AtomicBool::new(false);
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let now = living("virtiofsd");
                let own = now.into_iter().filter(|(number, _)| is_of(*number, std::process::id()));
                let own = own.map(|(number, status)| (number, (status, root_of(number))));
                seen.lock().expect("no panic").extend(own);
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        let report = run(name, &plan("4s", &tenants.concat()));
        over.store(true, Ordering::Relaxed);
        report
    });
    let Some(report) = report else { return };
    assert_eq!(report.unexplained(), Vec::<String>::new());
    let [web, prisoner, fails] = ["web", "prisoner", "fails"].map(|name| row(&report, name));
    assert_eq!((web.state, error(web), web.finished_s), (TenantState::Completed, "", Some(4.0)));
    let ready = web.startup_stages.last().expect("stages");
    assert_eq!((&*ready.name, &*ready.actor), ("ready", "probe"));
    assert!(web.startup_s.is_some() && web.startup_s == ready.start_s && ready.end_s > ready.start_s);
    assert_eq!((prisoner.state, error(prisoner)), (TenantState::Completed, ""));
    assert!(!Path::new(MARKER).exists());
    assert_eq!(fails.state, TenantState::Failed);
    assert!(error(fails).contains("ended with exit code 3") && error(fails).contains("said last: one | two"));
    for row in &report.tenants {
        assert_eq!((row.waited_s, row.oom_kills), (None, Some(0)), "{}", row.name);
        assert!(row.cpu_s.is_some_and(|s| s > 0.0) && row.memory_peak_bytes.is_some(), "{}", row.name);
    }
    // Of the daemon that shows each guest the machine there are two processes: one serves, one waits for its end.
    let seen = seen.into_inner().expect("no panic");
    assert!(seen.len() >= 6, "{seen:?}");
    let serving: Vec<_> =
        seen.values().filter(|(status, _)| confinement(status).contains(&"Seccomp:\t2")).collect();
    assert!(serving.len() >= 3, "{seen:?}");
    for (status, root) in serving {
        let has = confinement(status);
        let capabilities = has.iter().filter(|line| line.starts_with("Cap"));
        assert!(capabilities.into_iter().all(|line| line.ends_with("\t0000000000000000")), "{has:?}");
        let shown = ["bin", "sbin", "lib", "lib64", "usr", "etc", "tmp"];
        assert!(root.contains(&"usr".to_owned()), "{root:?}");
        assert!(root.iter().all(|name| shown.contains(&name.as_str())), "not the machine's root: {root:?}");
    }
    assert_eq!(living(&ours(std::process::id())), BTreeMap::new(), "all are gone");
}

/// What is in the root of a process.
fn root_of(number: u32) -> Vec<String> {
    let entries = fs::read_dir(format!("/proc/{number}/root/")).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().display().to_string()).collect()
}

/// Whether a process descends from another one.
fn is_of(number: u32, ancestor: u32) -> bool {
    let mut at = number;
    while at > 1 && at != ancestor {
        let status = fs::read_to_string(format!("/proc/{at}/status")).unwrap_or_default();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok());
        at = parent.unwrap_or(0);
    }
    at == ancestor
}

#[test]
fn a_guest_that_is_full_kills_a_program_and_is_told_from_others_who_kill() {
    let _turn = turn();
    let name = "a_guest_that_is_full_kills_a_program_and_is_told_from_others_who_kill";
    let tenants = [
        calls("greedy", &["perl", "-e", "my @x; push @x, 'x' x 1_000_000 for 1 .. 300; sleep 9"], ""),
        calls("killed", &["/bin/sh", "-c", "kill -KILL $$"], ""),
        calls("deaf", &["/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.2; done"], ""),
    ];
    let Some(report) = run(name, &plan("5s", &tenants.concat())) else { return };
    assert_eq!(report.unexplained(), Vec::<String>::new());
    let [greedy, killed, deaf] = ["greedy", "killed", "deaf"].map(|name| row(&report, name));
    assert_eq!((greedy.state, greedy.oom_kills), (TenantState::OomKilled, Some(1)), "{}", error(greedy));
    assert!(error(greedy).contains("platform.vm.memory"), "{}", error(greedy));
    assert_eq!((killed.state, killed.oom_kills), (TenantState::Failed, Some(0)));
    assert!(error(killed).contains("ended with signal 9"), "{}", error(killed));
    // It was there to the end, and got its time.
    assert_eq!((deaf.state, error(deaf), deaf.finished_s), (TenantState::Completed, "", Some(5.0)));
    assert!(report.elapsed_s < 5.7, "the time to end is not the run's: {}", report.elapsed_s);
}

#[test]
fn forks_in_a_guest_are_counted_as_elsewhere() {
    let _turn = turn();
    let tenant = "[[tenant]]\nname = \"bomb\"\n\
                  workload = { kind = \"fork\", rate = \"20/s\", lifetime = \"100ms\" }\n";
    let Some(report) = run("forks_in_a_guest_are_counted_as_elsewhere", &plan("2s", tenant)) else { return };
    assert_eq!(report.unexplained(), Vec::<String>::new());
    let bomb = row(&report, "bomb");
    let forks = bomb.requests.as_ref().expect("forks");
    // The last two have no time to live to their end, and an emulated guest is late.
    assert_eq!((forks.sent, forks.failed), (40, 0), "{forks:?}");
    assert!((30..=38).contains(&forks.completed), "{forks:?}");
    assert!(forks.latency_s.is_some_and(|latency| latency.p50 >= 0.1), "a child sleeps all its lifetime");
    assert_eq!((bomb.state, bomb.waited_s), (TenantState::Completed, None), "{}", error(bomb));
    assert!(bomb.cpu_s.is_some_and(|s| s > 0.0) && report.events.is_empty());
}

/// Not a test: what another test kills. Does nothing when started by anyone else.
#[test]
fn victim() {
    if std::env::var_os(VICTIM).is_some() {
        let _ = answer(&plan("60s", &calls("sleeper", &["sleep", "98761"], "")), Platform::Vm);
    }
}

#[test]
fn a_runner_that_is_killed_takes_guest_and_daemon_with_it() {
    let _turn = turn();
    let Some((process, _)) = common::killed_at("running", (VICTIM, "1")) else { return };
    let deadline = Instant::now() + END_PATIENCE;
    while !living(&ours(process)).is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(
        living(&ours(process)),
        BTreeMap::new(),
        "QEMU and the daemon that shows its guest the machine"
    );
    let mounts = fs::read_to_string("/proc/self/mounts").expect("mounts");
    assert!(!mounts.contains(&ours(process)), "{mounts}");
}
