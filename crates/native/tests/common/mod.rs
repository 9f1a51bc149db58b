//! What tests of short real runs begin with.

#[allow(dead_code, reason = "not every test is of engines")]
pub(crate) mod left;
#[allow(dead_code, reason = "not every test is of version 2")]
pub(crate) mod tree;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use catamaran_native::{Count, Runner, RunnerOptions, density};
use catamaran_report::report::TenantReport;
use catamaran_report::{Backend as _, Report, RunError};
use catamaran_scenario::{Plan, Platform};

/// Every platform but the guests and the engines, which take longer.
#[allow(dead_code, reason = "not every test goes through all of them")]
pub(crate) const PLATFORMS: [Platform; 5] =
    [Platform::BareMetal, Platform::Chroot, Platform::Namespaces, Platform::Cgroups, Platform::Container];
/// One test at a time: what one leaves is told from what another is at.
static TURN: Mutex<()> = Mutex::new(());

#[allow(dead_code, reason = "not every test has neighbours")]
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Any but the first, so that it shows in the report.
pub(crate) const TRIAL: u32 = 3;

/// A scenario with seed 5 on one core; `host` is more of its table `[host]`.
#[allow(dead_code, reason = "guests have a scenario of their own")]
pub(crate) fn plan(duration: &str, host: &str, tenants: &str) -> Plan {
    plan_of_cores(1, duration, host, tenants)
}

/// The same on so many cores.
pub(crate) fn plan_of_cores(cores: u32, duration: &str, host: &str, tenants: &str) -> Plan {
    let text = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"short\"\nseed = 5\nduration = \"{duration}\"\n\
         platforms = [\"bare-metal\"]\n[host]\ncores = {cores}\nmemory = \"256MiB\"\n{host}\n{tenants}"
    );
    Plan::from_toml(&text, "short.toml").expect("a valid scenario")
}

/// The same for guests, with more memory; `settings` are those of the platform.
#[allow(dead_code, reason = "not every test is of guests")]
pub(crate) fn guest_plan(host: &str, duration: &str, settings: &str, tenants: &str) -> Plan {
    let text = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"guests\"\nseed = 5\nduration = \"{duration}\"\n\
         platforms = [\"vm\"]\n[host]\ncores = 1\nmemory = \"1GiB\"\n{host}\n[platform.vm]\n{settings}\n{tenants}"
    );
    Plan::from_toml(&text, "guests.toml").expect("a valid scenario")
}

/// What each copy of a density holds (bytes): six or five fit into 256 MiB, for to start a container takes more for a moment than the
/// container then has.
#[allow(dead_code, reason = "not every test counts")]
pub(crate) const HELD: u64 = 40 << 20;

/// Counts copies that hold so much, no more than `most`.
#[allow(dead_code, reason = "not every test counts")]
pub(crate) fn count(platform: Platform, most: u64) -> Result<Count, RunError> {
    let tenant = format!(
        "[[tenant]]\nname = \"copy\"\nworkload = {{ kind = \"memory\", start = \"{}MiB\" }}",
        HELD >> 20
    );
    density(&plan("200s", "", &tenant), platform, most, 1e8, &Arc::default(), &mut |_| {})
}

/// That as many fitted as can, started by an engine.
#[allow(dead_code, reason = "not every test counts")]
pub(crate) fn assert_full(counted: Count) {
    assert!(counted.full && (5..=6).contains(&counted.tenants), "{counted:?}");
    let each = HELD..HELD + (13 << 20);
    assert!(counted.tenant_bytes.is_some_and(|bytes| each.contains(&bytes)), "{counted:?}");
    assert!(counted.engine_bytes.is_some_and(|bytes| bytes > 100 << 10), "{counted:?}");
}

/// Carries it out with 1e8 turns to the second of a core.
#[allow(dead_code, reason = "guests of other tests make fewer turns")]
pub(crate) fn answer(plan: &Plan, platform: Platform) -> Result<Report, RunError> {
    let options = RunnerOptions { turns_per_cpu_s: Some(1e8), ..RunnerOptions::default() };
    Runner::new(options)?.run(plan, platform, TRIAL)
}

/// The report, or `None` with a printed reason where this machine does not offer what it takes. Whoever has set the variable
/// `promise`, as the guest of `native-v2` does, says that it offers it.
pub(crate) fn tried(name: &str, promise: Option<&str>, answer: Result<Report, RunError>) -> Option<Report> {
    match answer {
        Ok(report) => Some(report),
        Err(RunError::Unavailable { why, .. }) => {
            let promised = promise.and_then(std::env::var_os);
            assert!(promised.is_none(), "{name}: it was promised: {why}");
            println!("skipped: {name}: {why}");
            None
        }
        Err(error) => panic!("{name}: {error}"),
    }
}

/// Has another process of this test be the victim of that name, until it stops at a stage, kills it there, and says its number and what
/// lay on the disk of its run; prints that it did not come so far, where it did not.
#[allow(dead_code, reason = "not every test kills")]
pub(crate) fn killed_at(stage: &str, (variable, value): (&str, &str)) -> Option<(u32, Vec<String>)> {
    let mut run = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "victim", "--nocapture"])
        .env(variable, value)
        .env("CATAMARAN_STOP_AT", stage)
        .stderr(Stdio::piped())
        .spawn()
        .expect("this test");
    let said = BufReader::new(run.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    let stopped = said.into_iter().any(|line| line == format!("stopped at {stage}"));
    let found = (run.id(), left_of(run.id()));
    run.kill().expect("a process");
    run.wait().expect("its end");
    if !stopped {
        println!("skipped: no run came so far here");
    }
    stopped.then_some(found)
}

/// What lies on the disk of a process's runs.
#[allow(dead_code, reason = "not every test is of images")]
pub(crate) fn left_of(process: u32) -> Vec<String> {
    let ours = format!("catamaran-{process:x}-");
    let entries = std::fs::read_dir("/var/tmp").expect("a folder").flatten();
    entries
        .map(|entry| entry.file_name().display().to_string())
        .filter(|name| name.starts_with(&ours))
        .collect()
}

/// Each stage from the end of the one before; prints why where the kernel does not let us see.
#[allow(dead_code, reason = "not every test is of starts by others")]
pub(crate) fn assert_every_stage_was_seen(platform: Platform, tenant: &TenantReport) {
    let no_fault =
        |why: &&String| ["perf_event_open", "tracefs", "lost"].iter().any(|word| why.contains(word));
    if let Some(why) = tenant.absent.get("startup_stages").filter(no_fault) {
        return println!("skipped: the stages of {platform}: {why}");
    }
    let mut before = Some(0.0);
    for stage in &tenant.startup_stages {
        assert!(stage.start_s == before && stage.start_s <= stage.end_s, "{platform}: {tenant:?}");
        before = stage.end_s;
    }
    assert_eq!(before, tenant.startup_s, "{platform}");
}

/// What a contained program must not come to make.
#[allow(dead_code, reason = "not every test is of programs")]
pub(crate) const MARKER: &str = "/usr/catamaran-was-here";

/// A line for a shell that tries to reach what a contained program must not, and fails with what it has reached.
#[allow(dead_code, reason = "not every test is of programs")]
pub(crate) fn line_of_a_prisoner() -> String {
    let tries = [
        ("the tape", "head -c 8 /proc/1/fd/1 > /tmp/x 2>/dev/null || test -e /tape"),
        (
            "the memory of its worker",
            "head -c 1 /proc/1/mem 2>/dev/null || cat /proc/1/maps 2>/dev/null | grep -q .",
        ),
        ("the socket", "ls -l /proc/1/fd/ 2>/dev/null | grep -q socket"),
        ("a line to the runner", "test -e /dev/ttyS1"),
        ("the root of process 1", "ls /proc/1/root/ 2>/dev/null | grep -q init"),
        ("a folder of the machine", &*format!("touch {MARKER} 2>/dev/null")),
        ("a new mount", "mount -t tmpfs none /tmp 2>/dev/null"),
        ("making it writable", "mount -o remount,bind,rw /usr 2>/dev/null"),
        ("a setting of the kernel", "true 2>/dev/null > /proc/sys/kernel/core_pattern"),
        ("/etc of the machine", "test -e /etc/passwd || test -e /etc/shadow"),
        ("/root of the machine", "test -e /root || test -e /home"),
        (
            "privileges",
            "grep -q 'NoNewPrivs:.0' /proc/self/status || grep -q 'CapEff:.*ffff' /proc/self/status",
        ),
        ("calls that nobody filters", "grep -q 'Seccomp:.0' /proc/self/status"),
    ];
    assert!(tries.iter().all(|(what, _)| !what.contains('\'')), "a shell reads them");
    let line: Vec<_> =
        tries.iter().map(|(what, line)| format!("if {line}; then echo reached {what}; exit 1; fi")).collect();
    line.join("; ")
}
