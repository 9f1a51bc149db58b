//! Every namespace can be had or left out, and both backends say the same of what follows, row by row.

#![expect(clippy::panic, reason = "tests say what they expect by panicking")]

use std::collections::BTreeMap;

use catamaran_native::{Runner, RunnerOptions};
use catamaran_report::report::Sees;
use catamaran_report::{Backend as _, Report, RunError};
use catamaran_scenario::{Calibration, Plan, Platform};
use catamaran_sim::{Options, simulate};

fn plan(platform: Platform, unshare: &str) -> Plan {
    let text = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"namespaces\"\nduration = \"100ms\"\nplatforms = [\"{platform}\"]\n\
         [platform.{platform}]\nunshare = {unshare}\n\
         [[tenant]]\nname = \"red\"\nworkload = {{ kind = \"idle\" }}\n\
         [[tenant]]\nname = \"blue\"\nworkload = {{ kind = \"idle\" }}\n"
    );
    Plan::from_toml(&text, "namespaces.toml").unwrap_or_else(|error| panic!("{error}"))
}

fn rows(report: &Report) -> BTreeMap<(String, String), Sees> {
    let rows = report.isolation.iter();
    rows.map(|row| ((row.observer.clone(), row.resource.clone()), row.sees)).collect()
}

fn natively(plan: &Plan) -> Result<Report, RunError> {
    let options = RunnerOptions { turns_per_cpu_s: Some(1e8), ..RunnerOptions::default() };
    Runner::new(options)?.run(plan, Platform::Namespaces, 0)
}

/// Each alone, none, those that go together, and all.
const SUBSETS: [&str; 12] = [
    "[]",
    r#"["mount"]"#,
    r#"["pid"]"#,
    r#"["uts"]"#,
    r#"["ipc"]"#,
    r#"["net"]"#,
    r#"["cgroup"]"#,
    r#"["user"]"#,
    r#"["mount", "pid"]"#,
    r#"["user", "uts", "net"]"#,
    r#"["mount", "pid", "uts", "ipc", "net", "cgroup"]"#,
    r#"["mount", "pid", "uts", "ipc", "net", "user", "cgroup"]"#,
];

#[test]
fn every_subset_of_namespaces_hides_the_same_in_both() {
    for unshare in SUBSETS {
        let plan = plan(Platform::Namespaces, unshare);
        let simulated =
            simulate(&plan, Platform::Namespaces, &Calibration::reference(), &Options::default()).unwrap();
        let simulated = rows(&simulated.report);
        assert_eq!(simulated.len(), 2 * 11, "{unshare}");
        match natively(&plan) {
            Ok(report) => assert_eq!(rows(&report), simulated, "{unshare}"),
            Err(RunError::Unavailable { why, .. }) => {
                println!("skipped: every_subset_of_namespaces_hides_the_same_in_both: {unshare}: {why}");
            }
            // Where parts of the machine's /proc are covered, the kernel gives a user namespace none of its own.
            Err(RunError::Failed { what: why, .. })
                if unshare.contains("user") && unshare.contains("pid") =>
            {
                println!("skipped: every_subset_of_namespaces_hides_the_same_in_both: {unshare}: {why}");
            }
            Err(other) => panic!("{unshare}: {other}"),
        }
    }
}

#[test]
fn namespaces_that_a_platform_does_not_take_are_refused_by_name() {
    for platform in [Platform::BareMetal, Platform::Chroot, Platform::Cgroups, Platform::Container] {
        let plan = plan(platform, r#"["net"]"#);
        let simulated = simulate(&plan, platform, &Calibration::reference(), &Options::default()).map(drop);
        let native = catamaran_native::dry_run(&plan, platform).map(drop);
        for answer in [simulated, native] {
            let Err(RunError::Unsupported { field, .. }) = answer else { panic!("{platform}: {answer:?}") };
            assert_eq!(field, format!("platform.{platform}.unshare"));
        }
    }
}

#[test]
fn the_shell_lines_unshare_what_the_scenario_asks_for() {
    let table = [
        ("[]", "exec $WORKER", "unshare"),
        (r#"["pid"]"#, "unshare --fork --pid sh", "--mount-proc"),
        (r#"["mount", "pid"]"#, "--mount --pid --mount-proc", "--user"),
        (r#"["user", "uts"]"#, "--user --map-root-user --uts sh -c", "--mount"),
        (r#"["user"]"#, "--user --map-root-user sh -c", "--mount"),
    ];
    for (unshare, expected, absent) in table {
        let lines =
            match catamaran_native::dry_run(&plan(Platform::Namespaces, unshare), Platform::Namespaces) {
                Ok(lines) => lines.join("\n"),
                Err(RunError::Unavailable { why, .. }) => {
                    return println!("skipped: the_shell_lines_unshare_what_the_scenario_asks_for: {why}");
                }
                Err(other) => panic!("{other}"),
            };
        assert!(lines.contains(expected), "{unshare}: {lines}");
        assert!(!lines.contains(absent), "{unshare}: {lines}");
    }
}
