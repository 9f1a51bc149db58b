//! W1, shared hosts: containers run tasks back to back on hosts that share nothing with one another.

use super::SEED;
use crate::bench::{Responses, SharedHosts};
use crate::resources::cpu::share::{Claim, NodeId, Shares, TOP};
use crate::workload::Exponential;

const CORES: f64 = 8.0;
const CONTAINERS: u64 = 16;
/// A task is one thread, and a virtual machine has one virtual CPU.
const ONE: f64 = 1.0;

/// A container at work.
struct Container {
    demands: Exponential,
    tasks_left: u64,
    started_s: f64,
}

/// Sums over tasks that have ended, which are not kept.
#[derive(Default)]
struct Sums {
    makespan_s: f64,
    response_s: f64,
    squared: f64,
}

/// What shares nothing is carried out one by one: it needs no order of events across hosts, and the memory of one host.
pub(crate) fn shared_hosts(workload: &SharedHosts) -> Responses {
    let mut sums = Sums::default();
    for host in 0..workload.hosts {
        run_host(workload, host, &mut sums);
    }
    let work_items = workload.hosts * CONTAINERS * workload.tasks;
    let count = work_items as f64;
    Responses {
        makespan_s: sums.makespan_s,
        mean_response_s: sums.response_s / count,
        rms_response_s: (sums.squared / count).sqrt(),
        work_items,
    }
}

fn run_host(workload: &SharedHosts, host: u64, sums: &mut Sums) {
    let mut shares = Shares::new(CORES);
    let mut containers = Vec::new();
    // Which container a node of the tree is.
    let mut owners = vec![0];
    for own in 0..CONTAINERS {
        let container = host * CONTAINERS + own;
        let task = add_container(&mut shares, workload, container);
        owners.resize(task as usize + 1, containers.len());
        let mut demands = Exponential::from(SEED, container * workload.tasks);
        if workload.tasks > 0 {
            shares.start(task, demands.next());
        }
        containers.push(Container { demands, tasks_left: workload.tasks, started_s: 0.0 });
    }
    while let Some(task) = shares.complete() {
        let container = &mut containers[owners[task as usize]];
        let response_s = shares.now() - container.started_s;
        sums.response_s += response_s;
        sums.squared += response_s * response_s;
        container.started_s = shares.now();
        container.tasks_left -= 1;
        if container.tasks_left > 0 {
            shares.start(task, container.demands.next());
        }
    }
    sums.makespan_s = sums.makespan_s.max(shares.now());
}

fn add_container(shares: &mut Shares, workload: &SharedHosts, container: u64) -> NodeId {
    let weight = match workload.weights.len() {
        0 => 1.0,
        dealt => workload.weights[(container % dealt as u64) as usize],
    };
    let cap = workload.cap_cores.map_or(ONE, |cap| cap.min(ONE));
    if workload.in_machines {
        let machine = shares.add_group(TOP, Claim { weight, cap: ONE });
        shares.add_task(machine, Claim { weight: 1.0, cap })
    } else {
        shares.add_task(TOP, Claim { weight, cap })
    }
}
