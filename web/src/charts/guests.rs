//! The lanes of virtual CPUs: a thread of the guest runs, or the virtual CPU waits for a core of the host, or it is halted.

use std::fmt::Write;
use std::rc::Rc;

use catamaran_report::timeline::GuestSlice;
use yew::prelude::*;

use super::lane::{Frame, Lane, Layer};
use super::patterns::tenant_fill;
use crate::app::use_lang;
use crate::i18n::{Duel, say, vcpu_summary};
use crate::picture::{Scale, Vcpu};

/// Height of a virtual CPU's row, and between two (px).
const ROW_PX: f64 = 16.0;
const GAP_PX: f64 = 3.0;

/// Spans nearer to one another than this are drawn as one (px).
const JOINED_PX: f64 = 0.4;

/// What [`GuestLanes`] need.
#[derive(Properties, PartialEq)]
pub struct GuestProps {
    /// What all lanes share.
    pub frame: Frame,
    /// The virtual CPUs.
    pub vcpus: Rc<Vec<Vcpu>>,
    /// Told the instant (ns) that was pointed at.
    pub on_seek: Callback<u64>,
}

/// The lanes; nothing where there are no guests.
#[component]
pub fn GuestLanes(props: &GuestProps) -> Html {
    let lang = use_lang();
    let (vcpus, recording, view) = (&props.vcpus, &props.frame.recording, props.frame.view);
    if vcpus.is_empty() {
        return Html::default();
    }
    let height_px = vcpus.len() as f64 * (ROW_PX + GAP_PX) - GAP_PX;
    let words = vcpus.iter().map(|vcpu| {
        let (ran_ns, waited_ns) = vcpu.ran_and_waited(view.start_ns, view.end_ns());
        vcpu_summary(lang, &recording.name(vcpu.tenant), vcpu.number, ran_ns, waited_ns)
    });
    let label = words.collect::<Vec<_>>().join("; ");
    let name = |(row, vcpu): (usize, &Vcpu)| {
        let top = row as f64 * (ROW_PX + GAP_PX);
        html! { <span class="row-name" style={format!("top:{top}px")}>{ recording.name(vcpu.tenant) }</span> }
    };
    html! {
        <div data-testid="guest-lanes">
            <span class="lane-name" aria-hidden="true">{ say(lang, Duel::VirtualCpus) }</span>
            <div class="lane-box">
                <Lane frame={props.frame.clone()} {height_px} {label} on_seek={props.on_seek.clone()}>
                    <GuestLayer layer={props.frame.layer()} vcpus={vcpus.clone()} />
                </Lane>
                <div class="row-names small" aria-hidden="true">{ for vcpus.iter().enumerate().map(name) }</div>
            </div>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct GuestLayerProps {
    layer: Layer,
    vcpus: Rc<Vec<Vcpu>>,
}

/// Drawn once for each chunk.
#[component]
fn GuestLayer(props: &GuestLayerProps) -> Html {
    let (scale, chunk) = (props.layer.scale(), props.layer.chunk);
    let end = scale.x(chunk.end_ns().min(props.layer.recording.end_ns)).max(0.0);
    let row = |(row, vcpu): (usize, &Vcpu)| {
        let slices = vcpu.between(chunk.start_ns, chunk.end_ns());
        let runs = spans(slices, &scale, |slice| slice.thread.is_some());
        let waits = spans(slices, &scale, |slice| slice.thread.is_none());
        html! {
            <g transform={format!("translate(0 {})", row as f64 * (ROW_PX + GAP_PX))}>
                <rect class="row-ground" x="0" y="0" width={format!("{end:.2}")} height={ROW_PX.to_string()} />
                <path class="share" d={runs} fill={tenant_fill(vcpu.tenant)} />
                <path class="stopped" d={waits} fill="url(#stopped)" />
            </g>
        }
    };
    html! { <>{ for props.vcpus.iter().enumerate().map(row) }</> }
}

/// The chosen slices as one shape.
fn spans(slices: &[GuestSlice], scale: &Scale, chosen: fn(&GuestSlice) -> bool) -> String {
    let mut path = String::new();
    let mut pending: Option<(f64, f64)> = None;
    let put = |path: &mut String, (from, to): (f64, f64)| {
        // Writing into a String cannot fail.
        let _ = write!(path, "M{from:.2} 0h{:.2}v{ROW_PX}h-{:.2}z", to - from, to - from);
    };
    for slice in slices.iter().filter(|slice| chosen(slice)) {
        let (from, to) = (scale.x(slice.start_ns), scale.x(slice.end_ns));
        pending = match pending {
            Some((start, end)) if from - end < JOINED_PX => Some((start, to)),
            before => {
                if let Some(span) = before {
                    put(&mut path, span);
                }
                Some((from, to))
            }
        };
    }
    if let Some(span) = pending {
        put(&mut path, span);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_touch_are_one_shape_and_others_are_not() {
        let slice = |thread, start_ns, end_ns| GuestSlice { tenant: 0, vcpu: 0, thread, start_ns, end_ns };
        let slices =
            [slice(Some(0), 0, 10), slice(Some(1), 10, 20), slice(None, 20, 40), slice(Some(0), 40, 50)];
        let scale = Scale::new(0, 100, 100.0);
        let drawn = spans(&slices, &scale, |slice| slice.thread.is_some());
        assert_eq!(drawn, "M0.00 0h20.00v16h-20.00zM40.00 0h10.00v16h-10.00z");
        assert_eq!(spans(&slices, &scale, |slice| slice.thread.is_none()), "M20.00 0h20.00v16h-20.00z");
    }
}
