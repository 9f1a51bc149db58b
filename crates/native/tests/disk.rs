//! Short real runs of tenants that work on files.

#![allow(clippy::expect_used, clippy::panic)]

mod common;

use std::sync::{Mutex, PoisonError};

use catamaran_report::Report;
use catamaran_report::report::TenantState;
use catamaran_scenario::{Plan, Platform};

use common::{PLATFORMS, answer, plan, tried};

/// One at a time: each looks for what the other would leave behind.
static MACHINE: Mutex<()> = Mutex::new(());

/// The report, or `None` with a printed reason where this machine does not offer it.
fn run(name: &str, plan: &Plan, platform: Platform) -> Option<Report> {
    tried(&format!("{name} on {platform}"), Some("CATAMARAN_DISK"), answer(plan, platform))
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

#[test]
fn a_layer_is_read_once_for_all_and_copied_up_for_whoever_writes() {
    let _turn = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let layer = "[[image]]\nname = \"i\"\nlayers = [{ id = \"l\", size = \"4MiB\" }]\n";
    let tenant = |name: &str, at: &str, op: &str, size: &str| {
        format!(
            "[[tenant]]\nname = \"{name}\"\nstart_at = \"{at}\"\nimage = \"i\"\n\
             workload = {{ kind = \"disk\", op = \"{op}\", size = \"{size}\", layer = \"l\" }}\n"
        )
    };
    let tenants = [
        tenant("first", "0s", "read", "4MiB"),
        tenant("later", "500ms", "randread", "4MiB"),
        tenant("writer", "1s", "randwrite", "4KiB"),
        tenant("last", "1500ms", "read", "4MiB"),
    ];
    let plan = plan("20s", "", &format!("{layer}{}", tenants.concat()));
    // MiB that the disk moves for each: what is read, and what is to be written. A page is read with those beside it.
    for (platform, later, written, last) in [
        (Platform::BareMetal, 0, 0, 0),
        (Platform::Cgroups, 0, 0, 0),
        (Platform::Chroot, 4, 0, 4),
        (Platform::Container, 0, 4, 0),
    ] {
        let name = "a_layer_is_read_once_for_all_and_copied_up_for_whoever_writes";
        let Some(report) = run(name, &plan, platform) else { continue };
        assert_eq!(report.unexplained(), Vec::<String>::new(), "{platform}");
        let moved: Vec<Option<u64>> = report.tenants.iter().map(|tenant| tenant.disk_bytes).collect();
        if moved.iter().all(Option::is_none) {
            println!("skipped: {name}: the kernel does not count what the disk moves");
            continue;
        }
        let mib: Vec<f64> =
            moved.iter().map(|bytes| bytes.map_or(f64::NAN, |bytes| bytes as f64 / 1_048_576.0)).collect();
        for (found, expected) in mib.iter().zip([4, later, written, last]) {
            let error = (found - f64::from(expected)).abs();
            assert!(error < 2.0, "{platform}: {mib:?}, but not {expected}");
        }
        assert!(report.tenants.iter().all(|tenant| tenant.state == TenantState::Completed), "{platform}");
        assert_eq!(files(), Vec::<String>::new(), "{platform} left something behind");
    }
}
