//! The lanes under one axis.

use std::rc::Rc;

use catamaran_lessons::Shows;
use web_sys::KeyboardEvent;
use yew::prelude::*;

use super::announce::{describe_change, describe_moment};
use super::sight::{Sight, SightSpoken};
use super::{Legend, Notice};
use crate::app::use_lang;
use crate::charts::{Axis, Frame, Gantt, GanttTable, HistogramChart, Overlay, Strip, Waiting};
use crate::i18n::{self, histogram_name, say};
use crate::picture::Recording;
use crate::player::{Action, Controls, KeyHelp, Player, action_of_key};
use crate::sim::Bench;
use crate::widgets::use_width;

/// Width (px) until it has been measured.
const START_WIDTH_PX: f64 = 640.0;

/// What a [`Stage`] needs.
#[derive(Properties, PartialEq)]
pub struct StageProps {
    /// What is drawn.
    #[prop_or(Shows::Time)]
    pub shows: Shows,
    /// What is simulated.
    pub bench: Bench,
    /// The play head.
    pub player: UseReducerHandle<Player>,
    /// Fewer parts: for the home page.
    #[prop_or_default]
    pub small: bool,
    /// The p99 to come below (s).
    #[prop_or_default]
    pub goal_s: Option<f64>,
    /// A native run of the same scenario: its latencies.
    #[prop_or_default]
    pub overlay: Option<Overlay>,
    /// The drawing's outermost element, for export.
    #[prop_or_default]
    pub node: NodeRef,
}

/// The picture.
#[component]
pub fn Stage(props: &StageProps) -> Html {
    let lang = use_lang();
    let node = use_node_ref();
    let width_px = use_width(node.clone(), START_WIDTH_PX);
    let player = &props.player;
    let onkeydown = {
        let player = player.dispatcher();
        Callback::from(move |event: KeyboardEvent| {
            if let Some(action) = action_of_key(&event) {
                event.prevent_default();
                player.dispatch(action);
            }
        })
    };
    let busy = props.bench.busy;
    html! {
        <section class={classes!("stage", busy.then_some("busy"))} aria-label={say(lang, i18n::Player::Picture)}
            aria-busy={busy.to_string()} {onkeydown} ref={props.node.clone()}>
            <Notice failure={props.bench.failure.clone()} />
            <div class="measure" ref={node}></div>
            <p class="busy-mark" role="status">{ if busy { say(lang, i18n::Player::Simulating) } else { "" } }</p>
            { match props.bench.recording() {
                Some(recording) if props.shows == Shows::Sight => sight(props, recording),
                Some(recording) => picture(props, recording, width_px, lang),
                None => html! { <div class="no-picture">{ say(lang, i18n::Player::NoPicture) }</div> },
            } }
        </section>
    }
}

fn picture(props: &StageProps, recording: &Rc<Recording>, width_px: f64, lang: i18n::Lang) -> Html {
    let player = &props.player;
    let frame = Frame { recording: recording.clone(), view: player.view, head_ns: player.time_ns, width_px };
    let on_seek = {
        let player = player.dispatcher();
        Callback::from(move |at_ns: u64| player.dispatch(Action::Seek(at_ns)))
    };
    let servers = recording.servers();
    let limited = recording.limited_tenants();
    html! {
        <>
            <Legend recording={recording.clone()} head_ns={player.time_ns} />
            <div class="lanes">
                <Axis frame={frame.clone()} label={say(lang, i18n::Player::TimeAxis)} on_seek={on_seek.clone()} />
                <Gantt frame={frame.clone()} on_seek={on_seek.clone()} />
                { for limited.iter().map(|&tenant| html! {
                    <Strip frame={frame.clone()} {tenant} on_seek={on_seek.clone()} />
                }) }
                { for servers.iter().map(|&tenant| html! {
                    <Waiting frame={frame.clone()} {tenant} on_seek={on_seek.clone()} />
                }) }
            </div>
            <Controls player={player.clone()} />
            <Spoken recording={recording.clone()} player={player.clone()} />
            if !props.small {
                { for servers.iter().map(|&tenant| latencies(props, recording, tenant, width_px, lang)) }
                <div class="stage-notes">
                    <GanttTable {frame} />
                    <KeyHelp />
                </div>
            }
        </>
    }
}

/// Who sees what at the play head's instant.
fn sight(props: &StageProps, recording: &Rc<Recording>) -> Html {
    let player = &props.player;
    html! {
        <>
            <Sight recording={recording.clone()} head_ns={player.time_ns} />
            <Controls player={player.clone()} />
            <SightSpoken recording={recording.clone()} player={player.clone()} />
            <div class="stage-notes">
                <KeyHelp />
            </div>
        </>
    }
}

fn latencies(
    props: &StageProps,
    recording: &Rc<Recording>,
    tenant: u32,
    width_px: f64,
    lang: i18n::Lang,
) -> Html {
    html! {
        <figure class="latencies">
            <figcaption>{ histogram_name(lang, &recording.name(tenant)) }</figcaption>
            <HistogramChart recording={recording.clone()} {tenant} head_ns={props.player.time_ns} {width_px}
                goal_s={props.goal_s} overlay={props.overlay.clone()} />
        </figure>
    }
}

#[derive(Properties, PartialEq)]
struct SpokenProps {
    recording: Rc<Recording>,
    player: UseReducerHandle<Player>,
}

/// The same moment in words, whenever the head rests.
#[component]
fn Spoken(props: &SpokenProps) -> Html {
    let lang = use_lang();
    let (recording, player) = (&props.recording, &props.player);
    let text = (!player.playing).then(|| {
        let change = describe_change(lang, recording, player.time_ns).unwrap_or_default();
        format!("{} {change}", describe_moment(lang, recording, player.time_ns))
    });
    html! {
        <div class="moment">
            <p aria-live="polite" data-testid="moment">{ text }</p>
            if player.playing {
                <p aria-hidden="true">{ say(lang, i18n::Player::PlayingHint) }</p>
            }
        </div>
    }
}
