//! Container engines on cgroup v2: limits in the groups that they make below a run's guard, what is counted there, who else is in it, and
//! that nothing is left. `cargo xtask test --only engines-v2` runs this in a guest whose kernel has version 2.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio, id};
use std::time::{Duration, Instant};

use catamaran_native::clean;
use catamaran_report::Report;
use catamaran_report::report::TenantState;
use catamaran_scenario::{Plan, Platform};

use common::left::left;
use common::tree::{on_v2, read, tree};

/// Names of the engines that whoever has made the guest has put into it.
const PROMISED: &str = "CATAMARAN_ENGINES";
/// Which engine starts the tenants of the run that is to be killed.
const VICTIM: &str = "CATAMARAN_ENGINES_V2_VICTIM";
/// Set for the process that is an ordinary user.
const ORDINARY: &str = "CATAMARAN_ENGINES_V2_ORDINARY";
/// Number of that user and its group: `nobody`.
const NOBODY: u32 = 65534;
/// How long an emulated machine may take for what a real one does at once.
const PATIENCE: Duration = Duration::from_secs(90);
/// A tenant that is throttled most of the time.
const QUOTA: &str = "20000 100000";

/// A tenant with limits that computes for as long as it is let; `cpu` and `more` are more of it.
fn hog(cpu: &str, more: &str) -> String {
    format!(
        "[[tenant]]\nname = \"hog\"\n{more}\nmemory = {{ limit = \"48MiB\" }}\n\
         cpu = {{ request = \"100m\", limit = \"200m\", weight = \"v1\"{cpu} }}\n\
         workload = {{ kind = \"compute\", work = \"1h\" }}\n"
    )
}

/// A tenant that wants twice the memory that it may have.
const LEAK: &str = "[[tenant]]\nname = \"leak\"\nmemory = { limit = \"32MiB\" }\n\
                    workload = { kind = \"memory\", start = \"64MiB\" }\n";

/// A program of the machine beside them, in the container of an ordinary user.
const ROOTLESS: &str = "[[tenant]]\nname = \"program\"\nworkload = { kind = \"command\", argv = [\"/bin/sleep\", \"9\"] }\n\
                        [platform.podman]\nrootless = true\n";

/// The two, with a bound of the disk where that can be had.
fn tenants(rootless: bool) -> String {
    let (io, settings) = if rootless { ("", ROOTLESS) } else { ("io = { read = \"4MB/s\" }\n", "") };
    [&*hog(", set = \"0\"", &format!("pids = {{ limit = 64 }}\n{io}")), LEAK, settings].concat()
}

/// Groups below the guard of this process's run, once one of them has that bound of its CPU time; none where the run is over before.
fn bounded_group(is_over: impl Fn() -> bool) -> Option<PathBuf> {
    let guard = format!("catamaran-{:x}-", id());
    let is_below = |group: &Path| group.to_string_lossy().contains(&guard);
    loop {
        let over = is_over();
        let found = tree().into_keys().find(|group| is_below(group) && read(group, "cpu.max") == QUOTA);
        if found.is_some() || over {
            return found;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits for a file of a group to say so.
fn assert_says(group: &Path, file: &str, expected: &str) {
    assert_that(group, file, expected, |text| text == expected);
}

fn assert_that(group: &Path, file: &str, expected: &str, holds: impl Fn(&str) -> bool) {
    let until = Instant::now() + PATIENCE;
    loop {
        let text = read(group, file);
        if holds(&text) {
            return;
        }
        assert!(Instant::now() < until, "{}/{file}: {text:?}, not {expected}", group.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Processes of a run's engine are in a leaf of the group around its guard.
fn assert_all_are_inside(around: &Path) {
    assert_eq!(read(around, "cgroup.procs"), "", "nobody is in a group that hands controllers down");
    let name = around.file_name().expect("a name").to_string_lossy().into_owned();
    let run = name.replace("catamaran-", "catamaran/");
    let of_engine = |process: &fs::DirEntry| {
        let words = fs::read_to_string(process.path().join("cmdline")).unwrap_or_default();
        words.contains(&run)
    };
    let processes: Vec<_> = fs::read_dir("/proc").expect("/proc").flatten().filter(of_engine).collect();
    assert!(!processes.is_empty(), "an engine with nobody at work");
    for process in processes {
        let Ok(groups) = fs::read_to_string(process.path().join("cgroup")) else { continue };
        assert!(groups.is_empty() || groups.contains(&format!("/{name}/")), "{groups}");
    }
}

/// The limits of the scenario stand in the files of the group that the engine has made, and hold; all that it costs is counted. An
/// ordinary user has no disk to be bounded.
fn keeps_limits(platform: Platform, rootless: bool) {
    if !on_v2(platform.name()) {
        return;
    }
    let _turn = common::turn();
    let own = || (tree(), left(id()), fs::read_to_string("/proc/self/cgroup").expect("/proc"));
    let before = own();
    let plan = common::plan("3s", "", &tenants(rootless));
    let runs = std::thread::spawn(move || common::answer(&plan, platform));
    let group = bounded_group(|| runs.is_finished());
    if let Some(group) = &group {
        assert_says(group, "cpu.weight", "10");
        assert_says(group, "memory.max", &(48_u64 << 20).to_string());
        assert_says(group, "cpuset.cpus", "0");
        assert_says(group, "pids.max", "64");
        if !rootless {
            assert_that(group, "io.max", "bounded", |text| text.contains("rbps=4000000 "));
        }
        let guard = group.parent().expect("the guard");
        assert_eq!(read(guard, "memory.max"), (256_u64 << 20).to_string(), "{}", guard.display());
        assert_eq!(read(guard, "cgroup.procs"), "", "nobody is in a group that hands controllers down");
        assert_all_are_inside(guard.parent().expect("the group around it"));
    }
    let Some(report) = promised(platform, runs.join().expect("the run")) else { return };
    assert!(group.is_some(), "{platform}: no group with {QUOTA}");
    assert_counted(platform, &report);
    assert_eq!(own(), before, "{platform}");
}

/// The report; says why there is none where the engine is not to be had.
fn promised(platform: Platform, answer: Result<Report, catamaran_report::RunError>) -> Option<Report> {
    let promised = std::env::var(PROMISED).unwrap_or_default();
    let is_promised = promised.split(',').any(|name| name == platform.name());
    common::tried(platform.name(), is_promised.then_some(PROMISED), answer)
}

fn assert_counted(platform: Platform, report: &Report) {
    let [hog, leak, others @ ..] = &*report.tenants else { panic!("{platform}: {:?}", report.tenants) };
    let states = [(hog.state, hog.oom_kills), (leak.state, leak.oom_kills)];
    let expected = [(TenantState::Running, Some(0)), (TenantState::OomKilled, Some(1))];
    assert_eq!(states, expected, "{platform}: {:?}", report.tenants);
    assert!(others.iter().all(|tenant| tenant.state == TenantState::Completed), "{platform}: {others:?}");
    assert!(hog.throttled_periods.is_some_and(|periods| periods >= 3), "{platform}: {hog:?}");
    assert!(hog.throttled_s.is_some_and(|s| s > 0.3), "{platform}: {hog:?}");
    assert!(hog.cpu_s.is_some_and(|s| s > 0.0 && s < 1.5), "{platform}: {hog:?}");
    assert!(hog.memory_peak_bytes.is_some_and(|bytes| bytes > 0 && bytes <= 48 << 20), "{platform}: {hog:?}");
    let host = &report.host;
    assert!(host.overhead_cpu_s.is_some(), "{platform}: {host:?}");
    // One monitor, or daemons of some ten megabytes.
    let daemon = [Platform::Containerd, Platform::Docker].contains(&platform);
    let least = if daemon { 16 << 20 } else { 100 << 10 };
    assert!(host.overhead_memory_bytes.is_some_and(|bytes| bytes >= least), "{platform}: {host:?}");
    let machine = report.identity.machine.as_ref().expect("a machine");
    assert_eq!(machine.get("cgroup_version").map(String::as_str), Some("2"));
}

#[test]
fn doctor_says_that_engines_work_on_version_2() {
    const NAME: &str = "doctor_says_that_engines_work_on_version_2";
    if !on_v2(NAME) {
        return;
    }
    let promised = std::env::var(PROMISED).unwrap_or_default();
    let checks = catamaran_native::doctor();
    for name in promised.split(',').filter(|name| !name.is_empty()) {
        let check = checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no row {name}"));
        assert!(check.works, "{check:?}");
    }
}

#[test]
fn podman_keeps_limits_on_version_2() {
    keeps_limits(Platform::Podman, false);
}

#[test]
fn containerd_keeps_limits_on_version_2() {
    keeps_limits(Platform::Containerd, false);
}

#[test]
fn docker_keeps_limits_on_version_2() {
    keeps_limits(Platform::Docker, false);
}

#[test]
fn lxc_keeps_limits_on_version_2() {
    keeps_limits(Platform::Lxc, false);
}

/// What is full is told by the guard's own counters, and LXC's monitors are beside it.
#[test]
fn an_engines_containers_are_counted_on_version_2() {
    if !on_v2("an_engines_containers_are_counted_on_version_2") {
        return;
    }
    let _turn = common::turn();
    let names = std::env::var(PROMISED).unwrap_or_default();
    for platform in [Platform::Podman, Platform::Lxc] {
        if !names.split(',').any(|name| name == platform.name()) {
            println!("skipped: a density on {platform}: it was not promised");
            continue;
        }
        let before = (tree(), left(id()));
        let counted = common::count(platform, 100);
        common::assert_full(counted.unwrap_or_else(|error| panic!("{platform}: {error}")));
        assert_eq!((tree(), left(id())), before, "{platform}");
    }
}

/// Not a test: what the other one starts as an ordinary user. Does nothing when started by anyone else.
#[test]
fn ordinary_user() {
    match std::env::var(ORDINARY).as_deref() {
        Ok("keeps limits") => {
            keeps_limits(Platform::Podman, true);
            let checks = catamaran_native::doctor();
            let check = checks.iter().find(|check| check.name == "podman, rootless").expect("a row");
            assert!(check.works, "{check:?}");
        }
        Ok("is killed") => {
            let plan = common::plan("60s", "", &tenants(true));
            println!("{:?}", common::answer(&plan, Platform::Podman).err());
        }
        Ok("cleans up") => assert!(clean().is_ok_and(|cleaned| cleaned.runs == 1), "one run was killed"),
        _ => {}
    }
}

/// This test as an ordinary user, in a group that is the user's, as systemd gives one.
fn as_user(group: &Path, runtime: &Path, what: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", "echo $$ > \"$0/cgroup.procs\" && exec \"$@\""])
        .arg(group)
        .args(["setpriv", &format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups"])
        .arg(std::env::current_exe().expect("this test"))
        .args(["--exact", "ordinary_user", "--nocapture", "--test-threads=1"])
        .env(ORDINARY, what)
        .env("XDG_RUNTIME_DIR", runtime);
    command
}

#[test]
fn an_ordinary_users_podman_keeps_limits_on_version_2() {
    const NAME: &str = "an_ordinary_users_podman_keeps_limits_on_version_2";
    if !on_v2(NAME) {
        return;
    }
    let names = std::env::var(PROMISED).unwrap_or_default();
    if !names.split(',').any(|name| name == Platform::Podman.name()) {
        return println!("skipped: {NAME}: no podman was promised, and no group is given away elsewhere");
    }
    let (group, runtime) = (Path::new("/sys/fs/cgroup/user.scope"), tempfile::tempdir().expect("a folder"));
    fs::create_dir(group).expect("a group");
    let files = ["cgroup.procs", "cgroup.threads", "cgroup.subtree_control"].map(|file| group.join(file));
    for path in files.iter().map(PathBuf::as_path).chain([group, runtime.path()]) {
        chown(path, Some(NOBODY), Some(NOBODY)).expect("given away");
    }
    let before = tree();
    let succeed = |group: &Path, what: &str| {
        let output = as_user(group, runtime.path(), what).output().expect("sh starts");
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let said = said.concat();
        assert!(output.status.success() && !said.contains("skipped"), "{what}: {said}");
    };
    succeed(group, "keeps limits");
    let mut killed = as_user(group, runtime.path(), "is killed");
    killed.env("CATAMARAN_STOP_AT", "running").stdout(Stdio::null()).stderr(Stdio::piped());
    let mut killed = killed.spawn().expect("sh starts");
    let said = BufReader::new(killed.stderr.take().expect("piped")).lines().map_while(Result::ok);
    assert!(said.into_iter().any(|line| line == "stopped at running"), "it never came to run");
    assert!(left(killed.id()).len() > 3, "groups and processes of it: {:?}", left(killed.id()));
    killed.kill().expect("a process");
    killed.wait().expect("its end");
    // From elsewhere: the user's own group hands controllers down for the run that was killed.
    let own = fs::read_to_string("/proc/self/cgroup").expect("/proc");
    let own = own.trim().trim_start_matches("0::/");
    succeed(&Path::new("/sys/fs/cgroup").join(own), "cleans up");
    assert_eq!((left_in_the_end(killed.id()), tree()), (BTreeSet::new(), before));
    fs::remove_dir(group).expect("nobody is left in it");
}

/// Not a test: what the other one starts and kills. Does nothing when started by anyone else.
#[test]
fn victim() {
    let Ok(name) = std::env::var(VICTIM) else { return };
    let platform = Platform::from_name(&name).expect("a platform");
    let outcome = common::answer(&plan_of_victim(), platform);
    println!("{}", outcome.map_or_else(|error| format!("failed: {error}"), |_| "reported".to_owned()));
}

fn plan_of_victim() -> Plan {
    common::plan("60s", "", &hog("", ""))
}

/// What is left of a process's runs, once the kernel has had time to end what was killed.
fn left_in_the_end(process: u32) -> BTreeSet<String> {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let found = left(process);
        if found.is_empty() || Instant::now() > until {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_killed_run_of_an_engine_leaves_nothing_on_version_2() {
    const NAME: &str = "a_killed_run_of_an_engine_leaves_nothing_on_version_2";
    if !on_v2(NAME) {
        return;
    }
    let promised = std::env::var(PROMISED).unwrap_or_default();
    let before = tree();
    // With daemons, shims and a tenant that are there.
    for name in promised.split(',').filter(|name| ["docker", "lxc", "podman"].contains(name)) {
        let killed = common::killed_at("running", (VICTIM, name));
        let (process, _) = killed.unwrap_or_else(|| panic!("{name} never came to run"));
        assert!(!left(process).is_empty(), "{name}: there must be something to clean");
        assert_nothing_left(name, process, &before);
    }
    // And somewhere on the way there.
    if let Some(name) = promised.split(',').next().filter(|name| !name.is_empty()) {
        let mut run = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "victim", "--nocapture"])
            .env(VICTIM, name)
            .stdout(Stdio::null())
            .spawn()
            .expect("this test");
        // Of a seed, so long as an emulated machine takes for a start.
        std::thread::sleep(Duration::from_millis(0x5EED % 4000));
        run.kill().expect("a process");
        run.wait().expect("its end");
        assert_nothing_left(name, run.id(), &before);
    }
}

fn assert_nothing_left(name: &str, process: u32, before: &std::collections::BTreeMap<PathBuf, String>) {
    let cleaned = clean();
    assert!(cleaned.is_ok(), "{name}: {cleaned:?}");
    assert_eq!(left_in_the_end(process), BTreeSet::new(), "{name}");
    assert_eq!(&tree(), before, "{name}");
}
