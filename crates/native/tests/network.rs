//! Short real runs of tenants that talk to each other.

#![allow(clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use catamaran_native::dry_run;
use catamaran_report::RunError;
use catamaran_report::report::{Report, Sees, TenantReport, TenantState};
use catamaran_scenario::{Plan, Platform};

use common::{PLATFORMS, answer, plan, tried};

/// One at a time: each looks for what the other would leave behind.
static MACHINE: Mutex<()> = Mutex::new(());

/// The report, or `None` with a printed reason where this machine does not offer it.
fn run(name: &str, plan: &Plan, platform: Platform) -> Option<Report> {
    tried(&format!("{name} on {platform}"), Some("CATAMARAN_NETWORK"), answer(plan, platform))
}

/// The devices of the machine's own network.
fn devices() -> BTreeSet<String> {
    let entries = std::fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn counts(tenant: &TenantReport) -> (u64, u64, u64) {
    let requests = tenant.requests.as_ref().expect("requests");
    (requests.sent, requests.completed, requests.failed)
}

const SHOP_AND_CLIENTS: &str = r#"
[[tenant]]
name = "shop"
replicas = 2
workload = { kind = "compute", work = "1ms" }
[[tenant]]
name = "ann"
replicas = 3
workload = { kind = "network", to = "shop", requests = 200, size = "100KiB" }
[[tenant]]
name = "bob"
start_at = "20ms"
workload = { phases = [
    { kind = "network", to = "shop", bytes = "1000001B", size = "4KiB" },
    { kind = "compute", work = "1ms" },
    { kind = "network", to = "shop", requests = 50, size = "1B" } ] }
"#;

#[test]
fn every_request_is_answered_and_every_byte_arrives() {
    let _turn = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let plan = plan("30s", "", SHOP_AND_CLIENTS);
    let before = devices();
    for platform in PLATFORMS {
        let Some(report) = run("every_request_is_answered", &plan, platform) else { continue };
        assert_eq!(report.unexplained(), Vec::<String>::new(), "{platform}");
        let [shop, other_shop, clients @ .., bob] = report.tenants.as_slice() else { panic!("six tenants") };
        for tenant in &report.tenants {
            assert_eq!(tenant.state, TenantState::Completed, "{platform}: {:?}", tenant.error);
        }
        let asked = 200 * (100 << 10) * 2;
        for ann in clients {
            assert_eq!((counts(ann), ann.network_bytes), ((200, 200, 0), Some(asked)), "{platform}");
        }
        assert_eq!((counts(bob), bob.network_bytes), ((50, 50, 0), Some(1_000_001 + 100)), "{platform}");
        // Replica r of a client talks to replica r mod 2.
        assert_eq!(other_shop.network_bytes, Some(asked), "{platform}");
        assert_eq!(shop.network_bytes, Some(2 * asked + 1_000_001 + 100), "{platform}");
        let network = report.isolation.iter().find(|row| row.resource == "network");
        let own = matches!(platform, Platform::Namespaces | Platform::Container);
        assert_eq!(network.map(|row| row.sees), Some(if own { Sees::Own } else { Sees::Host }), "{platform}");
        assert_eq!(devices(), before, "{platform}: the machine's own network is left alone");
    }
}

#[test]
fn a_phase_ends_when_it_is_over_whatever_it_waits_for() {
    let _turn = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let tenants = r#"
[[tenant]]
name = "shop"
workload = { kind = "idle" }
[[tenant]]
name = "ann"
workload = { phases = [
    { kind = "network", for = "100ms", to = "shop", bytes = "100GiB", size = "1MiB" },
    { kind = "compute", work = "1ms" } ] }
"#;
    // 1 MB/s: a message takes a second, so that the sender sits in its call when its time is over.
    let plan = plan("1500ms", "network = { bandwidth = \"1MB/s\" }", tenants);
    let Some(report) = run("a_phase_ends", &plan, Platform::BareMetal) else { return };
    let ann = report.tenants.get(1).expect("ann");
    assert_eq!((ann.state, ann.turns), (TenantState::Completed, Some(1e5)), "{:?}", ann.error);
}

#[test]
fn the_hosts_bandwidth_bounds_all_tenants_together() {
    let _turn = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let tenants = r#"
[[tenant]]
name = "shop"
workload = { kind = "compute", work = "1ms" }
[[tenant]]
name = "ann"
workload = { kind = "network", to = "shop", requests = 20, size = "50KiB" }
[[tenant]]
name = "bob"
workload = { kind = "network", to = "shop", bytes = "3MiB", size = "64KiB" }
"#;
    let plan = plan("30s", "network = { bandwidth = \"10MB/s\" }", tenants);
    for platform in [Platform::BareMetal, Platform::Container] {
        let Some(report) = run("the_hosts_bandwidth", &plan, platform) else { continue };
        let bytes: u64 = report.tenants.iter().skip(1).filter_map(|tenant| tenant.network_bytes).sum();
        assert_eq!(bytes, 40 * (50 << 10) + (3 << 20), "{platform}");
        // The bucket is full at first.
        let least_s = (bytes - 100_000) as f64 / 10e6;
        let last_s = report.tenants.iter().filter_map(|tenant| tenant.finished_s).fold(0.0, f64::max);
        assert!(last_s >= least_s, "{platform}: {last_s} s, less than {least_s} s");
    }
}

#[test]
fn the_hosts_latency_is_added_each_way_or_is_refused_by_its_name() {
    let _turn = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let tenants = r#"
[[tenant]]
name = "shop"
workload = { kind = "compute", work = "1ms" }
[[tenant]]
name = "ann"
workload = { kind = "network", to = "shop", requests = 10, size = "1KiB" }
"#;
    for platform in [Platform::BareMetal, Platform::Container] {
        if run("the_hosts_latency", &plan("30s", "", tenants), platform).is_none() {
            continue;
        }
        for bandwidth in ["", "bandwidth = \"100MB/s\", "] {
            let plan = plan("30s", &format!("network = {{ {bandwidth}latency = \"20ms\" }}"), tenants);
            match answer(&plan, platform) {
                Ok(report) => {
                    let ann = report.tenants.get(1).expect("ann");
                    assert_eq!(counts(ann), (10, 10, 0), "{platform}");
                    let least_s = ann.requests.as_ref().and_then(|r| r.latency_s).expect("latencies").p50;
                    assert!(least_s >= 0.04, "{platform}: there and back in {least_s} s");
                }
                // Nothing of it was begun, and whatever else it takes is there.
                Err(RunError::Unavailable { why, .. }) => {
                    assert!(std::env::var_os("CATAMARAN_NETWORK").is_none(), "promised: {why}");
                    assert!(why.contains("host.network.latency"), "{why}");
                    println!("skipped: the_hosts_latency: {why}");
                }
                Err(error) => panic!("{platform}: {error}"),
            }
        }
    }
}

#[test]
fn when_a_tenant_is_killed_those_who_talk_to_it_fail_and_say_why() {
    let _turn = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let tenants = r#"
[[tenant]]
name = "shop"
memory = { limit = "24MiB", swap = "0MiB" }
workload = { kind = "memory", start = "8MiB", leak = "100MiB/s" }
[[tenant]]
name = "ann"
workload = { kind = "network", to = "shop", requests = 1000000, size = "1KiB" }
[[tenant]]
name = "bob"
workload = { kind = "network", to = "shop", bytes = "100GiB", size = "64KiB" }
[[tenant]]
name = "job"
workload = { kind = "compute", work = "1ms" }
"#;
    let plan = plan("3s", "", tenants);
    for platform in [Platform::Cgroups, Platform::Container] {
        let Some(report) = run("when_a_tenant_is_killed", &plan, platform) else { continue };
        let [shop, ann, bob, job] = report.tenants.as_slice() else { panic!("four tenants") };
        assert_eq!(shop.state, TenantState::OomKilled, "{platform}: {:?}", shop.error);
        for client in [ann, bob] {
            assert_eq!(client.state, TenantState::Failed, "{platform}: {client:?}");
            let why = client.error.as_deref().unwrap_or_default();
            assert!(why.contains("ECONNRESET") || why.contains("EPIPE"), "{platform}: {why}");
        }
        let (sent, completed, failed) = counts(ann);
        assert_eq!((sent, failed), (completed + 1, 1), "{platform}: the request under way fails");
        assert_eq!(job.state, TenantState::Completed, "{platform}: others go on");
    }
}

#[test]
fn what_is_not_carried_out_is_refused_by_its_field() {
    let late = "[[tenant]]\nname = \"shop\"\nstart_at = \"1s\"\nworkload = { kind = \"idle\" }\n";
    let few = "[[tenant]]\nname = \"shop\"\npids = { limit = 2 }\nworkload = { kind = \"idle\" }\n";
    let ann = "[[tenant]]\nname = \"ann\"\nworkload = { kind = \"network\", to = \"shop\", requests = 1, size = \"1B\" }\n";
    for (host, tenant, platform, expected) in [
        ("", late, Platform::BareMetal, "tenant.shop.start_at"),
        ("", few, Platform::Cgroups, "tenant.shop.pids.limit"),
    ] {
        let plan = plan("2s", host, &format!("{tenant}{ann}"));
        for refused in [answer(&plan, platform).map(drop), dry_run(&plan, platform).map(drop)] {
            match refused {
                Err(RunError::Unsupported { field, .. }) => assert_eq!(field, expected),
                Err(RunError::Unavailable { why, .. }) => println!("skipped: {expected}: {why}"),
                other => panic!("{expected}: {other:?}"),
            }
        }
    }
}

/// Types what a dry run shows into a shell.
fn by_hand(name: &str, platforms: &[Platform], link: &str) {
    let _turn = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let needs = "for tool in ip tc nsenter; do command -v $tool > /dev/null || exit 1; done";
    let has_tools = Command::new("sh").args(["-c", needs]).status().is_ok_and(|status| status.success());
    if !has_tools {
        println!("skipped: {name}: no ip, tc or nsenter");
        return;
    }
    let tenants = "[[tenant]]\nname = \"shop\"\nworkload = { kind = \"idle\" }\n\
                   [[tenant]]\nname = \"ann\"\nworkload = { kind = \"network\", to = \"shop\", requests = 1, size = \"1B\" }\n";
    let plan = plan("500ms", &format!("network = {{ {link} }}"), tenants);
    let before = devices();
    for &platform in platforms {
        if run(name, &plan, platform).is_none() {
            continue;
        }
        let lines = dry_run(&plan, platform).expect("what can be run can be shown");
        let script = format!("set -e\n{}\n", lines.join("\n"));
        let output =
            Command::new("sh").args(["-c", &script]).env("WORKER", "sleep 3").output().expect("a shell");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{platform}: {said}\n{script}");
        assert_eq!(devices(), before, "{platform}: the machine's own network is left alone");
    }
}

#[test]
fn the_lines_of_a_dry_run_can_be_typed() {
    by_hand("a network by hand", &PLATFORMS, "bandwidth = \"100MB/s\"");
}

#[test]
fn lines_with_a_latency_can_be_typed() {
    by_hand("lines_with_a_latency_can_be_typed", &[Platform::BareMetal], "latency = \"1ms\"");
}
