//! What the learner may turn; every turn simulates anew at once.

use catamaran_lessons::{Choice, Control, ControlKind, Lesson};
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::settings::{Edit, History};
use crate::app::use_lang;
use crate::i18n::{self, Lang, say};

/// What [`Knobs`] need.
#[derive(Properties, PartialEq)]
pub(super) struct KnobsProps {
    /// Whose controls.
    pub lesson: &'static Lesson,
    /// Where they stand.
    pub history: UseReducerHandle<History>,
    /// Whether the task's locks hold.
    pub in_task: bool,
    /// Why the values don't make a scenario.
    pub invalid: Option<AttrValue>,
}

/// The controls with undo, redo and reset.
#[component]
pub(super) fn Knobs(props: &KnobsProps) -> Html {
    let lang = use_lang();
    let history = &props.history;
    let button = |text: i18n::Lesson, testid: &'static str, edit: Edit, enabled: bool| {
        let history = history.dispatcher();
        let onclick = Callback::from(move |_: MouseEvent| history.dispatch(edit.clone()));
        html! {
            <button type="button" class="button small quiet" disabled={!enabled} {onclick} data-testid={testid}>
                { say(lang, text) }
            </button>
        }
    };
    html! {
        <section class="knobs" aria-labelledby="knobs-title">
            <div class="knobs-head">
                <h2 id="knobs-title">{ say(lang, i18n::Lesson::Knobs) }</h2>
                <div class="knobs-history">
                    { button(i18n::Lesson::Undo, "undo", Edit::Undo, history.can_undo()) }
                    { button(i18n::Lesson::Redo, "redo", Edit::Redo, history.can_redo()) }
                    { button(i18n::Lesson::Reset, "reset", Edit::Reset, history.is_changed()) }
                </div>
            </div>
            <div class="knobs-list">
                { for props.lesson.controls.iter().map(|control| knob(props, control, lang)) }
                <SeedKnob history={history.clone()} />
                if props.lesson.platforms.len() > 1 {
                    { platforms(props, lang) }
                }
            </div>
            if let Some(invalid) = &props.invalid {
                <div class="notice" role="alert">
                    <p><strong>{ say(lang, i18n::Lesson::ScenarioInvalid) }</strong></p>
                    <pre>{ invalid }</pre>
                </div>
            }
        </section>
    }
}

fn knob(props: &KnobsProps, control: &'static Control, lang: Lang) -> Html {
    let value = props.history.now.value(control.path).unwrap_or(control.start).to_owned();
    let locked = props.in_task && props.lesson.goal.locked.contains(&control.id);
    let input = match control.kind {
        ControlKind::Slider { min, max, step, .. } => {
            slider(props, control, &value, [min, max, step], locked)
        }
        ControlKind::Choice(choices) => choice(props, control, &value, choices, lang, locked),
    };
    let help_id = format!("help-{}", control.id);
    html! {
        <div class="knob">
            <label for={format!("control-{}", control.id)}>{ control.label.get(lang) }</label>
            <output class="knob-value" for={format!("control-{}", control.id)}>{ &value }</output>
            { input }
            <p class="knob-help" id={help_id}>
                { control.help.get(lang) }
                if locked {
                    <strong>{ format!(" — {}", say(lang, i18n::Lesson::Locked)) }</strong>
                }
            </p>
        </div>
    }
}

/// Both the slider's steps while it is dragged and its rest are followed; the steps count as one change.
fn slider(
    props: &KnobsProps,
    control: &'static Control,
    value: &str,
    bounds: [f64; 3],
    locked: bool,
) -> Html {
    let [min, max, step] = bounds;
    let set = |dragging: bool| {
        let history = props.history.dispatcher();
        move |number: f64| {
            if let Some(value) = control.kind.value(number) {
                history.dispatch(Edit::Set { path: control.path, value, start: control.start, dragging });
            }
        }
    };
    let (drag, rest) = (set(true), set(false));
    let oninput = Callback::from(move |event: InputEvent| {
        if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
            drag(input.value_as_number());
        }
    });
    let onchange = Callback::from(move |event: Event| {
        if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
            rest(input.value_as_number());
        }
    });
    let number = control.kind.number(value).unwrap_or(min);
    html! {
        <input type="range" id={format!("control-{}", control.id)} data-testid={format!("control-{}", control.id)}
            min={min.to_string()} max={max.to_string()} step={step.to_string()} value={number.to_string()}
            aria-valuetext={value.to_owned()} aria-describedby={format!("help-{}", control.id)} disabled={locked}
            {oninput} {onchange} />
    }
}

fn choice(
    props: &KnobsProps,
    control: &'static Control,
    value: &str,
    choices: &'static [Choice],
    lang: Lang,
    locked: bool,
) -> Html {
    let history = props.history.dispatcher();
    let onchange = Callback::from(move |event: Event| {
        if let Some(select) = event.target_dyn_into::<HtmlSelectElement>() {
            let (path, start) = (control.path, control.start);
            history.dispatch(Edit::Set { path, value: select.value(), start, dragging: false });
        }
    });
    let option = |choice: &Choice| {
        html! {
            <option value={choice.value} selected={choice.value == value}>{ choice.label.get(lang) }</option>
        }
    };
    html! {
        <select id={format!("control-{}", control.id)} data-testid={format!("control-{}", control.id)}
            aria-describedby={format!("help-{}", control.id)} disabled={locked} {onchange}>
            { for choices.iter().map(option) }
        </select>
    }
}

#[derive(Properties, PartialEq)]
struct SeedProps {
    history: UseReducerHandle<History>,
}

/// The seed: the lesson's where the field is empty.
#[component]
fn SeedKnob(props: &SeedProps) -> Html {
    let lang = use_lang();
    let history = props.history.dispatcher();
    let onchange = Callback::from(move |event: Event| {
        if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
            history.dispatch(Edit::Seed(input.value().parse().ok()));
        }
    });
    let value = props.history.now.seed.map(|seed| seed.to_string()).unwrap_or_default();
    html! {
        <div class="knob">
            <label for="control-seed">{ say(lang, i18n::Lesson::Seed) }</label>
            <input type="number" id="control-seed" data-testid="control-seed" min="0" max="9007199254740991" step="1"
                {value} placeholder="7" aria-describedby="help-seed" {onchange} />
            <p class="knob-help" id="help-seed">{ say(lang, i18n::Lesson::SeedHelp) }</p>
        </div>
    }
}

fn platforms(props: &KnobsProps, lang: Lang) -> Html {
    let (history, offered) = (props.history.dispatcher(), props.lesson.platforms);
    let onchange = Callback::from(move |event: Event| {
        let chosen =
            event.target_dyn_into::<HtmlSelectElement>().map(|select| select.value()).unwrap_or_default();
        if let Some(platform) = offered.iter().copied().find(|platform| platform.name() == chosen) {
            history.dispatch(Edit::Platform(platform));
        }
    });
    let now = props.history.now.platform;
    let option = |platform: &catamaran_scenario::Platform| {
        html! { <option value={platform.name()} selected={*platform == now}>{ platform.name() }</option> }
    };
    html! {
        <div class="knob">
            <label for="control-platform">{ say(lang, i18n::Lesson::Platform) }</label>
            <select id="control-platform" data-testid="control-platform" {onchange}>{ for offered.iter().map(option) }</select>
        </div>
    }
}
