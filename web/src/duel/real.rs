//! The same duel on a real machine: the file, the command, and native reports laid over the model.

use std::rc::Rc;

use catamaran_report::Report;
use catamaran_scenario::Platform;
use yew::prelude::*;

use super::settings::{COMMAND, ERAS};
use super::state::Era;
use crate::app::use_lang;
use crate::i18n::{Duel, Lang, Native, era_name, say};
use crate::native::{Compared, DropZone, Mismatch, NativeRun};
use crate::widgets::{CopyButton, download};

/// What [`ForReal`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct RealProps {
    /// The scenario as it stands; none where it is not valid.
    pub(super) scenario: Option<String>,
    pub(super) eras: [Era; 3],
}

/// The section.
#[component]
pub(super) fn ForReal(props: &RealProps) -> Html {
    let lang = use_lang();
    let reports = use_state(|| Rc::new(Vec::<Report>::new()));
    let refused = use_state(|| None::<String>);
    let save = {
        let (scenario, refused) = (props.scenario.clone().unwrap_or_default(), refused.setter());
        Callback::from(move |_: MouseEvent| {
            let saved = download("era-duel.toml", "application/toml", &scenario);
            refused.set(saved.err().map(|error| format!("{error:?}")));
        })
    };
    let dropped = {
        let reports = reports.setter();
        Callback::from(move |found: Vec<Report>| reports.set(Rc::new(found)))
    };
    let remove = dropped.reform(|()| Vec::new());
    html! {
        <section class="machine-pointer" aria-labelledby="duel-real">
            <h2 id="duel-real">{ say(lang, Duel::RealTitle) }</h2>
            <p>{ say(lang, Duel::RealText) }</p>
            <p>
                <button type="button" class="button small" onclick={save} disabled={props.scenario.is_none()}
                    data-testid="save-scenario">{ say(lang, Duel::Save) }</button>
                <span role="alert">{ (*refused).clone() }</span>
            </p>
            <div class="command">
                <code data-testid="command">{ COMMAND }</code>
                <CopyButton text={Callback::from(|()| COMMAND.to_owned())} testid="copy-command" />
            </div>
            <p>{ say(lang, Duel::RealVm) }</p>
            <DropZone {dropped} />
            <Overlaid eras={props.eras.clone()} reports={(*reports).clone()} {remove} />
        </section>
    }
}

/// What [`Overlaid`] needs.
#[derive(Properties, PartialEq)]
struct OverlaidProps {
    eras: [Era; 3],
    reports: Rc<Vec<Report>>,
    remove: Callback<()>,
}

/// Native runs beside the simulated ones of the same scenario, one era at a time; or why there is none.
#[component]
fn Overlaid(props: &OverlaidProps) -> Html {
    let lang = use_lang();
    let chosen = use_state_eq(|| None::<Platform>);
    if props.reports.is_empty() || props.eras.iter().any(|era| era.bench.busy) {
        return Html::default();
    }
    let laid = |(&platform, era): (&Platform, &Era)| {
        let recording = era.bench.recording()?;
        Some((platform, recording.clone(), NativeRun::over(&recording.report, &props.reports)))
    };
    let found: Vec<_> = ERAS.iter().zip(&props.eras).filter_map(laid).collect();
    let fitting: Vec<Platform> =
        found.iter().filter(|(_, _, laid)| laid.is_ok()).map(|(platform, ..)| *platform).collect();
    let Some(shown) = chosen.filter(|chosen| fitting.contains(chosen)).or(fitting.first().copied()) else {
        return refusal(lang, found.iter().find_map(|(_, _, laid)| laid.as_ref().err()));
    };
    let era = |platform: Platform| {
        let choose = chosen.setter();
        let onclick = Callback::from(move |_: MouseEvent| choose.set(Some(platform)));
        html! {
            <button type="button" class="segment" aria-pressed={(platform == shown).to_string()} {onclick}
                data-testid={format!("compared-{platform}")}>{ era_name(lang, platform) }</button>
        }
    };
    let compared =
        found.into_iter().find(|(platform, ..)| *platform == shown).and_then(|(_, recording, laid)| {
            let native = laid.ok()?;
            Some(html! { <Compared {recording} {native} remove={props.remove.clone()} /> })
        });
    html! {
        <>
            <div class="segments" role="group" aria-label={say(lang, Duel::Panes)}>{ for fitting.into_iter().map(era) }</div>
            { compared.unwrap_or_default() }
        </>
    }
}

/// Why no report is laid over: of another scenario, or of other platforms.
fn refusal(lang: Lang, mismatch: Option<&Mismatch>) -> Html {
    let (words, detail) = match mismatch {
        Some(Mismatch::Scenario(digest)) => (Native::DigestDiffers, digest.clone()),
        Some(Mismatch::Platform(platform)) => (Native::PlatformDiffers, platform.to_string()),
        None => return Html::default(),
    };
    html! {
        <div class="problem" role="alert" data-testid="drop-problem">
            <p><strong>{ say(lang, words) }</strong></p>
            <p><code class="digest">{ detail }</code></p>
        </div>
    }
}
