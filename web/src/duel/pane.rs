//! One era: who is where at the moment of the play head.

use std::rc::Rc;

use catamaran_scenario::Platform;
use yew::prelude::*;

use super::figures::{Accelerator, held};
use super::film::Film;
use super::legend::EraLegend;
use super::memory::MemoryBar;
use super::start::StartLane;
use super::state::Era;
use crate::app::use_lang;
use crate::charts::{Axis, Frame, Gantt, GanttTable, GuestLanes, Waiting};
use crate::i18n::{self, Duel, era_name, say};
use crate::player::{Action, Player};
use crate::stage::Notice;
use crate::widgets::use_width;

/// Width (px) until it has been measured.
const START_WIDTH_PX: f64 = 360.0;

/// What a [`Pane`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct PaneProps {
    pub(super) platform: Platform,
    pub(super) era: Era,
    pub(super) player: UseReducerHandle<Player>,
}

/// The pane.
#[component]
pub(super) fn Pane(props: &PaneProps) -> Html {
    let lang = use_lang();
    let node = use_node_ref();
    let width_px = use_width(node.clone(), START_WIDTH_PX);
    let platform = props.platform;
    let id = format!("era-{platform}");
    let what = match platform {
        Platform::Vm => Duel::GuestsWhat,
        Platform::Container => Duel::ContainersWhat,
        _ => Duel::ServerWhat,
    };
    html! {
        <section class="pane" aria-labelledby={id.clone()} data-testid={format!("pane-{platform}")}>
            <h3 {id}>{ era_name(lang, platform) }</h3>
            <p class="fine">{ say(lang, what) }</p>
            <div class="pane-body">
                <Notice failure={props.era.bench.failure.clone()} />
                <div class="measure" ref={node}></div>
                { match &props.era.film {
                    Some(film) => picture(props, film, width_px),
                    None => html! { <div class="no-picture">{ say(lang, i18n::Player::NoPicture) }</div> },
                } }
            </div>
        </section>
    }
}

fn picture(props: &PaneProps, film: &Rc<Film>, width_px: f64) -> Html {
    let (player, recording) = (&props.player, &film.recording);
    let frame = Frame { recording: recording.clone(), view: player.view, head_ns: player.time_ns, width_px };
    let on_seek = {
        let player = player.dispatcher();
        Callback::from(move |at_ns: u64| player.dispatch(Action::Seek(at_ns)))
    };
    let first_server = recording.servers().first().copied();
    let figures = props.era.figures.as_deref();
    let accelerator = figures.and_then(|figures| figures.accelerator);
    html! {
        <>
            <EraLegend film={film.clone()} head_ns={player.time_ns} />
            <div class="lanes">
                <Lanes frame={frame.clone()} film={film.clone()} {accelerator} on_seek={on_seek.clone()} />
                if let Some(tenant) = first_server {
                    <Waiting frame={frame.clone()} {tenant} {on_seek} />
                }
            </div>
            if let Some(of) = figures.map(|figures| figures.machine_bytes) {
                <MemoryBar held={held(&recording.report)} {of} {width_px} />
            }
            <GanttTable {frame} />
        </>
    }
}

#[derive(Properties, PartialEq)]
struct LanesProps {
    frame: Frame,
    film: Rc<Film>,
    accelerator: Option<Accelerator>,
    on_seek: Callback<u64>,
}

/// Axis, start-up, cores, virtual CPUs.
#[component]
fn Lanes(props: &LanesProps) -> Html {
    let lang = use_lang();
    let LanesProps { frame, film, accelerator, on_seek } = props;
    html! {
        <>
            <Axis frame={frame.clone()} label={say(lang, i18n::Player::TimeAxis)} on_seek={on_seek.clone()} />
            <StartLane frame={frame.clone()} film={film.clone()} accelerator={*accelerator} on_seek={on_seek.clone()} />
            <Gantt frame={frame.clone()} on_seek={on_seek.clone()} />
            <GuestLanes frame={frame.clone()} vcpus={film.vcpus.clone()} on_seek={on_seek.clone()} />
        </>
    }
}
