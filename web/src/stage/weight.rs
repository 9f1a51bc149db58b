//! The stage of weights: what an application holds and how it starts on each platform of the scenario, and how many of
//! them fill the machine.

use std::rc::Rc;

use catamaran_report::Report;
use catamaran_report::report::StageRow;
use catamaran_scenario::{Plan, Platform};
use yew::prelude::*;

use super::asked::{Answers, AskWhy};
use crate::app::use_lang;
use crate::charts::{Axis, Blocks, Frame, RoomBar, StartLane, Swatch, part_look};
use crate::i18n::{self, Lang, Weighing, part_name, platform_word, room_text, say};
use crate::picture::{Part, Weight, view_of_starts};
use crate::sim::{Eras, use_eras};

/// What a [`WeightPicture`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct WeightProps {
    /// What all lanes share.
    pub(super) frame: Frame,
    /// What is simulated: TOML.
    pub(super) scenario: AttrValue,
    /// The same, parsed.
    pub(super) plan: Rc<Plan>,
    /// Native reports of the same scenario.
    pub(super) natives: Rc<Vec<Report>>,
    /// Told the instant (ns) that was pointed at.
    pub(super) on_seek: Callback<u64>,
}

/// The three parts of the picture.
#[component]
pub(super) fn WeightPicture(props: &WeightProps) -> Html {
    let lang = use_lang();
    let platforms = props.plan.platforms();
    let eras = use_eras(props.scenario.clone(), platforms.to_vec());
    let weights = weights(&eras, platforms);
    let most_bytes = weights.iter().map(Weight::bytes).max().unwrap_or(1);
    let width_px = props.frame.width_px;
    let natives = measured(props);
    let native = |platform: Platform| natives.iter().find(|weight| weight.platform == platform).cloned();
    let view = view_of_starts(props.frame.view, weights.iter().chain(&natives), props.frame.recording.end_ns);
    let starts = Frame { view, ..props.frame.clone() };
    html! {
        <>
            <h3 class="stage-part">{ say(lang, Weighing::Blocks) }</h3>
            { parts_legend(lang, &weights) }
            <div class="lanes">
                { for weights.iter().map(|weight| html! { <Blocks weight={weight.clone()} {most_bytes} {width_px} /> }) }
            </div>
            <h3 class="stage-part">{ say(lang, Weighing::Starts) }</h3>
            <div class="lanes">
                <Axis frame={starts.clone()} label={say(lang, i18n::Player::TimeAxis)} on_seek={props.on_seek.clone()} />
                { for weights.iter().map(|weight| html! {
                    <StartLane frame={starts.clone()} weight={weight.clone()} native={native(weight.platform)}
                        on_seek={props.on_seek.clone()} />
                }) }
            </div>
            if natives.iter().any(Weight::is_emulated) {
                <p class="emulated" data-testid="emulated">{ say(lang, Weighing::Emulated) }</p>
            }
            <h3 class="stage-part">{ say(lang, Weighing::Room) }</h3>
            { room(props, &weights, lang) }
            <Answers />
        </>
    }
}

/// The weight on each platform that has answered, in the order of the scenario.
fn weights(eras: &Eras, platforms: &[Platform]) -> Vec<Weight> {
    let alone = platforms.iter().rev().filter(|platform| **platform != Platform::Vm);
    let app_bytes =
        alone.filter_map(|platform| eras.report(*platform)?.tenants.first()?.memory_peak_bytes).next();
    platforms.iter().filter_map(|platform| Some(Weight::of(eras.report(*platform)?, app_bytes))).collect()
}

/// What was measured of the same scenario, a trial of each platform.
fn measured(props: &WeightProps) -> Vec<Weight> {
    let digest = props.plan.digest();
    let same = props.natives.iter().filter(|report| report.identity.scenario_digest == digest);
    let mut found: Vec<Weight> = Vec::new();
    for report in same {
        if found.iter().all(|weight| weight.platform != report.platform) {
            found.push(Weight::of(report, None));
        }
    }
    found
}

fn parts_legend(lang: Lang, weights: &[Weight]) -> Html {
    let has = |part: Part| weights.iter().any(|weight| weight.parts.iter().any(|(own, _)| *own == part));
    let all = [Part::Monitor, Part::Kernel, Part::Guest, Part::App];
    html! {
        <ul class="legend">
            { for all.into_iter().filter(|part| has(*part)).map(|part| html! {
                <li><Swatch tenant={part_look(part)} /><span>{ say(lang, part_name(part)) }</span></li>
            }) }
        </ul>
    }
}

/// The machine, filled with the applications on the platform that is chosen.
fn room(props: &WeightProps, weights: &[Weight], lang: Lang) -> Html {
    let chosen = props.frame.recording.report.platform;
    let Some(weight) = weights.iter().find(|weight| weight.platform == chosen) else {
        return Html::default();
    };
    let memory_bytes = props.plan.host().memory.0;
    let each_bytes = weight.bytes();
    let heaviest = weight.parts.iter().max_by_key(|(_, bytes)| *bytes);
    let part = heaviest.map_or(Part::App, |(part, _)| *part);
    let label = room_text(lang, weight, each_bytes, memory_bytes);
    html! {
        <div class="lane-box">
            <p class="lane-head">
                <span class={classes!("lane-name", (weight.killed > 0).then_some("is-over"))} data-testid="room-words"
                    aria-live="polite">{ &label }</span>
                <AskWhy tenant={props.frame.recording.worst_off()} />
            </p>
            <RoomBar count={weight.living} {each_bytes} {part} {memory_bytes} width_px={props.frame.width_px} {label} />
        </div>
    }
}

/// How far each start is at that instant, from the report that is shown.
pub(super) fn describe_start(lang: Lang, report: &Report, at_ns: u64) -> String {
    let name = platform_word(lang, report.platform);
    let at_s = at_ns as f64 / 1e9;
    let first = report.tenants.first();
    let stage = first.and_then(|tenant| {
        let is_now = |stage: &&StageRow| stage.span().is_some_and(|(from, to)| (from..to).contains(&at_s));
        tenant.startup_stages.iter().find(is_now)
    });
    let what = match (stage, first.and_then(|tenant| tenant.startup_s)) {
        (Some(stage), _) => {
            format!("{}. {}", say(lang, Weighing::Starting), i18n::stage_sentence(lang, &stage.name))
        }
        (None, Some(startup_s)) if at_s >= startup_s => format!("{}.", say(lang, Weighing::Running)),
        _ => format!("{}.", say(lang, Weighing::Unknown)),
    };
    format!("{}. {name}: {what}", crate::format::instant(at_ns))
}
