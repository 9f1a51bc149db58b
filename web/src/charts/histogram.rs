//! Latencies on a logarithmic axis: what was answered so far over what the whole run gives, the percentiles, the goal, and a
//! native run's outline over it.

use std::fmt::Write;
use std::rc::Rc;

use catamaran_report::report::{Latency, Requests};
use yew::prelude::*;

use super::patterns::tenant_fill;
use crate::app::use_lang;
use crate::format;
use crate::i18n::{Lang, Player, histogram_summary, say};
use crate::picture::{Histogram, LogAxis, Recording, log_ticks};

const BARS_TOP_PX: f64 = 84.0;
const BARS_BOTTOM_PX: f64 = 204.0;
const HEIGHT_PX: f64 = 228.0;
/// Between two rows of percentile marks (px).
const MARK_ROW_PX: f64 = 19.0;
/// A mark's words stand left of its line where there is no room right of it (px).
const MARK_ROOM_PX: f64 = 96.0;

/// A native run's latencies.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlay {
    /// Its bins.
    pub histogram: Histogram,
    /// Its percentiles.
    pub latency: Latency,
}

impl Overlay {
    /// From a report's requests; `None` where none was completed.
    #[must_use]
    pub fn new(requests: &Requests) -> Option<Self> {
        Some(Self { histogram: Histogram::new(requests), latency: requests.latency_s? })
    }
}

/// What a [`HistogramChart`] needs.
#[derive(Properties, PartialEq)]
pub struct HistogramProps {
    /// What was simulated.
    pub recording: Rc<Recording>,
    /// Which server.
    pub tenant: u32,
    /// Play head (ns).
    pub head_ns: u64,
    /// Width (px).
    pub width_px: f64,
    /// The p99 to come below (s).
    #[prop_or_default]
    pub goal_s: Option<f64>,
    /// A native run of the same scenario.
    #[prop_or_default]
    pub overlay: Option<Overlay>,
}

/// The chart.
#[component]
pub fn HistogramChart(props: &HistogramProps) -> Html {
    let lang = use_lang();
    let recording = &props.recording;
    let requests =
        recording.report.tenants.get(props.tenant as usize).and_then(|tenant| tenant.requests.as_ref());
    let Some((requests, latency)) = requests.and_then(|requests| Some((requests, requests.latency_s?)))
    else {
        return html! { <p class="empty">{ say(lang, Player::NoRequests) }</p> };
    };
    let histogram = Histogram::new(requests);
    let (least_s, most_s) = range(&histogram, props);
    let axis = LogAxis::new(least_s, most_s, props.width_px);
    let peak = histogram.peak().max(props.overlay.as_ref().map_or(0.0, |overlay| overlay.histogram.peak()));
    let label = histogram_summary(
        lang,
        &recording.name(props.tenant),
        requests.completed,
        [latency.p50, latency.p95, latency.p99],
    );
    html! {
        <svg class="histogram" role="img" aria-label={label} width={props.width_px.to_string()} height={HEIGHT_PX.to_string()}
            viewBox={format!("0 0 {} {HEIGHT_PX}", props.width_px)} data-testid="histogram">
            { axis_marks(&axis, least_s, most_s, props.width_px) }
            { bars(&histogram, props, &axis, peak) }
            { props.overlay.as_ref().map(|overlay| outline(&overlay.histogram, &axis, peak)).unwrap_or_default() }
            { props.goal_s.map(|goal_s| goal(lang, goal_s, &axis)).unwrap_or_default() }
            { percentiles(&latency, &axis, props.width_px, "mark") }
            { props.overlay.as_ref().map(|overlay| hollow(&overlay.latency, &axis)).unwrap_or_default() }
        </svg>
    }
}

/// The axis holds every bin, the goal and the native run.
fn range(histogram: &Histogram, props: &HistogramProps) -> (f64, f64) {
    let native = props.overlay.iter().flat_map(|overlay| overlay.histogram.bins.iter());
    let bins = histogram.bins.iter().chain(native);
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for bin in bins {
        least = least.min(bin.from_s);
        most = most.max(bin.below_s);
    }
    let goal = props.goal_s.unwrap_or(most);
    (least.min(goal / 2.0), most.max(goal * 2.0))
}

fn axis_marks(axis: &LogAxis, least_s: f64, most_s: f64, width_px: f64) -> Html {
    let most_ticks = (width_px / 58.0) as usize;
    let tick = |value_s: f64| {
        let x = axis.x(value_s);
        let text = (x > 16.0 && x < width_px - 16.0).then(|| format::seconds(value_s));
        html! {
            <g>
                <line class="grid" x1={px(x)} x2={px(x)} y1={px(BARS_TOP_PX)} y2={px(BARS_BOTTOM_PX)} />
                <text class="tick-text" x={px(x)} y={px(HEIGHT_PX - 8.0)} text-anchor="middle">{ text }</text>
            </g>
        }
    };
    html! {
        <>
            { for log_ticks(least_s, most_s, most_ticks.max(3)).into_iter().map(tick) }
            <line class="base" x1="0" x2={px(width_px)} y1={px(BARS_BOTTOM_PX)} y2={px(BARS_BOTTOM_PX)} />
        </>
    }
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}

fn bar_height(share: f64, peak: f64) -> f64 {
    (BARS_BOTTOM_PX - BARS_TOP_PX) * share / peak.max(1e-9)
}

/// For each bin what the whole run gives, and over it what was answered until the head.
fn bars(histogram: &Histogram, props: &HistogramProps, axis: &LogAxis, peak: f64) -> Html {
    let counts = histogram.counts_until(&props.recording, props.tenant, props.head_ns);
    let bar = |(bin, so_far): (&crate::picture::Bin, u64)| {
        let (x, right) = (axis.x(bin.from_s), axis.x(bin.below_s));
        let width = px((right - x - 1.0).max(0.6));
        let whole = bar_height(bin.share, peak);
        let part = whole * so_far as f64 / bin.count.max(1) as f64;
        html! {
            <g>
                <title>{ format!("{} – {}: {}", format::seconds(bin.from_s), format::seconds(bin.below_s), bin.count) }</title>
                <rect class="bar-whole" x={px(x)} y={px(BARS_BOTTOM_PX - whole)} width={width.clone()} height={px(whole)} />
                <rect class="bar" x={px(x)} y={px(BARS_BOTTOM_PX - part)} {width} height={px(part)}
                    fill={tenant_fill(props.tenant)} />
            </g>
        }
    };
    html! { <>{ for histogram.bins.iter().zip(counts).map(bar) }</> }
}

/// A native run's bins as an outline.
fn outline(histogram: &Histogram, axis: &LogAxis, peak: f64) -> Html {
    let mut path = String::new();
    let mut last_x = f64::NEG_INFINITY;
    for bin in &histogram.bins {
        let (x, right) = (axis.x(bin.from_s), axis.x(bin.below_s));
        let top = BARS_BOTTOM_PX - bar_height(bin.share, peak);
        // Writing into a String cannot fail. Bins that touch share a line; a gap goes down to the base.
        let _ = match x - last_x > 0.5 {
            true if last_x.is_finite() => {
                write!(path, "V{BARS_BOTTOM_PX}M{x:.1} {BARS_BOTTOM_PX}V{top:.1}H{right:.1}")
            }
            true => write!(path, "M{x:.1} {BARS_BOTTOM_PX}V{top:.1}H{right:.1}"),
            false => write!(path, "V{top:.1}H{right:.1}"),
        };
        last_x = right;
    }
    if !path.is_empty() {
        let _ = write!(path, "V{BARS_BOTTOM_PX}");
    }
    html! { <path class="native-outline" d={path} /> }
}

fn percentile_rows(latency: &Latency) -> [(&'static str, f64); 3] {
    [("p50", latency.p50), ("p95", latency.p95), ("p99", latency.p99)]
}

/// Each percentile has a row of its own, so that their words never meet.
fn percentiles(latency: &Latency, axis: &LogAxis, width_px: f64, class: &'static str) -> Html {
    let mark = |(row, (name, value_s)): (usize, (&'static str, f64))| {
        let x = axis.x(value_s);
        let y = 14.0 + row as f64 * MARK_ROW_PX;
        let (text_x, anchor) =
            if x > width_px - MARK_ROOM_PX { (x - 6.0, "end") } else { (x + 6.0, "start") };
        html! {
            <g class={class}>
                <line x1={px(x)} x2={px(x)} y1={px(y - 10.0)} y2={px(BARS_BOTTOM_PX)} />
                <text x={px(text_x)} y={px(y)} text-anchor={anchor}>{ format!("{name}\u{a0}{}", format::seconds(value_s)) }</text>
            </g>
        }
    };
    html! { <>{ for percentile_rows(latency).into_iter().enumerate().map(mark) }</> }
}

/// A native run's percentiles as diamonds on the axis, clear of the simulated ones' words; their figures stand in the table.
fn hollow(latency: &Latency, axis: &LogAxis) -> Html {
    let diamond = |(name, value_s): (&'static str, f64)| {
        let x = axis.x(value_s);
        html! {
            <path class="native-mark" d={format!("M{x:.1} {:.1}l5 5l-5 5l-5 -5z", BARS_BOTTOM_PX - 5.0)}>
                <title>{ format!("{name} {}", format::seconds(value_s)) }</title>
            </path>
        }
    };
    html! { <>{ for percentile_rows(latency).into_iter().map(diamond) }</> }
}

fn goal(lang: Lang, goal_s: f64, axis: &LogAxis) -> Html {
    let x = axis.x(goal_s);
    html! {
        <g class="goal-line">
            <line x1={px(x)} x2={px(x)} y1={px(BARS_TOP_PX - 22.0)} y2={px(BARS_BOTTOM_PX + 5.0)} />
            <text x={px(x - 6.0)} y={px(BARS_TOP_PX - 12.0)} text-anchor="end">
                { format!("{}: p99 < {}", say(lang, Player::GoalLine), format::seconds(goal_s)) }
            </text>
        </g>
    }
}
