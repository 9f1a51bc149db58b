//! A run that is stopped and taken up again.

use catamaran_scenario::{Calibration, Plan};
use catamaran_sim::{Options, Simulation, simulate};

use crate::common::{hog, ideal, plan, run, server};

fn shared(duration: &str, platform: &str) -> Plan {
    let tenants = server("web", "80/s", "5ms", "exponential", 2)
        + &hog("batch", 3, "60s", "limit = \"600m\"")
        + &hog("job", 1, "700ms", "request = \"100m\"");
    plan(2, duration, platform, &tenants)
}

fn begun(plan: &Plan, options: &Options) -> Simulation {
    let platform = plan.platforms()[0];
    Simulation::new(plan, platform, &ideal(), options).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_run_that_is_stopped_tells_what_a_shorter_scenario_would() {
    for platform in ["bare-metal", "cgroups", "vm"] {
        let mut whole = begun(&shared("10s", platform), &Options::default());
        for moment in ["400ms", "2345678us", "7s"] {
            let short = run(&shared(moment, platform), &ideal()).report;
            // Just before: what happens at the end of a run is no part of it.
            whole.run_until((short.elapsed_s * 1e9 + 0.5) as u64 - 1);
            let mut so_far = whole.report_so_far().unwrap();
            assert!((so_far.elapsed_s - short.elapsed_s).abs() < 2e-9, "{platform} at {moment}");
            // The last nanosecond of each clock.
            for (own, other) in so_far.tenants.iter_mut().zip(&short.tenants) {
                let close =
                    |a: Option<f64>, b: Option<f64>| (a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs() < 1e-8;
                assert!(close(own.cpu_s, other.cpu_s) && close(own.waited_s, other.waited_s), "{moment}");
                assert_eq!(own.requests, other.requests, "{platform} at {moment}");
                assert_eq!(own.throttled_periods, other.throttled_periods, "{platform} at {moment}");
            }
        }
    }
}

#[test]
fn steps_lead_to_the_end_and_every_one_changes_what_can_be_seen() {
    for platform in ["bare-metal", "cgroups", "vm"] {
        let plan = shared("3s", platform);
        let mut stepped = begun(&plan, &Options { timeline: true, ..Options::default() });
        let (mut steps, mut last) = (0_u64, 0);
        while stepped.step() {
            assert!(stepped.now_ns() >= last, "time goes on");
            last = stepped.now_ns();
            steps += 1;
        }
        assert!(stepped.is_over());
        assert!(steps > 300 && steps <= stepped.events(), "{steps} steps of {} events", stepped.events());
        let plain = run(&plan, &ideal());
        assert_eq!(stepped.finish().unwrap(), plain, "{platform}");
    }
}

#[test]
fn a_seek_back_is_as_if_one_had_come_no_further() {
    let plan = shared("10s", "cgroups");
    let (mut travelled, mut straight) =
        (begun(&plan, &Options::default()), begun(&plan, &Options::default()));
    travelled.run_until(9_000_000_000);
    for moment in [8_999_999_999, 3_000_000_000, 5_000_000_000, 1, 0] {
        travelled.seek(moment);
        assert_eq!(travelled.now_ns(), moment);
    }
    travelled.seek(4_000_000_000);
    straight.run_until(4_000_000_000);
    assert_eq!(travelled.events(), straight.events());
    assert_eq!(travelled.report_so_far().unwrap(), straight.report_so_far().unwrap());
    assert!(travelled.seek(u64::MAX) > 0 && travelled.is_over());
    assert_eq!(travelled.now_ns(), 10_000_000_000);
}

#[test]
fn a_trials_speed_is_met_by_steps_as_well() {
    let plan = shared("3s", "cgroups");
    let calibration: Calibration = ideal();
    let options = Options { turns_per_cpu_s: Some(0.9e9), ..Options::default() };
    let plain = simulate(&plan, plan.platforms()[0], &calibration, &options).unwrap().report;
    let mut stepped = begun(&plan, &options);
    stepped.seek(2_000_000_000);
    stepped.seek(1_000_000_000);
    assert_eq!(stepped.finish().unwrap().report, plain);
}
