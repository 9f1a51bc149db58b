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
        if let Some(first) = field.choices.first() {
            return (field.id.to_owned(), progress.bet.get(field.id).copied().unwrap_or(first.value));
        }
        let middle = field.min + ((field.max - field.min) / 2.0 / field.step).round() * field.step;
        (field.id.to_owned(), progress.bet.get(field.id).copied().unwrap_or(middle))
    };
    lesson.bet.fields.iter().map(first).collect()
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

fn choose(lang: Lang, field: &'static BetField, guesses: &UseStateHandle<BTreeMap<String, f64>>) -> Html {
    let now = guesses.get(field.id).copied();
    let option = |(index, choice): (usize, &'static BetChoice)| {
        let guesses = guesses.clone();
        let onchange = Callback::from(move |_: Event| {
            let mut next = (*guesses).clone();
            next.insert(field.id.to_owned(), choice.value);
            guesses.set(next);
        });
        html! {
            <label class="radio">
                <input type="radio" name={format!("bet-{}", field.id)} checked={now == Some(choice.value)} {onchange}
                    data-testid={format!("bet-{}-{index}", field.id)} />
                { choice.label.get(lang) }
            </label>
        }
    };
    html! {
        <fieldset data-testid={format!("bet-{}", field.id)}>
            <legend>{ field.label.get(lang) }</legend>
            { for field.choices.iter().enumerate().map(option) }
        </fieldset>
    }
}

/// A guess or an answer as the form writes it.
fn written(lang: Lang, field: &BetField, number: f64, otherwise: String) -> String {
    let chosen = field.choices.iter().find(|choice| field.is_right(choice.value, number));
    chosen.map_or(otherwise, |choice| choice.label.get(lang).to_owned())
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
                    { written(lang, field, guess, format!("{guess}\u{a0}{}", unit.sign())) }
                    if let Some((text, class)) = verdict {
                        <span class={classes!("verdict", class)}>{ say(lang, text) }</span>
                    }
                </td>
            }
            <td>{ answer.map_or_else(
                || say(lang, i18n::Lesson::Waiting).to_owned(),
                |answer| written(lang, field, answer, unit.write(answer)),
            ) }</td>
        </tr>
    }
}
