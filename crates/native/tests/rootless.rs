//! An ordinary user's container: in a user namespace, without limits where no control group was given to the user.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

use std::process::{Command, Stdio};

use catamaran_native::{Runner, RunnerOptions};
use catamaran_report::report::{Sees, TenantState};
use catamaran_report::{Backend as _, Report, RunError};
use catamaran_scenario::{Plan, Platform};

/// Set for the process that is an ordinary user.
const ORDINARY: &str = "CATAMARAN_ROOTLESS_TEST";
/// Number of that user and its group: `nobody`.
const NOBODY: u32 = 65534;

fn plan(rootless: bool) -> Plan {
    let text = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"rootless\"\nseed = 5\nduration = \"300ms\"\nplatforms = [\"container\"]\n\
         [host]\ncores = 1\nmemory = \"128MiB\"\n[platform.container]\nrootless = {rootless}\n\
         [[tenant]]\nname = \"job\"\ncpu = {{ limit = \"500m\" }}\nworkload = {{ kind = \"compute\", work = \"20ms\" }}\n"
    );
    Plan::from_toml(&text, "rootless.rs").expect("a valid scenario")
}

fn run(rootless: bool) -> Result<Report, RunError> {
    let options = RunnerOptions { turns_per_cpu_s: Some(1e8), ..RunnerOptions::default() };
    Runner::new(options)?.run(&plan(rootless), Platform::Container, 0)
}

/// Not a test: what the other test starts as an ordinary user. Does nothing when started by anyone else.
#[test]
fn ordinary_user() {
    if std::env::var_os(ORDINARY).is_none() {
        return;
    }
    let without = run(false);
    assert!(
        matches!(without, Err(RunError::Unavailable { .. })),
        "without `rootless` it takes root: {without:?}"
    );
    match run(true) {
        Ok(report) => println!("report {}", serde_json::to_string(&report).expect("JSON")),
        Err(error) => {
            let checks = catamaran_native::doctor();
            let check = checks.iter().find(|check| check.name == "namespace-user").expect("it is tried");
            assert!(!check.works, "user namespaces work here: {error}");
            println!("cannot {}", check.found.replace('\n', " "));
        }
    }
}

fn as_ordinary_user(runtime: &std::path::Path) -> String {
    let this = std::env::current_exe().expect("this test");
    let mut command = match rustix::process::geteuid().is_root() {
        true => {
            let mut command = Command::new("setpriv");
            command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".into()]);
            command.arg(this);
            command
        }
        false => Command::new(this),
    };
    command.args(["--exact", "ordinary_user", "--nocapture", "--test-threads=1"]);
    command.env(ORDINARY, "yes").env("XDG_RUNTIME_DIR", runtime).stdin(Stdio::null());
    let output = command.output().expect("setpriv starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// What holds of every rootless run.
fn hold(report: &Report) {
    let [job] = report.tenants.as_slice() else { panic!("one tenant") };
    assert_eq!(job.state, TenantState::Completed, "{:?}", job.error);
    assert_eq!(report.unexplained(), Vec::<String>::new());
    let limited = job.startup_stages.iter().any(|stage| stage.name == "limits");
    assert_ne!(limited, job.absent.contains_key("cpu.limit"), "limits apply, or it is said that they do not");
    let user = report.isolation.iter().find(|row| row.resource == "user").expect("a row");
    assert_eq!(user.sees, Sees::Own, "it has user numbers of its own");
}

#[test]
fn the_administrator_runs_one_with_limits() {
    if std::env::var_os(ORDINARY).is_some() || !rustix::process::geteuid().is_root() {
        println!("skipped: rootless: it takes root to try it as root");
        return;
    }
    match run(true) {
        Ok(report) => {
            hold(&report);
            let absent = &report.tenants.first().expect("a tenant").absent;
            assert!(!absent.contains_key("cpu.limit"), "root has control groups: {absent:?}");
        }
        Err(RunError::Unavailable { why, .. }) => println!("skipped: rootless: {why}"),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn an_ordinary_user_runs_a_rootless_container() {
    if std::env::var_os(ORDINARY).is_some() {
        return;
    }
    let runtime = tempfile::tempdir().expect("a folder");
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(runtime.path(), Some(NOBODY), Some(NOBODY)).expect("given away");
    }
    let said = as_ordinary_user(runtime.path());
    let Some(json) = said.lines().find_map(|line| Some(line.split_once("report ")?.1)) else {
        let why = said.lines().find_map(|line| Some(line.split_once("cannot ")?.1)).unwrap_or(&said);
        println!("skipped: rootless: {why}");
        return;
    };
    hold(&serde_json::from_str(json).expect("a report"));
    let left = std::fs::read_dir(runtime.path().join("catamaran")).expect("its runs");
    let left: Vec<_> = left.flatten().map(|entry| entry.file_name()).filter(|name| name != "door").collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}
