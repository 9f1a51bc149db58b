//! The bet: guesses with a confidence, and afterwards the guesses beside the answers.

use std::collections::BTreeMap;

use catamaran_lessons::{BetChoice, BetField, Lesson};
use web_sys::{HtmlInputElement, SubmitEvent};
use yew::prelude::*;

use super::progress::Progress;
use super::prose::Figures;
use crate::app::use_lang;
use crate::i18n::{self, Lang, say};

/// The names under which a confidence is kept, with what they say.
const CONFIDENCES: [(&str, i18n::Lesson); 3] =
    [("guess", i18n::Lesson::Guess), ("fairly", i18n::Lesson::Fairly), ("certain", i18n::Lesson::Certain)];

/// What a [`BetForm`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct BetFormProps {
    /// Whose bet.
    pub lesson: &'static Lesson,
    /// What was guessed before.
    pub progress: Progress,
    /// Told the guesses and the confidence; no guesses: skipped.
    pub placed: Callback<(BTreeMap<String, f64>, Option<String>)>,
}

/// The form of the bet.
#[component]
pub(super) fn BetForm(props: &BetFormProps) -> Html {
    let lang = use_lang();
    let guesses = use_state(|| first_guesses(props.lesson, &props.progress));
    let confidence = use_state(|| props.progress.confidence.clone().unwrap_or_else(|| "guess".to_owned()));
    let onsubmit = {
        let (placed, guesses, confidence) = (props.placed.clone(), guesses.clone(), confidence.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            placed.emit(((*guesses).clone(), Some((*confidence).clone())));
        })
    };
    let skip = props.placed.reform(|_: MouseEvent| (BTreeMap::new(), None));
    html! {
        <form class="bet" {onsubmit}>
            { for props.lesson.bet.fields.iter().map(|field| guess(lang, field, &guesses)) }
            <fieldset>
                <legend>{ say(lang, i18n::Lesson::Confidence) }</legend>
                { for CONFIDENCES.map(|choice| sure(lang, choice, &confidence)) }
            </fieldset>
            <div class="bet-buttons">
                <button type="submit" class="button main" data-testid="bet-place">{ say(lang, i18n::Lesson::PlaceBet) }</button>
                <button type="button" class="button quiet" onclick={skip} data-testid="bet-skip">
                    { say(lang, i18n::Lesson::SkipBet) }
                </button>
            </div>
        </form>
    }
}

fn first_guesses(lesson: &Lesson, progress: &Progress) -> BTreeMap<String, f64> {
    let first = |field: &BetField| {
        // In the middle, so that the slider's place gives nothing away.
        let middle = field.min + ((field.max - field.min) / 2.0 / field.step).round() * field.step;
        (field.id.to_owned(), progress.bet.get(field.id).copied().unwrap_or(middle))
    };
    let (choices, numbers): (Vec<&BetField>, Vec<&BetField>) =
        lesson.bet.fields.iter().partition(|field| !field.choices.is_empty());
    let before =
        choices.into_iter().filter_map(|field| Some((field.id.to_owned(), *progress.bet.get(field.id)?)));
    numbers.into_iter().map(first).chain(before).collect()
}

fn guess(lang: Lang, field: &'static BetField, guesses: &UseStateHandle<BTreeMap<String, f64>>) -> Html {
    if !field.choices.is_empty() {
        return choose(lang, field, guesses);
    }
    let value = guesses.get(field.id).copied().unwrap_or(field.min);
    let oninput = {
        let guesses = guesses.clone();
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                let mut next = (*guesses).clone();
                next.insert(field.id.to_owned(), input.value_as_number());
                guesses.set(next);
            }
        })
    };
    let shown = format!("{value}\u{a0}{}", field.answer.unit.sign());
    html! {
        <div class="knob">
            <label for={format!("bet-{}", field.id)}>{ field.label.get(lang) }</label>
            <output class="knob-value" for={format!("bet-{}", field.id)}>{ &shown }</output>
            <input type="range" id={format!("bet-{}", field.id)} data-testid={format!("bet-{}", field.id)}
                min={field.min.to_string()} max={field.max.to_string()} step={field.step.to_string()}
                value={value.to_string()} aria-valuetext={shown.clone()} {oninput} />
        </div>
    }
}

/// A guess among a few. None is chosen at first: that would be a hint.
fn choose(lang: Lang, field: &'static BetField, guesses: &UseStateHandle<BTreeMap<String, f64>>) -> Html {
    let chosen = guesses.get(field.id).copied();
    let radio = |(number, choice): (usize, &'static BetChoice)| {
        let guesses = guesses.clone();
        let onchange = Callback::from(move |_: Event| {
            let mut next = (*guesses).clone();
            next.insert(field.id.to_owned(), choice.value);
            guesses.set(next);
        });
        let checked = chosen.and_then(|value| field.choice(value)) == Some(choice);
        html! {
            <label class="radio">
                <input type="radio" name={format!("bet-{}", field.id)} value={number.to_string()} {checked} {onchange}
                    required=true data-testid={format!("bet-{}-{number}", field.id)} />
                { choice.label.get(lang) }
            </label>
        }
    };
    html! {
        <fieldset data-testid={format!("bet-{}", field.id)}>
            <legend>{ field.label.get(lang) }</legend>
            { for field.choices.iter().enumerate().map(radio) }
        </fieldset>
    }
}

fn sure(lang: Lang, (name, text): (&'static str, i18n::Lesson), chosen: &UseStateHandle<String>) -> Html {
    let onchange = {
        let chosen = chosen.clone();
        Callback::from(move |_: Event| chosen.set(name.to_owned()))
    };
    html! {
        <label class="radio">
            <input type="radio" name="confidence" value={name} checked={**chosen == name} {onchange} />
            { say(lang, text) }
        </label>
    }
}

/// What a [`BetResult`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct BetResultProps {
    /// Whose bet.
    pub lesson: &'static Lesson,
    /// What was guessed.
    pub progress: Progress,
    /// Where the answers come from.
    pub figures: Figures,
}

/// The guesses beside the answers.
#[component]
pub(super) fn BetResult(props: &BetResultProps) -> Html {
    let lang = use_lang();
    let guessed = !props.progress.bet.is_empty();
    let sure = CONFIDENCES.into_iter().find(|(name, _)| Some(*name) == props.progress.confidence.as_deref());
    html! {
        <div class="bet-result" data-testid="bet-result" aria-live="polite">
            <table>
                <thead>
                    <tr>
                        <td></td>
                        if guessed {
                            <th scope="col">{ say(lang, i18n::Lesson::YourBet) }</th>
                        }
                        <th scope="col">{ say(lang, i18n::Lesson::Answer) }</th>
                    </tr>
                </thead>
                <tbody>{ for props.lesson.bet.fields.iter().map(|field| result(lang, field, props)) }</tbody>
            </table>
            if let Some((_, text)) = sure.filter(|_| guessed) {
                <p>{ format!("{} {}", say(lang, i18n::Lesson::Confidence), say(lang, text)) }</p>
            }
            if !guessed {
                <p>{ say(lang, i18n::Lesson::NoBet) }</p>
            }
        </div>
    }
}

fn result(lang: Lang, field: &BetField, props: &BetResultProps) -> Html {
    let answer = field.answer.value(&mut |source, path| props.figures.value(source, path));
    let unit = field.answer.unit;
    let guess = props.progress.bet.get(field.id).copied();
    let verdict = guess.zip(answer).map(|(guess, answer)| match field.is_right(guess, answer) {
        true => (i18n::Lesson::BetRight, "right"),
        false => (i18n::Lesson::BetWrong, "wrong"),
    });
    html! {
        <tr>
            <th scope="row">{ field.label.get(lang) }</th>
            if let Some(guess) = guess {
                <td>
                    { written(lang, field, unit.shown(1.0).recip() * guess) }
                    if let Some((text, class)) = verdict {
                        <span class={classes!("verdict", class)}>{ say(lang, text) }</span>
                    }
                </td>
            }
            <td>{ answer.map_or_else(|| say(lang, i18n::Lesson::Waiting).to_owned(), |answer| written(lang, field, answer)) }</td>
        </tr>
    }
}

/// A value in the report's unit as people read it: a choice by its name.
fn written(lang: Lang, field: &BetField, value: f64) -> String {
    let choice = field.choice(value).map(|choice| choice.label.get(lang).to_owned());
    choice.unwrap_or_else(|| field.answer.unit.write(value))
}
