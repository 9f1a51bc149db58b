//! The lanes under one axis.

use std::rc::Rc;

use catamaran_lessons::Stage as Kind;
use catamaran_report::Report;
use catamaran_scenario::Plan;
use web_sys::KeyboardEvent;
use yew::prelude::*;

use super::announce::{describe_change, describe_moment};
use super::memory::{MemoryLanes, MemoryNow, describe_memory};
use super::weight::{WeightPicture, describe_start};
use super::{Legend, Notice};
use crate::app::use_lang;
use crate::charts::{Axis, Frame, Gantt, GanttTable, HistogramChart, Overlay, Strip, Waiting};
use crate::i18n::{self, histogram_name, say};
use crate::picture::{MemoryFilm, Recording};
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
    let scene = Scene::of(props, recording);
    let cores = !matches!(scene, Scene::Weight(..));
    let servers = if cores { recording.servers() } else { Vec::new() };
    html! {
        <>
            { scene.draw(props, &frame, &on_seek, lang) }
            <Controls player={player.clone()} />
            <Spoken recording={recording.clone()} player={player.clone()} scene={scene.clone()} />
            if !props.small {
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

/// What is drawn, with what it takes.
#[derive(Debug, Clone, PartialEq)]
enum Scene {
    /// The cores.
    Cpu,
    /// The memory of each machine above the cores; a native run's too where there is one.
    Memory(Rc<MemoryFilm>, Option<Rc<MemoryFilm>>),
    /// Weights and starts of this scenario.
    Weight(AttrValue, Rc<Plan>),
}

impl Scene {
    /// As the lesson wants it, where what was simulated has it.
    fn of(props: &StageProps, recording: &Rc<Recording>) -> Self {
        let wanted = props.bench.done.as_ref().map(|(_, wanted)| wanted);
        let plan = wanted.and_then(|wanted| Plan::from_toml(&wanted.scenario, "scenario").ok());
        let (Some(plan), Some(wanted)) = (plan, wanted) else { return Self::Cpu };
        match props.kind {
            Kind::Memory => MemoryFilm::new(&recording.report, &plan).map_or(Self::Cpu, |film| {
                let digest = &recording.report.identity.scenario_digest;
                let native = props.natives.iter().find(|report| report.identity.scenario_digest == *digest);
                let native = native.and_then(|report| MemoryFilm::new(report, &plan));
                Self::Memory(Rc::new(film), native.map(Rc::new))
            }),
            Kind::Weight => Self::Weight(wanted.scenario.clone().into(), Rc::new(plan)),
            Kind::Cpu | Kind::Sight => Self::Cpu,
        }
    }

    fn draw(&self, props: &StageProps, frame: &Frame, on_seek: &Callback<u64>, lang: i18n::Lang) -> Html {
        let (recording, head_ns) = (&frame.recording, frame.head_ns);
        match self {
            Self::Cpu => html! {
                <>
                    <Legend recording={recording.clone()} {head_ns} />
                    <div class="lanes">{ axis(frame, on_seek, lang) }{ cpu_lanes(frame, on_seek) }</div>
                </>
            },
            Self::Memory(film, native) => html! {
                <>
                    <MemoryNow frame={frame.clone()} film={film.clone()} native={native.clone()} on_seek={on_seek.clone()} />
                    <div class="lanes">
                        { axis(frame, on_seek, lang) }
                        <MemoryLanes frame={frame.clone()} film={film.clone()} native={native.clone()} on_seek={on_seek.clone()} />
                        { cpu_lanes(frame, on_seek) }
                    </div>
                </>
            },
            Self::Weight(scenario, plan) => html! {
                <WeightPicture frame={frame.clone()} scenario={scenario.clone()} plan={plan.clone()}
                    natives={props.natives.clone()} on_seek={on_seek.clone()} />
            },
        }
    }
}

fn axis(frame: &Frame, on_seek: &Callback<u64>, lang: i18n::Lang) -> Html {
    html! { <Axis frame={frame.clone()} label={say(lang, i18n::Player::TimeAxis)} on_seek={on_seek.clone()} /> }
}

/// The cores, the quotas, the requests under way.
fn cpu_lanes(frame: &Frame, on_seek: &Callback<u64>) -> Html {
    html! {
        <>
            <Gantt frame={frame.clone()} on_seek={on_seek.clone()} />
            { for frame.recording.limited_tenants().into_iter().map(|tenant| html! {
                <Strip frame={frame.clone()} {tenant} on_seek={on_seek.clone()} />
            }) }
            { for frame.recording.servers().into_iter().map(|tenant| html! {
                <Waiting frame={frame.clone()} {tenant} on_seek={on_seek.clone()} />
            }) }
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
    scene: Scene,
}

/// The same moment in words, whenever the head rests.
#[component]
fn Spoken(props: &SpokenProps) -> Html {
    let lang = use_lang();
    let (recording, player) = (&props.recording, &props.player);
    let text = (!player.playing).then(|| {
        let change = describe_change(lang, recording, player.time_ns).unwrap_or_default();
        let moment = match &props.scene {
            Scene::Cpu => describe_moment(lang, recording, player.time_ns),
            Scene::Memory(film, _) => describe_memory(lang, film, recording, player.time_ns),
            Scene::Weight(..) => return describe_start(lang, &recording.report, player.time_ns),
        };
        format!("{moment} {change}")
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
