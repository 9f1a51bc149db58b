//! A machine's memory over time: who holds how much, stacked, under the line that is all there is.

use std::fmt::Write;
use std::rc::Rc;

use yew::prelude::*;

use super::lane::{Frame, Lane, Layer};
use super::patterns::tenant_fill;
use crate::app::use_lang;
use crate::format;
use crate::i18n::{kill_text, memory_lane_name, memory_summary};
use crate::picture::{Kill, MemoryFilm, Scale};

/// Height of a machine that has tenants, and of one that has none (px).
const HEIGHT_PX: f64 = 132.0;
const EMPTY_PX: f64 = 40.0;
/// Room above the line of what there is (px).
const TOP_PX: f64 = 18.0;
/// Words of a kill stand right of its line where there is no room left of it, beside the bound's own (px).
const WORDS_PX: f64 = 120.0;

/// What a [`MemoryLane`] needs.
#[derive(Properties, PartialEq)]
pub struct MemoryLaneProps {
    /// What all lanes share.
    pub frame: Frame,
    /// Who holds what.
    pub film: Rc<MemoryFilm>,
    /// A native run of the same scenario.
    #[prop_or_default]
    pub native: Option<Rc<MemoryFilm>>,
    /// Which machine.
    pub node: u32,
    /// Told the instant (ns) that was pointed at.
    pub on_seek: Callback<u64>,
}

/// The lane of a machine.
#[component]
pub fn MemoryLane(props: &MemoryLaneProps) -> Html {
    let lang = use_lang();
    let MemoryLaneProps { frame, film, native, node, .. } = props;
    let is_empty = film.tenants_on(*node).next().is_none();
    let height_px = if is_empty { EMPTY_PX } else { HEIGHT_PX };
    html! {
        <div class="lane-box" data-testid="memory">
            <span class="lane-name" aria-hidden="true">{ memory_lane_name(lang, *node, film.capacity_bytes) }</span>
            <Lane frame={frame.clone()} {height_px} label={memory_summary(lang, film, &frame.recording, *node)}
                on_seek={props.on_seek.clone()}>
                <MemoryLayer layer={frame.layer()} film={film.clone()} native={native.clone()} node={*node} {height_px} />
            </Lane>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct MemoryLayerProps {
    layer: Layer,
    film: Rc<MemoryFilm>,
    native: Option<Rc<MemoryFilm>>,
    node: u32,
    height_px: f64,
}

#[component]
fn MemoryLayer(props: &MemoryLayerProps) -> Html {
    let lang = use_lang();
    let MemoryLayerProps { layer, film, node, height_px, .. } = props;
    let (from_ns, to_ns) = (layer.chunk.start_ns, layer.chunk.end_ns());
    let (scale, end_ns) = (layer.scale(), to_ns.min(layer.recording.end_ns));
    let room = Room { bytes: film.capacity_bytes, height_px: *height_px };
    let area = |(below, tenant): (usize, u32)| {
        let lower = film.outline(*node, below, from_ns, to_ns);
        let upper = film.outline(*node, below + 1, from_ns, to_ns);
        html! { <path class="held" d={room.area(&scale, &lower, &upper)} fill={tenant_fill(tenant)} /> }
    };
    let line = px(TOP_PX);
    let kills = film.kills.iter().filter(|kill| kill.node == *node && (from_ns..to_ns).contains(&kill.at_ns));
    html! {
        <>
            <rect class="row-ground" x="0" y={line.clone()} width={px(scale.x(end_ns))} height={px(height_px - TOP_PX)} />
            { for film.tenants_on(*node).enumerate().map(area) }
            <line class="bound" x1="0" x2={px(scale.x(end_ns))} y1={line.clone()} y2={line} />
            <text class="bound-text" x="4" y="13">{ format::bytes(film.capacity_bytes as u64) }</text>
            { props.native.as_ref().map(|native| outlines(native, *node, layer, &room)).unwrap_or_default() }
            { for kills.map(|kill| {
                let name = layer.recording.name(kill.tenant);
                mark(kill, &name, kill_text(lang, &name, kill.at_ns), &scale, *height_px)
            }) }
        </>
    }
}

/// A native run's stack as outlines.
fn outlines(native: &MemoryFilm, node: u32, layer: &Layer, room: &Room) -> Html {
    let count = native.tenants_on(node).count();
    let path = |below: usize| {
        let points = native.outline(node, below, layer.chunk.start_ns, layer.chunk.end_ns());
        html! { <path class="native-outline" d={room.line(&layer.scale(), &points)} /> }
    };
    html! { <>{ for (1..=count).map(path) }</> }
}

/// A kill: a line where it happened, with the victim's name beside it.
fn mark(kill: &Kill, name: &str, title: String, scale: &Scale, height_px: f64) -> Html {
    let x = scale.x(kill.at_ns);
    let (text_x, anchor) = if x < WORDS_PX { (x + 5.0, "start") } else { (x - 5.0, "end") };
    html! {
        <g class="kill">
            <title>{ title }</title>
            <line x1={px(x)} x2={px(x)} y1="2" y2={px(height_px)} />
            <text x={px(text_x)} y="13" text-anchor={anchor}>{ format!("✕ {name}") }</text>
        </g>
    }
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}

/// From bytes to pixels of the lane.
struct Room {
    bytes: f64,
    height_px: f64,
}

impl Room {
    fn y(&self, bytes: f64) -> f64 {
        self.height_px - (self.height_px - TOP_PX) * bytes / self.bytes.max(1.0)
    }

    fn line(&self, scale: &Scale, points: &[(u64, f64)]) -> String {
        let mut path = String::new();
        for (index, &(at_ns, bytes)) in points.iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            // Writing into a String cannot fail.
            let _ = write!(path, "{command}{:.1} {:.1}", scale.x(at_ns), self.y(bytes));
        }
        path
    }

    fn area(&self, scale: &Scale, lower: &[(u64, f64)], upper: &[(u64, f64)]) -> String {
        let mut path = self.line(scale, upper);
        for &(at_ns, bytes) in lower.iter().rev() {
            let _ = write!(path, "L{:.1} {:.1}", scale.x(at_ns), self.y(bytes));
        }
        if !path.is_empty() {
            path.push('Z');
        }
        path
    }
}

/// What a [`MemoryBar`] needs.
#[derive(Properties, PartialEq)]
pub struct MemoryBarProps {
    /// Who holds what.
    pub film: Rc<MemoryFilm>,
    /// Which machine.
    pub node: u32,
    /// Play head (ns).
    pub head_ns: u64,
    /// Width (px).
    pub width_px: f64,
    /// The same in words.
    pub label: AttrValue,
}

/// A machine's memory at the play head: the bar is all there is.
#[component]
pub fn MemoryBar(props: &MemoryBarProps) -> Html {
    const BAR_PX: f64 = 20.0;
    let MemoryBarProps { film, node, head_ns, width_px, .. } = props;
    let mut left = 0.0;
    let part = |tenant: u32| {
        let bytes = film.held(tenant, *head_ns).unwrap_or_default();
        let width = width_px * bytes / film.capacity_bytes.max(1.0);
        let x = left;
        left += width;
        html! {
            <rect class="run" x={px(x)} y="0" width={px(width)} height={px(BAR_PX)} fill={tenant_fill(tenant)} />
        }
    };
    html! {
        <svg class="lane still" role="img" aria-label={props.label.clone()} width={px(*width_px)} height={px(BAR_PX)}
            viewBox={format!("0 0 {width_px} {BAR_PX}")} data-testid="memory-bar">
            <rect class="row-ground" x="0" y="0" width={px(*width_px)} height={px(BAR_PX)} />
            { for film.tenants_on(*node).map(part) }
        </svg>
    }
}
