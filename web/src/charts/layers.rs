//! Layers on their way: a row for each, fetched and then unpacked.

use yew::prelude::*;

use super::lane::{Frame, Lane};
use super::patterns::tenant_fill;
use crate::picture::{LayerView, Scale};

const ROW_PX: f64 = 22.0;
const GAP_PX: f64 = 4.0;

/// What [`LayerLanes`] need.
#[derive(Properties, PartialEq)]
pub struct LayerLanesProps {
    /// What all lanes share.
    pub frame: Frame,
    /// Those that come.
    pub layers: Vec<LayerView>,
    /// The same in words.
    pub label: AttrValue,
    /// Told the instant (ns) that was pointed at.
    pub on_seek: Callback<u64>,
}

/// The rows.
#[component]
pub fn LayerLanes(props: &LayerLanesProps) -> Html {
    let LayerLanesProps { frame, layers, label, on_seek } = props;
    let layer = frame.layer();
    let scale = layer.scale();
    let end_x = scale.x(layer.chunk.end_ns().min(frame.recording.end_ns));
    let height_px = (layers.len() as f64 * (ROW_PX + GAP_PX) - GAP_PX).max(ROW_PX);
    let row = |(row, view): (usize, &LayerView)| {
        html! {
            <g transform={format!("translate(0 {})", row as f64 * (ROW_PX + GAP_PX))}>
                <rect class="row-ground" x="0" y="0" width={format!("{end_x:.2}")} height={ROW_PX.to_string()} />
                { piece(&scale, view.pull, 0) }
                { piece(&scale, view.unpack, 2) }
            </g>
        }
    };
    let name = |(row, view): (usize, &LayerView)| {
        let top = row as f64 * (ROW_PX + GAP_PX);
        html! { <span class="row-name" style={format!("top:{top}px")}>{ &view.id }</span> }
    };
    html! {
        <div class="lane-box" data-testid="layer-lanes">
            <Lane frame={frame.clone()} {height_px} label={label.clone()} on_seek={on_seek.clone()}>
                { for layers.iter().enumerate().map(row) }
            </Lane>
            <div class="row-names small" aria-hidden="true">{ for layers.iter().enumerate().map(name) }</div>
        </div>
    }
}

fn piece(scale: &Scale, span: Option<(u64, u64)>, look: u32) -> Html {
    let Some((from, to)) = span else { return Html::default() };
    let (x, right) = (scale.x(from), scale.x(to));
    html! {
        <rect class="run" x={format!("{x:.2}")} y="0" width={format!("{:.2}", (right - x).max(0.8))}
            height={ROW_PX.to_string()} fill={tenant_fill(look)} />
    }
}
