//! What can be turned in the duel; every turn simulates all eras anew at once.

use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::settings::{CONTROLS, Control, Kind, NO_LIMIT};
use crate::app::use_lang;
use crate::i18n::{Duel, Lang, say};
use crate::lesson::{Edit, History};

/// What [`Controls`] need.
#[derive(Properties, Clone, PartialEq)]
pub(super) struct ControlsProps {
    pub(super) history: UseReducerHandle<History>,
    /// The file's seed.
    pub(super) seed: Option<u64>,
}

/// The controls.
#[component]
pub(super) fn Controls(props: &ControlsProps) -> Html {
    let lang = use_lang();
    let reset = {
        let history = props.history.dispatcher();
        Callback::from(move |_: MouseEvent| history.dispatch(Edit::Reset))
    };
    html! {
        <section class="knobs" aria-labelledby="duel-knobs">
            <div class="knobs-head">
                <h2 id="duel-knobs">{ say(lang, Duel::Controls) }</h2>
                <button type="button" class="button small quiet" onclick={reset} data-testid="reset"
                    aria-disabled={(!props.history.is_changed()).to_string()}>{ say(lang, Duel::Reset) }</button>
            </div>
            <div class="knobs-list">
                { for CONTROLS.iter().map(|control| html! { <Knob {control} history={props.history.clone()} /> }) }
                <Seed ..props.clone() />
            </div>
        </section>
    }
}

/// Name and help of a control.
fn words(control: &Control) -> (Duel, Duel) {
    match control.id {
        "rate" => (Duel::Rate, Duel::RateHelp),
        "apps" => (Duel::Apps, Duel::AppsHelp),
        "threads" => (Duel::Threads, Duel::ThreadsHelp),
        _ => (Duel::Limit, Duel::LimitHelp),
    }
}

#[derive(Properties, PartialEq)]
struct KnobProps {
    control: &'static Control,
    history: UseReducerHandle<History>,
}

#[component]
fn Knob(props: &KnobProps) -> Html {
    let lang = use_lang();
    let control = props.control;
    let value = props.history.now.value(control.path).unwrap_or(control.start).to_owned();
    let (name, help) = words(control);
    let input = match control.kind {
        Kind::Slider { min, max, step, unit } => slider(props, &value, [min, max, step], unit),
        Kind::Choice(choices) => choice(props, &value, choices, lang),
    };
    html! {
        <div class="knob">
            <label for={format!("control-{}", control.id)}>{ say(lang, name) }</label>
            if matches!(control.kind, Kind::Slider { .. }) {
                <output class="knob-value" for={format!("control-{}", control.id)}>{ value }</output>
            }
            { input }
            <p class="knob-help" id={format!("help-{}", control.id)}>{ say(lang, help) }</p>
        </div>
    }
}

/// Both the steps of a slider that is dragged and its rest are followed; the steps count as one change.
fn slider(props: &KnobProps, value: &str, [min, max, step]: [u32; 3], unit: &'static str) -> Html {
    let control = props.control;
    let set = |dragging: bool| {
        let history = props.history.dispatcher();
        move |input: Option<HtmlInputElement>| {
            let Some(input) = input else { return };
            let value = format!("{}{unit}", input.value());
            history.dispatch(Edit::Set { path: control.path, value, start: control.start, dragging });
        }
    };
    let (drag, rest) = (set(true), set(false));
    let oninput = Callback::from(move |event: InputEvent| drag(event.target_dyn_into()));
    let onchange = Callback::from(move |event: Event| rest(event.target_dyn_into()));
    let number = value.strip_suffix(unit).unwrap_or(value).to_owned();
    html! {
        <input type="range" id={format!("control-{}", control.id)} data-testid={format!("control-{}", control.id)}
            min={min.to_string()} max={max.to_string()} step={step.to_string()} value={number}
            aria-valuetext={value.to_owned()} aria-describedby={format!("help-{}", control.id)} {oninput} {onchange} />
    }
}

fn choice(props: &KnobProps, value: &str, choices: &'static [&'static str], lang: Lang) -> Html {
    let (control, history) = (props.control, props.history.dispatcher());
    let onchange = Callback::from(move |event: Event| {
        if let Some(select) = event.target_dyn_into::<HtmlSelectElement>() {
            let (path, start) = (control.path, control.start);
            history.dispatch(Edit::Set { path, value: select.value(), start, dragging: false });
        }
    });
    let option = |&choice: &&'static str| {
        let name = if choice == NO_LIMIT { say(lang, Duel::NoLimit) } else { choice };
        html! { <option value={choice} selected={choice == value}>{ name }</option> }
    };
    html! {
        <select id={format!("control-{}", control.id)} data-testid={format!("control-{}", control.id)}
            aria-describedby={format!("help-{}", control.id)} {onchange}>
            { for choices.iter().map(option) }
        </select>
    }
}

/// The seed: the file's where the field is empty.
#[component]
fn Seed(props: &ControlsProps) -> Html {
    let lang = use_lang();
    let history = props.history.dispatcher();
    let onchange = Callback::from(move |event: Event| {
        if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
            history.dispatch(Edit::Seed(input.value().parse().ok()));
        }
    });
    let value = props.history.now.seed.map(|seed| seed.to_string()).unwrap_or_default();
    let placeholder = props.seed.map(|seed| seed.to_string());
    html! {
        <div class="knob">
            <label for="control-seed">{ say(lang, Duel::Seed) }</label>
            <input type="number" id="control-seed" data-testid="control-seed" min="0" max="9007199254740991" step="1"
                {value} {placeholder} aria-describedby="help-seed" {onchange} />
            <p class="knob-help" id="help-seed">{ say(lang, Duel::SeedHelp) }</p>
        </div>
    }
}
