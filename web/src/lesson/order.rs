//! Steps that are put into an order: by buttons, by keyboard, by dragging.

use catamaran_lessons::Choice;
use yew::prelude::*;

use super::knob::KnobProps;
use super::settings::Edit;
use crate::app::use_lang;
use crate::i18n::{self, say};

/// The steps, each with what moves it.
#[component]
pub(super) fn Order(props: &KnobProps) -> Html {
    let lang = use_lang();
    let control = props.control;
    let value = props.history.now.value(control.path).unwrap_or(control.start).to_owned();
    let steps = control.kind.steps(&value);
    let dragged = use_state(|| None::<usize>);
    let put = {
        let (history, value) = (props.history.dispatcher(), value.clone());
        Callback::from(move |(from, to): (usize, usize)| {
            let value = control.kind.moved(&value, from, to);
            history.dispatch(Edit::Set { path: control.path, value, start: control.start, dragging: false });
        })
    };
    let last = steps.len().saturating_sub(1);
    let button = |step: &Choice, text: i18n::Lesson, sign: &'static str, from: usize, to: Option<usize>| {
        let put = put.clone();
        let name = format!("{}: {}", step.label.get(lang), say(lang, text));
        let onclick = Callback::from(move |_: MouseEvent| {
            if let Some(to) = to {
                put.emit((from, to));
            }
        });
        let way = if sign == "↑" { "up" } else { "down" };
        html! {
            <button type="button" class="step-button" aria-label={name} aria-disabled={to.is_none().to_string()}
                disabled={props.locked} {onclick} data-testid={format!("control-{}-{way}-{}", control.id, step.value)}>{ sign }</button>
        }
    };
    let item = |(at, step): (usize, &&'static Choice)| {
        let (start, drop) = (dragged.setter(), put.clone());
        let from = *dragged;
        let ondragstart = Callback::from(move |_: DragEvent| start.set(Some(at)));
        let ondragover = Callback::from(|event: DragEvent| event.prevent_default());
        let ondrop = Callback::from(move |event: DragEvent| {
            event.prevent_default();
            if let Some(from) = from {
                drop.emit((from, at));
            }
        });
        html! {
            <li key={step.value} class="step" draggable={(!props.locked).to_string()} {ondragstart} {ondragover} {ondrop}>
                <code>{ step.label.get(lang) }</code>
                { button(step, i18n::Lesson::StepUp, "↑", at, at.checked_sub(1)) }
                { button(step, i18n::Lesson::StepDown, "↓", at, (at < last).then_some(at + 1)) }
            </li>
        }
    };
    let help = control.help.get(lang);
    let touch = {
        let (touch, help) = (props.touch.clone(), AttrValue::from(help));
        Callback::from(move |_: FocusEvent| touch.emit(help.clone()))
    };
    html! {
        <fieldset class="knob order" onfocusin={touch} aria-describedby={format!("help-{}", control.id)}
            data-testid={format!("control-{}", control.id)} data-value={value.clone()}>
            <legend>{ control.label.get(lang) }</legend>
            <ol>{ for steps.iter().enumerate().map(item) }</ol>
            <p class="visually-hidden" id={format!("help-{}", control.id)}>{ help }</p>
        </fieldset>
    }
}
