//! "Why?" for every shipped scenario: it is answered in both languages, from figures that are there, and the setting in which
//! an answer ends helps when it is changed as the answer says.

#![allow(clippy::panic, reason = "helpers of tests panic as tests do")]

use catamaran_report::why::{Advice, Answer, Change, Facts, Question, answer, measure, questions};
use catamaran_report::{RunError, words};
use catamaran_scenario::plan::{Action, Event};
use catamaran_scenario::{Calibration, Lang, Plan, Platform, edit};
use catamaran_sim::{Options, Outcome, simulate};
use catamaran_tests::shipped::{self, Shipped};

/// None where the simulator refuses the scenario on that platform, by name.
fn simulated(plan: &Plan, platform: Platform) -> Option<Outcome> {
    let options = Options { timeline: true, ..Options::default() };
    match simulate(plan, platform, &Calibration::reference(), &options) {
        Ok(outcome) => Some(outcome),
        Err(RunError::Unsupported { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

fn parsed(shipped: &Shipped, text: &str) -> Plan {
    Plan::from_toml(text, shipped.key).unwrap_or_else(|error| panic!("{}: {error}\n{text}", shipped.key))
}

/// A quantity and its unit.
fn amount(value: &str) -> (f64, &str) {
    let unit = value.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(value.len());
    (value[..unit].parse().unwrap_or_else(|_| panic!("{value} is no quantity")), &value[unit..])
}

/// The text with the setting changed as the advice says: to twice as much, half as much, or that value.
fn changed(text: &str, Advice { path, change }: &Advice) -> String {
    let now = edit::get(text, path).unwrap_or_else(|error| panic!("{error}"));
    let times = |factor: f64| {
        let value = now.clone().unwrap_or_else(|| panic!("{path} has no value to be {factor} times of"));
        let (number, unit) = amount(&value);
        let whole = unit.is_empty() && number.fract() == 0.0;
        let scaled = number * factor;
        if whole && !path.ends_with("cpu.limit") {
            format!("{}", scaled.ceil())
        } else {
            format!("{scaled}{unit}")
        }
    };
    let value = match change {
        Change::Raise => times(2.0),
        // Where there is none yet, any is lower.
        Change::Lower if now.is_none() && path.ends_with("cpu.limit") => request(text, path),
        Change::Lower if now.is_none() && path.ends_with("memory.limit") => "64MiB".to_owned(),
        Change::Lower => times(0.5),
        Change::Set(value) => value.clone(),
    };
    edit::set(text, path, &value).unwrap_or_else(|error| panic!("{error}"))
}

/// The figures of the plan's own are in no sentence, and no sentence has a hole.
fn speaks(answer: &Answer, what: &str) {
    for &lang in Lang::ALL {
        let sentences = words::why(lang, answer);
        println!("{what} ({}): {}", lang.code(), sentences.join(" "));
        assert!(sentences.len() >= 2, "{what}: {sentences:?}");
        for sentence in &sentences {
            let broken = ["NaN", "inf", "null", "None", "{", "  "].iter().any(|hole| sentence.contains(hole));
            assert!(!broken && sentence.ends_with('.'), "{what}: {sentence}");
        }
        let told = words::told(lang, answer);
        let names = |sentence: &str, advice: &Option<Advice>| {
            advice.as_ref().is_none_or(|advice| sentence.contains(advice.path.as_str()))
        };
        assert!(names(&told.advice, &answer.advice), "{what}: {told:?}");
        assert_eq!(told.otherwise.is_some(), answer.otherwise.is_some(), "{what}: {told:?}");
        assert!(names(told.otherwise.as_deref().unwrap_or_default(), &answer.otherwise), "{what}: {told:?}");
    }
}

/// The parts of a latency are all of it.
fn adds_up(answer: &Answer, what: &str) {
    if let Facts::Late(late) = &answer.facts {
        let parts = late.parts;
        let peer_ns = late.peer.as_ref().map_or(0, catamaran_report::why::Peer::sum_ns);
        let own_ns = parts.behind_ns
            + parts.still_ns
            + parts.throttled_ns
            + parts.stolen_ns
            + parts.waited_ns
            + parts.ran_ns
            + parts.disk_ns
            + parts.not_cached_ns
            + parts.copied_ns;
        let sum = own_ns + peer_ns;
        assert_eq!(sum, late.latency_ns, "{what}: {late:?}");
        assert!(parts.ran_ns > 0, "{what}: it was answered without running: {late:?}");
    }
}

/// The least limit that the scenario takes: what the tenant requests, if it does.
fn request(text: &str, path: &str) -> String {
    let request =
        edit::get(text, &path.replace("limit", "request")).unwrap_or_else(|error| panic!("{error}"));
    request.unwrap_or_else(|| "200m".to_owned())
}

/// What the advice is to lower, before and after.
fn helps(
    shipped: &Shipped,
    plan: &Plan,
    before: &Outcome,
    question: Question,
    advice: &Advice,
) -> (f64, f64) {
    let text = changed(shipped.text, advice);
    let better = parsed(shipped, &text);
    let platform = if advice.path == "platforms" { better.platforms()[0] } else { before.report.platform };
    let after =
        simulated(&better, platform).unwrap_or_else(|| panic!("{}: refused with {advice:?}", shipped.key));
    let of = |plan: &Plan, outcome: &Outcome| measure(plan, &outcome.report, question);
    let figure = |figure: Option<f64>| figure.unwrap_or(f64::NAN);
    (figure(of(plan, before)), figure(of(&better, &after)))
}

#[test]
fn every_shipped_scenario_answers_why_and_what_it_advises_helps() {
    let mut faults = Vec::new();
    let (mut asked, mut others) = ([0; 6], 0);
    for shipped in shipped::ALL {
        let plan = parsed(shipped, shipped.text);
        for &platform in plan.platforms() {
            let Some(outcome) = simulated(&plan, platform) else { continue };
            for question in questions(&outcome.report, &outcome.timeline) {
                let what = format!("{} on {platform}, {question:?}", shipped.key);
                let answer = answer(&plan, &outcome.report, &outcome.timeline, question)
                    .unwrap_or_else(|| panic!("{what}: no answer"));
                let kind = match question {
                    Question::Late { .. } => 0,
                    Question::Killed { .. } => 1,
                    Question::Slow { .. } => 2,
                    Question::Throttled { .. } => 3,
                    Question::Waited { .. } => 4,
                    Question::Refused { .. } => 5,
                };
                asked[kind] += 1;
                speaks(&answer, &what);
                adds_up(&answer, &what);
                let Some(advice) = &answer.advice else {
                    let moves = |event: &Event| matches!(event.action, Action::Migrate { .. });
                    let fastest = platform == Platform::BareMetal
                        || !plan.images().is_empty()
                        || plan.events().iter().any(moves);
                    assert!(kind == 2 && fastest, "{what}: nothing is advised");
                    continue;
                };
                others += usize::from(answer.otherwise.is_some());
                for advice in [advice].into_iter().chain(&answer.otherwise) {
                    let (before, after) = helps(shipped, &plan, &outcome, question, advice);
                    println!("{what}: {advice:?}: {before} s, then {after} s");
                    if after.is_nan() || after >= before {
                        faults.push(format!("{what}: {advice:?}: {before} s, then {after} s"));
                    }
                }
            }
        }
    }
    assert!(asked.iter().all(|count| *count > 0) && others > 0, "{asked:?}, {others}");
    assert!(faults.is_empty(), "{} that do not help:\n{}", faults.len(), faults.join("\n"));
}
