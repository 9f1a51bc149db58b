//! How many requests of a server are under way.

use std::fmt::Write;

use yew::prelude::*;

use super::lane::{Frame, Lane, Layer};
use crate::app::use_lang;
use crate::i18n::{waiting_name, waiting_summary};
use crate::picture::{Scale, Step, queue_steps};

/// Height of the lane (px).
const HEIGHT_PX: f64 = 44.0;

/// What a [`Waiting`] needs.
#[derive(Properties, PartialEq)]
pub struct WaitingProps {
    /// What all lanes share.
    pub frame: Frame,
    /// Which server.
    pub tenant: u32,
    /// Told the instant (ns) that was pointed at.
    pub on_seek: Callback<u64>,
}

/// The lane of a server's requests.
#[component]
pub fn Waiting(props: &WaitingProps) -> Html {
    let lang = use_lang();
    let recording = props.frame.recording.clone();
    let steps = use_memo((recording.clone(), props.tenant), |(recording, tenant)| {
        queue_steps(&recording.timeline, *tenant)
    });
    let most = steps.iter().map(|step| step.count).max().unwrap_or_default();
    let name = recording.name(props.tenant);
    html! {
        <div class="lane-box">
            <span class="lane-name" aria-hidden="true">{ waiting_name(lang, &name, most) }</span>
            <Lane frame={props.frame.clone()} height_px={HEIGHT_PX} label={waiting_summary(lang, &name, most)}
                on_seek={props.on_seek.clone()}>
                <WaitingLayer layer={props.frame.layer()} {steps} {most} />
            </Lane>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct WaitingLayerProps {
    layer: Layer,
    steps: std::rc::Rc<Vec<Step>>,
    most: u32,
}

#[component]
fn WaitingLayer(props: &WaitingLayerProps) -> Html {
    let end_ns = props.layer.chunk.end_ns().min(props.layer.recording.end_ns);
    let scale = props.layer.scale();
    let area = area(&props.steps, &scale, props.layer.chunk.start_ns, end_ns, props.most);
    html! {
        <>
            <rect class="row-ground" x="0" y="0" width={format!("{:.2}", scale.x(end_ns))} height={HEIGHT_PX.to_string()} />
            <path class="waiting" d={area} />
        </>
    }
}

/// The stairs as one closed shape from `from_ns` to `end_ns`. Steps within half a pixel are drawn as their highest.
fn area(steps: &[Step], scale: &Scale, from_ns: u64, end_ns: u64, most: u32) -> String {
    let first = steps.partition_point(|step| step.at_ns <= from_ns);
    let before = first.checked_sub(1).and_then(|index| steps.get(index)).map_or(0, |step| step.count);
    let y = |count: u32| HEIGHT_PX - (HEIGHT_PX - 4.0) * f64::from(count) / f64::from(most.max(1));
    let mut path = format!("M0 {HEIGHT_PX}V{:.1}", y(before));
    let mut drawn_x = 0.0;
    let mut pending: Option<(f64, u32, u32)> = None;
    let mut put = |path: &mut String, x: f64, highest: u32, last: u32| {
        // Writing into a String cannot fail.
        let _ = write!(path, "H{x:.1}V{:.1}", y(highest));
        if last != highest {
            let _ = write!(path, "V{:.1}", y(last));
        }
        drawn_x = x;
    };
    for step in steps.iter().skip(first).take_while(|step| step.at_ns < end_ns) {
        let x = scale.x(step.at_ns);
        pending = match pending {
            Some((start, highest, _)) if x - start < 0.5 => {
                Some((start, highest.max(step.count), step.count))
            }
            Some((start, highest, last)) => {
                put(&mut path, start, highest, last);
                Some((x, step.count, step.count))
            }
            None => Some((x, step.count, step.count)),
        };
    }
    if let Some((start, highest, last)) = pending {
        put(&mut path, start, highest, last);
    }
    let _ = write!(path, "H{:.1}V{HEIGHT_PX}Z", scale.x(end_ns).max(drawn_x));
    path
}
