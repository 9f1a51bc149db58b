//! Closed forms of queueing theory, and Lindley's recursion as a slow twin.

use crate::common::{ideal, near, plan, run, server, tenant};
use catamaran_scenario::draw::Requests;
use catamaran_sim::{Options, naive};

/// Completion times by Lindley's recursion: a request begins when it has arrived and the one before it has ended.
fn lindley(requests: Requests) -> Vec<u64> {
    let mut free = 0;
    let end = |request: catamaran_scenario::draw::Request| {
        free = free.max(request.arrival_ns) + request.demand_ns;
        free
    };
    requests.map(end).collect()
}

#[test]
fn a_lone_server_follows_lindleys_recursion_to_the_nanosecond() {
    let plan = plan(1, "20s", "bare-metal", &server("web", "500/s", "1.5ms", "exponential", 1));
    let twin = lindley(Requests::new(&plan, 0, 0, 0).unwrap());
    let outcome = run(&plan, &ideal());
    let model: Vec<Option<u64>> =
        outcome.timeline.requests.iter().map(|request| request.completed_ns).collect();
    assert!(model.len() > 9_000);
    for (index, (model, twin)) in model.iter().zip(&twin).enumerate() {
        match model {
            Some(at) => assert_eq!(at, twin, "request {index}"),
            None => assert!(*twin >= 20_000_000_000, "request {index} is never answered"),
        }
    }
}

/// Mean sojourn in units of the mean service time at load 0.6: Pollaczek–Khinchine, 1 + ρ(1 + c²)/2(1 − ρ).
#[test]
fn mean_sojourn_times_are_those_of_pollaczek_and_khinchine() {
    for (distribution, squared_variation) in [("exponential", 1.0), ("constant", 0.0)] {
        let plan = plan(1, "200s", "bare-metal", &server("web", "600/s", "1ms", distribution, 1));
        let outcome = run(&plan, &ideal());
        let latency = tenant(&outcome, "web").requests.as_ref().and_then(|requests| requests.latency_s);
        let expected = 1e-3 * (1.0 + 0.6 * (1.0 + squared_variation) / (2.0 * 0.4));
        // 120,000 requests; the mean of so many has a standard error near 1.5 %.
        near(distribution, latency.unwrap().mean, expected, 0.05);
    }
}

#[test]
fn two_servers_are_mm2() {
    let plan = plan(2, "200s", "bare-metal", &server("web", "1200/s", "1ms", "exponential", 2));
    let outcome = run(&plan, &ideal());
    let latency = tenant(&outcome, "web").requests.as_ref().and_then(|requests| requests.latency_s);
    // M/M/2 at ρ = 0.6: 1/(1 − ρ²) service times.
    near("M/M/2", latency.unwrap().mean, 1e-3 / (1.0 - 0.36), 0.05);
}

#[test]
fn a_batch_neighbour_is_waited_for_in_ticks_and_slices() {
    let tenants =
        [server("web", "50/s", "1ms", "constant", 1), crate::common::hog("batch", 1, "1h", "")].concat();
    let outcome = run(&plan(1, "60s", "bare-metal", &tenants), &ideal());
    let latency = tenant(&outcome, "web").requests.as_ref().and_then(|r| r.latency_s).unwrap();
    // The batch thread is protected for a base slice (1.4 ms) and looked at next by a tick (4 ms): nobody waits longer.
    assert!(latency.p50 >= 1e-3 && latency.max < 1e-3 + 3.0 * 4e-3, "{latency:?}");
}

#[test]
fn fluid_sharing_is_mg1_ps_whatever_the_shape() {
    let calibration = ideal();
    for distribution in ["exponential", "constant"] {
        // As many threads as ever wait: egalitarian processor sharing on one core, mean 1/(1 − ρ) for every shape.
        let plan = plan(1, "200s", "bare-metal", &server("web", "600/s", "1ms", distribution, 512));
        let platform = plan.platforms()[0];
        let report = naive::fluid(&plan, platform, &calibration, &Options::default()).unwrap();
        let latency = report.tenants[0].requests.as_ref().and_then(|requests| requests.latency_s);
        near(distribution, latency.unwrap().mean, 1e-3 / 0.4, 0.06);
    }
}

#[test]
fn speed_is_met_and_stretches_time() {
    let calibration = ideal();
    let plan = plan(1, "10s", "bare-metal", &crate::common::hog("a", 1, "2s", ""));
    let options = Options { turns_per_cpu_s: Some(0.5e9), ..Options::default() };
    let report = catamaran_sim::simulate(&plan, plan.platforms()[0], &calibration, &options).unwrap().report;
    near("finish", report.tenants[0].finished_s.unwrap(), 4.0, 1e-3);
    near("speed", report.host.turns_per_cpu_s.unwrap(), 0.5e9, 1e-3);
}

#[test]
fn what_others_take_is_nobodys() {
    let calibration = ideal();
    let options = Options { taken: 0.1, ..Options::default() };
    let plan = plan(1, "20s", "bare-metal", &crate::common::hog("a", 1, "9s", ""));
    let (on, hog) = (plan.platforms()[0], "finish of nine seconds of work, a tenth of the time taken");
    let exact = catamaran_sim::simulate(&plan, on, &calibration, &options).unwrap().report;
    let fluid = naive::fluid(&plan, on, &calibration, &options).unwrap();
    for report in [exact, fluid] {
        near(hog, report.tenants[0].finished_s.unwrap(), 10.0, 1e-3);
        near("CPU time", report.tenants[0].cpu_s.unwrap(), 9.0, 1e-3);
    }
}
