//! The causal chain: one request, moment by moment, each a way back to the picture.

use std::rc::Rc;

use yew::prelude::*;

use crate::app::use_lang;
use crate::format;
use crate::i18n::{self, moment_sentence, say};
use crate::picture::{Moment, Recording, moments, request_of_rank};
use crate::player::{Action, Player};

/// What [`Why`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct WhyProps {
    /// What was seen.
    pub recording: Rc<Recording>,
    /// Jumps to a moment.
    pub player: UseReducerHandle<Player>,
}

/// Which request is followed, by its rank among all (of 1000).
const RANKS: [(u32, i18n::Lesson, &str); 2] =
    [(1_000, i18n::Lesson::Slowest, "why-slowest"), (500, i18n::Lesson::Typical, "why-typical")];

/// The chain of one request.
#[component]
pub(super) fn Why(props: &WhyProps) -> Html {
    let lang = use_lang();
    let rank = use_state_eq(|| RANKS[0].0);
    let recording = &props.recording;
    let request = recording.servers().first().and_then(|&tenant| request_of_rank(recording, tenant, *rank));
    let button = |(of, text, testid): (u32, i18n::Lesson, &'static str)| {
        let rank_now = rank.clone();
        let onclick = Callback::from(move |_: MouseEvent| rank_now.set(of));
        html! {
            <button type="button" class="segment" aria-pressed={(*rank == of).to_string()} {onclick} data-testid={testid}>
                { say(lang, text) }
            </button>
        }
    };
    html! {
        <section class="why" aria-labelledby="why-title" data-testid="why">
            <h3 id="why-title">{ say(lang, i18n::Lesson::WhyThis) }</h3>
            <div class="segments" role="group" aria-labelledby="why-title">{ for RANKS.map(button) }</div>
            { match request {
                Some(request) => html! {
                    <ol class="chain" aria-live="polite">
                        { for moments(recording, &request).into_iter().map(|moment| link(props, moment, lang)) }
                    </ol>
                },
                None => html! { <p class="empty">{ say(lang, i18n::Lesson::WhyNone) }</p> },
            } }
        </section>
    }
}

fn link(props: &WhyProps, (at_ns, moment): (u64, Moment), lang: i18n::Lang) -> Html {
    let player = props.player.dispatcher();
    let onclick = Callback::from(move |_: MouseEvent| {
        player.dispatch(Action::Pause);
        player.dispatch(Action::Seek(at_ns));
    });
    let class = match moment {
        Moment::Stopped { .. } => "is-stopped",
        _ => "",
    };
    html! {
        <li class={class}>
            <button type="button" class="moment-link" {onclick}>
                <span class="moment-time">{ format::instant(at_ns) }</span>
                <span>{ moment_sentence(lang, moment) }</span>
            </button>
        </li>
    }
}
