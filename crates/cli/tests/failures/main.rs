//! What goes wrong on real machines, done to the real program: each failure has its exit code, one error that says where,
//! what and what to do, and leaves nothing behind. And what an ordinary user can do, and is told about the rest.
//!
//! Everything is injected into a mount namespace of its own, into limits of the process or into a filter of its system
//! calls; the machine itself is left as it is.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect by panicking"
)]

mod guests;
mod harness;
mod injected;
#[path = "../../../native/tests/kill/inventory.rs"]
#[allow(dead_code, reason = "the test that kills runs needs more of it")]
mod inventory;
mod networks;
mod ordinary;
mod runtimes;

use std::time::Instant;

use harness::{FILTER, Ground, Row};

/// Not a test: what another test starts to run the program behind a filter. Does nothing when started by anyone else.
#[test]
fn behind_a_filter() {
    if let Ok(filter) = std::env::var(FILTER) {
        harness::become_filtered(&filter);
    }
}

/// Carries the rows out and panics with whatever was not as it should be.
fn hold(ground: &Ground, rows: &[Row]) {
    let began = Instant::now();
    let faults = ground.carry_out(rows);
    println!("{} rows in {:.0} s", rows.len(), began.elapsed().as_secs_f64());
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_failure_is_one_clear_error_with_a_remedy_and_leaves_nothing() {
    let Some(ground) = Ground::find("failures") else { return };
    let undisturbed: Vec<Row> = injected::undisturbed().into_iter().chain(networks::undisturbed()).collect();
    hold(&ground, &ground.possible(undisturbed));
    let mut rows = guests::rows(&ground);
    rows.extend(injected::rows());
    rows.extend(networks::rows());
    rows.extend(runtimes::rows());
    let (all, rows) = (rows.len(), ground.possible(rows));
    println!("{} of {all} failures can be injected here", rows.len());
    assert!(rows.len() >= 30 || rows.len() < all, "a table of {all} failures only");
    hold(&ground, &rows);
}

#[test]
fn an_ordinary_user_runs_what_goes_and_is_told_what_the_rest_needs() {
    let Some(ground) = Ground::find("ordinary") else { return };
    hold(&ground, &ground.possible(ordinary::rows()));
}
