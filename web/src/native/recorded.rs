//! The run that was recorded for a lesson: offered to whoever has no Linux at hand.

use catamaran_report::Report;
use yew::prelude::*;

use super::overlay::read;
use crate::app::use_lang;
use crate::i18n::{Native, Weighing, recorded_on, say};

/// What a [`RecordedRun`] needs.
#[derive(Properties, PartialEq)]
pub struct RecordedProps {
    /// Its reports: JSON.
    pub text: &'static str,
    /// Lays them over the simulation.
    pub show: Callback<Vec<Report>>,
}

/// Where and when it was recorded, and a button that lays it over the simulation.
#[component]
pub fn RecordedRun(props: &RecordedProps) -> Html {
    let lang = use_lang();
    let reports = use_memo(props.text, |text| read(text).unwrap_or_default());
    let Some(machine) = reports.first().and_then(|report| report.identity.machine.as_ref()) else {
        return Html::default();
    };
    let fact = |name: &str| machine.get(name).map_or("?", String::as_str);
    // Of the solution there may be a run too.
    let of = |report: &Report| (report.platform, report.identity.scenario_digest.clone());
    let first = reports.first().map(of);
    let trials = reports.iter().filter(|report| Some(of(report)) == first).count();
    let words = recorded_on(lang, trials, [fact("date"), fact("cpu"), fact("kernel")]);
    let accelerator = |report: &Report| {
        report.identity.machine.as_ref().and_then(|facts| facts.get("accelerator")).cloned()
    };
    let emulated = reports.iter().filter_map(accelerator).any(|name| name.starts_with("tcg"));
    let show = {
        let (show, reports) = (props.show.clone(), reports.clone());
        Callback::from(move |_: MouseEvent| show.emit((*reports).clone()))
    };
    html! {
        <section class="recorded" aria-labelledby="recorded-title" data-testid="recorded">
            <h3 id="recorded-title">{ say(lang, Native::RecordedTitle) }</h3>
            <p>{ words }</p>
            if emulated {
                <p class="emulated">{ say(lang, Weighing::Emulated) }</p>
            }
            <button type="button" class="button small" onclick={show} data-testid="recorded-show">
                { say(lang, Native::RecordedShow) }
            </button>
        </section>
    }
}
