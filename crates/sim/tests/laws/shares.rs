//! Who gets how much: threads, weights, quotas, core sets. The expected values follow from the laws alone.

use crate::common::{cpu_s, hog, ideal, ideal_cfs, near, plan, run, tenant};

/// Tenants on a machine, and the CPU seconds that each must get in ten.
struct Case {
    what: &'static str,
    cores: u32,
    platform: &'static str,
    tenants: String,
    expected: &'static [(&'static str, f64)],
}

fn cases() -> Vec<Case> {
    let case = |what, cores, platform, tenants: &[String], expected| Case {
        what,
        cores,
        platform,
        tenants: tenants.concat(),
        expected,
    };
    vec![
        case(
            "two equal threads halve a core",
            1,
            "bare-metal",
            &[hog("a", 1, "1h", ""), hog("b", 1, "1h", "")],
            &[("a", 5.0), ("b", 5.0)],
        ),
        case(
            "on bare metal more threads get more",
            1,
            "bare-metal",
            &[hog("a", 3, "1h", ""), hog("b", 1, "1h", "")],
            &[("a", 7.5), ("b", 2.5)],
        ),
        case(
            "with groups of their own they don't",
            1,
            "cgroups",
            &[hog("a", 3, "1h", ""), hog("b", 1, "1h", "")],
            &[("a", 5.0), ("b", 5.0)],
        ),
        case(
            "requests weigh",
            1,
            "cgroups",
            &[
                hog("a", 1, "1h", "request = \"250m\", weight = \"v1\""),
                hog("b", 1, "1h", "request = \"750m\", weight = \"v1\""),
            ],
            &[("a", 2.5), ("b", 7.5)],
        ),
        case(
            "requests are not applied on bare metal",
            1,
            "bare-metal",
            &[
                hog("a", 1, "1h", "request = \"250m\", weight = \"v1\""),
                hog("b", 1, "1h", "request = \"750m\", weight = \"v1\""),
            ],
            &[("a", 5.0), ("b", 5.0)],
        ),
        case(
            "a limit holds on an idle machine",
            2,
            "cgroups",
            &[hog("a", 1, "1h", "limit = \"300m\"")],
            &[("a", 3.0)],
        ),
        case(
            "what a limit leaves goes to the neighbour",
            1,
            "cgroups",
            &[hog("a", 2, "1h", "limit = \"200m\""), hog("b", 1, "1h", "request = \"100m\"")],
            &[("a", 2.0), ("b", 8.0)],
        ),
        case(
            "a limit above one core needs threads",
            4,
            "cgroups",
            &[hog("a", 4, "1h", "limit = \"2500m\"")],
            &[("a", 25.0)],
        ),
        case(
            "pinned tenants share the core that they are pinned to",
            2,
            "cgroups",
            &[
                hog("a", 1, "1h", "set = \"0\""),
                hog("b", 1, "1h", "set = \"0\""),
                hog("c", 1, "1h", "set = \"1\""),
            ],
            &[("a", 5.0), ("b", 5.0), ("c", 10.0)],
        ),
        case(
            "four threads on two cores",
            2,
            "bare-metal",
            &[hog("a", 2, "1h", ""), hog("b", 2, "1h", "")],
            &[("a", 10.0), ("b", 10.0)],
        ),
    ]
}

#[test]
fn everyone_gets_what_the_laws_say_under_both_schedulers() {
    for case in cases() {
        for (scheduler, calibration) in [("EEVDF", ideal()), ("CFS", ideal_cfs())] {
            let outcome = run(&plan(case.cores, "10s", case.platform, &case.tenants), &calibration);
            for &(name, expected) in case.expected {
                near(&format!("{} ({scheduler}): {name}", case.what), cpu_s(&outcome, name), expected, 0.02);
            }
        }
    }
}

#[test]
fn half_a_core_for_ten_threads_on_ten_cores_is_five_milliseconds_in_each_hundred() {
    let outcome = run(&plan(10, "20s", "cgroups", &hog("web", 10, "1h", "limit = \"500m\"")), &ideal());
    let throttled: u64 = outcome.timeline.throttles.iter().map(|one| one.end_ns - one.start_ns).sum();
    // Five milliseconds each is the mean: what a core overruns until its next tick (every 4 ms) it owes to the next period.
    near("stopped share of the time", throttled as f64 / 20e9, 0.95, 0.03);
    near("cpu", cpu_s(&outcome, "web"), 10.0, 0.02);
    assert!(tenant(&outcome, "web").throttled_periods >= Some(195));
}

#[test]
fn the_timeline_tells_the_same_as_the_report() {
    let tenants = [hog("a", 3, "2s", "limit = \"700m\""), hog("b", 2, "1h", "")].concat();
    let outcome = run(&plan(2, "6s", "cgroups", &tenants), &ideal());
    for (index, row) in outcome.report.tenants.iter().enumerate() {
        let own = outcome.timeline.slices.iter().filter(|slice| slice.tenant as usize == index);
        let ran: u64 = own.map(|slice| slice.end_ns - slice.start_ns).sum();
        assert_eq!(Some(ran as f64 / 1e9), row.cpu_s, "{}", row.name);
    }
    for core in 0..2 {
        let own: Vec<_> = outcome.timeline.slices.iter().filter(|slice| slice.core == core).collect();
        assert!(
            own.windows(2).all(|pair| pair[0].end_ns <= pair[1].start_ns),
            "core {core} runs one at a time"
        );
    }
    for period in &outcome.timeline.periods {
        // On each core a slice of 5 ms may be left from the period before, and what runs until the next tick is overrun.
        assert!(period.used_ns <= period.quota_ns + 2 * (5_000_000 + 4_000_000), "{period:?}");
    }
    let causes = outcome.timeline.trace.iter().enumerate();
    assert!(
        causes.filter_map(|(at, entry)| Some((at, entry.because?))).all(|(at, cause)| (cause as usize) < at)
    );
}

#[test]
fn a_phase_of_computing_ends_with_its_time() {
    let phases = "[[tenant]]\nname = \"a\"\nworkload = { phases = [ \
                  { kind = \"compute\", threads = 2, work = \"1h\", for = \"1s\" }, \
                  { kind = \"compute\", work = \"500ms\" } ] }\n";
    let outcome = run(&plan(1, "9s", "bare-metal", phases), &ideal());
    near("finish", tenant(&outcome, "a").finished_s.unwrap_or(f64::NAN), 1.5, 0.01);
    near("cpu", cpu_s(&outcome, "a"), 1.5, 0.01);
}

#[test]
fn work_ends_when_it_is_done() {
    let outcome = run(&plan(2, "1h", "bare-metal", &hog("a", 2, "3s", "")), &ideal());
    assert_eq!(outcome.report.elapsed_s, 1.5);
    assert_eq!(tenant(&outcome, "a").finished_s, Some(1.5));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let tenants = [
        hog("a", 3, "1h", "limit = \"400m\""),
        crate::common::server("s", "200/s", "2ms", "lognormal\", sigma = 1.0, note = \"", 2),
    ];
    let tenants = tenants.concat().replace(", note = \"\"", "");
    let plan = plan(2, "3s", "cgroups", &tenants);
    let once = || run(&plan, &ideal());
    assert_eq!(once(), once());
}
