//! The causal chain, moment by moment, each a way back to the picture: of one request, of a kill for memory, of a start.

use std::rc::Rc;

use catamaran_report::Report;
use catamaran_scenario::Plan;
use yew::prelude::*;

use crate::app::use_lang;
use crate::format;
use crate::i18n::{self, Lang, memory_sentence, moment_sentence, platform_word, say, stage_sentence};
use crate::picture::{MemoryFilm, MemoryMoment, Moment, Recording, moments, request_of_rank};
use crate::player::{Action, Player};

/// What [`Why`] needs.
#[derive(Properties, Clone, PartialEq)]
pub(super) struct WhyProps {
    /// What was seen.
    pub recording: Rc<Recording>,
    /// Jumps to a moment.
    pub player: UseReducerHandle<Player>,
    /// What is followed.
    pub chain: Chain,
}

/// What is followed from cause to effect.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Chain {
    /// One request.
    Request,
    /// The kills for memory of a run of this plan; where nobody was killed, one request.
    Kill(Rc<Plan>),
    /// The start on each platform, from these reports.
    Starts(Rc<[Rc<Report>]>),
}

/// The chain.
#[component]
pub(super) fn Why(props: &WhyProps) -> Html {
    let lang = use_lang();
    match &props.chain {
        Chain::Request => html! { <WhyRequest ..props.clone() /> },
        Chain::Kill(plan) => {
            let film = MemoryFilm::new(&props.recording.report, plan);
            let story = film.map(|film| film.story(&props.recording.report)).unwrap_or_default();
            if story.is_empty() {
                return html! { <><p>{ say(lang, i18n::Memory::NoKill) }</p><WhyRequest ..props.clone() /></> };
            }
            let item = |(at_ns, moment): (u64, MemoryMoment)| {
                let stops = matches!(moment, MemoryMoment::Killed { .. });
                link(props, at_ns, memory_sentence(lang, &props.recording, &moment), stops)
            };
            html! {
                <section class="why" aria-labelledby="why-title" data-testid="why">
                    <h3 id="why-title">{ say(lang, i18n::Memory::WhyKill) }</h3>
                    <ol class="chain">{ for story.into_iter().map(item) }</ol>
                </section>
            }
        }
        Chain::Starts(reports) => html! {
            <section class="why" aria-labelledby="why-title" data-testid="why">
                <h3 id="why-title">{ say(lang, i18n::Weighing::WhyStart) }</h3>
                { for reports.iter().map(|report| start(props, report, lang)) }
            </section>
        },
    }
}

/// The stages of a start.
fn start(props: &WhyProps, report: &Report, lang: Lang) -> Html {
    let first = report.tenants.first();
    let stages = first.map(|tenant| tenant.startup_stages.as_slice()).unwrap_or_default();
    let item = |stage: &catamaran_report::report::StageRow| {
        let length = stage.length().map_or_else(|| "?".to_owned(), format::seconds);
        let words = format!("{}: {} ({length})", stage.name, stage_sentence(lang, &stage.name));
        link(props, (stage.start_s.unwrap_or(0.0) * 1e9).round() as u64, words, false)
    };
    html! {
        <>
            <h4>{ platform_word(lang, report.platform) }</h4>
            <ol class="chain">{ for stages.iter().map(item) }</ol>
        </>
    }
}

/// Which request is followed, by its rank among all (of 1000).
const RANKS: [(u32, i18n::Lesson, &str); 2] =
    [(1_000, i18n::Lesson::Slowest, "why-slowest"), (500, i18n::Lesson::Typical, "why-typical")];

/// The chain of one request.
#[component]
fn WhyRequest(props: &WhyProps) -> Html {
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
                        { for moments(recording, &request).into_iter().map(|(at_ns, moment)| {
                            let stops = matches!(moment, Moment::Stopped { .. });
                            link(props, at_ns, moment_sentence(lang, moment), stops)
                        }) }
                    </ol>
                },
                None => html! { <p class="empty">{ say(lang, i18n::Lesson::WhyNone) }</p> },
            } }
        </section>
    }
}

/// A moment in words; pressed, the picture goes there.
fn link(props: &WhyProps, at_ns: u64, words: String, stops: bool) -> Html {
    let player = props.player.dispatcher();
    let onclick = Callback::from(move |_: MouseEvent| {
        player.dispatch(Action::Pause);
        player.dispatch(Action::Seek(at_ns));
    });
    html! {
        <li class={classes!(stops.then_some("is-stopped"))}>
            <button type="button" class="moment-link" {onclick}>
                <span class="moment-time">{ format::instant(at_ns) }</span>
                <span>{ words }</span>
            </button>
        </li>
    }
}
