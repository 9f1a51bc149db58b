//! One lane of the picture: what is drawn in it moves under the play head; what has not happened yet lies in a haze.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::Element;
use yew::prelude::*;

use crate::picture::{Chunk, Recording, Scale, View};

/// What all lanes share at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// What is drawn.
    pub recording: Rc<Recording>,
    /// Which part of it.
    pub view: View,
    /// Play head (ns).
    pub head_ns: u64,
    /// Width (px).
    pub width_px: f64,
}

impl Frame {
    /// From instants to pixels of the visible part.
    #[must_use]
    pub fn scale(&self) -> Scale {
        Scale::new(self.view.start_ns, self.view.window_ns, self.width_px)
    }

    /// What a layer needs: it stays the same until the view leaves its chunk.
    #[must_use]
    pub fn layer(&self) -> Layer {
        Layer { recording: self.recording.clone(), chunk: self.view.chunk(), width_px: self.width_px }
    }
}

/// What a layer is drawn from: a chunk of the recording, as wide as two lanes.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// What is drawn.
    pub recording: Rc<Recording>,
    /// Which part of it.
    pub chunk: Chunk,
    /// Width of the lane (px).
    pub width_px: f64,
}

impl Layer {
    /// From instants to pixels of the layer.
    #[must_use]
    pub fn scale(&self) -> Scale {
        Scale::new(self.chunk.start_ns, self.chunk.window_ns, self.width_px)
    }
}

/// What a [`Lane`] needs.
#[derive(Properties, PartialEq)]
pub struct LaneProps {
    /// What all lanes share.
    pub frame: Frame,
    /// Height (px).
    pub height_px: f64,
    /// What is to be seen, in words.
    pub label: AttrValue,
    /// Told the instant (ns) that was pointed at.
    pub on_seek: Callback<u64>,
    /// The layer.
    pub children: Html,
    /// Whether what lies ahead is drawn in a haze.
    #[prop_or(true)]
    pub haze: bool,
}

/// One lane.
#[component]
pub fn Lane(props: &LaneProps) -> Html {
    let LaneProps { frame, height_px, .. } = props;
    let (width, height) = (frame.width_px, *height_px);
    let scale = frame.scale();
    let moved = -scale.width(frame.view.start_ns - frame.view.chunk().start_ns);
    let head = scale.x(frame.head_ns).clamp(0.0, width);
    let (onpointerdown, onpointermove) = pointing(scale, props.on_seek.clone());
    html! {
        <svg class="lane" role="img" aria-label={props.label.clone()} width={width.to_string()} height={height.to_string()}
            viewBox={format!("0 0 {width} {height}")} {onpointerdown} {onpointermove}>
            <g transform={format!("translate({moved:.2} 0)")}>{ props.children.clone() }</g>
            if props.haze {
                <rect class="haze" x={format!("{head:.2}")} y="0" width={format!("{:.2}", width - head)}
                    height={height.to_string()} />
            }
            <line class="head" x1={format!("{head:.2}")} x2={format!("{head:.2}")} y1="0" y2={height.to_string()} />
        </svg>
    }
}

/// Pressing, and dragging while pressed, moves the head.
fn pointing(scale: Scale, on_seek: Callback<u64>) -> (Callback<PointerEvent>, Callback<PointerEvent>) {
    let seek = move |event: &PointerEvent| {
        let lane = event.current_target().and_then(|target| target.dyn_into::<Element>().ok());
        if let Some(lane) = lane {
            let x = f64::from(event.client_x()) - lane.get_bounding_client_rect().left();
            on_seek.emit(scale.instant(x));
        }
    };
    let moving = seek.clone();
    let down = Callback::from(move |event: PointerEvent| {
        if event.button() == 0 {
            seek(&event);
        }
    });
    let moved = Callback::from(move |event: PointerEvent| {
        if event.buttons() & 1 == 1 {
            moving(&event);
        }
    });
    (down, moved)
}
