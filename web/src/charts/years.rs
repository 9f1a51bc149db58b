//! Releases on an axis of years, from the day they appeared to the last day with security fixes.

use catamaran_lessons::{Base, Release};
use yew::prelude::*;

use super::axis::kept_whole;
use super::lane::{Frame, Lane};
use super::patterns::tenant_fill;
use crate::app::use_lang;
use crate::i18n::{FamilyWords, release_words, releases_summary, say};
use crate::picture::family::{Years, releases, root};

const AXIS_PX: f64 = 22.0;
const ROW_PX: f64 = 20.0;
const GAP_PX: f64 = 4.0;
/// Room for one number (px).
const TICK_ROOM_PX: f64 = 46.0;

/// What [`YearAxis`] and [`ReleaseLanes`] need.
#[derive(Properties, PartialEq)]
pub struct YearsProps {
    /// What all lanes share.
    pub frame: Frame,
    /// The distributions.
    pub bases: &'static [Base],
    /// Told the instant (ns) that was pointed at.
    pub on_seek: Callback<u64>,
}

/// The axis.
#[component]
pub fn YearAxis(props: &YearsProps) -> Html {
    let lang = use_lang();
    let frame = &props.frame;
    let years = Years::over(props.bases, frame.recording.end_ns);
    let layer = frame.layer();
    let scale = layer.scale();
    let moved = scale.width(frame.view.start_ns - frame.view.chunk().start_ns);
    let year_px = scale.width(years.ns(years.first + 1.0)).max(0.1);
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * year_px >= TICK_ROOM_PX).unwrap_or(20.0);
    let count = ((years.last - years.first) / step) as usize + 1;
    let first = (years.first / step).ceil() * step;
    let tick = |number: usize| {
        let year = first + step * number as f64;
        let (x, text) = (scale.x(years.ns(year)), format!("{year:.0}"));
        let text_x = kept_whole(x - moved, &text, frame.width_px) + moved;
        let line_x = format!("{x:.2}");
        // What is out of view has no number that could be kept whole.
        let in_view = (0.0..=frame.width_px).contains(&(x - moved));
        html! {
            if in_view {
                <g>
                    <line class="tick" x1={line_x.clone()} x2={line_x} y1="17" y2="22" />
                    <text class="tick-text" x={format!("{text_x:.2}")} y="13" text-anchor="middle">{ text }</text>
                </g>
            }
        }
    };
    html! {
        <Lane frame={frame.clone()} height_px={AXIS_PX} label={say(lang, FamilyWords::YearAxis)} on_seek={props.on_seek.clone()}
            haze={false}>
            { for (0..count).filter(|number| first + step * *number as f64 <= years.last).map(tick) }
        </Lane>
    }
}

/// A row for each release.
#[component]
pub fn ReleaseLanes(props: &YearsProps) -> Html {
    let lang = use_lang();
    let frame = &props.frame;
    let years = Years::over(props.bases, frame.recording.end_ns);
    let layer = frame.layer();
    let scale = layer.scale();
    let rows: Vec<(&'static Base, &'static Release)> = releases(props.bases).collect();
    let height_px = rows.len() as f64 * (ROW_PX + GAP_PX) - GAP_PX;
    let end_x = scale.x(layer.chunk.end_ns().min(frame.recording.end_ns));
    let bar = |(row, (base, release)): (usize, &(&'static Base, &'static Release))| {
        let top = row as f64 * (ROW_PX + GAP_PX);
        let (from, to) = (scale.x(years.ns(release.from.years())), scale.x(years.ns(release.to.years())));
        html! {
            <g transform={format!("translate(0 {top})")}>
                <rect class="row-ground" x="0" y="0" width={format!("{end_x:.2}")} height={ROW_PX.to_string()} />
                <rect class="run" x={format!("{from:.2}")} y="0" width={format!("{:.2}", (to - from).max(1.0))}
                    height={ROW_PX.to_string()} fill={tenant_fill(root(props.bases, base) as u32)}>
                    <title>{ release_words(lang, base, release) }</title>
                </rect>
            </g>
        }
    };
    let name = |(row, (base, release)): (usize, &(&'static Base, &'static Release))| {
        let top = row as f64 * (ROW_PX + GAP_PX);
        html! { <span class="row-name" style={format!("top:{top}px")}>{ format!("{} {}", base.name, release.name) }</span> }
    };
    let label = releases_summary(lang, props.bases, years.at(frame.head_ns));
    html! {
        <div class="lane-box" data-testid="release-lanes">
            <Lane frame={frame.clone()} {height_px} {label} on_seek={props.on_seek.clone()}>
                { for rows.iter().enumerate().map(bar) }
            </Lane>
            <div class="row-names small" aria-hidden="true">{ for rows.iter().enumerate().map(name) }</div>
        </div>
    }
}
