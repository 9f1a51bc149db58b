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
    // Alone M/M/1 with ρ = 0.4: p95 = ln 20 · 10 ms / (1 − ρ) = 50 ms. Two on a server have ρ = 0.8, 150 ms where one queue
    // has it; three have 1.2, which grows without bound.
    let table = [(0.070, Some(4)), (0.400, Some(2)), (0.020, None)];
    for (p95_s, servers) in table {
        let found = needed(&apps(4, 40), p95_s);
        assert_eq!(found.as_ref().map(|needed| needed.servers), servers, "{p95_s} s");
    }
    let of = |p95_s| Bill::of(&needed(&apps(4, 40), p95_s).unwrap().report, &Rates::REFERENCE).unwrap();
    let (four, two) = (of(0.070), of(0.400));
    assert_eq!((four.servers, two.servers), (4, 2));
    // The same work on fewer machines: what is saved is what two of them draw idle.
    let saved = four.watts - two.watts;
    assert!((saved / (2.0 * Rates::REFERENCE.idle_w) - 1.0).abs() < 0.01, "{saved} W");
    assert!((four.utilisation / two.utilisation - 0.5).abs() < 0.005, "{four:?} {two:?}");
}

#[test]
fn a_batch_job_gets_a_server_to_itself() {
    let found = needed(&(apps(2, 10) + &hog("batch", 1, "150s", "")), 0.060).unwrap();
    assert_eq!((found.servers, found.places.as_slice()), (2, [1, 1, 0].as_slice()));
    assert_eq!(found.report.host.nodes, Some(2));
}
