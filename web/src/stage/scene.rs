//! What a lesson's stage draws of a run: its cores, its memory, what its applications weigh, who sees what, what guests lose,
//! where images come from,
//! what servers cost, or how images come.

use std::rc::Rc;

use catamaran_lessons::Stage as Kind;
use catamaran_report::Report;
use catamaran_scenario::Plan;
use yew::prelude::*;

use super::Legend;
use super::announce::{describe_change, describe_moment};
use super::asked::Answers;
use super::chain::{ChainPicture, chain_clock, describe_chain};
use super::family::{FamilyPicture, FamilyTable, describe_family, family_clock};
use super::layers::{LayersPicture, describe_layers};
use super::memory::{MemoryLanes, MemoryNow, describe_memory};
use super::servers::{ServersPicture, describe_servers, places};
use super::sight::{Sight, describe_sight};
use super::steal::{StealPicture, describe_steal};
use super::view::StageProps;
use super::weight::{WeightPicture, describe_start};
use crate::charts::{Axis, Frame, Gantt, Strip, Waiting};
use crate::i18n::{self, say};
use crate::native::NativeRun;
use crate::picture::{ChainFilm, MeasuredStart, MemoryFilm, Pile, Recording, Vcpu, piles, vcpus};
use crate::sim::Wanted;

/// What is drawn, with what it takes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scene {
    /// The cores.
    Cpu,
    /// The memory of each machine above the cores; a native run's too where there is one.
    Memory(Rc<MemoryFilm>, Option<Rc<MemoryFilm>>),
    /// Weights and starts of this scenario.
    Weight(AttrValue, Rc<Plan>),
    /// Who sees what.
    Sight,
    /// The host's cores over the guests' virtual ones.
    Steal(Rc<Vec<Vcpu>>),
    /// Distributions and kernels.
    Family,
    /// Servers and their bill, with the server of each tenant.
    Servers(Rc<Vec<u32>>),
    /// The layers of images.
    Layers(Rc<Vec<Pile>>),
    /// A start as a chain of actors; a native one's lengths too where there is one.
    Chain(Rc<ChainFilm>, Option<Rc<MeasuredStart>>),
}

impl Scene {
    /// As the lesson wants it, where what was simulated has it.
    pub(super) fn of(kind: Kind, done: Option<&(Rc<Recording>, Wanted)>, natives: &[Report]) -> Self {
        let parsed = done.and_then(|(recording, wanted)| {
            Some((recording, wanted, Plan::from_toml(&wanted.scenario, "scenario").ok()?))
        });
        let Some((recording, wanted, plan)) = parsed else {
            return match kind {
                Kind::Sight => Self::Sight,
                Kind::Family => Self::Family,
                Kind::Cpu
                | Kind::Memory
                | Kind::Weight
                | Kind::Steal
                | Kind::Servers
                | Kind::Layers
                | Kind::Chain => Self::Cpu,
            };
        };
        let report = &recording.report;
        match kind {
            Kind::Memory => MemoryFilm::new(report, &plan).map_or(Self::Cpu, |film| {
                let same = |native: &&Report| {
                    native.identity.scenario_digest == report.identity.scenario_digest
                        && native.platform == report.platform
                };
                let native = natives.iter().find(same).and_then(|native| MemoryFilm::new(native, &plan));
                Self::Memory(Rc::new(film), native.map(Rc::new))
            }),
            Kind::Weight => Self::Weight(wanted.scenario.clone().into(), Rc::new(plan)),
            Kind::Sight => Self::Sight,
            Kind::Steal => Self::Steal(Rc::new(vcpus(&recording.timeline.guests))),
            Kind::Family => Self::Family,
            Kind::Servers => Self::Servers(Rc::new(places(&plan))),
            Kind::Layers => Self::Layers(Rc::new(piles(report, &plan))),
            Kind::Chain => {
                let film = ChainFilm::new(report);
                let native =
                    NativeRun::over(report, natives).ok().filter(|native| !native.reports.is_empty());
                let measured = native.map(|native| {
                    let trials: Vec<&Report> = native.reports.iter().collect();
                    Rc::new(MeasuredStart::new(&trials, &film.stages))
                });
                Self::Chain(Rc::new(film), measured)
            }
            Kind::Cpu => Self::Cpu,
        }
    }

    /// Everything above the player's buttons.
    pub(super) fn draw(
        &self,
        props: &StageProps,
        frame: &Frame,
        on_seek: &Callback<u64>,
        lang: i18n::Lang,
    ) -> Html {
        let (recording, head_ns) = (&frame.recording, frame.head_ns);
        match self {
            Self::Cpu => html! {
                <>
                    <Legend recording={recording.clone()} {head_ns} />
                    <Answers />
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
            Self::Sight => html! { <Sight recording={recording.clone()} {head_ns} /> },
            Self::Steal(vcpus) => html! {
                <StealPicture frame={frame.clone()} vcpus={vcpus.clone()} natives={props.natives.clone()}
                    on_seek={on_seek.clone()} />
            },
            Self::Servers(places) => html! {
                <ServersPicture frame={frame.clone()} places={places.clone()} on_seek={on_seek.clone()} />
            },
            Self::Layers(piles) => html! {
                <LayersPicture frame={frame.clone()} piles={piles.clone()} on_seek={on_seek.clone()} />
            },
            Self::Chain(film, measured) => html! {
                <ChainPicture frame={frame.clone()} film={film.clone()} measured={measured.clone()}
                    on_seek={on_seek.clone()} />
            },
            Self::Family => html! { <FamilyPicture frame={frame.clone()} on_seek={on_seek.clone()} /> },
        }
    }

    /// Whether the cores are drawn.
    pub(super) const fn has_cores(&self) -> bool {
        matches!(self, Self::Cpu | Self::Memory(..) | Self::Steal(..) | Self::Servers(..))
    }

    /// Whether latencies are drawn; of guests that are all alike they would say the same many times.
    pub(super) const fn has_latencies(&self) -> bool {
        matches!(self, Self::Cpu | Self::Memory(..))
    }

    /// What stands below the player's buttons.
    pub(super) fn below(&self) -> Html {
        match self {
            Self::Family => html! { <FamilyTable /> },
            _ => Html::default(),
        }
    }

    /// The instant of the play head, where it is not one of the run.
    pub(super) fn clock(&self, recording: &Recording, at_ns: u64, lang: i18n::Lang) -> Option<String> {
        match self {
            Self::Family => Some(family_clock(recording, at_ns)),
            Self::Chain(film, _) => Some(chain_clock(lang, film, recording, at_ns)),
            _ => None,
        }
    }

    /// What is to be seen at an instant, in words.
    pub(super) fn describe(&self, lang: i18n::Lang, recording: &Recording, at_ns: u64) -> String {
        let change = || describe_change(lang, recording, at_ns).unwrap_or_default();
        match self {
            Self::Cpu => format!("{} {}", describe_moment(lang, recording, at_ns), change()),
            Self::Memory(film, _) => {
                format!("{} {}", describe_memory(lang, film, recording, at_ns), change())
            }
            Self::Sight => describe_sight(lang, recording, at_ns),
            Self::Steal(vcpus) => describe_steal(lang, recording, vcpus, at_ns),
            Self::Servers(places) => describe_servers(lang, recording, places, at_ns),
            Self::Layers(piles) => describe_layers(lang, recording, piles, at_ns),
            Self::Family => describe_family(lang, recording, at_ns),
            Self::Chain(film, _) => describe_chain(lang, film, recording, at_ns),
            Self::Weight(..) => describe_start(lang, &recording.report, at_ns),
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
