//! The curriculum as data: lessons with their scenarios, controls, bets, goals and prose in English and Korean, read from
//! `lesson.toml`, `en.md`, `ko.md` at build time and embedded.
//!
//! *Architecture invariant*: this crate knows no simulator and no report. Figures in the prose and metrics of a goal are
//! asked of the caller by path ([`Metrics`]).

mod bases;
mod check;
mod control;
mod date;
mod formula;
mod goal;
mod lang;
mod lesson;
mod prose;
mod template;

pub use bases::{Base, Release};
pub use catamaran_scenario::{Josa, Lang};
pub use check::{Lookup, Problem, Prover, Recorded, check};
pub use control::{Choice, Control, ControlKind};
pub use date::Date;
pub use formula::Op;
pub use goal::{BrokenRule, Comparison, Condition, ConditionResult, Find, Found, Goal, Pick, Rule, Verdict};
pub use lang::Text;
pub use lesson::{Beat, Bet, BetChoice, BetField, Lesson, ScenarioFile, Section, Stage, Term};
pub use prose::{Change, Figure, Html, Metrics, Piece, Plain, Run, Source, Unit};
pub use template::{NewFile, NewLessonError, new_lesson};

mod data {
    // What the generated data uses changes with the lessons.
    use crate::lesson::Words;
    use crate::*;
    use catamaran_scenario::Platform;

    include!(concat!(env!("OUT_DIR"), "/lessons.rs"));
}

/// The prefix under which a lesson's scenario is named on the command line: `lesson:cgroups`.
pub const SCENARIO_PREFIX: &str = "lesson:";

/// Every lesson, in the order of the curriculum.
#[must_use]
pub fn all() -> &'static [Lesson] {
    data::LESSONS
}

/// The lesson with that id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Lesson> {
    all().iter().find(|lesson| lesson.id == id)
}

/// The scenario text that a command-line name means: `lesson:ID`, or `lesson:ID/FILE` for a further file of the lesson.
#[must_use]
pub fn scenario(name: &str) -> Option<&'static str> {
    let (id, file) =
        name.strip_prefix(SCENARIO_PREFIX).map(|rest| rest.split_once('/').unwrap_or((rest, "scenario")))?;
    find(id)?.scenarios.iter().find(|scenario| scenario.name == file).map(|scenario| scenario.text)
}

/// The whole lesson as Markdown for the terminal. (Kept apart from [`Lesson`], so that the page does not carry it.)
#[must_use]
pub fn markdown(id: &str, lang: Lang) -> Option<&'static Plain> {
    let (_, [en, ko]) = data::MARKDOWN.iter().find(|(lesson, _)| *lesson == id)?;
    Some(match lang {
        Lang::En => en,
        Lang::Ko => ko,
    })
}

/// The prose of the home page: what this is, whom it is for, how it works.
#[must_use]
pub fn home(lang: Lang) -> &'static [Section] {
    match lang {
        Lang::En => data::HOME_EN,
        Lang::Ko => data::HOME_KO,
    }
}
