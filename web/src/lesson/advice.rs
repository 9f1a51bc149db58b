//! What a lesson makes of an advice: a button that turns its control, and a word where the task asks otherwise.
//!
//! Nothing here knows a lesson by name: what the task allows is judged by its own rules, as its check does.

use catamaran_lessons::{BrokenRule, Control, ControlKind, Lesson};
use catamaran_report::why::{Advice, Change};
use catamaran_scenario::Platform;
use yew::prelude::*;

use super::settings::{Edit, History, Settings};
use crate::i18n::{self, Lang, say, set_words};

/// What an advice comes to in a lesson.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Counsel {
    /// What a button would do; `None` where the lesson has no control for it, or it is at its end.
    pub(super) turn: Option<Turn>,
    /// The rule of the task that it would break.
    pub(super) broken: Option<BrokenRule>,
}

/// A control to be turned.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Turn {
    /// One of the lesson's controls, to this value.
    Control(&'static Control, String),
    /// The platform.
    Platform(Platform),
}

impl Counsel {
    /// Of an advice, where the controls stand like this.
    pub(super) fn of(lesson: &'static Lesson, now: &Settings, advice: &Advice) -> Self {
        // On which platform it runs is a control of its own, and no task forbids to turn it.
        if advice.path == "platforms" {
            let Change::Set(name) = &advice.change else { return Self { turn: None, broken: None } };
            let platform = Platform::from_name(name);
            let offered = platform.filter(|platform| lesson.platforms.contains(platform));
            let turn = offered.filter(|platform| *platform != now.platform).map(Turn::Platform);
            return Self { turn, broken: None };
        }
        let Some(control) = lesson.controls.iter().find(|control| control.path == advice.path) else {
            return Self { turn: None, broken: lesson.rule_against(&advice.path, true) };
        };
        let value = now.value(control.path).unwrap_or(control.start);
        let next = match &advice.change {
            Change::Raise => control.kind.more(value),
            Change::Lower => control.kind.less(value),
            Change::Set(to) => Some(to.clone()).filter(|to| to != value && control.kind.takes(to)),
        };
        let grows = match (&advice.change, &next) {
            (_, Some(next)) => control.kind.size(next) > control.kind.size(control.start),
            (change, None) => *change == Change::Raise,
        };
        let broken = lesson.rule_against(control.path, grows);
        Self { turn: next.map(|next| Turn::Control(control, next)), broken }
    }
}

/// What an [`Advised`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct AdvisedProps {
    /// Whose controls.
    pub(super) lesson: &'static Lesson,
    /// Where they stand.
    pub(super) history: UseReducerHandle<History>,
    /// Whether the task's rules hold.
    pub(super) in_task: bool,
    /// What is advised.
    pub(super) advice: Advice,
}

/// The button, or why there is none.
#[component]
pub(super) fn Advised(props: &AdvisedProps) -> Html {
    let lang = crate::app::use_lang();
    let Counsel { turn, broken } = Counsel::of(props.lesson, &props.history.now, &props.advice);
    // Before the task is set, a control may be turned whatever it will ask.
    let note = broken.filter(|_| props.in_task || turn.is_some());
    let button = turn.filter(|_| !props.in_task || note.is_none());
    html! {
        <>
            if let Some(rule) = note {
                <p class="fine" data-testid="advice-against">{ say(lang, i18n::Why::InTask) }{ " " }{ rule.text(lang) }</p>
            }
            { for button.map(|turn| button_of(props, lang, &turn)) }
        </>
    }
}

fn button_of(props: &AdvisedProps, lang: Lang, turn: &Turn) -> Html {
    let (words, edit, id) = match turn {
        Turn::Control(control, value) => {
            let edit =
                Edit::Set { path: control.path, value: value.clone(), start: control.start, dragging: false };
            (set_words(lang, control.label.get(lang), shown(lang, control, value)), edit, control.id)
        }
        Turn::Platform(platform) => {
            let words = set_words(lang, say(lang, i18n::Lesson::Platform), platform.name());
            (words, Edit::Platform(*platform), "platform")
        }
    };
    let history = props.history.dispatcher();
    let onclick = Callback::from(move |_: MouseEvent| history.dispatch(edit.clone()));
    html! {
        <button type="button" class="button small" {onclick} data-testid={format!("advice-{id}")}>{ words }</button>
    }
}

/// A value as the control shows it.
fn shown<'a>(lang: Lang, control: &Control, value: &'a str) -> &'a str {
    match control.kind {
        ControlKind::Choice(choices) => {
            choices.iter().find(|choice| choice.value == value).map_or(value, |choice| choice.label.get(lang))
        }
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counsel(lesson: &str, changes: &[(&str, &str)], path: &str, change: Change) -> Counsel {
        let lesson = catamaran_lessons::find(lesson).unwrap();
        let mut now = Settings::start(lesson);
        now.changes = changes
            .iter()
            .map(|(path, value)| crate::link::Change { path: (*path).into(), value: (*value).into() })
            .collect();
        Counsel::of(lesson, &now, &Advice { path: path.into(), change })
    }

    fn turned(counsel: &Counsel) -> Option<&str> {
        match counsel.turn.as_ref()? {
            Turn::Control(_, value) => Some(value),
            Turn::Platform(platform) => Some(platform.name()),
        }
    }

    #[test]
    fn an_advice_turns_the_control_and_the_tasks_rule_is_named() {
        const LIMIT: &str = "tenant.web.cpu.limit";
        const BURST: &str = "tenant.web.cpu.burst";
        let set = |value: &str| Change::Set(value.into());
        // Lesson, what was turned, advice, what the button sets, whether the task asks otherwise.
        let table = [
            ("cgroups", None, (LIMIT, Change::Raise), Some("800m"), true),
            ("cgroups", None, (LIMIT, Change::Lower), Some("200m"), false),
            // Twice as much is as much as at the start: that may be.
            ("cgroups", Some((LIMIT, "200m")), (LIMIT, Change::Raise), Some("400m"), false),
            ("cgroups", Some((LIMIT, "1000m")), (LIMIT, Change::Raise), None, true),
            ("cgroups", None, (BURST, set("40ms")), Some("40ms"), false),
            ("cgroups", Some((BURST, "40ms")), (BURST, set("40ms")), None, false),
            ("cgroups", None, (BURST, set("41ms")), None, false),
            ("cgroups", None, ("tenant.batch.workload.threads", Change::Lower), Some("5"), true),
            ("cgroups", None, ("tenant.batch.cpu.limit", Change::Lower), None, true),
            ("cgroups", None, ("platforms", set("bare-metal")), None, false),
            ("noisy-neighbour", None, ("tenant.shop.node", set("1")), Some("1"), false),
            ("vm-weight", None, ("platforms", set("container")), Some("container"), false),
            ("vm-weight", None, ("platforms", set("vm")), None, false),
        ];
        for (lesson, changed, (path, change), value, against) in table {
            let what = format!("{lesson} {changed:?} {path} {change:?}");
            let counsel = counsel(lesson, changed.as_slice(), path, change);
            assert_eq!(turned(&counsel), value, "{what}");
            assert_eq!(counsel.broken.is_some(), against, "{what}: {counsel:?}");
        }
    }

    #[test]
    fn what_the_solution_turns_is_never_against_the_task() {
        for lesson in catamaran_lessons::all() {
            let now = Settings::start(lesson);
            for change in lesson.solution {
                let advice = Advice { path: change.path.into(), change: Change::Set(change.value.into()) };
                assert_eq!(Counsel::of(lesson, &now, &advice).broken, None, "{}: {advice:?}", lesson.id);
            }
        }
    }
}
