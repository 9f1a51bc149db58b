//! The lanes under one axis.

use std::rc::Rc;

use catamaran_lessons::Stage as Kind;
use catamaran_report::Report;
use catamaran_report::why::Advice;
use web_sys::KeyboardEvent;
use yew::prelude::*;

use super::Notice;
use super::asked::Asking;
use super::scene::Scene;
use crate::app::use_lang;
use crate::charts::{Frame, GanttTable, HistogramChart, Overlay};
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
    /// What is simulated.
    pub bench: Bench,
    /// The play head.
    pub player: UseReducerHandle<Player>,
    /// What is drawn.
    #[prop_or_default]
    pub kind: Kind,
    /// Native reports, to be drawn over the simulation where they belong to it.
    #[prop_or_default]
    pub natives: Rc<Vec<Report>>,
    /// Fewer parts: for the home page.
    #[prop_or_default]
    pub small: bool,
    /// The p99 to come below (s).
    #[prop_or_default]
    pub goal_s: Option<f64>,
    /// A native run of the same scenario: its latencies.
    #[prop_or_default]
    pub overlay: Option<Overlay>,
    /// What is made of an advice, where "why?" is answered; elsewhere there is nobody to ask.
    #[prop_or_default]
    pub advise: Option<Callback<Advice, Html>>,
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
    let parts = (props.kind, props.bench.done.clone(), props.natives.clone());
    let scene = use_memo(parts, |(kind, done, natives)| Scene::of(*kind, done.as_ref(), natives));
    let asking = use_asking(props);
    html! {
        <section class={classes!("stage", busy.then_some("busy"))} aria-label={say(lang, i18n::Player::Picture)}
            aria-busy={busy.to_string()} {onkeydown} ref={props.node.clone()}>
            <Notice failure={props.bench.failure.clone()} />
            <div class="measure" ref={node}></div>
            <p class="busy-mark" role="status">{ if busy { say(lang, i18n::Player::Simulating) } else { "" } }</p>
            { match props.bench.recording() {
                Some(recording) => html! {
                    <ContextProvider<Option<Asking>> context={asking}>
                        { picture(props, recording, &scene, width_px, lang) }
                    </ContextProvider<Option<Asking>>>
                },
                None => html! { <div class="no-picture">{ say(lang, i18n::Player::NoPicture) }</div> },
            } }
        </section>
    }
}

/// Whom is asked about, and what the answers are made of.
#[hook]
fn use_asking(props: &StageProps) -> Option<Asking> {
    let open = use_state_eq(|| None::<u32>);
    let setter = open.setter();
    let ask = use_callback((), move |tenant: Option<u32>, ()| setter.set(tenant));
    let scenario = use_memo(props.bench.done.clone(), |done| {
        done.as_ref().map(|(_, wanted)| Rc::<str>::from(wanted.scenario.as_str()))
    });
    Some(Asking {
        recording: props.bench.recording()?.clone(),
        scenario: (*scenario).clone()?,
        open: *open,
        ask,
        advise: props.advise.clone()?,
    })
}

fn picture(
    props: &StageProps,
    recording: &Rc<Recording>,
    scene: &Rc<Scene>,
    width_px: f64,
    lang: i18n::Lang,
) -> Html {
    let player = &props.player;
    let frame = Frame { recording: recording.clone(), view: player.view, head_ns: player.time_ns, width_px };
    let on_seek = {
        let player = player.dispatcher();
        Callback::from(move |at_ns: u64| player.dispatch(Action::Seek(at_ns)))
    };
    let cores = scene.has_cores();
    let servers = if scene.has_latencies() { recording.servers() } else { Vec::new() };
    html! {
        <>
            { scene.draw(props, &frame, &on_seek, lang) }
            <Controls player={player.clone()} clock={scene.clock(recording, player.time_ns, lang)} />
            <Spoken recording={recording.clone()} player={player.clone()} scene={scene.clone()} />
            if !props.small {
                { scene.below() }
                { for servers.iter().map(|&tenant| latencies(props, recording, tenant, width_px, lang)) }
                <div class="stage-notes">
                    if cores {
                        <GanttTable {frame} />
                    }
                    <KeyHelp />
                </div>
            }
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
    scene: Rc<Scene>,
}

/// The same moment in words, whenever the head rests.
#[component]
fn Spoken(props: &SpokenProps) -> Html {
    let lang = use_lang();
    let (recording, player) = (&props.recording, &props.player);
    let text = (!player.playing).then(|| props.scene.describe(lang, recording, player.time_ns));
    html! {
        <div class="moment">
            <p aria-live="polite" data-testid="moment">{ text }</p>
            if player.playing {
                <p aria-hidden="true">{ say(lang, i18n::Player::PlayingHint) }</p>
            }
        </div>
    }
}
