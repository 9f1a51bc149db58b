//! Who is who, and what each does at the instant of the play head.

use std::rc::Rc;

use yew::prelude::*;

use super::announce::stopped;
use super::asked::AskWhy;
use crate::app::use_lang;
use crate::charts::Swatch;
use crate::i18n::{Lang, Player, core_name, say};
use crate::picture::Recording;

/// What a [`Legend`] needs.
#[derive(Properties, PartialEq)]
pub struct LegendProps {
    /// What is drawn.
    pub recording: Rc<Recording>,
    /// Play head (ns).
    pub head_ns: u64,
}

/// The tenants.
#[component]
pub fn Legend(props: &LegendProps) -> Html {
    let lang = use_lang();
    let recording = &props.recording;
    let item = |tenant: u32| {
        let (state, class) = state(lang, recording, tenant, props.head_ns);
        html! {
            <li class={class}>
                <Swatch {tenant} />
                <span class="tenant-name">{ recording.name(tenant) }</span>
                <span class="tenant-state">{ state }</span>
                <AskWhy {tenant} />
            </li>
        }
    };
    html! {
        <ul class="legend" aria-label={say(lang, Player::Tenants)}>
            { for (0..recording.report.tenants.len() as u32).map(item) }
        </ul>
    }
}

fn state(lang: Lang, recording: &Recording, tenant: u32, at_ns: u64) -> (String, &'static str) {
    let on = |core: &usize| recording.who(*core, at_ns).is_some_and(|run| run.tenant == tenant);
    let cores: Vec<String> =
        (0..recording.cores.len()).filter(on).map(|core| core_name(lang, core)).collect();
    if !cores.is_empty() {
        return (cores.join(", "), "is-running");
    }
    match stopped(recording, at_ns).any(|other| other == tenant) {
        true => (say(lang, Player::Stopped).to_owned(), "is-stopped"),
        false => (say(lang, Player::NotRunning).to_owned(), "is-off"),
    }
}
