//! What the learner may turn; every turn simulates anew at once.

use catamaran_lessons::{Control, Lesson, Stage};
use catamaran_scenario::Platform;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::knob::{Field, Knob};
use super::settings::{Edit, History};
use crate::app::use_lang;
use crate::i18n::{self, Lang, say};

/// What [`Knobs`] need.
#[derive(Properties, PartialEq)]
pub(super) struct KnobsProps {
    /// Whose controls.
    pub(super) lesson: &'static Lesson,
    /// Where they stand.
    pub(super) history: UseReducerHandle<History>,
    /// Whether the task's locks hold.
    pub(super) in_task: bool,
    /// The lesson's own seed.
    pub(super) seed: Option<u64>,
    /// Why the values don't make a scenario.
    pub(super) invalid: Option<AttrValue>,
}

/// The controls with undo, redo and reset. The help of the one that is touched stands below them.
#[component]
pub(super) fn Knobs(props: &KnobsProps) -> Html {
    let lang = use_lang();
    let touched = use_state_eq(|| None::<AttrValue>);
    let touch = {
        let touched = touched.setter();
        Callback::from(move |help: AttrValue| touched.set(Some(help)))
    };
    let first = props.lesson.controls.first().map(|control| AttrValue::from(control.help.get(lang)));
    html! {
        <section class="knobs" aria-labelledby="knobs-title">
            <div class="knobs-head">
                <h2 id="knobs-title">{ say(lang, i18n::Lesson::Knobs) }</h2>
                <HistoryButtons history={props.history.clone()} />
            </div>
            <div class="knobs-list">
                { for props.lesson.controls.iter().map(|control| html! {
                    <Knob lesson={props.lesson} {control} history={props.history.clone()} touch={touch.clone()}
                        locked={locked(props, control)} />
                }) }
                // Where nothing is drawn by lot, a seed changes nothing.
                if !matches!(props.lesson.stage, Stage::Sight | Stage::Family | Stage::Layers | Stage::Chain) {
                    { seed(props, lang, &touch) }
                }
                if props.lesson.platforms.len() > 1 {
                    { platforms(props, lang) }
                }
            </div>
            // For the eye only: each control has its own help as its description.
            <p class="knobs-help" aria-hidden="true">{ (*touched).clone().or(first) }</p>
            if let Some(invalid) = &props.invalid {
                <div class="notice" role="alert">
                    <p><strong>{ say(lang, i18n::Lesson::ScenarioInvalid) }</strong></p>
                    <pre>{ invalid }</pre>
                </div>
            }
        </section>
    }
}

/// Whether the task forbids to turn it. One that was turned before can be turned back.
fn locked(props: &KnobsProps, control: &Control) -> bool {
    let forbidden = props.in_task && props.lesson.goal.locked.contains(&control.path);
    forbidden && props.history.now.value(control.path).is_none()
}

#[derive(Properties, PartialEq)]
struct HistoryProps {
    history: UseReducerHandle<History>,
}

/// Undo, redo, reset. They stay focusable when there is nothing to do, so that the focus is never lost on them.
#[component]
fn HistoryButtons(props: &HistoryProps) -> Html {
    let lang = use_lang();
    let history = &props.history;
    let button = |text: i18n::Lesson, testid: &'static str, edit: Edit, enabled: bool| {
        let history = history.dispatcher();
        let onclick = Callback::from(move |_: MouseEvent| history.dispatch(edit.clone()));
        html! {
            <button type="button" class="button small quiet" aria-disabled={(!enabled).to_string()} {onclick}
                data-testid={testid}>{ say(lang, text) }</button>
        }
    };
    html! {
        <div class="knobs-history">
            { button(i18n::Lesson::Undo, "undo", Edit::Undo, history.can_undo()) }
            { button(i18n::Lesson::Redo, "redo", Edit::Redo, history.can_redo()) }
            { button(i18n::Lesson::Reset, "reset", Edit::Reset, history.is_changed()) }
        </div>
    }
}

/// The seed: the lesson's where the field is empty.
fn seed(props: &KnobsProps, lang: Lang, touch: &Callback<AttrValue>) -> Html {
    let history = props.history.dispatcher();
    let onchange = Callback::from(move |event: Event| {
        if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
            history.dispatch(Edit::Seed(input.value().parse().ok()));
        }
    });
    let value = props.history.now.seed.map(|seed| seed.to_string()).unwrap_or_default();
    let placeholder = props.seed.map(|seed| seed.to_string());
    html! {
        <Field id="seed" label={say(lang, i18n::Lesson::Seed)} help={say(lang, i18n::Lesson::SeedHelp)} touch={touch.clone()}>
            <input type="number" id="control-seed" data-testid="control-seed" min="0" max="9007199254740991" step="1"
                {value} {placeholder} aria-describedby="help-seed" {onchange} />
        </Field>
    }
}

fn platforms(props: &KnobsProps, lang: Lang) -> Html {
    let (history, offered) = (props.history.dispatcher(), props.lesson.platforms);
    let onchange = Callback::from(move |event: Event| {
        let chosen = event.target_dyn_into::<HtmlSelectElement>().map(|select| select.value());
        let platform = chosen.as_deref().and_then(Platform::from_name);
        if let Some(platform) = platform.filter(|platform| offered.contains(platform)) {
            history.dispatch(Edit::Platform(platform));
        }
    });
    let now = props.history.now.platform;
    let option = |platform: &Platform| {
        html! { <option value={platform.name()} selected={*platform == now}>{ platform.name() }</option> }
    };
    html! {
        <div class="knob">
            <label for="control-platform">{ say(lang, i18n::Lesson::Platform) }</label>
            <select id="control-platform" data-testid="control-platform" {onchange}>
                { for offered.iter().map(option) }
            </select>
        </div>
    }
}
