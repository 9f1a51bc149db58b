//! A run that is killed with SIGKILL, whatever it was at, leaves nothing behind once the next `clean` has been there;
//! and a run that lives beside it goes on.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use catamaran_native::{Check, Runner, RunnerOptions, clean};
use catamaran_report::Backend as _;
use catamaran_scenario::{Plan, Platform};

/// Set for the process that is killed: its platform and the run's length.
const VICTIM: &str = "CATAMARAN_KILL_TEST";

/// Every stage at which a run can be made to halt, with a platform that has it.
const STAGES: [(&str, Platform); 18] = [
    ("folder", Platform::BareMetal),
    ("half-a-guard", Platform::BareMetal),
    ("guard", Platform::Cgroups),
    ("launcher", Platform::Namespaces),
    ("groups", Platform::BareMetal),
    ("limits", Platform::Cgroups),
    ("clone", Platform::Cgroups),
    ("clone", Platform::Namespaces),
    ("join", Platform::Cgroups),
    ("isolate", Platform::Namespaces),
    ("started", Platform::BareMetal),
    ("running", Platform::Cgroups),
    ("running", Platform::Namespaces),
    ("ended", Platform::Cgroups),
    ("no-groups", Platform::BareMetal),
    ("qemu", Platform::Vm),
    ("boot", Platform::Vm),
    ("running", Platform::Vm),
];

/// Moments without a halt: where in a run they hit is up to the seed.
const SEEDED: u64 = 10;

fn scenario(platform: Platform, duration: &str) -> Plan {
    // Guests want memory, and under such limits they would take a minute to boot.
    let (memory, limit) = if platform == Platform::Vm { ("768MiB", "1") } else { ("128MiB", "50m") };
    let text = format!(
        r#"
        schema = "catamaran/scenario/v1"
        name = "to-be-killed"
        seed = 1
        duration = "{duration}"
        platforms = ["bare-metal", "cgroups", "namespaces", "vm"]
        [host]
        cores = 1
        memory = "{memory}"
        [platform.vm]
        accel = "tcg"
        [[tenant]]
        name = "web"
        cpu = {{ limit = "{limit}", period = "500ms" }}
        workload = {{ kind = "server", arrivals = {{ process = "poisson", rate = "50/s" }}, service = {{ cpu = "2ms", distribution = "constant" }} }}
        [[tenant]]
        name = "batch"
        cpu = {{ limit = "{limit}", period = "500ms" }}
        workload = {{ kind = "compute", threads = 2, work = "1h" }}
        "#
    );
    Plan::from_toml(&text, "kill.rs").expect("a valid scenario")
}

/// Not a test: what the other test starts and kills. Does nothing when started by anyone else.
#[test]
fn victim() {
    let Ok(what) = std::env::var(VICTIM) else { return };
    let (platform, duration) = what.split_once(' ').expect("platform and duration");
    let options = RunnerOptions { turns_per_cpu_s: Some(5e8), ..RunnerOptions::default() };
    let mut runner = Runner::new(options).expect("a runner");
    let platform = Platform::from_name(platform).expect("a platform");
    match runner.run(&scenario(platform, duration), platform, 0) {
        Ok(report) => println!("reported {} tenants", report.tenants.len()),
        Err(error) => println!("failed: {error}"),
    }
}

fn start(platform: Platform, duration: &str, stage: Option<&str>) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command
        .args(["--exact", "victim", "--nocapture", "--test-threads=1"])
        .env(VICTIM, format!("{platform} {duration}"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(stage) = stage {
        command.env("CATAMARAN_STOP_AT", stage);
    }
    command.spawn().expect("the victim starts")
}

/// Waits until the run says that it has halted.
fn wait_for_stop(victim: &mut Child, stage: &str) {
    let mut lines = BufReader::new(victim.stderr.take().expect("piped"));
    let mut line = String::new();
    while lines.read_line(&mut line).expect("readable") > 0 {
        if line.trim_end().ends_with(&format!("stopped at {stage}")) {
            return;
        }
        line.clear();
    }
    let mut said = String::new();
    let _ = victim.stdout.take().expect("piped").read_to_string(&mut said);
    panic!("the run never came to {stage}: {said}");
}

/// Everything on the machine that belongs to runs of a process, by the names of things and by what the kernel tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Inventory {
    processes: BTreeSet<String>,
    groups: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
    mounts: BTreeSet<String>,
}

impl Inventory {
    /// Of the runs of process `pid`; of mounts, all.
    fn take(pid: u32) -> Self {
        let id = format!("{pid:x}-");
        let mut inventory = Self::default();
        for process in folders(Path::new("/proc")) {
            let text =
                |file: &str| fs::read_to_string(process.join(file)).unwrap_or_default().replace('\0', " ");
            let ours = text("cmdline").contains(&format!(" {id}"))
                || text("cmdline").contains(&format!("catamaran-{id}"))
                || text("cgroup").contains(&format!("catamaran-{id}"));
            // A zombie has ended; it only waits for whoever inherited it.
            let ended = text("stat").rsplit_once(") ").is_none_or(|(_, state)| state.starts_with(['Z', 'X']));
            if ours && !ended {
                inventory.processes.insert(format!("{} {}", process.display(), text("cmdline")));
            }
        }
        find_groups(Path::new("/sys/fs/cgroup"), &format!("catamaran-{id}"), &mut inventory.groups);
        inventory.folders.extend(folders(Path::new("/run/catamaran")).filter(|path| named(path, &id)));
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        inventory.mounts.extend(mounts.lines().map(str::to_owned));
        inventory
    }

    /// Tenants that have become the worker.
    fn workers(&self) -> usize {
        self.processes.iter().filter(|process| process.contains("catamaran-worker work")).count()
    }

    fn is_empty_but_for_mounts(&self) -> bool {
        self.processes.is_empty() && self.groups.is_empty() && self.folders.is_empty()
    }
}

fn folders(path: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir() && !path.is_symlink())
}

fn named(path: &Path, prefix: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
}

fn find_groups(path: &Path, prefix: &str, found: &mut BTreeSet<PathBuf>) {
    for folder in folders(path) {
        if named(&folder, prefix) {
            found.insert(folder.clone());
        }
        find_groups(&folder, prefix, found);
    }
}

/// A run that ends with the test, also when that fails.
struct Live(Child);

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn kill(mut victim: Child) -> u32 {
    victim.kill().expect("it can be killed");
    victim.wait().expect("it ended");
    victim.id()
}

/// Cleans, and holds what is left against nothing.
fn clean_up_after(pid: u32, mounts_before: &BTreeSet<String>, what: &str) {
    let cleaned = clean().unwrap_or_else(|error| panic!("{what}: {error}"));
    let after = Inventory::take(pid);
    assert!(after.is_empty_but_for_mounts(), "{what}: left behind {after:#?} after {cleaned:#?}");
    assert_eq!(&after.mounts, mounts_before, "{what}: mounts");
}

fn ready_for_real_runs(checks: &[Check]) -> bool {
    let lacking = checks
        .iter()
        .find(|check| ["bare-metal", "cgroups", "namespaces"].contains(&check.name.as_str()) && !check.works);
    if let Some(check) = lacking {
        println!("skipped: kill: {}: {}", check.name, check.found);
    }
    lacking.is_none()
}

/// Whether guests can be booted here; else says why their stages are left out.
fn has_guests(checks: &[Check]) -> bool {
    let lacking = checks.iter().find(|check| check.name == "vm" && !check.works);
    if let Some(check) = lacking {
        println!("without the stages of vm: {}", check.found);
    }
    lacking.is_none()
}

#[test]
fn a_killed_run_leaves_nothing_after_the_next_clean_and_a_live_one_is_untouched() {
    if std::env::var_os(VICTIM).is_some() {
        return;
    }
    let checks = catamaran_native::doctor();
    if !ready_for_real_runs(&checks) {
        return;
    }
    let mut live = Live(start(Platform::Cgroups, "300s", None));
    let deadline = Instant::now() + Duration::from_secs(20);
    // Until its exec, a tenant looks like its launcher: only then does the inventory stay as it is.
    while Inventory::take(live.0.id()).workers() < 2 {
        assert!(Instant::now() < deadline, "the live run did not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    let alive = Inventory::take(live.0.id());
    let (mut moments, mut found_something) = (SEEDED, 0);
    let has_guests = has_guests(&checks);
    for (stage, platform) in
        STAGES.into_iter().filter(|(_, platform)| has_guests || *platform != Platform::Vm)
    {
        let mut victim = start(platform, "200ms", Some(stage));
        wait_for_stop(&mut victim, stage);
        let what = format!("killed at {stage} on {platform}");
        let pid = kill(victim);
        assert!(!Inventory::take(pid).is_empty_but_for_mounts(), "{what}: there must be something to clean");
        found_something += 1;
        clean_up_after(pid, &alive.mounts, &what);
        moments += 1;
    }
    let mut random = 0x5EED_u64;
    for moment in 0..SEEDED {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let after = Duration::from_micros((random >> 33) % 600_000);
        let platforms = [Platform::BareMetal, Platform::Cgroups, Platform::Namespaces, Platform::Vm];
        let platform = platforms[moment as usize % if has_guests { 4 } else { 3 }];
        let victim = start(platform, "300ms", None);
        std::thread::sleep(after);
        let pid = kill(victim);
        found_something += u32::from(!Inventory::take(pid).is_empty_but_for_mounts());
        clean_up_after(pid, &alive.mounts, &format!("killed {after:?} after the start on {platform}"));
    }
    println!("of {moments} moments, {found_something} left something to clean");
    assert_eq!(Inventory::take(live.0.id()), alive, "the live run must be untouched");
    assert!(live.0.try_wait().expect("askable").is_none(), "the live run must go on");
    let pid = live.0.id();
    drop(live);
    clean_up_after(pid, &alive.mounts, "the live run in the end");
}
