//! One control of a lesson: a slider or a choice of a field of the scenario.

use catamaran_lessons::{Choice, Control, ControlKind, Lesson};
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::order::Order;
use super::settings::{Edit, History};
use crate::app::use_lang;
use crate::i18n::{self, Lang, say};

/// What a [`Field`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct FieldProps {
    /// Part of the ids: the control is `control-ID`, its description `help-ID`.
    pub(super) id: AttrValue,
    /// Name.
    pub(super) label: AttrValue,
    /// What it does, in a sentence.
    pub(super) help: AttrValue,
    /// The value, where the control does not show it itself.
    #[prop_or_default]
    pub(super) value: Option<AttrValue>,
    /// Told the help when the control is touched or pointed at.
    pub(super) touch: Callback<AttrValue>,
    /// The control.
    pub(super) children: Html,
}

/// A control with its name, value and description.
#[component]
pub(super) fn Field(props: &FieldProps) -> Html {
    let touch = {
        let (touch, help) = (props.touch.clone(), props.help.clone());
        move || touch.emit(help.clone())
    };
    let (onfocusin, onpointerenter) = {
        let pointed = touch.clone();
        (Callback::from(move |_: FocusEvent| touch()), Callback::from(move |_: PointerEvent| pointed()))
    };
    html! {
        <div class="knob" {onfocusin} {onpointerenter}>
            <label for={format!("control-{}", props.id)}>{ &props.label }</label>
            if let Some(value) = &props.value {
                <output class="knob-value" for={format!("control-{}", props.id)}>{ value }</output>
            }
            { props.children.clone() }
            <p class="visually-hidden" id={format!("help-{}", props.id)}>{ &props.help }</p>
        </div>
    }
}

/// What a [`Knob`] needs.
#[derive(Properties, Clone, PartialEq)]
pub(super) struct KnobProps {
    /// Whose control.
    pub(super) lesson: &'static Lesson,
    /// What is turned.
    pub(super) control: &'static Control,
    /// Where it stands.
    pub(super) history: UseReducerHandle<History>,
    /// Whether it may not be turned in this task.
    pub(super) locked: bool,
    /// Told the help when the control is touched or pointed at.
    pub(super) touch: Callback<AttrValue>,
}

/// One control.
#[component]
pub(super) fn Knob(props: &KnobProps) -> Html {
    let lang = use_lang();
    let control = props.control;
    let value = props.history.now.value(control.path).unwrap_or(control.start).to_owned();
    let help = match props.locked {
        true => format!("{} ({})", control.help.get(lang), say(lang, i18n::Lesson::Locked)),
        false => control.help.get(lang).to_owned(),
    };
    let (shown, input) = match control.kind {
        ControlKind::Slider { min, max, step, .. } => {
            (Some(AttrValue::from(value.clone())), slider(props, &value, [min, max, step]))
        }
        ControlKind::Choice(choices) => (None, choice(props, &value, choices, lang)),
        ControlKind::Switch { word } => (None, switch(props, &value, word)),
        ControlKind::Order(_) => return html! { <Order ..props.clone() /> },
    };
    html! {
        <Field id={control.id} label={control.label.get(lang)} {help} value={shown} touch={props.touch.clone()}>
            { input }
        </Field>
    }
}

/// Both the steps of a slider that is dragged and its rest are followed; the steps count as one change.
fn slider(props: &KnobProps, value: &str, [min, max, step]: [f64; 3]) -> Html {
    let control = props.control;
    let set = |dragging: bool| {
        let history = props.history.dispatcher();
        move |input: Option<HtmlInputElement>| {
            if let Some(value) = input.and_then(|input| control.kind.value(input.value_as_number())) {
                history.dispatch(Edit::Set { path: control.path, value, start: control.start, dragging });
            }
        }
    };
    let (drag, rest) = (set(true), set(false));
    let oninput = Callback::from(move |event: InputEvent| drag(event.target_dyn_into()));
    let onchange = Callback::from(move |event: Event| rest(event.target_dyn_into()));
    let number = control.kind.number(value).unwrap_or(min);
    html! {
        <input type="range" id={format!("control-{}", control.id)} data-testid={format!("control-{}", control.id)}
            min={min.to_string()} max={max.to_string()} step={step.to_string()} value={number.to_string()}
            aria-valuetext={value.to_owned()} aria-describedby={format!("help-{}", control.id)} disabled={props.locked}
            {oninput} {onchange} />
    }
}

fn choice(props: &KnobProps, value: &str, choices: &'static [Choice], lang: Lang) -> Html {
    let (control, history) = (props.control, props.history.dispatcher());
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
            aria-describedby={format!("help-{}", control.id)} disabled={props.locked} {onchange}>
            { for choices.iter().map(option) }
        </select>
    }
}

/// On where the word stands in the list.
fn switch(props: &KnobProps, value: &str, word: &'static str) -> Html {
    let (control, history) = (props.control, props.history.dispatcher());
    let on = value.split(',').any(|there| there == word);
    let next = props.lesson.switched(control.path, value, word, !on);
    let onchange = Callback::from(move |_: Event| {
        let (path, start) = (control.path, control.start);
        history.dispatch(Edit::Set { path, value: next.clone(), start, dragging: false });
    });
    html! {
        <input type="checkbox" role="switch" id={format!("control-{}", control.id)}
            data-testid={format!("control-{}", control.id)} checked={on}
            aria-describedby={format!("help-{}", control.id)} disabled={props.locked} {onchange} />
    }
}
