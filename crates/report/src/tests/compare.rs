//! Rows and summaries, computed by hand.

use catamaran_scenario::Platform;

use super::{report, requests_ms};
use crate::compare::{
    AbsentRow, Group, Missing, Naive, Pair, PlatformComparison, Prediction, Row, compare, needs_more_trials,
};
use crate::report::{BackendKind, Report, Requests, StageRow};

/// 1 % of it is a floor of 0.2 s.
const DURATION_S: f64 = 20.0;

/// A pair about one tenant called `web`; `change` gets the simulated, the native and the two naive tenants in turn.
pub(super) fn pair(change: impl Fn(usize, &mut crate::report::TenantReport)) -> Pair {
    let side = |number, backend| {
        let mut report = report(backend, &[("web", 0)]);
        change(number, &mut report.tenants[0]);
        report
    };
    Pair {
        simulated: side(0, BackendKind::Simulated),
        redrawn: Vec::new(),
        native: side(1, BackendKind::Native),
        naive: Some(Naive { alone: side(2, BackendKind::Simulated), fluid: side(3, BackendKind::Simulated) }),
    }
}

fn comparison(pairs: &[Pair]) -> PlatformComparison {
    compare(Platform::Cgroups, DURATION_S, pairs)
}

fn row<'a>(comparison: &'a PlatformComparison, metric: &str) -> &'a Row {
    comparison.rows.iter().find(|row| row.metric == metric).unwrap_or_else(|| panic!("a row for {metric}"))
}

fn absent<'a>(comparison: &'a PlatformComparison, metric: &str) -> &'a AbsentRow {
    comparison.absent.iter().find(|row| row.metric == metric).unwrap_or_else(|| panic!("{metric} is absent"))
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12
}

fn completed(count: u64, latency_ms: u64) -> Requests {
    Requests::from_latencies_ns(count, 0, &mut vec![latency_ms * 1_000_000; count as usize])
}

#[test]
fn a_row_by_hand() {
    // Native values 2.2, 3.8, 1.8 s of waiting against 2.0 s simulated, floor 0.2 s: ratios 2.2/2.4, 2.2/4.0, 2.2/2.0.
    // The median is the first, ln(2.2/2.4) = −0.0870…
    let native = [2.2, 3.8, 1.8];
    let pairs: Vec<Pair> = native
        .iter()
        .map(|&seconds| pair(|side, tenant| tenant.waited_s = Some([2.0, seconds, 0.0, 5.0][side])))
        .collect();
    let comparison = comparison(&pairs);
    let row = row(&comparison, "waited_s");
    let logs = [(2.2_f64 / 2.4).ln(), (2.2_f64 / 4.0).ln(), (2.2_f64 / 2.0).ln()];
    assert!(close(row.error, -logs[0]), "{row:?}");
    // Halves of one and two: |l0 − (l1+l2)/2|, |l1 − (l0+l2)/2|, |l2 − (l0+l1)/2|, of which the middle one.
    let mut halves = [
        (logs[0] - logs[1].midpoint(logs[2])).abs(),
        (logs[1] - logs[0].midpoint(logs[2])).abs(),
        (logs[2] - logs[0].midpoint(logs[1])).abs(),
    ];
    halves.sort_by(f64::total_cmp);
    assert!(close(row.noise.unwrap(), halves[1]), "{row:?}");
    assert!(row.undecidable, "a noise of {:?} is more than 0.10", row.noise);
    assert_eq!((row.simulated, row.native, row.pairs), (2.0, 2.2, 3));
    assert_eq!(row.excess, Some(0.0));
    assert!(close(row.alone_error.unwrap(), (2.4_f64 / 0.2).ln()), "{row:?}");
    assert!(close(row.fluid_error.unwrap(), (5.2_f64 / 2.4).ln()), "{row:?}");
    assert_eq!((row.group, row.within), (Group::Judged, None));
}

#[test]
fn floors_by_unit() {
    let pairs = [pair(|side, tenant| {
        let simulated = side == 0;
        let pick = |s: f64, r: f64| if simulated { s } else { r };
        tenant.requests = Some(completed(20_000, if simulated { 10 } else { 20 }));
        tenant.throttled_s = Some(pick(0.0, 0.3));
        tenant.throttled_periods = Some(pick(0.0, 3.0) as u64);
        tenant.memory_peak_bytes = Some(pick(0.0, 1_048_576.0) as u64);
        tenant.throughput_per_s = Some(pick(0.0, 0.05));
        tenant.startup_s = Some(pick(0.001, 0.201));
        tenant.oom_kills = Some(0);
    })];
    let comparison = comparison(&pairs);
    let table: [(&str, f64); 8] = [
        ("latency_s.p99", 20.2 / 10.2), // 0.2 ms
        ("latency_s.p50", 20.2 / 10.2), // 0.2 ms
        ("throttled_s", 0.5 / 0.2),     // 1 % of 20 s
        ("startup_s", 0.401 / 0.201),   // 1 % of 20 s
        ("throttled_periods", 4.0),     // 1
        ("memory_peak_bytes", 2.0),     // 1 MiB
        ("throughput_per_s", 2.0),      // one in 20 s
        ("oom_kills", 1.0),             // both 0: no error
    ];
    for (metric, ratio) in table {
        let row = row(&comparison, metric);
        assert!(close(row.error, ratio.ln()), "{metric}: {} against ln {ratio}", row.error);
    }
}

#[test]
fn one_pair_has_no_noise_and_so_no_excess() {
    let comparison =
        comparison(&[pair(|side, tenant| tenant.finished_s = Some([10.0, 11.0, 9.0, 9.0][side]))]);
    let row = row(&comparison, "finished_s");
    assert_eq!((row.noise, row.excess, row.undecidable), (None, None, false));
    assert_eq!(comparison.summary.median_excess, None);
}

#[test]
fn groups() {
    let pairs = [pair(|side, tenant| {
        tenant.requests = Some(completed(20_000, 5));
        tenant.cpu_s = Some([3.0, 3.1, 3.0, 3.0][side]);
        tenant.throughput_per_s = Some(1000.0);
        tenant.turns = Some(1e9);
        tenant.restarts = Some(0);
        tenant.stolen_s = Some(0.0);
    })];
    let server = comparison(&pairs);
    let of = |comparison: &PlatformComparison, group| -> Vec<String> {
        let rows = comparison.rows.iter().filter(|row| row.group == group);
        rows.map(|row| row.metric.clone()).collect()
    };
    assert_eq!(of(&server, Group::Conserved), ["throughput_per_s", "requests.completed", "cpu_s"]);
    assert_eq!(of(&server, Group::Judged), ["latency_s.p50", "latency_s.p95", "latency_s.p99"]);
    // ln(3.3/3.2) = 0.031 is beyond 2 %.
    assert_eq!(
        (row(&server, "cpu_s").within, row(&server, "throughput_per_s").within),
        (Some(false), Some(true))
    );
    assert_eq!(server.summary.conserved_beyond_limit, 1);
    let hog = comparison(&[pair(|_, tenant| tenant.cpu_s = Some(3.0))]);
    assert_eq!(of(&hog, Group::Judged), ["cpu_s"], "what a competing tenant gets is the scheduler's doing");
}

#[test]
fn quantiles_need_requests() {
    let table: [(u64, &[&str]); 4] = [
        (99, &[]),
        (100, &["latency_s.p50"]),
        (1_000, &["latency_s.p50", "latency_s.p95"]),
        (10_000, &["latency_s.p50", "latency_s.p95", "latency_s.p99"]),
    ];
    for (count, expected) in table {
        let comparison = comparison(&[pair(|side, tenant| {
            // The machine's count decides: a model that completes too few must not escape by it.
            tenant.requests = Some(completed(if side == 0 { 50 } else { count }, 5));
        })]);
        let latencies: Vec<&str> = comparison
            .rows
            .iter()
            .map(|row| row.metric.as_str())
            .filter(|metric| metric.starts_with("latency"))
            .collect();
        assert_eq!(latencies, expected, "{count} requests");
    }
    let few = comparison(&[pair(|_, tenant| tenant.requests = Some(completed(99, 5)))]);
    let absent = absent(&few, "latency_s.p99");
    assert_eq!(absent.missing, Missing::Requests);
    assert_eq!(absent.reason, "99 completed requests; it is judged from 10000 on");
}

#[test]
fn what_a_side_lacks_is_listed_with_its_reason() {
    let pairs: Vec<Pair> = (0..4)
        .map(|trial| {
            pair(|side, tenant| {
                tenant.explain_absence("throttled_s", "the platform has no limits");
                tenant.explain_absence("waited_s", ["not modelled", "no schedstat", "", ""][side]);
                tenant.explain_absence("finished_s", "still running at the end");
                tenant.finished_s = (side == 0 || trial == 3).then_some(19.5);
                tenant.startup_s = (side == 1 || trial > 1).then_some(0.1);
                tenant.explain_absence("startup_s", "not modelled");
                tenant.requests = Some(requests_ms(&[]));
            })
        })
        .collect();
    let comparison = comparison(&pairs);
    let table = [
        ("throttled_s", Missing::Both, "the platform has no limits"),
        ("waited_s", Missing::Both, "simulated: not modelled; native: no schedstat"),
        ("finished_s", Missing::Native, "still running at the end (in 3 of 4 trials)"),
        ("latency_s.p50", Missing::Both, "no request was completed"),
        ("cpu_s", Missing::Both, "the report gives no reason"),
    ];
    for (metric, missing, reason) in table {
        let row = absent(&comparison, metric);
        assert_eq!((row.missing, row.reason.as_str()), (missing, reason), "{metric}");
    }
    assert_eq!(row(&comparison, "startup_s").pairs, 2, "half of the pairs are enough");
}

#[test]
fn summary_of_four_rows() {
    // Seven equal pairs have no noise: the excess is the error. Floors are 0.2 s (times) and 1 (counts).
    let pairs = vec![
        pair(|side, tenant| {
            tenant.waited_s = Some([1.0, 1.0, 2.2, 0.0][side]); // e 0, alone ln 2, fluid ln 6
            tenant.throttled_s = Some([0.4, 0.1, 0.4, 0.1][side]); // e ln 2, alone ln 2, fluid 0
            tenant.throttled_periods = Some([7, 1, 31, 1][side]); // e ln 4, alone ln 16, fluid 0
            tenant.oom_kills = Some(0); // nothing happened: e 0
            // The naive predictions know nothing of a start-up: that row does not count for the skill.
            tenant.startup_s = (side < 2).then_some([0.4, 0.1][side % 2]); // e ln 2
        });
        7
    ];
    let summary = comparison(&pairs).summary;
    let ln2 = 2_f64.ln();
    assert_eq!((summary.judged_rows, summary.undecidable_rows, summary.zero_rows), (5, 0, 1));
    // Excesses 0, 0, ln 2, ln 2, ln 4.
    assert!(close(summary.median_excess.unwrap(), ln2));
    assert!(close(summary.p90_excess.unwrap(), 2.0 * ln2));
    assert!(close(summary.worst_excess.unwrap(), 2.0 * ln2));
    // Σe = 3 ln 2; alone 6 ln 2, fluid ln 6 = 2.58 ln 2, which is the better one.
    assert_eq!(summary.skill_against, Some(Prediction::Fluid));
    assert!(close(summary.skill.unwrap(), 1.0 - 3.0 * ln2 / 6_f64.ln()));
}

#[test]
fn undecidable_rows_are_counted_and_left_out() {
    let native = [0.1, 3.0, 0.2, 5.0, 0.3, 7.0, 0.4];
    let pairs: Vec<Pair> = native
        .iter()
        .map(|&seconds| {
            pair(|side, tenant| {
                tenant.waited_s = Some([50.0, seconds, 50.0, 50.0][side]);
                tenant.cpu_s = Some([4.0, 4.2, 9.0, 9.0][side]);
            })
        })
        .collect();
    let comparison = comparison(&pairs);
    assert!(row(&comparison, "waited_s").undecidable);
    assert_eq!((comparison.summary.judged_rows, comparison.summary.undecidable_rows), (2, 1));
    assert!(close(comparison.summary.worst_excess.unwrap(), (4.4_f64 / 4.2).ln()), "cpu_s alone is left");
    assert!(needs_more_trials(&comparison, 7) && needs_more_trials(&comparison, 20));
    assert!(!needs_more_trials(&comparison, 21), "no more than 21");
}

#[test]
fn disturbed_trials_are_discarded_and_made_good() {
    let mut pairs = vec![pair(|_, tenant| tenant.cpu_s = Some(1.0)); 8];
    pairs[2].native.host.steal = Some(0.02);
    pairs[3].native.host.steal = Some(0.01);
    pairs[4].native.host.steal = None;
    pairs[5].native.host.others = Some(0.01);
    pairs[6].native.host.others = Some(0.011);
    let seven = comparison(&pairs[..7]);
    assert_eq!((seven.summary.discarded_trials, seven.native.len()), (2, 5));
    assert!(needs_more_trials(&seven, 7), "five are left");
    pairs.push(pairs[0].clone());
    assert!(!needs_more_trials(&comparison(&pairs), 9));
    for pair in &mut pairs {
        pair.native.host.steal = Some(0.5);
    }
    let none = comparison(&pairs);
    assert_eq!((none.rows.len(), none.summary.skill, &none.simulated), (0, None, &None));
    assert!(needs_more_trials(&none, 20) && !needs_more_trials(&none, 21));
}

#[test]
fn what_the_model_says_of_a_trial_is_the_median_over_its_dice() {
    let mut one = pair(|_, tenant| tenant.cpu_s = Some(2.0));
    for cpu_s in [1.0, 1.5, 9.0, 8.0] {
        let mut other = one.simulated.clone();
        other.tenants[0].cpu_s = Some(cpu_s);
        one.redrawn.push(other);
    }
    let rows = comparison(&[one]).rows;
    assert_eq!(rows.iter().find(|row| row.metric == "cpu_s").map(|row| row.simulated), Some(2.0));
}

#[test]
fn the_simulation_shown_is_the_one_at_the_median_speed() {
    let speeds = [3.0, 1.0, 2.0];
    let pairs: Vec<Pair> = speeds
        .iter()
        .map(|&speed| {
            let mut pair = pair(|_, tenant| tenant.cpu_s = Some(1.0));
            pair.native.host.turns_per_cpu_s = Some(speed);
            pair.simulated.host.turns_per_cpu_s = Some(speed);
            pair
        })
        .collect();
    assert_eq!(comparison(&pairs).simulated.unwrap().host.turns_per_cpu_s, Some(2.0));
}

#[test]
fn replicas_are_rows_of_their_own_and_a_stranger_is_named() {
    let mut pair = pair(|_, _| ());
    pair.simulated = report(BackendKind::Simulated, &[("web", 0), ("web", 1)]);
    pair.native = report(BackendKind::Native, &[("web", 0), ("web", 1), ("late", 0)]);
    for (replica, cpu_s) in [(0, 1.0), (1, 2.0)] {
        pair.simulated.tenants[replica].cpu_s = Some(cpu_s);
        pair.native.tenants[replica].cpu_s = Some(cpu_s);
    }
    pair.native.tenants[2].cpu_s = Some(3.0);
    let comparison = comparison(&[pair]);
    let rows: Vec<_> = comparison.rows.iter().map(|row| (row.replica, row.native)).collect();
    assert_eq!(rows, [(0, 1.0), (1, 2.0)]);
    let stranger =
        comparison.absent.iter().find(|row| row.tenant == "late" && row.metric == "cpu_s").unwrap();
    assert_eq!(
        (stranger.missing, stranger.reason.as_str()),
        (Missing::Simulated, "the report has no such tenant")
    );
}

#[test]
fn the_json_has_the_shape_of_the_contract() {
    let comparison = comparison(&vec![pair(|_, tenant| tenant.cpu_s = Some(1.0)); 7]);
    let json = serde_json::to_value(&comparison).unwrap();
    for key in ["platform", "rows", "summary", "simulated", "native"] {
        assert!(json.get(key).is_some(), "{key}");
    }
    let row = &json["rows"][0];
    for key in [
        "tenant",
        "replica",
        "metric",
        "group",
        "simulated",
        "native",
        "error",
        "noise",
        "excess",
        "undecidable",
    ] {
        assert!(row.get(key).is_some(), "rows[].{key}");
    }
    for key in
        ["median_excess", "p90_excess", "worst_excess", "skill", "undecidable_rows", "discarded_trials"]
    {
        assert!(json["summary"].get(key).is_some(), "summary.{key}");
    }
    assert_eq!((row["group"].as_str(), json["platform"].as_str()), (Some("judged"), Some("cgroups")));
    assert_eq!(json["native"].as_array().map(Vec::len), Some(7));
    let back: PlatformComparison = serde_json::from_value(json).unwrap();
    assert_eq!(back, comparison);
    let native: &Report = &back.native[0];
    assert_eq!(native.backend, BackendKind::Native);
}

#[test]
fn stages_are_compared_by_the_medians_of_their_lengths() {
    let stage = |name: &str, start_s: f64, end_s: f64| StageRow::measured(name, "guest", start_s, end_s);
    // Native kernels take 2, 4, 3 s; the last trial never came to its init, and the model knows of none.
    let native = [
        vec![stage("vmm", 0.0, 1.0), stage("kernel", 1.0, 3.0), stage("init", 3.0, 3.5)],
        vec![stage("vmm", 0.0, 1.0), stage("kernel", 1.0, 5.0), stage("init", 5.0, 5.5)],
        vec![stage("vmm", 0.0, 2.0), stage("kernel", 2.0, 5.0)],
    ];
    let model = [stage("vmm", 0.0, 1.0), stage("kernel", 1.0, 2.5)];
    let pairs: Vec<Pair> = native
        .iter()
        .map(|stages| {
            pair(|side, tenant| {
                tenant.startup_stages = if side == 1 { stages.clone() } else { model.to_vec() };
            })
        })
        .collect();
    let found = comparison(&pairs).stages;
    let figures: Vec<_> = found
        .iter()
        .map(|one| (one.name.as_str(), one.simulated_s, one.native_s, one.ratio, one.starts))
        .collect();
    assert_eq!(
        figures,
        [
            ("vmm", Some(1.0), 1.0, Some(1.0), 3),
            ("kernel", Some(1.5), 3.0, Some(0.5), 3),
            ("init", None, 0.5, None, 2)
        ]
    );
}
