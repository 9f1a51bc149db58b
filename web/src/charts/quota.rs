//! The throttling strip: in each period the quota is used up, then the tenant stands still.

use std::fmt::Write;

use yew::prelude::*;

use super::lane::{Frame, Lane, Layer};
use super::patterns::tenant_fill;
use crate::app::use_lang;
use crate::format;
use crate::i18n::{Lang, stopped_text, stretch_title, strip_name, strip_summary};
use crate::picture::{Scale, Stretch, stretches};

/// Height of the strip (px).
const HEIGHT_PX: f64 = 56.0;

/// Narrower periods (px) are drawn in groups.
const LEAST_PX: f64 = 7.0;

/// Narrower stops carry no words (px).
const WORDS_PX: f64 = 74.0;

/// What a [`Strip`] needs.
#[derive(Properties, PartialEq)]
pub struct StripProps {
    /// What all lanes share.
    pub frame: Frame,
    /// Which limited tenant.
    pub tenant: u32,
    /// Told the instant (ns) that was pointed at.
    pub on_seek: Callback<u64>,
}

/// The strip of one tenant.
#[component]
pub fn Strip(props: &StripProps) -> Html {
    let lang = use_lang();
    let recording = &props.frame.recording;
    let name = recording.name(props.tenant);
    html! {
        <div class="lane-box" data-testid="strip">
            <span class="lane-name" aria-hidden="true">{ strip_name(lang, &name) }</span>
            <Lane frame={props.frame.clone()} height_px={HEIGHT_PX} label={strip_summary(lang, &name, recording, props.tenant)}
                on_seek={props.on_seek.clone()}>
                <StripLayer layer={props.frame.layer()} tenant={props.tenant} {lang} />
            </Lane>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct StripLayerProps {
    layer: Layer,
    tenant: u32,
    lang: Lang,
}

#[component]
fn StripLayer(props: &StripLayerProps) -> Html {
    let Layer { recording, chunk, .. } = &props.layer;
    let scale = props.layer.scale();
    let found = stretches(recording, props.tenant, chunk.start_ns, chunk.end_ns());
    let narrow = found.first().is_some_and(|first| scale.width(first.end_ns - first.start_ns) < LEAST_PX);
    match narrow {
        true => groups(&found, &scale, props.tenant),
        false => html! { <>{ for found.iter().map(|stretch| single(props, &scale, stretch)) }</> },
    }
}

fn single(props: &StripLayerProps, scale: &Scale, stretch: &Stretch) -> Html {
    let (x, width) = (scale.x(stretch.start_ns), scale.width(stretch.end_ns - stretch.start_ns));
    let words = |&(start_ns, end_ns): &(u64, u64)| {
        let (from, wide) = (scale.x(start_ns), scale.width(end_ns - start_ns));
        html! {
            <g>
                <rect class="stopped" x={format!("{from:.2}")} y="0" width={format!("{wide:.2}")}
                    height={HEIGHT_PX.to_string()} fill="url(#stopped)" />
                if wide > WORDS_PX {
                    <g class="stopped-words">
                        <rect x={format!("{:.2}", from + wide / 2.0 - 35.0)} y="19" width="70" height="18" rx="4" />
                        <text x={format!("{:.2}", from + wide / 2.0)} y="32" text-anchor="middle">
                            { stopped_text(props.lang, &format::nanos(end_ns - start_ns)) }
                        </text>
                    </g>
                }
            </g>
        }
    };
    html! {
        <g>
            <title>{ stretch_title(props.lang, stretch) }</title>
            <rect class="period" x={format!("{x:.2}")} y="0.5" width={format!("{width:.2}")}
                height={(HEIGHT_PX - 1.0).to_string()} />
            { for stretch.stops.iter().map(words) }
            <path class="used" d={rise(stretch, scale)} fill={tenant_fill(props.tenant)} />
            <line class="period-edge" x1={format!("{x:.2}")} x2={format!("{x:.2}")} y1="0" y2={HEIGHT_PX.to_string()} />
        </g>
    }
}

/// Where so much of the quota stands. A slice handed out late can lift the use a little above the quota.
fn height(used_ns: u64, quota_ns: u64) -> f64 {
    let part = (used_ns as f64 / quota_ns.max(1) as f64).min(1.0);
    HEIGHT_PX - (HEIGHT_PX - 3.0) * part
}

/// The rising use as a closed shape. It ends with the last use where the tenant was stopped after it, so that the hatching
/// can be seen, and else with the period.
fn rise(stretch: &Stretch, scale: &Scale) -> String {
    let last_use_ns =
        stretch.rise.iter().find(|(_, used_ns)| *used_ns >= stretch.used_by_end()).map(|point| point.0);
    let until_ns = last_use_ns.filter(|_| !stretch.stops.is_empty()).unwrap_or(stretch.end_ns);
    let mut path = format!("M{:.2} {HEIGHT_PX}", scale.x(stretch.start_ns));
    for &(at_ns, used_ns) in stretch.rise.iter().filter(|(at_ns, _)| *at_ns <= until_ns) {
        // Writing into a String cannot fail.
        let _ = write!(path, "L{:.2} {:.2}", scale.x(at_ns), height(used_ns, stretch.quota_ns));
    }
    let _ = write!(path, "V{HEIGHT_PX}Z");
    path
}

/// Several periods in a column: how much of their quota was used, and hatched the share of time in which they were stopped.
fn groups(found: &[Stretch], scale: &Scale, tenant: u32) -> Html {
    let period_px = found.first().map_or(1.0, |first| scale.width(first.end_ns - first.start_ns)).max(1e-6);
    let size = (LEAST_PX / 2.0 / period_px).ceil().max(1.0) as usize;
    let (mut used, mut stopped) = (String::new(), String::new());
    for group in found.chunks(size) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let span_ns = (last.end_ns - first.start_ns).max(1);
        let sum = |of: fn(&Stretch) -> u64| group.iter().map(of).sum::<u64>();
        let top = height(sum(|stretch| stretch.used_ns), sum(|stretch| stretch.quota_ns));
        let hatched = HEIGHT_PX * sum(Stretch::stopped_ns) as f64 / span_ns as f64;
        let (x, width) = (scale.x(first.start_ns), scale.width(span_ns));
        // Writing into a String cannot fail.
        let _ = write!(used, "M{x:.1} {HEIGHT_PX}V{top:.1}h{width:.1}V{HEIGHT_PX}z");
        let _ = write!(stopped, "M{x:.1} 0h{width:.1}v{hatched:.1}h-{width:.1}z");
    }
    html! {
        <>
            <path class="used" d={used} fill={tenant_fill(tenant)} />
            <path class="stopped" d={stopped} fill="url(#stopped)" />
        </>
    }
}
