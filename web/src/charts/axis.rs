//! The axis of time above the lanes.

use yew::prelude::*;

use super::lane::{Frame, Lane, Layer};
use crate::format;
use crate::picture::ticks;

/// Height of the axis (px).
const HEIGHT_PX: f64 = 22.0;

/// Room for one number (px).
const TICK_ROOM_PX: f64 = 92.0;

/// What an [`Axis`] needs.
#[derive(Properties, PartialEq)]
pub struct AxisProps {
    /// What all lanes share.
    pub frame: Frame,
    /// What it is, in words.
    pub label: AttrValue,
    /// Told the instant (ns) that was pointed at.
    pub on_seek: Callback<u64>,
}

/// The axis.
#[component]
pub fn Axis(props: &AxisProps) -> Html {
    html! {
        <Lane frame={props.frame.clone()} height_px={HEIGHT_PX} label={props.label.clone()} on_seek={props.on_seek.clone()}
            haze={false}>
            <AxisLayer layer={props.frame.layer()} />
        </Lane>
    }
}

#[derive(Properties, PartialEq)]
struct AxisLayerProps {
    layer: Layer,
}

#[component]
fn AxisLayer(props: &AxisLayerProps) -> Html {
    let Layer { recording, chunk, width_px } = &props.layer;
    let scale = props.layer.scale();
    let wanted = (width_px / TICK_ROOM_PX).max(2.0) as u64;
    let last = chunk.end_ns().min(recording.end_ns);
    let tick = |at_ns: u64| {
        let x = format!("{:.2}", scale.x(at_ns));
        let anchor = if at_ns == 0 { "start" } else { "middle" };
        html! {
            <g>
                <line class="tick" x1={x.clone()} x2={x.clone()} y1="17" y2="22" />
                <text class="tick-text" {x} y="13" text-anchor={anchor}>{ tick_text(at_ns, chunk.window_ns) }</text>
            </g>
        }
    };
    html! { <>{ for ticks(chunk.start_ns, last, chunk.window_ns, wanted).into_iter().map(tick) }</> }
}

/// Milliseconds in near views, seconds in far ones.
fn tick_text(at_ns: u64, window_ns: u64) -> String {
    const NEAR_NS: u64 = 2_000_000_000;
    if window_ns > NEAR_NS {
        return format!("{}\u{a0}s", at_ns as f64 / 1e9);
    }
    let millis = at_ns as f64 / 1e6;
    match millis.fract() == 0.0 {
        true => format!("{}\u{a0}ms", format::grouped(millis as u64)),
        false => format!("{millis}\u{a0}ms"),
    }
}
