//! The proof of a lesson: what the build script can't see, because it needs a simulator.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use catamaran_scenario::edit::set;
use catamaran_scenario::{Lang, Plan, Platform};

use crate::control::{Control, ControlKind};
use crate::formula::Op;
use crate::goal::Condition;
use crate::lesson::{BetField, Lesson};
use crate::prose::{Change, Figure, Run, Source};

/// The metrics of one report, by path.
pub type Lookup = Box<dyn Fn(&str) -> Option<f64>>;

/// What a proof needs from outside.
pub trait Prover {
    /// Simulates the plan and answers for its report.
    ///
    /// # Errors
    /// Why it can't be simulated, in words.
    fn simulate(&mut self, plan: &Plan, platform: Platform) -> Result<Lookup, String>;

    /// Whether the words are a command of `catamaran`; the first is `catamaran`.
    ///
    /// # Errors
    /// What is wrong with them, in words.
    fn command(&mut self, words: &[&str]) -> Result<(), String>;

    /// What the reports in a text say of themselves.
    ///
    /// # Errors
    /// Why the text holds no reports, in words.
    fn recorded(&mut self, text: &str) -> Result<Vec<Recorded>, String>;
}

/// What a recorded report says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Whether a machine made it, not the model.
    pub native: bool,
    /// Where it was carried out.
    pub platform: Platform,
    /// Digest of its scenario.
    pub digest: String,
    /// The machine.
    pub machine: BTreeMap<String, String>,
}

/// Something that is wrong with a lesson.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Id of the lesson.
    pub lesson: &'static str,
    /// File and block or field (`en.md, why`; `lesson.toml, goal`).
    pub place: String,
    /// What, and what to do.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "crates/lessons/{}/{}: {}", self.lesson, self.place, self.what)
    }
}

/// Proves the lesson: scenarios and controls are valid, the command parses, every figure has a value, the bet can be won,
/// the start fails the goal, and the solution meets it. Empty: all is well.
pub fn check(lesson: &'static Lesson, prover: &mut dyn Prover) -> Vec<Problem> {
    let mut check = Check { lesson, prover, reports: Vec::new(), problems: Vec::new() };
    check.controls();
    check.command();
    check.recorded();
    check.bet();
    check.goal();
    for lang in Lang::ALL {
        check.prose(*lang);
    }
    check.problems
}

/// What a recorded report must say of its machine.
const MACHINE: [&str; 3] = ["cpu", "date", "kernel"];

struct Check<'a> {
    lesson: &'static Lesson,
    prover: &'a mut dyn Prover,
    /// What was simulated already; `None` where it failed, which is told once.
    reports: Vec<(Run, Option<Lookup>)>,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn tell(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.problems.push(Problem { lesson: self.lesson.id, place: place.into(), what: what.into() });
    }

    /// The lesson's scenario with changes, on the platform that the goal is judged on.
    fn run(&self, changes: &'static [Change]) -> Run {
        let platform = self.lesson.platforms.first().copied().unwrap_or(Platform::BareMetal);
        Run { file: "scenario", scenario: self.lesson.scenario(), platform, changes }
    }

    fn metric(&mut self, run: &Run, path: &str) -> Option<f64> {
        if !self.reports.iter().any(|(known, _)| known == run) {
            let report = plan(run).and_then(|plan| self.prover.simulate(&plan, run.platform));
            if let Err(error) = &report {
                self.tell(
                    format!("{}.toml", run.file),
                    format!("{error} (with the changes {:?})", run.changes),
                );
            }
            self.reports.push((*run, report.ok()));
        }
        let (_, report) = self.reports.iter().find(|(known, _)| known == run)?;
        report.as_ref()?(path)
    }

    fn figure(&mut self, figure: &Figure) -> Option<f64> {
        let start = self.run(&[]);
        figure.value(&mut |source, path| match source {
            Source::Now => self.metric(&start, path),
            Source::Run(run) => self.metric(run, path),
        })
    }

    /// Each control alone, at both ends, gives a valid scenario.
    fn controls(&mut self) {
        for control in self.lesson.controls {
            for value in ends(control) {
                let changed =
                    set(self.lesson.scenario(), control.path, &value).map_err(|error| error.to_string());
                let plan = changed.and_then(|text| parse(&text, "scenario.toml"));
                if let Err(error) = plan {
                    let place = format!("lesson.toml, control {}", control.id);
                    self.tell(place, format!("at {value} the scenario is not valid: {error}"));
                }
            }
        }
    }

    fn command(&mut self) {
        let words: Vec<&str> = self.lesson.command.split_whitespace().collect();
        let scenario = format!("{}{}", crate::SCENARIO_PREFIX, self.lesson.id);
        if words.first() != Some(&"catamaran") || !words.contains(&scenario.as_str()) {
            let what = format!("\"{}\" must be a command of catamaran with {scenario}", self.lesson.command);
            self.tell("lesson.toml, command", what);
        } else if let Err(error) = self.prover.command(&words) {
            self.tell("lesson.toml, command", error);
        }
    }

    /// What was recorded is native, says where and when, and is of the scenario as the lesson starts or as it is solved; one of it
    /// as it starts is there.
    fn recorded(&mut self) {
        let Some(text) = self.lesson.recorded else { return };
        let found = self.prover.recorded(text);
        let digest = |changes| plan(&self.run(changes)).map(|plan| plan.digest());
        let expected = digest(&[]).and_then(|start| Ok([start, digest(self.lesson.solution)?]));
        let again = format!(
            "record it again with `catamaran run {}{} --json`",
            crate::SCENARIO_PREFIX,
            self.lesson.id
        );
        let wrong = match (found, expected) {
            (Err(error), _) | (_, Err(error)) => error,
            (Ok(reports), _) if reports.is_empty() => format!("it holds no report; {again}"),
            (Ok(reports), Ok(digests)) => {
                match reports.iter().find_map(|report| self.stale(report, &digests)) {
                    Some(why) => format!("{why}; {again}"),
                    None if !reports.iter().any(|report| digests.first() == Some(&report.digest)) => {
                        format!("it holds no report of the start; {again}")
                    }
                    None => return,
                }
            }
        };
        self.tell("lesson.toml, recorded", wrong);
    }

    /// Why a recorded report does not belong to the lesson as it is now.
    fn stale(&self, report: &Recorded, digests: &[String; 2]) -> Option<String> {
        let missing = MACHINE.iter().find(|fact| !report.machine.contains_key(**fact));
        match missing {
            _ if !report.native => Some("a report in it is simulated".to_owned()),
            _ if !digests.contains(&report.digest) => {
                Some("a report in it is of another scenario".to_owned())
            }
            _ if !self.lesson.platforms.contains(&report.platform) => {
                Some(format!("a report in it is of {}, which the lesson does not have", report.platform))
            }
            Some(fact) => Some(format!("a report in it does not say the machine's {fact}")),
            None => None,
        }
    }

    fn bet(&mut self) {
        for field in self.lesson.bet.fields {
            let place = format!("lesson.toml, bet {}", field.id);
            match self.figure(&field.answer) {
                None => self.tell(place, "the answer is unknown; name a metric that the report has"),
                Some(answer) if !can_be_won(field, answer) => {
                    let answer = field.answer.unit.shown(answer);
                    let what = match field.choices {
                        [] => format!(
                            "the answer is {answer}, but no guess from {} to {} in steps of {} comes within {} of it",
                            field.min, field.max, field.step, field.tolerance
                        ),
                        _ => format!("the answer is {answer}, which is none of the choices"),
                    };
                    self.tell(place, what);
                }
                Some(_) => {}
            }
        }
    }

    fn goal(&mut self) {
        let start = self.run(&[]);
        let solved = Run { platform: self.lesson.solution_platform(), ..self.run(self.lesson.solution) };
        let (start_plan, solved_plan) = match (plan(&start), plan(&solved)) {
            (Ok(start), Ok(solved)) => (start, solved),
            (Err(error), _) | (_, Err(error)) => return self.tell("scenario.toml", error),
        };
        self.finds(&start);
        self.picks();
        let (passed, _) = self.judge(&start, &start_plan, &start_plan, &BTreeSet::new());
        if passed {
            self.tell("lesson.toml, goal", "the start meets the goal already; ask for more");
        }
        let marked = self.found_in(&solved).into_iter().chain(self.lesson.right_picks()).collect();
        let (passed, values) = self.judge(&solved, &start_plan, &solved_plan, &marked);
        if !passed {
            self.tell("lesson.toml, solution", format!("the goal is not met with it: {values}"));
        }
    }

    /// A search has something to be found and something that is not.
    fn finds(&mut self, start: &Run) {
        let (all, right) = (self.lesson.goal.finds.len(), self.found_in(start).len());
        if all > 0 && (right == 0 || right == all) {
            let what = format!("{right} of the {all} things are to be found; let some be and some not");
            self.tell("lesson.toml, goal", what);
        }
    }

    /// For each need some base is right and some is not.
    fn picks(&mut self) {
        let all = self.lesson.bases.len();
        for pick in self.lesson.goal.picks {
            if pick.right.is_empty() || pick.right.len() == all {
                let what = format!(
                    "{} of {all} bases meet \"{}\"; let some and some not",
                    pick.right.len(),
                    pick.id
                );
                self.tell("lesson.toml, goal", what);
            }
        }
    }

    /// The ids of what is to be found.
    fn found_in(&mut self, run: &Run) -> BTreeSet<String> {
        let finds = self.lesson.goal.finds.iter();
        finds
            .filter(|find| self.metric(run, find.metric).is_some_and(|value| value != 0.0))
            .map(|find| find.id.to_owned())
            .collect()
    }

    /// Whether `now`, carried out as `run`, meets the goal, and the metrics that decided.
    fn judge(&mut self, run: &Run, start: &Plan, now: &Plan, marked: &BTreeSet<String>) -> (bool, String) {
        let mut values = BTreeMap::new();
        let metrics = |condition: &Condition| condition.formula.iter().filter_map(Op::metric);
        let conditions = self.lesson.goal.conditions.iter().flat_map(metrics);
        for metric in conditions.chain(self.lesson.goal.finds.iter().map(|find| find.metric)) {
            match self.metric(run, metric) {
                Some(value) => drop(values.insert(metric, value)),
                None => {
                    let what = format!("{metric} is unknown; name a metric that the report has");
                    self.tell("lesson.toml, goal", what);
                }
            }
        }
        let verdict = self.lesson.check_goal(start, now, marked, &|path| values.get(path).copied());
        let broken = verdict.broken.iter().map(|rule| rule.text(Lang::En));
        let metrics = values.iter().map(|(path, value)| format!("{path} = {value}"));
        (verdict.passed(), metrics.chain(broken).collect::<Vec<_>>().join("; "))
    }

    fn prose(&mut self, lang: Lang) {
        let lesson = self.lesson;
        for (block, html) in lesson.all_html(lang) {
            for figure in html.figures() {
                if self.figure(figure).is_none() {
                    let place = format!("{}.md, {block}", lang.code());
                    self.tell(
                        place,
                        format!(
                            "a figure is unknown, {:?}; name metrics that the report has",
                            figure.formula
                        ),
                    );
                }
            }
        }
    }
}

fn parse(text: &str, file: &str) -> Result<Plan, String> {
    Plan::from_toml(text, file).map_err(|diagnostic| diagnostic.to_string())
}

fn plan(run: &Run) -> Result<Plan, String> {
    parse(&run.text().map_err(|error| error.to_string())?, &format!("{}.toml", run.file))
}

/// Least and greatest value of a slider, every value of a choice, a switch off and on, every order.
fn ends(control: &Control) -> Vec<String> {
    match control.kind {
        ControlKind::Slider { min, max, .. } => {
            [min, max].iter().filter_map(|&number| control.kind.value(number)).collect()
        }
        ControlKind::Choice(choices) => choices.iter().map(|choice| choice.value.to_owned()).collect(),
        ControlKind::Switch { word } => vec![String::new(), word.to_owned()],
        ControlKind::Order(steps) => orders(&steps.iter().map(|step| step.value).collect::<Vec<_>>()),
    }
}

/// Every order of the steps.
fn orders(steps: &[&str]) -> Vec<String> {
    if steps.len() < 2 {
        return vec![steps.join("-")];
    }
    let mut all = Vec::new();
    for (at, first) in steps.iter().enumerate() {
        let rest: Vec<&str> =
            steps.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, step)| *step).collect();
        all.extend(orders(&rest).into_iter().map(|rest| format!("{first}-{rest}")));
    }
    all
}

fn can_be_won(field: &BetField, answer: f64) -> bool {
    if !field.choices.is_empty() {
        return field.choice(answer).is_some();
    }
    let steps = ((field.answer.unit.shown(answer) - field.min) / field.step).round();
    let nearest = (field.min + steps * field.step).clamp(field.min, field.max);
    field.is_right(nearest, answer)
}

#[cfg(test)]
mod tests {
    use super::orders;

    #[test]
    fn every_order_of_the_steps_is_tried() {
        assert_eq!(orders(&["a"]), ["a"]);
        assert_eq!(orders(&["a", "b", "c"]), ["a-b-c", "a-c-b", "b-a-c", "b-c-a", "c-a-b", "c-b-a"]);
    }
}
