//! The task of a lesson and its check: the metrics must hold, and nothing may have been changed but what the lesson gives
//! to turn.

use std::collections::{BTreeMap, BTreeSet};

use catamaran_scenario::{Lang, Plan};
use serde_json::Value;

use crate::control::Control;
use crate::formula::{Op, evaluate};
use crate::lang::Text;
use crate::lesson::Lesson;
use crate::prose::Unit;

/// The task. Its text stands in the block [`crate::Beat::Goal`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goal {
    /// All must hold.
    pub conditions: &'static [Condition],
    /// What is to be told apart: those that are so are to be marked, and no other; empty where nothing is to be found.
    pub finds: &'static [Find],
    /// For each of these one of the lesson's bases is to be chosen.
    pub picks: &'static [Pick],
    /// Paths that may change but not grow.
    pub at_most: &'static [&'static str],
    /// Controls that may not be turned in this task.
    pub locked: &'static [&'static str],
}

/// Something that may be to be found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Find {
    /// `kebab-case`, unique in the goal.
    pub id: &'static str,
    /// What it is.
    pub label: Text,
    /// Path of the metric that says whether it is so: not 0.
    pub metric: &'static str,
}

/// A need for which one of the lesson's bases is to be chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pick {
    /// `kebab-case`, unique in the goal.
    pub id: &'static str,
    /// What is needed.
    pub label: Text,
    /// Ids of the bases that meet it, found in the table when the lesson was built.
    pub right: &'static [&'static str],
}

impl Pick {
    /// The mark that chooses a base for it.
    #[must_use]
    pub fn mark(&self, base: &str) -> String {
        format!("{}={base}", self.id)
    }

    /// What is chosen, if anything is.
    #[must_use]
    pub fn chosen<'a>(&self, marked: &'a BTreeSet<String>) -> Option<&'a str> {
        marked.iter().find_map(|mark| mark.strip_prefix(self.id)?.strip_prefix('='))
    }
}

/// A bound on a metric of the report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Condition {
    /// Path of the metric (`tenant.web.latency_s.p99`), or a formula over metrics.
    pub metric: &'static str,
    /// The same, parsed.
    pub formula: &'static [Op],
    /// Its unit; `None`: that of the metric.
    pub unit: Option<Unit>,
    /// Which way.
    pub op: Comparison,
    /// Bound, in the report's unit.
    pub value: f64,
    /// In words.
    pub text: Text,
}

/// Which way a bound holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

impl Condition {
    /// The figure, by metrics; `None` where one is unknown.
    pub fn found(&self, metric: &mut dyn FnMut(&str) -> Option<f64>) -> Option<f64> {
        evaluate(self.formula, metric)
    }
}

impl Comparison {
    /// Whether `found` stands so to `bound`.
    #[must_use]
    pub fn holds(self, found: f64, bound: f64) -> bool {
        match self {
            Self::Below => found < bound,
            Self::AtMost => found <= bound,
            Self::Above => found > bound,
            Self::AtLeast => found >= bound,
        }
    }
}

/// What the check of a goal found.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// One per condition.
    pub conditions: Vec<ConditionResult>,
    /// How the search stands; `None` where nothing is to be found.
    pub found: Option<Found>,
    /// How the choice of bases stands; `None` where nothing is to be chosen.
    pub picked: Option<Found>,
    /// Rules that the changed scenario breaks.
    pub broken: Vec<BrokenRule>,
}

/// How the search stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// How many there are to be found.
    pub all: usize,
    /// How many of them are marked.
    pub right: usize,
    /// How many others are marked.
    pub wrong: usize,
}

impl Found {
    /// Whether all are marked and no other.
    #[must_use]
    pub fn is_over(self) -> bool {
        self.right == self.all && self.wrong == 0
    }
}

impl Verdict {
    /// Whether the goal is met.
    #[must_use]
    pub fn passed(&self) -> bool {
        let held = self.conditions.iter().all(|condition| condition.held);
        held && self.broken.is_empty()
            && self.found.is_none_or(Found::is_over)
            && self.picked.is_none_or(Found::is_over)
    }
}

/// How one condition stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConditionResult {
    /// Which.
    pub condition: &'static Condition,
    /// What was found; `None`: the metric is unknown, and the condition does not hold.
    pub value: Option<f64>,
    /// Whether it holds.
    pub held: bool,
}

/// A rule of the task that the changed scenario breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenRule {
    /// The field, by its path in the scenario.
    pub path: String,
    /// Name of its control, where it has one.
    pub label: Option<Text>,
    /// Which rule.
    pub rule: Rule,
}

/// What the learner may do to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Nothing: it is not among the controls, or is locked.
    NotToBeChanged,
    /// Make it smaller.
    NotToGrow,
}

impl BrokenRule {
    /// In words.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let path = &self.path;
        let field = self.label.map_or_else(|| path.clone(), |label| format!("{} ({path})", label.get(lang)));
        match (self.rule, lang) {
            (Rule::NotToBeChanged, Lang::En) => format!("{field} must stay as it was."),
            (Rule::NotToBeChanged, Lang::Ko) => format!("{field}: 처음 값 그대로 두어야 해요."),
            (Rule::NotToGrow, Lang::En) => format!("{field} must not be larger than at the start."),
            (Rule::NotToGrow, Lang::Ko) => format!("{field}: 처음보다 커지면 안 돼요."),
        }
    }
}

impl Lesson {
    /// Checks the goal: `start` is the lesson's own scenario, `now` the learner's, `marked` the ids of what was marked, `metric`
    /// answers for the report of `now`.
    #[must_use]
    pub fn check_goal(
        &self,
        start: &Plan,
        now: &Plan,
        marked: &BTreeSet<String>,
        metric: &dyn Fn(&str) -> Option<f64>,
    ) -> Verdict {
        let conditions = self.goal.conditions.iter().map(|condition| {
            let value = condition.found(&mut |path| metric(path));
            let held = value.is_some_and(|found| condition.op.holds(found, condition.value));
            ConditionResult { condition, value, held }
        });
        let found = (!self.goal.finds.is_empty()).then(|| self.found(marked, metric));
        Verdict {
            conditions: conditions.collect(),
            found,
            picked: (!self.goal.picks.is_empty()).then(|| self.picked(marked)),
            broken: self.broken_rules(&fields(start), &fields(now)),
        }
    }

    /// What is to be found, by the model.
    pub fn to_be_found(&self, metric: &dyn Fn(&str) -> Option<f64>) -> impl Iterator<Item = &'static Find> {
        self.goal.finds.iter().filter(move |find| metric(find.metric).is_some_and(|value| value != 0.0))
    }

    fn found(&self, marked: &BTreeSet<String>, metric: &dyn Fn(&str) -> Option<f64>) -> Found {
        let (all, right) = self
            .to_be_found(metric)
            .fold((0, 0), |(all, right), find| (all + 1, right + usize::from(marked.contains(find.id))));
        let known = self.goal.finds.iter().filter(|find| marked.contains(find.id)).count();
        Found { all, right, wrong: known - right }
    }

    /// The marks that choose the first right base for each need.
    pub fn right_picks(&self) -> impl Iterator<Item = String> {
        self.goal.picks.iter().filter_map(|pick| Some(pick.mark(pick.right.first()?)))
    }

    fn picked(&self, marked: &BTreeSet<String>) -> Found {
        let chosen = self.goal.picks.iter().filter_map(|pick| Some((pick, pick.chosen(marked)?)));
        let (right, wrong): (Vec<_>, Vec<_>) = chosen.partition(|(pick, base)| pick.right.contains(base));
        Found { all: self.goal.picks.len(), right: right.len(), wrong: wrong.len() }
    }

    fn broken_rules(&self, start: &Fields, now: &Fields) -> Vec<BrokenRule> {
        let absent = Value::Null;
        let paths: BTreeSet<_> = start.keys().chain(now.keys()).collect();
        // A request that is not given follows the limit, which is judged itself.
        let follows = |path: &str| follows_its_limit(start, path) && follows_its_limit(now, path);
        let judge = |path: &String| {
            let (before, after) = (start.get(path).unwrap_or(&absent), now.get(path).unwrap_or(&absent));
            if follows(path) { None } else { self.judge_change(path, before, after) }
        };
        paths.into_iter().filter_map(judge).collect()
    }

    fn judge_change(&self, path: &str, before: &Value, after: &Value) -> Option<BrokenRule> {
        if before == after {
            return None;
        }
        // Nothing at all means no limit: more than any number.
        let size = |value: &Value| value.as_f64().unwrap_or(f64::INFINITY);
        self.rule_against(path, size(after) > size(before))
    }

    /// The rule of the task that a change of the field at `path` breaks, where it becomes larger (`grows`) or otherwise other
    /// than at the start.
    #[must_use]
    pub fn rule_against(&self, path: &str, grows: bool) -> Option<BrokenRule> {
        let own =
            |control: &&Control| path == control.path || path.starts_with(&format!("{}.", control.path));
        let control = self.controls.iter().find(own);
        let broken =
            |rule| BrokenRule { path: path.to_owned(), label: control.map(|control| control.label), rule };
        if self.goal.at_most.contains(&path) {
            return grows.then(|| broken(Rule::NotToGrow));
        }
        let free = control.is_some() && !self.goal.locked.contains(&path);
        (!free).then(|| broken(Rule::NotToBeChanged))
    }
}

fn follows_its_limit(fields: &Fields, path: &str) -> bool {
    let limit = path.strip_suffix(".request").and_then(|stem| fields.get(&format!("{stem}.limit")));
    limit.is_some_and(|limit| fields.get(path) == Some(limit))
}

/// The fields of a plan by their path in the scenario file.
type Fields = BTreeMap<String, Value>;

fn fields(plan: &Plan) -> Fields {
    let mut fields = Fields::new();
    // A plan is made of maps with string keys, numbers and strings; it always serialises.
    if let Ok(Value::Object(top)) = serde_json::to_value(plan) {
        // A name or a title moves nothing.
        for (key, value) in top.into_iter().filter(|(key, _)| key != "name" && key != "title") {
            let singular = match key.as_str() {
                // `[platform.NAME]` in the file.
                "settings" => "platform",
                key => key.strip_suffix('s').filter(|_| value.is_array()).unwrap_or(key),
            };
            flatten(singular, value, &mut fields);
        }
    }
    fields
}

fn flatten(path: &str, value: Value, fields: &mut Fields) {
    match value {
        Value::Object(object) if path.ends_with(".workload") && object.len() == 1 => {
            // The kind of a workload is the name of its variant; in the file it is the field `kind` beside the others.
            if let Some((kind, inner)) = object.into_iter().next() {
                fields.insert(format!("{path}.kind"), Value::String(kind));
                flatten(&format!("{path}."), inner, fields);
            }
        }
        Value::Object(object) => {
            let stem = path.trim_end_matches('.');
            for (key, value) in object {
                // The one field whose place in the plan is not its place in the file.
                let key = if key == "pids_limit" { "pids.limit" } else { &key };
                flatten(&format!("{stem}.{key}"), value, fields);
            }
        }
        Value::Array(rows) => {
            for (index, row) in rows.into_iter().enumerate() {
                let name =
                    row.get("name").and_then(Value::as_str).map_or_else(|| index.to_string(), str::to_owned);
                flatten(&format!("{path}.{name}"), row, fields);
            }
        }
        leaf => {
            fields.insert(path.to_owned(), leaf);
        }
    }
}
