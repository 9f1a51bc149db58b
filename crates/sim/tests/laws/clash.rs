//! What two tenants cannot both have where they share it: ports and versions of libraries.

use catamaran_report::report::TenantState;
use catamaran_scenario::Calibration;

use crate::common::{plan, run};

const PORT: &str = "ports = [8080]\n";

fn library(version: &str) -> String {
    format!("needs = {{ libssl = \"{version}\" }}\n")
}

fn idle(name: &str, more: &str) -> String {
    format!("[[tenant]]\nname = \"{name}\"\n{more}workload = {{ kind = \"idle\" }}\n")
}

/// How the tenants stand at the end, and what the last was told.
fn outcome(platform: &str, tenants: &str) -> (Vec<TenantState>, Option<String>) {
    let report = run(&plan(1, "2s", platform, tenants), &Calibration::reference()).report;
    let states = report.tenants.iter().map(|row| row.state).collect();
    assert_eq!(report.unexplained(), Vec::<String>::new(), "{platform}");
    (states, report.tenants.last().and_then(|row| row.error.clone()))
}

#[test]
fn a_port_is_bound_once_where_the_network_is_shared() {
    let two = format!("{}{}", idle("shop", PORT), idle("rival", PORT));
    for (platform, clashes) in [
        ("bare-metal", true),
        ("chroot", true),
        ("cgroups", true),
        ("namespaces", false),
        ("container", false),
        ("docker", false),
        ("kubernetes", false),
        ("gvisor", false),
        ("vm", false),
    ] {
        let (states, error) = outcome(platform, &two);
        let expected = if clashes { TenantState::Failed } else { TenantState::Completed };
        assert_eq!(states, [TenantState::Completed, expected], "{platform}");
        let words = error.unwrap_or_default();
        assert_eq!(words.contains("8080") && words.contains("\"shop\""), clashes, "{platform}: {words}");
    }
}

#[test]
fn a_path_holds_one_version_where_files_are_shared() {
    let two = format!("{}{}", idle("shop", &library("1.1")), idle("rival", &library("3.0")));
    for (platform, clashes) in [
        ("bare-metal", true),
        ("cgroups", true),
        ("namespaces", true),
        ("chroot", false),
        ("container", false),
        ("podman", false),
        ("microvm", false),
    ] {
        let (states, error) = outcome(platform, &two);
        assert_eq!(states[1] == TenantState::Failed, clashes, "{platform}");
        let words = error.unwrap_or_default();
        assert_eq!(
            words.contains("libssl 3.0") && words.contains("libssl 1.1"),
            clashes,
            "{platform}: {words}"
        );
    }
    let alike = format!("{}{}", idle("shop", &library("1.1")), idle("rival", &library("1.1")));
    assert_eq!(outcome("bare-metal", &alike).0, [TenantState::Completed; 2]);
}

#[test]
fn who_starts_first_has_the_port_and_gives_it_back_at_its_end() {
    let late = format!("start_at = \"1s\"\n{PORT}");
    let (states, _) = outcome("bare-metal", &format!("{}{}", idle("late", &late), idle("early", PORT)));
    assert_eq!(states, [TenantState::Failed, TenantState::Completed]);
    let short = format!(
        "[[tenant]]\nname = \"early\"\n{PORT}workload = {{ kind = \"compute\", work = \"100ms\" }}\n{}",
        idle("late", &late)
    );
    assert_eq!(outcome("bare-metal", &short).0, [TenantState::Completed; 2]);
    let elsewhere = idle("rival", &format!("node = 1\n{PORT}"));
    let nodes = format!("nodes = 2\n{}{elsewhere}", idle("shop", PORT));
    assert_eq!(
        outcome("bare-metal", &nodes).0,
        [TenantState::Completed; 2],
        "each node has a network of its own"
    );
}

#[test]
fn a_clash_is_an_event_and_costs_nobody_else_anything() {
    let two = |ports: &str| {
        let batch = format!(
            "[[tenant]]\nname = \"batch\"\n{ports}workload = {{ kind = \"compute\", work = \"1500ms\" }}\n"
        );
        run(
            &plan(1, "2s", "bare-metal", &format!("{}{batch}", idle("shop", PORT))),
            &Calibration::reference(),
        )
    };
    let (clashing, free) = (two(PORT), two(""));
    let event = &clashing.report.events[0];
    assert_eq!(
        (event.actor.as_str(), event.what.as_str(), event.target.as_str()),
        ("batch", "port-clash", "shop")
    );
    assert!(clashing.timeline.trace.iter().any(|entry| entry.what == "port-clash"));
    assert_eq!(clashing.report.tenants[1].cpu_s, Some(0.0));
    assert!(free.report.events.is_empty());
    assert_eq!(free.report.tenants[1].state, TenantState::Completed);
}
