//! Who is who in an era, and what each does at the instant of the play head.

use std::rc::Rc;

use yew::prelude::*;

use super::film::Film;
use crate::app::use_lang;
use crate::charts::Swatch;
use crate::i18n::{Duel, Lang, Player, core_name, say};

/// What an [`EraLegend`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct LegendProps {
    pub(super) film: Rc<Film>,
    /// Play head (ns).
    pub(super) head_ns: u64,
}

/// The tenants.
#[component]
pub(super) fn EraLegend(props: &LegendProps) -> Html {
    let lang = use_lang();
    let recording = &props.film.recording;
    let item = |tenant: u32| {
        let (state, class) = state(lang, &props.film, tenant, props.head_ns);
        html! {
            <li class={class}>
                <Swatch {tenant} />
                <span class="tenant-name">{ recording.name(tenant) }</span>
                <span class="tenant-state">{ state }</span>
            </li>
        }
    };
    html! {
        <ul class="legend" aria-label={say(lang, Player::Tenants)}>
            { for (0..recording.report.tenants.len() as u32).map(item) }
        </ul>
    }
}

/// What a tenant does at that instant. A virtual CPU that its quota stops waits for a core too: the quota is the cause.
fn state(lang: Lang, film: &Film, tenant: u32, at_ns: u64) -> (String, &'static str) {
    if film.is_starting(at_ns) {
        return (say(lang, Duel::Starting).to_owned(), "is-off");
    }
    let recording = &film.recording;
    let on = |core: &usize| recording.who(*core, at_ns).is_some_and(|run| run.tenant == tenant);
    let cores: Vec<String> =
        (0..recording.cores.len()).filter(on).map(|core| core_name(lang, core)).collect();
    if !cores.is_empty() {
        return (cores.join(", "), "is-running");
    }
    if recording.throttles(tenant, at_ns, at_ns + 1).next().is_some() {
        return (say(lang, Player::Stopped).to_owned(), "is-stopped");
    }
    match film.stolen_at(at_ns).any(|vcpu| vcpu.tenant == tenant) {
        true => (say(lang, Duel::WithoutCore).to_owned(), "is-off"),
        false => (say(lang, Player::NotRunning).to_owned(), "is-off"),
    }
}
