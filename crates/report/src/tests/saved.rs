use catamaran_scenario::Platform;

use super::report;
use crate::compare::{Saved, saved};
use crate::report::{BackendKind, Report};

fn run(backend: BackendKind, platform: Platform, cpu_s: f64) -> Report {
    let mut report = report(backend, &[("batch", 0)]);
    report.platform = platform;
    report.tenants[0].cpu_s = Some(cpu_s);
    report
}

const MODEL: BackendKind = BackendKind::Simulated;
const MACHINE: BackendKind = BackendKind::Native;

#[test]
fn a_simulated_and_a_native_run_in_either_order() {
    let simulated = [run(MODEL, Platform::Cgroups, 4.0)];
    let native = [run(MACHINE, Platform::Cgroups, 5.0)];
    for (first, second) in [(&simulated, &native), (&native, &simulated)] {
        let answers = saved(first, second).unwrap();
        let [Saved::ModelAndMachine(comparison)] = answers.as_slice() else { panic!("{answers:?}") };
        let row = &comparison.rows[0];
        assert_eq!((row.metric.as_str(), row.simulated, row.native), ("cpu_s", 4.0, 5.0));
        assert!((row.error - (5.2_f64 / 4.2).ln()).abs() < 1e-12, "floor 1 % of 20 s");
    }
}

#[test]
fn several_platforms_and_trials() {
    let simulated = [run(MODEL, Platform::BareMetal, 4.0), run(MODEL, Platform::Cgroups, 2.0)];
    let native = [
        run(MACHINE, Platform::Cgroups, 2.0),
        run(MACHINE, Platform::Cgroups, 3.0),
        run(MACHINE, Platform::Cgroups, 4.0),
        run(MACHINE, Platform::Namespaces, 9.0),
    ];
    let answers = saved(&simulated, &native).unwrap();
    let [Saved::ModelAndMachine(comparison)] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!(comparison.platform, Platform::Cgroups);
    assert_eq!((comparison.rows[0].pairs, comparison.rows[0].native), (3, 3.0));
}

#[test]
fn two_native_runs_differ() {
    let before = [run(MACHINE, Platform::Runc, 4.0)];
    let mut after = [run(MACHINE, Platform::Crun, 5.0)];
    after[0].tenants[0].oom_kills = Some(1);
    let answers = saved(&before, &after).unwrap();
    let [Saved::TwoRuns(difference)] = answers.as_slice() else { panic!("{answers:?}") };
    let rows: Vec<_> = difference
        .rows
        .iter()
        .map(|row| (row.metric.as_str(), row.first, row.second, row.difference))
        .collect();
    assert_eq!(
        rows,
        [("cpu_s", Some(4.0), Some(5.0), Some(libm::log(5.2 / 4.2))), ("oom_kills", None, Some(1.0), None)]
    );
    assert_eq!((difference.first.platform, difference.second.platform), (Platform::Runc, Platform::Crun));
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let one = [run(MODEL, Platform::Cgroups, 4.0)];
    let mut other = [run(MACHINE, Platform::Cgroups, 4.0)];
    other[0].identity.scenario_digest = "f00d".into();
    let error = saved(&one, &other).unwrap_err().to_string();
    assert_eq!(
        error,
        "the reports are of different scenarios: two-tenants (digest 5ca1ab1e) and two-tenants (digest f00d); \
         compare runs of one and the same scenario file"
    );
    let elsewhere = [run(MACHINE, Platform::Runc, 4.0), run(MACHINE, Platform::Crun, 4.0)];
    let error = saved(&one, &elsewhere).unwrap_err().to_string();
    assert!(
        error.starts_with("the reports have no platform in common: cgroups against runc, crun;"),
        "{error}"
    );
    let error = saved(&one, &[]).unwrap_err().to_string();
    assert!(error.contains("cgroups against no report"), "{error}");
}

#[test]
fn a_disturbed_trial_is_compared_where_there_is_no_other() {
    let mut native = report(BackendKind::Native, &[("web", 0)]);
    native.tenants[0].cpu_s = Some(5.0);
    native.host.others = Some(0.4);
    let mut simulated = report(BackendKind::Simulated, &[("web", 0)]);
    simulated.tenants[0].cpu_s = Some(4.0);
    for (trials, rows, discarded) in
        [(vec![native.clone()], 1, 0), (vec![native.clone(), undisturbed(&native)], 1, 1)]
    {
        let Ok(answers) = saved(&[simulated.clone()], &trials) else { panic!("they belong together") };
        let [Saved::ModelAndMachine(comparison)] = answers.as_slice() else { panic!("{answers:?}") };
        assert_eq!((comparison.rows.len(), comparison.summary.discarded_trials), (rows, discarded));
    }
}

fn undisturbed(report: &Report) -> Report {
    let mut report = report.clone();
    report.host.others = Some(0.0);
    report.trial = 1;
    report
}
