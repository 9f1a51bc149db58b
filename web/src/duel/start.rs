//! The lane of an era's start-up: its stages one after the other, then the load.

use std::rc::Rc;

use yew::prelude::*;

use super::figures::Accelerator;
use super::film::{Film, Stage};
use crate::app::use_lang;
use crate::charts::{Frame, Lane, Layer};
use crate::format;
use crate::i18n::{ready_after, say, start_summary};

/// Height of the lane (px).
const HEIGHT_PX: f64 = 20.0;

/// Narrower stages carry no name (px).
const NAMED_PX: f64 = 48.0;

/// What a [`StartLane`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct StartProps {
    pub(super) frame: Frame,
    pub(super) film: Rc<Film>,
    /// Under what guests are started.
    pub(super) accelerator: Option<Accelerator>,
    /// Told the instant (ns) that was pointed at.
    pub(super) on_seek: Callback<u64>,
}

/// The lane.
#[component]
pub(super) fn StartLane(props: &StartProps) -> Html {
    let lang = use_lang();
    let Some(ready_ns) = props.film.ready_ns else { return Html::default() };
    let stages = props.film.stages.iter().map(|stage| (stage.name.as_str(), stage.end_ns - stage.start_ns));
    let mut summary = start_summary(lang, stages, ready_ns);
    let tag = props.accelerator.map(|accelerator| format!(" ({})", say(lang, accelerator.tag())));
    summary.push_str(tag.as_deref().unwrap_or_default());
    html! {
        <div class="lane-box" data-testid="start-lane">
            <span class="lane-name" aria-hidden="true">
                { ready_after(lang, &props.film.ready) }
                if let Some(tag) = tag {
                    <span data-testid="accelerator">{ tag }</span>
                }
            </span>
            <Lane frame={props.frame.clone()} height_px={HEIGHT_PX} label={summary}
                on_seek={props.on_seek.clone()}>
                <StartLayer layer={props.frame.layer()} film={props.film.clone()} />
            </Lane>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct StartLayerProps {
    layer: Layer,
    film: Rc<Film>,
}

#[component]
fn StartLayer(props: &StartLayerProps) -> Html {
    let scale = props.layer.scale();
    let end = scale.x(props.layer.chunk.end_ns().min(props.layer.recording.end_ns));
    let stage = |(number, stage): (usize, &Stage)| {
        let (x, width) = (scale.x(stage.start_ns), scale.width(stage.end_ns - stage.start_ns));
        let look = if number % 2 == 0 { "start-stage" } else { "start-stage other" };
        let length = format::nanos(stage.end_ns - stage.start_ns);
        html! {
            <g>
                <rect class={look} x={format!("{x:.2}")} y="0" width={format!("{:.2}", width.max(0.4))}
                    height={HEIGHT_PX.to_string()}>
                    <title>{ format!("{} ({}): {length}", stage.name, stage.actor) }</title>
                </rect>
                if width > NAMED_PX {
                    <text class="start-name" x={format!("{:.2}", x.max(0.0) + 6.0)} y="14">{ &stage.name }</text>
                }
            </g>
        }
    };
    html! {
        <>
            <rect class="row-ground" x="0" y="0" width={format!("{:.2}", end.max(0.0))} height={HEIGHT_PX.to_string()} />
            { for props.film.stages.iter().enumerate().map(stage) }
        </>
    }
}
