//! How many servers a service level needs.

use catamaran_report::cost::{Bill, Rates};
use catamaran_scenario::Platform;
use catamaran_sim::{ServersNeeded, servers_needed};

use crate::common::{hog, ideal, plan, server};

fn needed(tenants: &str, p95_s: f64) -> Option<ServersNeeded> {
    let plan = plan(1, "200s", "bare-metal", tenants);
    servers_needed(&plan, Platform::BareMetal, &ideal(), p95_s).unwrap_or_else(|error| panic!("{error}"))
}

/// So many applications with so many requests per second of 10 ms each.
fn apps(count: usize, rate: u32) -> String {
    (0..count).map(|k| server(&format!("app-{k}"), &format!("{rate}/s"), "10ms", "exponential", 1)).collect()
}

#[test]
fn consolidation_costs_latency_and_saves_servers() {
    // M/M/1 with load ρ: p95 = ln 20 · 10 ms / (1 − ρ). Alone (ρ = 0.1) that is 33 ms, five on a server (ρ = 0.5) 60 ms, and
    // ten (ρ = 1) grow without bound.
    let table = [(0.040, Some(10)), (0.120, Some(2)), (0.010, None)];
    for (p95_s, servers) in table {
        let found = needed(&apps(10, 10), p95_s);
        assert_eq!(found.as_ref().map(|needed| needed.servers), servers, "{p95_s} s");
    }
    let of = |p95_s| Bill::of(&needed(&apps(10, 10), p95_s).unwrap().report, &Rates::REFERENCE).unwrap();
    let (ten, two) = (of(0.040), of(0.120));
    assert_eq!((ten.servers, two.servers), (10, 2));
    // The same work on fewer machines: the energy that is saved is what eight of them draw idle.
    let saved = ten.watts - two.watts;
    assert!((saved / (8.0 * Rates::REFERENCE.idle_w) - 1.0).abs() < 0.01, "{saved} W");
    assert!((ten.utilisation / two.utilisation - 0.2).abs() < 0.002, "{ten:?} {two:?}");
}

#[test]
fn a_batch_job_gets_a_server_to_itself() {
    let found = needed(&(apps(2, 10) + &hog("batch", 1, "150s", "")), 0.060).unwrap();
    assert_eq!((found.servers, found.places.as_slice()), (2, [1, 1, 0].as_slice()));
    assert_eq!(found.report.host.nodes, Some(2));
}
