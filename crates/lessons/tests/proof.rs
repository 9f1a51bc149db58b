//! The check of a goal and the proof of a lesson, with a simulator made up for the purpose: what they conclude from metrics
//! does not depend on who found them. (The lessons themselves are proved with the real simulator in `tests/`.)

#![expect(clippy::unwrap_used, reason = "tests say what they expect by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use catamaran_lessons::{Found, Lesson, Lookup, Problem, Prover, Recorded, check, find};
use catamaran_scenario::edit::set;
use catamaran_scenario::{Lang, Plan, Platform};

fn cgroups() -> &'static Lesson {
    find("cgroups").unwrap()
}

fn plan(changes: &[(&str, &str)]) -> Plan {
    let start = cgroups().scenario().to_owned();
    let text = changes.iter().fold(start, |text, (path, value)| set(&text, path, value).unwrap());
    Plan::from_toml(&text, "scenario.toml").unwrap()
}

#[test]
fn a_goal_lets_the_controls_be_turned_and_nothing_else() {
    type Edit = (&'static str, &'static str);
    let table: [(&[Edit], &[&str]); 16] = [
        (&[], &[]),
        (&[("tenant.web.cpu.period", "20ms")], &[]),
        (&[("tenant.web.cpu.burst", "40ms"), ("tenant.web.workload.threads", "2")], &[]),
        (&[("tenant.web.cpu.limit", "300m")], &[]),
        (&[("tenant.web.cpu.limit", "0.4")], &[]),
        (&[("name", "mine")], &[]),
        (&[("tenant.web.cpu.request", "200m")], &["tenant.web.cpu.request must stay"]),
        (&[("tenant.web.cpu.limit", "500m")], &["Limit of web (tenant.web.cpu.limit) must not be larger"]),
        (
            &[("tenant.batch.workload.threads", "1")],
            &["Threads of batch (tenant.batch.workload.threads) must stay"],
        ),
        (&[("tenant.batch.cpu.period", "20ms")], &["tenant.batch.cpu.period must stay"]),
        (&[("tenant.web.workload.arrivals.rate", "9/s")], &["tenant.web.workload.arrivals.rate must stay"]),
        (&[("tenant.web.workload.service.cpu", "1ms")], &["tenant.web.workload.service.cpu must stay"]),
        (&[("host.cores", "4")], &["host.cores must stay"]),
        (&[("seed", "8")], &["seed must stay"]),
        (&[("tenant.web.pids.limit", "9")], &["tenant.web.pids.limit must stay"]),
        (&[("platform.cgroups.hz", "1000")], &["platform.cgroups"]),
    ];
    for (changes, expected) in table {
        let now = plan(changes);
        let verdict = cgroups().check_goal(&plan(&[]), &now, &BTreeSet::new(), &|_| Some(0.030));
        let broken: Vec<String> = verdict.broken.iter().map(|rule| rule.text(Lang::En)).collect();
        assert_eq!(broken.is_empty(), expected.is_empty(), "{changes:?}: {broken:?}");
        for part in expected {
            assert!(broken.iter().any(|rule| rule.contains(part)), "{changes:?}: {broken:?} lacks {part:?}");
        }
        assert_eq!(verdict.passed(), expected.is_empty(), "{changes:?}");
    }
}

#[test]
fn a_goal_is_met_where_its_metric_is_known_and_within_the_bound() {
    for (p99_s, held) in [(Some(0.059), true), (Some(0.060), false), (Some(0.120), false), (None, false)] {
        let start = plan(&[]);
        let verdict = cgroups().check_goal(&start, &start, &BTreeSet::new(), &|path| {
            p99_s.filter(|_| path == "tenant.web.latency_s.p99")
        });
        assert_eq!(verdict.passed(), held, "{p99_s:?}");
        assert_eq!(verdict.conditions.iter().map(|found| found.value).collect::<Vec<_>>(), [p99_s]);
    }
}

/// Answers 50 ms of CPU time for each 100 ms, and a p99 that depends on the savings alone.
struct Invented {
    p99_s: fn(bool) -> f64,
    absent: &'static str,
    refuse: bool,
    unsaid: &'static str,
}

const SOUND: Invented =
    Invented { p99_s: |saves| if saves { 0.050 } else { 0.110 }, absent: "", refuse: false, unsaid: "" };

impl Prover for Invented {
    fn simulate(&mut self, plan: &Plan, _: Platform) -> Result<Lookup, String> {
        if self.refuse {
            return Err("the simulator cannot do this".to_owned());
        }
        let saves = plan.tenants().iter().any(|tenant| tenant.cpu.burst.0 > 0);
        let (p99_s, absent) = ((self.p99_s)(saves), self.absent);
        let elapsed_s = plan.duration().seconds();
        Ok(Box::new(move |path| match path {
            path if path == absent => None,
            "elapsed_s" => Some(elapsed_s),
            "tenant.batch.cpu_s" => Some(elapsed_s / 2.0),
            "tenant.batch.throttled_s" => Some(elapsed_s * 9.5),
            "tenant.web.cpu_s" => Some(elapsed_s / 5.0),
            "tenant.web.throttled_periods" => Some(12.0),
            "tenant.web.latency_s.p99" => Some(p99_s),
            _ => None,
        }))
    }

    fn command(&mut self, words: &[&str]) -> Result<(), String> {
        if words.contains(&"compare") { Ok(()) } else { Err("unknown command".to_owned()) }
    }

    fn recorded(&mut self, text: &str) -> Result<Vec<Recorded>, String> {
        let mut machine: BTreeMap<_, _> =
            ["cpu", "date", "kernel"].map(|fact| (fact.to_owned(), "x".to_owned())).into();
        machine.remove(self.unsaid);
        let digest = if text.contains("of another") { "other".to_owned() } else { plan(&[]).digest() };
        Ok(vec![Recorded {
            native: !text.contains("simulated"),
            platform: Platform::Cgroups,
            digest,
            machine,
        }])
    }
}

#[test]
fn a_proof_says_where_a_lesson_is_wrong() {
    let table: [(Invented, &str, &str); 6] = [
        (SOUND, "", ""),
        (Invented { p99_s: |_| 0.030, ..SOUND }, "lesson.toml, goal", "the start meets the goal already"),
        (Invented { p99_s: |_| 0.110, ..SOUND }, "lesson.toml, solution", "the goal is not met with it"),
        (Invented { absent: "tenant.web.throttled_periods", ..SOUND }, "ko.md, why", "a figure is unknown"),
        (
            Invented { absent: "tenant.batch.throttled_s", ..SOUND },
            "lesson.toml, bet stopped",
            "the answer is unknown",
        ),
        (Invented { refuse: true, ..SOUND }, "ten-cores.toml", "the simulator cannot do this"),
    ];
    for (mut prover, place, what) in table {
        let problems = check(cgroups(), &mut prover);
        let found = problems.iter().any(|problem| problem.place == place && problem.what.contains(what));
        assert_eq!(found, !place.is_empty(), "{place}: {what}: {problems:?}");
        assert_eq!(problems.is_empty(), place.is_empty(), "{problems:?}");
    }
    let problem =
        Problem { lesson: "cgroups", place: "ko.md, why".into(), what: "a figure is unknown".into() };
    assert_eq!(problem.to_string(), "crates/lessons/cgroups/ko.md, why: a figure is unknown");
}

#[test]
fn a_recorded_run_is_native_of_this_scenario_and_says_where_and_when() {
    let table = [
        ("a run", "", ""),
        ("simulated", "", "a report in it is simulated"),
        ("of another", "", "a report in it is of another scenario"),
        ("a run", "date", "does not say the machine's date"),
    ];
    for (text, unsaid, what) in table {
        let mut lesson = *cgroups();
        lesson.recorded = Some(text);
        let lesson: &'static Lesson = Box::leak(Box::new(lesson));
        let problems = check(lesson, &mut Invented { unsaid, ..SOUND });
        let found = problems.iter().any(|problem| problem.what.contains(what));
        assert_eq!((found, problems.is_empty()), (!what.is_empty(), what.is_empty()), "{text}: {problems:?}");
    }
}

#[test]
fn what_is_to_be_found_is_marked_and_nothing_else() {
    let chroot = find("chroot").unwrap();
    let start = Plan::from_toml(chroot.scenario(), "scenario.toml").unwrap();
    // By this model the network and the host name leak.
    let metric = |path: &str| {
        let leaks =
            ["tenant.app.sees.network.host", "tenant.app.sees.host-name.host", "tenant.app.sees.mount.some"];
        Some(f64::from(u8::from(leaks.contains(&path))))
    };
    let table: [(&[&str], (usize, usize), bool); 5] = [
        (&[], (0, 0), false),
        (&["network"], (1, 0), false),
        (&["network", "files"], (1, 1), false),
        (&["network", "host-name"], (2, 0), true),
        (&["network", "host-name", "processes"], (2, 1), false),
    ];
    for (marked, (right, wrong), passed) in table {
        let marked: BTreeSet<String> = marked.iter().map(|id| (*id).to_owned()).collect();
        let verdict = chroot.check_goal(&start, &start, &marked, &metric);
        assert_eq!(verdict.found, Some(Found { all: 2, right, wrong }), "{marked:?}");
        assert_eq!(verdict.passed(), passed, "{marked:?}");
    }
}

#[test]
fn a_base_that_fits_is_to_be_chosen_for_each_need() {
    let lesson = find("distributions").unwrap();
    let start = Plan::from_toml(lesson.scenario(), "scenario.toml").unwrap();
    let table: [(&[&str], (usize, usize), bool); 5] = [
        (&[], (0, 0), false),
        (&["ten-years=alma", "smallest=alpine"], (2, 0), false),
        (&["ten-years=rhel", "smallest=alpine", "glibc=debian"], (2, 1), false),
        (&["ten-years=alma", "smallest=alpine", "glibc=debian"], (3, 0), true),
        (&["ten-years=rocky", "smallest=alpine", "glibc=ubuntu"], (3, 0), true),
    ];
    for (marked, (right, wrong), passed) in table {
        let marked: BTreeSet<String> = marked.iter().map(|mark| (*mark).to_owned()).collect();
        let verdict = lesson.check_goal(&start, &start, &marked, &|_| None);
        assert_eq!(verdict.picked, Some(Found { all: 3, right, wrong }), "{marked:?}");
        assert_eq!(verdict.passed(), passed, "{marked:?}");
    }
}

#[test]
fn a_condition_may_be_a_formula_and_is_unknown_where_a_part_is() {
    let lesson = find("overcommit-steal").unwrap();
    let start = Plan::from_toml(lesson.scenario(), "scenario.toml").unwrap();
    for (stolen_s, value, held) in
        [(Some(0.4), Some(0.04), true), (Some(0.5), Some(0.05), false), (None, None, false)]
    {
        let verdict = lesson.check_goal(&start, &start, &BTreeSet::new(), &|path| match path {
            "tenants.greatest.stolen_s" => stolen_s,
            "elapsed_s" => Some(10.0),
            _ => Some(200.0),
        });
        let steal = verdict.conditions[1];
        assert_eq!((steal.value, steal.held, verdict.passed()), (value, held, held), "{stolen_s:?}");
    }
}
