//! What an application weighs, to scale; how a start goes on, stage by stage; how applications fill a machine.

use std::fmt::Write;

use catamaran_report::report::StageRow;
use yew::prelude::*;

use super::lane::{Frame, Lane};
use super::patterns::tenant_fill;
use crate::app::use_lang;
use crate::format;
use crate::i18n::{Weighing, measured_text, part_name, say, start_text, weight_text};
use crate::picture::{Part, Scale, Weight};

const BLOCK_PX: f64 = 34.0;
const START_PX: f64 = 30.0;
const MEASURED_PX: f64 = 22.0;
/// Narrower pieces carry no name (px).
const NAMED_PX: f64 = 74.0;
/// Narrower blocks have no gap between them (px).
const GAPPED_PX: f64 = 3.0;

fn px(value: f64) -> String {
    format!("{value:.2}")
}

/// The look of a part.
#[must_use]
pub fn part_look(part: Part) -> u32 {
    match part {
        Part::App => 0,
        Part::Monitor => 1,
        Part::Kernel => 2,
        Part::Guest => 3,
    }
}

/// What [`Blocks`] need.
#[derive(Properties, PartialEq)]
pub struct BlocksProps {
    /// What is weighed.
    pub weight: Weight,
    /// The heaviest of all (bytes): as wide as the picture.
    pub most_bytes: u64,
    /// Width (px).
    pub width_px: f64,
}

/// One application's blocks, side by side.
#[component]
pub fn Blocks(props: &BlocksProps) -> Html {
    let lang = use_lang();
    let BlocksProps { weight, most_bytes, width_px } = props;
    let mut left = 0.0;
    let block = |(part, bytes): &(Part, u64)| {
        let width = width_px * *bytes as f64 / (*most_bytes).max(1) as f64;
        let x = left;
        left += width;
        let name = say(lang, part_name(*part));
        html! {
            <g>
                <rect class="run" x={px(x)} y="0" width={px(width.max(0.8))} height={px(BLOCK_PX)}
                    fill={tenant_fill(part_look(*part))}>
                    <title>{ format!("{name}: {}", format::bytes(*bytes)) }</title>
                </rect>
                { named(x, width, BLOCK_PX, name) }
            </g>
        }
    };
    let label = weight_text(lang, weight);
    html! {
        <div class="lane-box" data-testid={format!("weight-{}", weight.platform.name())}>
            <span class="lane-name" aria-hidden="true">{ &label }</span>
            <svg class="lane still" role="img" aria-label={label.clone()} width={px(*width_px)} height={px(BLOCK_PX)}
                viewBox={format!("0 0 {width_px} {BLOCK_PX}")}>
                <rect class="row-ground" x="0" y="0" width={px(*width_px)} height={px(BLOCK_PX)} />
                { for weight.parts.iter().map(block) }
            </svg>
        </div>
    }
}

/// A name on a piece that is wide enough for it.
fn named(x: f64, width: f64, height_px: f64, name: &str) -> Html {
    let long_px = 8.0 + name.chars().map(|c| if c.is_ascii() { 6.6 } else { 12.0 }).sum::<f64>();
    if width < NAMED_PX.max(long_px + 8.0) {
        return Html::default();
    }
    html! {
        <g class="run-name">
            <rect class="run-name-ground" x={px(x + 4.0)} y={px(height_px / 2.0 - 8.0)} width={px(long_px)} height="16" rx="3" />
            <text x={px(x + 8.0)} y={px(height_px / 2.0 + 4.0)}>{ name }</text>
        </g>
    }
}

/// What a [`StartLane`] needs.
#[derive(Properties, PartialEq)]
pub struct StartLaneProps {
    /// What all lanes share.
    pub frame: Frame,
    /// Whose start.
    pub weight: Weight,
    /// The same, measured.
    #[prop_or_default]
    pub native: Option<Weight>,
    /// Told the instant (ns) that was pointed at.
    pub on_seek: Callback<u64>,
}

/// The stages of a start on the axis of time, and from then on that it runs.
#[component]
pub fn StartLane(props: &StartLaneProps) -> Html {
    let lang = use_lang();
    let StartLaneProps { frame, weight, native, .. } = props;
    let label = start_text(lang, weight);
    let measured = native.as_ref().map(|native| measured_text(lang, native));
    let words = measured.iter().fold(label.clone(), |all, measured| format!("{all} · {measured}"));
    let layer = frame.layer();
    let scale = layer.scale();
    let end_ns = layer.chunk.end_ns().min(frame.recording.end_ns);
    let height_px = START_PX + native.as_ref().map_or(0.0, |_| MEASURED_PX);
    let runs_from = weight.startup_s.map(|startup_s| scale.x(ns(startup_s)));
    html! {
        <div class="lane-box" data-testid={format!("start-{}", weight.platform.name())}>
            <span class="lane-name" aria-hidden="true">{ &words }</span>
            <Lane frame={frame.clone()} {height_px} label={words.clone()} on_seek={props.on_seek.clone()}>
                <rect class="row-ground" x="0" y="0" width={px(scale.x(end_ns))} height={px(height_px)} />
                if let Some(from) = runs_from {
                    <rect class="ready" x={px(from)} y="0" width={px((scale.x(end_ns) - from).max(0.0))} height={px(START_PX)} />
                    { named(from + 4.0, scale.x(end_ns) - from, START_PX, say(lang, Weighing::Running)) }
                }
                { for weight.stages.iter().enumerate().map(|(number, stage)| piece(number, stage, &scale)) }
                if let Some(native) = native {
                    { for native.stages.iter().map(|stage| hollow(stage, &scale)) }
                }
            </Lane>
        </div>
    }
}

fn ns(seconds: f64) -> u64 {
    (seconds * 1e9).max(0.0).round() as u64
}

fn stage_title(stage: &StageRow) -> String {
    let length = stage.length().map_or_else(|| "?".to_owned(), format::seconds);
    format!("{} ({}): {length}", stage.name, stage.actor)
}

fn piece(number: usize, stage: &StageRow, scale: &Scale) -> Html {
    // A stage whose place is unknown has none on the axis.
    let Some((start_s, end_s)) = stage.span() else { return Html::default() };
    let (x, right) = (scale.x(ns(start_s)), scale.x(ns(end_s)));
    html! {
        <g>
            <rect class="run" x={px(x)} y="0" width={px((right - x).max(0.6))} height={px(START_PX)}
                fill={tenant_fill(1 + number as u32 % 3)}>
                <title>{ stage_title(stage) }</title>
            </rect>
            { named(x, right - x, START_PX, &stage.name) }
        </g>
    }
}

fn hollow(stage: &StageRow, scale: &Scale) -> Html {
    // A stage whose place is unknown has none on the axis.
    let Some((start_s, end_s)) = stage.span() else { return Html::default() };
    let (x, right) = (scale.x(ns(start_s)), scale.x(ns(end_s)));
    let top = START_PX + 3.0;
    html! {
        <g>
            <rect class="native-outline" x={px(x + 0.5)} y={px(top)} width={px((right - x - 1.0).max(0.4))}
                height={px(MEASURED_PX - 5.0)}>
                <title>{ stage_title(stage) }</title>
            </rect>
            <g transform={format!("translate(0 {})", px(top - 1.0))}>{ named(x, right - x, MEASURED_PX - 5.0, &stage.name) }</g>
        </g>
    }
}

/// What a [`RoomBar`] needs.
#[derive(Properties, PartialEq)]
pub struct RoomBarProps {
    /// How many there are.
    pub count: usize,
    /// What each holds (bytes).
    pub each_bytes: u64,
    /// What there is (bytes).
    pub memory_bytes: u64,
    /// What makes up the most of each.
    pub part: Part,
    /// Width (px).
    pub width_px: f64,
    /// The same in words.
    pub label: AttrValue,
}

/// The machine's memory with a block for each application, to scale.
#[component]
pub fn RoomBar(props: &RoomBarProps) -> Html {
    let RoomBarProps { count, each_bytes, memory_bytes, part, width_px, label } = props;
    let each_px = width_px * *each_bytes as f64 / (*memory_bytes).max(1) as f64;
    let gap_px = if each_px >= GAPPED_PX { 1.0 } else { 0.0 };
    let mut path = String::new();
    if each_px >= GAPPED_PX {
        for index in 0..*count {
            // Writing into a String cannot fail.
            let _ = write!(
                path,
                "M{:.2} 0h{:.2}v{BLOCK_PX}h-{:.2}z",
                index as f64 * each_px,
                each_px - gap_px,
                each_px - gap_px
            );
        }
    } else {
        let all = *count as f64 * each_px;
        let _ = write!(path, "M0 0h{all:.2}v{BLOCK_PX}h-{all:.2}z");
    }
    html! {
        <svg class="lane still" role="img" aria-label={label.clone()} width={px(*width_px)} height={px(BLOCK_PX)}
            viewBox={format!("0 0 {width_px} {BLOCK_PX}")} data-testid="room">
            <rect class="row-ground" x="0" y="0" width={px(*width_px)} height={px(BLOCK_PX)} />
            <path d={path} fill={tenant_fill(part_look(*part))} />
        </svg>
    }
}
