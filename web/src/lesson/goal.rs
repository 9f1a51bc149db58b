//! The task: its check, three hints, the solution.

use std::collections::BTreeSet;

use catamaran_lessons::{ConditionResult, Find, Lesson, Source, Verdict};
use catamaran_report::Report;
use catamaran_report::metric::Metric;
use catamaran_report::words;
use catamaran_scenario::Plan;
use yew::prelude::*;

use super::picks::Picks;
use super::prose::{Figures, Prose};
use super::settings::{Edit, History, Settings};
use crate::app::use_lang;
use crate::i18n::{self, Lang, found_so_far, hint_name, picked_so_far, say};
use crate::link::Change;

/// Checks the goal of what was simulated.
#[must_use]
pub(super) fn check(
    lesson: &Lesson,
    start: &Plan,
    now: &Plan,
    marked: &BTreeSet<String>,
    report: &Report,
) -> Verdict {
    lesson.check_goal(start, now, marked, &|path| report.value(path))
}

/// What a [`Task`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct TaskProps {
    /// Whose task.
    pub lesson: &'static Lesson,
    /// How it stands; `None` while it is simulated.
    pub verdict: Option<Verdict>,
    /// Where the figures of the prose come from.
    pub figures: Figures,
    /// Sets the solution's values.
    pub history: UseReducerHandle<History>,
    /// Hints that were opened before.
    pub hints: u8,
    /// Told how many hints are open.
    pub hinted: Callback<u8>,
    /// What was marked.
    pub marked: BTreeSet<String>,
    /// Told what is marked.
    pub mark: Callback<BTreeSet<String>>,
}

/// The check, the hints, the solution.
#[component]
pub(super) fn Task(props: &TaskProps) -> Html {
    let lang = use_lang();
    html! {
        <>
            { search(props, lang) }
            if !props.lesson.goal.picks.is_empty() {
                <Picks lesson={props.lesson} marked={props.marked.clone()} mark={props.mark.clone()} />
            }
            <Check verdict={props.verdict.clone()} />
            { for (1_u8..).zip(props.lesson.hints(lang)).map(|(number, text)| hint(props, lang, number, *text)) }
            if props.hints >= 3 {
                { solution(props, lang) }
            }
        </>
    }
}

#[derive(Properties, PartialEq)]
struct CheckProps {
    verdict: Option<Verdict>,
}

/// The verdict, told as soon as it changes.
#[component]
fn Check(props: &CheckProps) -> Html {
    let lang = use_lang();
    let (class, words) = match &props.verdict {
        None => ("open", i18n::Lesson::GoalChecking),
        Some(verdict) if verdict.passed() => ("met", i18n::Lesson::GoalMet),
        Some(_) => ("open", i18n::Lesson::GoalOpen),
    };
    html! {
        <div class={classes!("check", class)} role="status" data-testid="goal-status" data-met={(class == "met").to_string()}>
            <p class="check-title"><strong>{ say(lang, words) }</strong></p>
            if let Some(verdict) = &props.verdict {
                <ul>
                    { for verdict.conditions.iter().map(|result| condition(lang, result)) }
                    if let Some(found) = verdict.found {
                        <li class={if found.is_over() { "met" } else { "open" }}>{ found_so_far(lang, found) }</li>
                    }
                    if let Some(picked) = verdict.picked {
                        <li class={if picked.is_over() { "met" } else { "open" }}>{ picked_so_far(lang, picked) }</li>
                    }
                    { for verdict.broken.iter().map(|rule| html! { <li class="open">{ rule.text(lang) }</li> }) }
                </ul>
            }
        </div>
    }
}

/// What is to be told apart, each to be marked.
fn search(props: &TaskProps, lang: Lang) -> Html {
    if props.lesson.goal.finds.is_empty() {
        return Html::default();
    }
    let item = |find: &'static Find| {
        let (mark, marked) = (props.mark.clone(), props.marked.clone());
        let onchange = Callback::from(move |_: Event| {
            let mut next = marked.clone();
            if !next.remove(find.id) {
                next.insert(find.id.to_owned());
            }
            mark.emit(next);
        });
        html! {
            <label class="radio">
                <input type="checkbox" checked={props.marked.contains(find.id)} {onchange}
                    data-testid={format!("find-{}", find.id)} />
                { find.label.get(lang) }
            </label>
        }
    };
    html! {
        <fieldset class="finds">
            <legend>{ say(lang, i18n::Lesson::Finds) }</legend>
            { for props.lesson.goal.finds.iter().map(item) }
        </fieldset>
    }
}

fn condition(lang: Lang, result: &ConditionResult) -> Html {
    // Whether something is so has no figure.
    if result.condition.metric.contains(".sees.") && result.value.is_some() {
        let (class, word) = held(result);
        return html! { <li class={class}>{ result.condition.text.get(lang) }{ " — " }{ say(lang, word) }</li> };
    }
    let found = result.value.map_or_else(
        || say(lang, i18n::Lesson::GoalUnknown).to_owned(),
        |value| match result.condition.unit {
            Some(unit) => unit.write(value),
            None => figure(lang, result.condition.metric, value),
        },
    );
    let (class, word) = held(result);
    html! {
        <li class={class}>
            { result.condition.text.get(lang) }{ ": " }<strong>{ found }</strong>{ " — " }{ say(lang, word) }
        </li>
    }
}

fn held(result: &ConditionResult) -> (&'static str, i18n::Lesson) {
    match result.held {
        true => ("met", i18n::Lesson::ConditionHeld),
        false => ("open", i18n::Lesson::ConditionOpen),
    }
}

/// A figure by its path in the report, as the words of the report write it.
fn figure(lang: Lang, path: &str, value: f64) -> String {
    let name =
        path.split_once('.').and_then(|(_, rest)| rest.split_once('.')).map_or(path, |(_, metric)| metric);
    match Metric::from_name(name) {
        Some(metric) => words::figure(lang, metric, value),
        None if path.ends_with("_bytes") => crate::format::bytes(value as u64),
        None => crate::format::number(value),
    }
}

/// A hint can be opened once the one before it is.
fn hint(props: &TaskProps, lang: Lang, number: u8, text: catamaran_lessons::Html) -> Html {
    if number > props.hints + 1 {
        return Html::default();
    }
    let (hinted, open) = (props.hinted.clone(), props.hints);
    let ontoggle = Callback::from(move |event: Event| {
        let details = event.target_dyn_into::<web_sys::Element>();
        if details.is_some_and(|details| details.has_attribute("open")) && number > open {
            hinted.emit(number);
        }
    });
    html! {
        <details class="hint" key={number} {ontoggle} data-testid={format!("hint-{number}")}>
            <summary>{ hint_name(lang, number) }</summary>
            <Prose {text} figures={props.figures.clone()} />
        </details>
    }
}

fn solution(props: &TaskProps, lang: Lang) -> Html {
    let (history, lesson) = (props.history.dispatcher(), props.lesson);
    let (mark, figures) = (props.mark.clone(), props.figures.clone());
    let apply = Callback::from(move |_: MouseEvent| {
        history.dispatch(Edit::Replace(solved(lesson)));
        let metric = |path: &str| figures.value(&Source::Now, path);
        let found = lesson.to_be_found(&metric).map(|find| find.id.to_owned());
        mark.emit(found.chain(lesson.right_picks()).collect());
    });
    let platform = lesson.solution_on.map(|platform| {
        html! { <li>{ say(lang, i18n::Lesson::Platform) }{ ": " }<code>{ platform.name() }</code></li> }
    });
    let value = |change: &catamaran_lessons::Change| {
        html! { <li><code>{ format!("{} = {}", change.path, change.value) }</code></li> }
    };
    html! {
        <details class="hint solution" data-testid="solution">
            <summary>{ say(lang, i18n::Lesson::Solution) }</summary>
            <Prose text={*lesson.solution_text(lang)} figures={props.figures.clone()} />
            <ul>{ for platform }{ for lesson.solution.iter().map(value) }</ul>
            <button type="button" class="button" onclick={apply} data-testid="apply-solution">
                { say(lang, i18n::Lesson::ApplySolution) }
            </button>
        </details>
    }
}

/// The lesson's start with the solution's values.
#[must_use]
pub(super) fn solved(lesson: &Lesson) -> Settings {
    let own = |change: &catamaran_lessons::Change| Change {
        path: change.path.to_owned(),
        value: change.value.to_owned(),
    };
    let changes = lesson.solution.iter().map(own).collect();
    Settings { changes, platform: lesson.solution_platform(), ..Settings::start(lesson) }
}
