//! The page of the duel.

use catamaran_scenario::Plan;
use web_sys::KeyboardEvent;
use yew::prelude::*;

use super::controls::Controls;
use super::pane::Pane;
use super::real::ForReal;
use super::settings::{ERAS, SCENARIO};
use super::spoken::describe;
use super::state::{Duel, use_duel};
use super::table::Score;
use crate::app::{absolute, use_preferences};
use crate::i18n::{self, Lang, say};
use crate::link::Link;
use crate::player::{self, KeyHelp, action_of_key};
use crate::widgets::CopyButton;

/// What a [`DuelPage`] needs.
#[derive(Properties, PartialEq)]
pub struct DuelPageProps {
    /// The link with which it was opened.
    pub link: Link,
}

/// The duel.
#[component]
pub fn DuelPage(props: &DuelPageProps) -> Html {
    let (preferences, _) = use_preferences();
    let lang = preferences.lang;
    let duel = use_duel(&props.link);
    let seed = use_memo((), |()| Plan::from_toml(SCENARIO, "era-duel").ok().map(|plan| plan.seed()));
    let share = {
        let duel = duel.clone();
        Callback::from(move |()| absolute(&duel.link(preferences)))
    };
    html! {
        <article class="lesson duel" data-testid="duel" aria-busy={duel.busy().to_string()}>
            <header class="lesson-head">
                <div class="lesson-top">
                    <h1>{ say(lang, i18n::Duel::Title) }</h1>
                    <div title={say(lang, i18n::Lesson::ShareHelp)}>
                        <CopyButton label={say(lang, i18n::Lesson::CopyLink)} text={share} testid="copy-link" />
                    </div>
                </div>
                <p class="lead">{ say(lang, i18n::Duel::Lead) }</p>
            </header>
            <Controls history={duel.history.clone()} seed={*seed} />
            { invalid(&duel, lang) }
            { stage(&duel, lang) }
            <Score eras={duel.eras.clone()} />
            <ForReal scenario={duel.scenario.clone().ok()} eras={duel.eras.clone()} />
        </article>
    }
}

/// Why the values don't make a scenario.
fn invalid(duel: &Duel, lang: Lang) -> Html {
    let Some(reason) = duel.scenario.as_ref().err() else { return Html::default() };
    html! {
        <div class="notice" role="alert">
            <p><strong>{ say(lang, i18n::Duel::ScenarioInvalid) }</strong></p>
            <pre>{ reason }</pre>
        </div>
    }
}

/// The panes with their one play head.
fn stage(duel: &Duel, lang: Lang) -> Html {
    let (player, busy) = (&duel.player, duel.busy());
    let onkeydown = {
        let player = player.dispatcher();
        Callback::from(move |event: KeyboardEvent| {
            if let Some(action) = action_of_key(&event) {
                event.prevent_default();
                player.dispatch(action);
            }
        })
    };
    let panes = ERAS.iter().zip(&duel.eras).map(|(&platform, era)| {
        html! { <Pane {platform} era={era.clone()} player={player.clone()} /> }
    });
    html! {
        <section class={classes!("stage", busy.then_some("busy"))} aria-label={say(lang, i18n::Duel::Panes)}
            aria-busy={busy.to_string()} {onkeydown}>
            <p class="busy-mark" role="status">{ if busy { say(lang, i18n::Player::Simulating) } else { "" } }</p>
            <div class="panes">{ for panes }</div>
            <player::Controls player={player.clone()} />
            { moment(duel, lang) }
            <p class="fine">{ say(lang, i18n::Duel::ClockNote) }</p>
            <div class="stage-notes"><KeyHelp /></div>
        </section>
    }
}

/// The same moment in words, whenever the head rests.
fn moment(duel: &Duel, lang: Lang) -> Html {
    let player = &duel.player;
    let sentence = |(&platform, era): (&catamaran_scenario::Platform, &super::state::Era)| {
        let film = era.film.as_ref()?;
        Some(html! { <span class="era-moment">{ describe(lang, platform, film, player.time_ns) }</span> })
    };
    let sentences = || ERAS.iter().zip(&duel.eras).filter_map(sentence).collect::<Html>();
    html! {
        <div class="moment">
            <p aria-live="polite" data-testid="moment">{ if player.playing { Html::default() } else { sentences() } }</p>
            if player.playing {
                <p aria-hidden="true">{ say(lang, i18n::Player::PlayingHint) }</p>
            }
        </div>
    }
}
