//! The speed workloads have answers that every exact engine gets, to nine decimals.

use catamaran_sim::bench::{Responses, SharedHosts, hold, mm1, shared_hosts};

fn w1(hosts: u64, tasks: u64, in_machines: bool) -> SharedHosts {
    SharedHosts { hosts, tasks, weights: Vec::new(), cap_cores: None, in_machines }
}

/// Written with nine decimals.
fn nine(found: Responses) -> [String; 3] {
    [found.makespan_s, found.mean_response_s, found.rms_response_s].map(|value| format!("{value:.9}"))
}

#[test]
fn shared_hosts_answer_as_every_exact_engine_does() {
    let table = [
        (1, 10, ["23.496407272", "1.675635922", "2.375418361"]),
        (10, 100, ["219.156838398", "1.895074672", "2.685039288"]),
        (100, 100, ["233.252908314", "1.914401656", "2.721777401"]),
    ];
    for (hosts, tasks, expected) in table {
        for in_machines in [false, true] {
            let found = shared_hosts(&w1(hosts, tasks, in_machines));
            assert_eq!(found.work_items, hosts * 16 * tasks);
            assert_eq!(nine(found), expected, "{hosts} hosts, {tasks} tasks, in machines: {in_machines}");
        }
    }
}

#[test]
fn the_event_queue_and_the_server_answer_as_every_exact_engine_does() {
    for (pending, expected) in [(1_000, "999.699894375"), (100_000, "9.997647925")] {
        let found = hold(pending, 1_000_000);
        assert_eq!((format!("{:.9}", found.clock_s).as_str(), found.work_items), (expected, 1_000_000));
    }
    assert_eq!(format!("{:.9}", mm1(100_000).mean_sojourn_s), "9.587902367");
}

/// Everything in the path of the code that changes nothing for these: equal weights of any size, and caps that don't bind.
#[test]
fn what_does_not_bind_changes_nothing() {
    let plain = nine(shared_hosts(&w1(10, 100, false)));
    for (weights, cap_cores) in
        [(vec![7.0], None), (vec![1.0, 1.0, 1.0], Some(1.0)), (Vec::new(), Some(64.0))]
    {
        for in_machines in [false, true] {
            let size = SharedHosts { weights: weights.clone(), cap_cores, ..w1(10, 100, in_machines) };
            assert_eq!(nine(shared_hosts(&size)), plain, "{size:?}");
        }
    }
}

/// Half a core each is what 16 containers on 8 cores have at any time: nobody waits for anybody.
#[test]
fn a_cap_of_the_even_share_makes_everyone_independent() {
    let size = SharedHosts { cap_cores: Some(0.5), ..w1(3, 40, false) };
    let equal = shared_hosts(&size);
    for weights in [vec![1.0, 2.0, 5.0], vec![100.0, 3.5]] {
        let capped = shared_hosts(&SharedHosts { weights, ..size.clone() });
        assert_eq!(nine(capped), nine(equal), "what all can have, weights don't divide");
    }
}

/// Twice the weight is twice the progress while all are busy, and the sum of the work is what it was.
#[test]
fn weights_and_machines_divide_alike() {
    let size = SharedHosts { weights: vec![1.0, 2.0, 4.0], cap_cores: Some(0.9), ..w1(5, 60, false) };
    let machines = shared_hosts(&SharedHosts { in_machines: true, ..size.clone() });
    assert_eq!(nine(shared_hosts(&size)), nine(machines), "a machine that bounds nothing more");
    assert_ne!(nine(machines), nine(shared_hosts(&w1(5, 60, false))), "weights matter");
}
