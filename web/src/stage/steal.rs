//! The stage of stolen time: the host's core above, the guests that want it below, on one axis.

use std::rc::Rc;

use catamaran_report::Report;
use yew::prelude::*;

use super::announce::describe_moment;
use super::asked::{Answers, AskWhy};
use crate::app::use_lang;
use crate::charts::{Axis, Frame, Gantt, GuestLanes, StealBar};
use crate::i18n::{self, Lang, Steal, measured_steal, say, share_words};
use crate::picture::{Recording, Vcpu, shares};

/// What a [`StealPicture`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct StealProps {
    /// What all lanes share.
    pub(super) frame: Frame,
    /// The virtual CPUs.
    pub(super) vcpus: Rc<Vec<Vcpu>>,
    /// Native reports.
    pub(super) natives: Rc<Vec<Report>>,
    /// Told the instant (ns) that was pointed at.
    pub(super) on_seek: Callback<u64>,
}

/// Bars, the host, the guests.
#[component]
pub(super) fn StealPicture(props: &StealProps) -> Html {
    let lang = use_lang();
    let StealProps { frame, vcpus, natives, on_seek } = props;
    let recording = &frame.recording;
    let bars = shares(vcpus, tenants(recording), frame.head_ns);
    let bar = |(tenant, (ran, stolen)): (u32, (f64, f64))| {
        let measured = measured(recording, natives, tenant);
        let words = share_words(lang, &recording.name(tenant), ran, stolen);
        let label =
            measured.map_or(words.clone(), |share| format!("{words} · {}", measured_steal(lang, share)));
        html! {
            <div class="lane-box" data-testid={format!("steal-{tenant}")} data-stolen={format!("{stolen:.4}")}>
                <p class="lane-head"><span class="lane-name" aria-hidden="true">{ &label }</span><AskWhy {tenant} /></p>
                <StealBar {tenant} {ran} {stolen} {measured} width_px={frame.width_px} label={label.clone()} />
            </div>
        }
    };
    html! {
        <>
            <h3 class="stage-part">{ say(lang, Steal::Shares) }</h3>
            <p class="fine">{ say(lang, Steal::Legend) }</p>
            <div class="lanes bars">{ for (0_u32..).zip(bars).map(bar) }</div>
            <Answers />
            <div class="lanes">
                <Axis frame={frame.clone()} label={say(lang, i18n::Player::TimeAxis)} on_seek={on_seek.clone()} />
                <h3 class="stage-part">{ say(lang, Steal::HostCore) }</h3>
                <Gantt frame={frame.clone()} on_seek={on_seek.clone()} />
                <h3 class="stage-part">{ say(lang, Steal::Guests) }</h3>
                <GuestLanes frame={frame.clone()} vcpus={vcpus.clone()} on_seek={on_seek.clone()} />
            </div>
        </>
    }
}

/// The share of its time that was stolen from a tenant in a native run of the same scenario.
fn measured(recording: &Recording, natives: &[Report], tenant: u32) -> Option<f64> {
    let same = |native: &&Report| {
        native.identity.scenario_digest == recording.report.identity.scenario_digest
            && native.platform == recording.report.platform
    };
    let native = natives.iter().find(same)?;
    Some(native.tenant(&recording.name(tenant))?.stolen_s? / native.elapsed_s)
}

fn tenants(recording: &Recording) -> u32 {
    recording.report.tenants.len() as u32
}

/// Who has the core at that instant, and how much has been stolen until then.
pub(super) fn describe_steal(lang: Lang, recording: &Recording, vcpus: &[Vcpu], at_ns: u64) -> String {
    let shares = shares(vcpus, tenants(recording), at_ns);
    let words = (0_u32..)
        .zip(shares)
        .map(|(tenant, (ran, stolen))| share_words(lang, &recording.name(tenant), ran, stolen));
    format!("{} {}.", describe_moment(lang, recording, at_ns), words.collect::<Vec<_>>().join("; "))
}
