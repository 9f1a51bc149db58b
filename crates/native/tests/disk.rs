//! Short real runs of tenants that work on files.

#![allow(clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex, PoisonError};

use catamaran_native::{Runner, RunnerOptions};
use catamaran_report::report::{Report, TenantState};
use catamaran_report::{Backend as _, RunError};
use catamaran_scenario::{Plan, Platform};

const PLATFORMS: [Platform; 5] =
    [Platform::BareMetal, Platform::Chroot, Platform::Namespaces, Platform::Cgroups, Platform::Container];

fn plan(duration: &str, host: &str, tenants: &str) -> Plan {
    let text = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"short\"\nseed = 5\nduration = \"{duration}\"\n\
         platforms = [\"bare-metal\"]\n[host]\ncores = 1\nmemory = \"128MiB\"\n{host}\n{tenants}"
    );
    Plan::from_toml(&text, "disk.rs").expect("a valid scenario")
}

/// One at a time: each looks for what the other would leave behind.
static MACHINE: Mutex<()> = Mutex::new(());

/// The answer, or `None` with a printed reason where this machine does not offer it.
fn run(name: &str, plan: &Plan, platform: Platform) -> Option<Report> {
    let options =
        RunnerOptions { turns_per_cpu_s: Some(1e8), interrupted: Arc::default(), ..RunnerOptions::default() };
    match Runner::new(options).and_then(|mut runner| runner.run(plan, platform, 0)) {
        Ok(report) => Some(report),
        Err(RunError::Unavailable { why, .. }) => {
            // The guest of `native-v2` says what is there.
            assert!(std::env::var_os("CATAMARAN_DISK").is_none(), "a disk was promised: {why}");
            println!("skipped: {name}: {why}");
            None
        }
        Err(error) => panic!("{name} on {platform}: {error}"),
    }
}

/// Files of runs of this very process.
fn files() -> Vec<String> {
    let own = format!("catamaran-{:x}-", std::process::id());
    let folders = ["/var/tmp".into(), "/tmp".into(), std::env::temp_dir()];
    let entries =
        folders.into_iter().flat_map(|folder: std::path::PathBuf| std::fs::read_dir(folder)).flatten();
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(&own)).collect()
}

#[test]
fn files_go_with_the_run() {
    let _turn = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let tenants = "[[tenant]]\nname = \"mixed\"\nreplicas = 2\nworkload = { phases = [\n\
         { kind = \"disk\", op = \"randwrite\", size = \"1MiB\", depth = 3, fsync = true },\n\
         { kind = \"disk\", op = \"read\", size = \"2MiB\", block = \"64KiB\", cached = true },\n\
         { kind = \"compute\", work = \"1ms\" } ] }\n";
    let plan = plan("20s", "", tenants);
    for platform in PLATFORMS {
        let Some(report) = run("files_go_with_the_run", &plan, platform) else { continue };
        assert_eq!(report.unexplained(), Vec::<String>::new(), "{platform}");
        for tenant in &report.tenants {
            assert_eq!(tenant.state, TenantState::Completed, "{platform}: {tenant:?}");
            assert_eq!(tenant.disk_bytes, Some(3 << 20), "{platform}");
            let requests = tenant.requests.as_ref().expect("operations are requests");
            assert_eq!((requests.sent, requests.completed), (256 + 32, 256 + 32), "{platform}");
        }
        assert_eq!(files(), Vec::<String>::new(), "{platform} left something behind");
    }
}

#[test]
fn the_hosts_disk_bounds_all_tenants_together() {
    let _turn = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let tenant = |name: &str| {
        format!(
            "[[tenant]]\nname = \"{name}\"\nworkload = {{ kind = \"disk\", op = \"randread\", size = \"32MiB\" }}\n"
        )
    };
    let plan = plan("2s", "disk = { iops = 400 }", &format!("{}{}", tenant("a"), tenant("b")));
    for platform in [Platform::BareMetal, Platform::Container] {
        let Some(report) = run("the_hosts_disk_bounds_all_tenants_together", &plan, platform) else {
            continue;
        };
        let done: u64 =
            report.tenants.iter().filter_map(|row| row.requests.as_ref()).map(|r| r.completed).sum();
        // 400 a second in 2 s, and what two slices of a tenth of a second may let through besides.
        assert!((400..=880).contains(&done), "{platform}: {done}");
        assert!(report.tenants.iter().all(|tenant| tenant.state == TenantState::Running), "{platform}");
    }
}
