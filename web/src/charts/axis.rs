//! The axis of time above the lanes.

use yew::prelude::*;

use super::lane::{Frame, Lane};
use crate::format;
use crate::picture::ticks;

/// Height of the axis (px).
const HEIGHT_PX: f64 = 22.0;

/// Room for one number (px).
const TICK_ROOM_PX: f64 = 92.0;

/// Width of a letter of the numbers, generously (px).
const LETTER_PX: f64 = 6.6;

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
            { marks(&props.frame) }
        </Lane>
    }
}

/// The numbers that are in view, each whole: those at an edge lean inwards. They are few, so that they are drawn at each frame.
fn marks(frame: &Frame) -> Html {
    let Frame { recording, view, width_px, .. } = frame;
    let scale = frame.scale();
    let wanted = (width_px / TICK_ROOM_PX).max(2.0) as u64;
    let last = (view.start_ns + view.window_ns).min(recording.end_ns);
    // The lane moves what it holds to where the view is in its chunk.
    let moved = scale.width(view.start_ns - view.chunk().start_ns);
    let tick = |at_ns: u64| {
        let (x, text) = (scale.x(at_ns), tick_text(at_ns, view.window_ns));
        let text_x = kept_whole(x, &text, *width_px);
        let line_x = format!("{:.2}", x + moved);
        html! {
            <g>
                <line class="tick" x1={line_x.clone()} x2={line_x} y1="17" y2="22" />
                <text class="tick-text" x={format!("{:.2}", text_x + moved)} y="13" text-anchor="middle">{ text }</text>
            </g>
        }
    };
    let (from, window) = (view.start_ns, view.window_ns);
    html! { <>{ for ticks(from, last, window, wanted).into_iter().map(tick) }</> }
}

/// Where the middle of a number at `x` is so that all of it stands on a lane of that width.
pub(super) fn kept_whole(x: f64, text: &str, width_px: f64) -> f64 {
    let half = text.chars().count() as f64 * LETTER_PX / 2.0;
    x.min(width_px - half).max(half)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_at_the_edges_lean_inwards() {
        // Five letters are 33 px wide.
        let table = [(0.0, 16.5), (10.0, 16.5), (50.0, 50.0), (99.0, 83.5), (100.0, 83.5)];
        for (x, expected) in table {
            assert!((kept_whole(x, "10 ms", 100.0) - expected).abs() < 1e-9, "{x}");
        }
        assert!((kept_whole(5.0, "10 ms", 20.0) - 16.5).abs() < 1e-9, "no room: from its beginning");
    }
}
