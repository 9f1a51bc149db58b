//! Answers of the speed workloads, to the bit.

use std::fmt::Write as _;

use catamaran_sim::bench::{SharedHosts, hold, mm1, shared_hosts};

/// W1 with equal weights.
fn w1(hosts: u64, tasks: u64, in_machines: bool) -> SharedHosts {
    SharedHosts { hosts, tasks, weights: Vec::new(), cap_cores: None, in_machines }
}

/// Answers of all workloads, with the bits of each number: what differs between targets differs here.
#[must_use]
pub fn answers() -> String {
    let unequal = SharedHosts { weights: vec![1.0, 2.0, 5.0], cap_cores: Some(0.7), ..w1(7, 30, false) };
    let sizes = [
        ("w1", w1(10, 100, false)),
        ("w1-vm", w1(10, 100, true)),
        ("w1 unequal", unequal.clone()),
        ("w1-vm unequal", SharedHosts { in_machines: true, ..unequal }),
    ];
    let mut text = String::new();
    let mut line = |what: &str, value: f64| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{what} = {value:.9}, {:016x}", value.to_bits());
    };
    for (name, size) in sizes {
        let found = shared_hosts(&size);
        line(&format!("{name}: makespan"), found.makespan_s);
        line(&format!("{name}: mean response"), found.mean_response_s);
        line(&format!("{name}: rms response"), found.rms_response_s);
    }
    line("w2, 1,000 pending: clock", hold(1_000, 1_000_000).clock_s);
    line("w2, 100,000 pending: clock", hold(100_000, 1_000_000).clock_s);
    line("mm1: mean sojourn", mm1(100_000).mean_sojourn_s);
    text
}
