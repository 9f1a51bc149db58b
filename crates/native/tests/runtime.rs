//! Tenants that an OCI runtime of this machine starts.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use catamaran_native::dry_run;
use catamaran_report::report::TenantState;
use catamaran_report::{Report, RunError};
use catamaran_scenario::{Plan, Platform};

use common::{PLATFORMS, TRIAL};

const RUNTIMES: [Platform; 3] = [Platform::Runc, Platform::Crun, Platform::Youki];

fn plan(host: &str, tenants: &str) -> Plan {
    common::plan("400ms", host, tenants)
}

/// The report; says why there is none where a runtime is not to be had here.
fn report(platform: Platform, plan: &Plan) -> Option<Report> {
    common::tried(platform.name(), None, common::answer(plan, platform))
}

/// Groups of this process's runs, and of lines by hand, in any hierarchy.
fn groups(name: &str) -> Vec<PathBuf> {
    fn find(folder: &Path, name: &str, found: &mut Vec<PathBuf>) {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| path.is_dir() && !path.is_symlink()) {
            if path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(name)) {
                found.push(path.clone());
            }
            find(&path, name, found);
        }
    }
    let mut found = Vec::new();
    find(Path::new("/sys/fs/cgroup"), name, &mut found);
    found
}

/// Children of this process that have ended and are not waited for (proc_pid_stat(5): fields 2, 3 and 4).
fn dead_children() -> Vec<String> {
    let own = std::process::id().to_string();
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    let stats = entries.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    let dead = |stat: &String| {
        let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
        fields.starts_with("Z ") && fields.split(' ').nth(1) == Some(&own)
    };
    stats.filter(dead).collect()
}

#[test]
fn a_runtime_starts_tenants_tells_its_version_and_leaves_nothing() {
    let tenants = "[[tenant]]\nname = \"web\"\ncpu = { limit = \"200m\", period = \"20ms\" }\npids = { limit = 20 }\n\
                   memory = { oom_score_adj = 5 }\nreplicas = 2\nworkload = { kind = \"compute\", work = \"1h\" }";
    for platform in RUNTIMES {
        let Some(report) = report(platform, &plan("", tenants)) else { continue };
        let machine = report.identity.machine.as_ref().expect("a machine");
        let version = machine.get("runtime").expect("the runtime's version");
        assert!(version.starts_with(&format!("{platform} version")), "{version}");
        assert_eq!((report.trial, report.tenants.len()), (TRIAL, 2));
        for tenant in &report.tenants {
            assert_eq!(tenant.state, TenantState::Running, "{tenant:?}");
            assert!(tenant.throttled_periods.is_some_and(|periods| periods > 3), "{tenant:?}");
            let (first, last) = (tenant.startup_stages.first(), tenant.startup_stages.last());
            let (first, last) = (first.expect("stages"), last.expect("stages"));
            assert_eq!((first.name.as_str(), first.start_s), ("config", Some(0.0)));
            assert_eq!((last.name.as_str(), last.end_s), ("exec", tenant.startup_s));
            common::assert_every_stage_was_seen(platform, tenant);
            assert!(tenant.startup_s.is_some_and(|s| s > 0.0), "{tenant:?}");
        }
        assert_eq!(dead_children(), Vec::<String>::new(), "{platform}: nobody waits for them");
        let ours = format!("catamaran-{:x}-", std::process::id());
        assert_eq!(groups(&ours), Vec::<PathBuf>::new(), "{platform}");
        let left = std::fs::read_dir("/run/catamaran").into_iter().flatten().flatten();
        let left = left.filter(|entry| ours.ends_with(entry.file_name().to_string_lossy().as_ref()));
        assert_eq!(left.count(), 0, "{platform}");
    }
}

#[test]
fn what_a_runtime_cannot_be_told_is_refused_by_its_field() {
    let tenant = |more: &str| {
        format!("[[tenant]]\nname = \"t\"\n{more}\nworkload = {{ kind = \"compute\", work = \"1h\" }}")
    };
    let table = [
        ("", tenant("cpu = { limit = \"200m\", burst = \"10ms\" }"), "tenant.t.cpu.burst"),
        ("", tenant("io = { weight = 200 }"), "tenant.t.io.weight"),
        ("disk = { read = \"10MB/s\" }", tenant(""), "host.disk"),
    ];
    for (host, tenants, expected) in table {
        for platform in RUNTIMES {
            let answer = common::answer(&plan(host, &tenants), platform);
            match answer {
                Err(RunError::Unsupported { field, .. }) => assert_eq!(field, expected),
                Err(RunError::Unavailable { why, .. }) => println!("skipped: {platform}: {why}"),
                other => panic!("{expected} on {platform}: {other:?}"),
            }
        }
    }
}

/// The lines that a person may type do what they say, and leave nothing.
#[test]
fn a_runtime_by_hand() {
    assert!(RUNTIMES.iter().all(|platform| !PLATFORMS.contains(platform)), "others have tests of their own");
    let tenants = "[[tenant]]\nname = \"web\"\ncpu = { limit = \"200m\" }\nworkload = { kind = \"idle\" }";
    for platform in RUNTIMES {
        let lines = match dry_run(&plan("", tenants), platform) {
            Ok(lines) => lines,
            Err(RunError::Unavailable { why, .. }) => {
                println!("skipped: {platform} by hand: {why}");
                continue;
            }
            Err(error) => panic!("{platform}: {error}"),
        };
        let script = lines.join("\n").replace("\nwait\n", "\nwait $!\n");
        let run = Command::new("sh")
            .args(["-e", "-c", &script])
            .env("WORKER", "hostname")
            .stdin(Stdio::null())
            .output();
        let run = run.expect("sh");
        let said =
            format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert!(run.status.success() && said.trim() == "web", "{platform}: {}: {said}\n{script}", run.status);
        assert_eq!(groups("catamaran-by-hand"), Vec::<PathBuf>::new(), "{platform}");
        assert!(!Path::new("/tmp/catamaran-by-hand").exists(), "{platform}");
    }
}
