//! The way through the seven beats.

use catamaran_lessons::Beat;
use yew::prelude::*;

use super::progress::Progress;
use crate::app::use_lang;
use crate::i18n::{Lesson, say};

/// Name of a beat in the navigation.
#[must_use]
pub(super) fn beat_name(beat: Beat) -> Lesson {
    match beat {
        Beat::Play => Lesson::BeatPlay,
        Beat::Bet => Lesson::BeatBet,
        Beat::Run => Lesson::BeatRun,
        Beat::Why => Lesson::BeatWhy,
        Beat::Goal => Lesson::BeatGoal,
        Beat::ForReal => Lesson::BeatForReal,
        Beat::Debrief => Lesson::BeatDebrief,
    }
}

/// Number of a beat, from 1.
#[must_use]
pub(super) fn number_of(beat: Beat) -> u8 {
    Beat::ALL.iter().zip(1..).find(|(other, _)| **other == beat).map_or(1, |(_, number)| number)
}

/// The beat of that number, from 1.
#[must_use]
pub(super) fn beat_of(number: u8) -> Option<Beat> {
    Beat::ALL.get(usize::from(number).checked_sub(1)?).copied()
}

/// What [`BeatNav`] and [`BeatSteps`] need.
#[derive(Properties, PartialEq)]
pub(super) struct BeatProps {
    /// Which is open.
    pub beat: Beat,
    /// Which have been.
    pub progress: Progress,
    /// Opens one.
    pub open: Callback<Beat>,
}

/// All seven.
#[component]
pub(super) fn BeatNav(props: &BeatProps) -> Html {
    let lang = use_lang();
    let item = |&beat: &Beat| {
        let open = props.open.clone();
        let onclick = Callback::from(move |_: MouseEvent| open.emit(beat));
        let been = props.progress.beats.contains(beat.id()) && beat != props.beat;
        let current = (beat == props.beat).then_some("step");
        html! {
            <li class={classes!(been.then_some("been"))}>
                <button type="button" aria-current={current} {onclick} data-testid={format!("beat-{}", beat.id())}>
                    <span class="beat-number" aria-hidden="true">{ number_of(beat) }</span>
                    <span class="beat-name">{ say(lang, beat_name(beat)) }</span>
                    if been {
                        <span class="visually-hidden">{ format!(" ({})", say(lang, Lesson::BeatDone)) }</span>
                    }
                </button>
            </li>
        }
    };
    html! {
        <nav class="beats" aria-label={say(lang, Lesson::Beats)}>
            <ol>{ for Beat::ALL.iter().map(item) }</ol>
        </nav>
    }
}

/// To the beat before and the next.
#[component]
pub(super) fn BeatSteps(props: &BeatProps) -> Html {
    let lang = use_lang();
    let number = number_of(props.beat);
    let step = |target: Option<Beat>, text: Lesson, class: &'static str, testid: &'static str| {
        let Some(beat) = target else { return html! { <span></span> } };
        let open = props.open.clone();
        let onclick = Callback::from(move |_: MouseEvent| open.emit(beat));
        html! {
            <button type="button" class={classes!("button", class)} {onclick} data-testid={testid}>
                { format!("{}: {}", say(lang, text), say(lang, beat_name(beat))) }
            </button>
        }
    };
    html! {
        <div class="beat-steps">
            { step(beat_of(number.saturating_sub(1)), Lesson::Back, "quiet", "beat-back") }
            // The bet leads on by itself, placed or skipped.
            { step(beat_of(number + 1).filter(|_| props.beat != Beat::Bet), Lesson::Next, "main", "beat-next") }
        </div>
    }
}
