//! The run that was recorded for a lesson: offered to whoever has no Linux at hand.

use catamaran_lessons::{Lesson, Stage};
use catamaran_report::Report;
use yew::prelude::*;

use super::overlay::read;
use crate::app::use_lang;
use crate::format;
use crate::i18n::{Lang, Native, Weighing, recorded_on, say, simulated_only};
use crate::picture::MeasuredStart;

/// What a [`RecordedRun`] needs.
#[derive(Properties, PartialEq)]
pub struct RecordedProps {
    /// Its reports: JSON.
    pub text: &'static str,
    /// Whose.
    pub lesson: &'static Lesson,
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
            if props.lesson.stage == Stage::Chain {
                { starts(lang, props.lesson, &reports) }
            }
            if emulated {
                <p class="emulated">{ say(lang, Weighing::Emulated) }</p>
            }
            <button type="button" class="button small" onclick={show} data-testid="recorded-show">
                { say(lang, Native::RecordedShow) }
            </button>
        </section>
    }
}

/// The starts that were recorded, and the platforms that were not.
fn starts(lang: Lang, lesson: &Lesson, reports: &[Report]) -> Html {
    let of = |platform| {
        let trials: Vec<&Report> = reports.iter().filter(|report| report.platform == platform).collect();
        (!trials.is_empty()).then(|| (platform, MeasuredStart::new(&trials, &[])))
    };
    let there: Vec<_> = lesson.platforms.iter().filter_map(|platform| of(*platform)).collect();
    let missing: Vec<String> = lesson
        .platforms
        .iter()
        .filter(|platform| there.iter().all(|(found, _)| found != *platform))
        .map(ToString::to_string)
        .collect();
    let heads = [Native::Platform, Native::Version, Native::Start];
    html! {
        <>
            <div class="table-scroll" tabindex="0" role="group" aria-labelledby="recorded-title">
                <table data-testid="recorded-starts">
                    <thead><tr>{ for heads.map(|head| html! { <th scope="col">{ say(lang, head) }</th> }) }</tr></thead>
                    <tbody>
                        { for there.iter().map(|(platform, start)| html! {
                            <tr>
                                <th scope="row">{ platform.to_string() }</th>
                                <td>{ start.fact("runtime").unwrap_or("–").to_owned() }</td>
                                <td>{ start.startup_s.map_or("–".to_owned(), format::seconds) }</td>
                            </tr>
                        }) }
                    </tbody>
                </table>
            </div>
            if !missing.is_empty() {
                <p class="fine" data-testid="recorded-missing">{ simulated_only(lang, &missing.join(", ")) }</p>
            }
        </>
    }
}
