//! The stage of memory: a bar and a lane for each machine, the cores below.

use std::rc::Rc;

use yew::prelude::*;

use super::asked::{Answers, AskWhy};
use crate::app::use_lang;
use crate::charts::{Frame, MemoryBar, MemoryLane, Swatch};
use crate::i18n::{Lang, Memory, Player, held_text, kill_text, say};
use crate::picture::{MemoryFilm, Recording};

/// What the parts of this stage need.
#[derive(Properties, PartialEq)]
pub(super) struct MemoryProps {
    /// What all lanes share.
    pub(super) frame: Frame,
    /// Who holds what.
    pub(super) film: Rc<MemoryFilm>,
    /// A native run of the same scenario.
    pub(super) native: Option<Rc<MemoryFilm>>,
    /// Told the instant (ns) that was pointed at.
    pub(super) on_seek: Callback<u64>,
}

/// A lane for each machine.
#[component]
pub(super) fn MemoryLanes(props: &MemoryProps) -> Html {
    let MemoryProps { frame, film, native, on_seek } = props;
    html! {
        <>
            { for (0..film.nodes).map(|node| html! {
                <MemoryLane frame={frame.clone()} film={film.clone()} native={native.clone()} {node} on_seek={on_seek.clone()} />
            }) }
        </>
    }
}

/// Who is who and how much each holds, then each machine's bar.
#[component]
pub(super) fn MemoryNow(props: &MemoryProps) -> Html {
    let lang = use_lang();
    let MemoryProps { frame, film, native, .. } = props;
    let recording = &frame.recording;
    let item = |tenant: u32| {
        let (state, class) = state(lang, film, tenant, frame.head_ns);
        html! {
            <li class={class}>
                <Swatch {tenant} />
                <span class="tenant-name">{ recording.name(tenant) }</span>
                <span class="tenant-state">{ state }</span>
                <AskWhy {tenant} />
            </li>
        }
    };
    let bar = |node: u32| {
        let label = held_text(lang, film, recording, node, frame.head_ns);
        html! {
            <div class="lane-box">
                <span class="lane-name" aria-hidden="true">{ label.clone() }</span>
                <MemoryBar film={film.clone()} {node} head_ns={frame.head_ns} width_px={frame.width_px} {label} />
            </div>
        }
    };
    html! {
        <>
            <ul class="legend" aria-label={say(lang, Player::Tenants)}>
                { for (0..recording.report.tenants.len() as u32).map(item) }
            </ul>
            <Answers />
            <div class="lanes bars">{ for (0..film.nodes).map(bar) }</div>
            if native.is_some() {
                <p class="fine">{ say(lang, Memory::NativeOutline) }</p>
            }
        </>
    }
}

fn state(lang: Lang, film: &MemoryFilm, tenant: u32, at_ns: u64) -> (String, &'static str) {
    match film.killed_ns(tenant).filter(|killed_ns| at_ns >= *killed_ns) {
        Some(killed_ns) => (kill_text(lang, "", killed_ns).trim().to_owned(), "is-stopped"),
        None => match film.held(tenant, at_ns) {
            Some(bytes) => (crate::format::bytes(bytes as u64), "is-running"),
            None => (say(lang, Memory::Unsampled).to_owned(), "is-off"),
        },
    }
}

/// Who holds what on each machine at that instant.
pub(super) fn describe_memory(lang: Lang, film: &MemoryFilm, recording: &Recording, at_ns: u64) -> String {
    let parts: Vec<String> =
        (0..film.nodes).map(|node| held_text(lang, film, recording, node, at_ns)).collect();
    format!("{}. {}.", crate::format::instant(at_ns), parts.join("; "))
}
