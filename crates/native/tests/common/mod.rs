//! What tests of short real runs begin with.

#[allow(dead_code, reason = "not every test is of engines")]
pub(crate) mod left;
#[allow(dead_code, reason = "not every test is of version 2")]
pub(crate) mod tree;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use catamaran_native::{Runner, RunnerOptions};
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
pub(crate) fn plan(duration: &str, host: &str, tenants: &str) -> Plan {
    let text = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"short\"\nseed = 5\nduration = \"{duration}\"\n\
         platforms = [\"bare-metal\"]\n[host]\ncores = 1\nmemory = \"256MiB\"\n{host}\n{tenants}"
    );
    Plan::from_toml(&text, "short.toml").expect("a valid scenario")
}

/// Carries it out with 1e8 turns to the second of a core.
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
