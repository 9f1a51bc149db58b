//! What can be taken away: scenario, report, requests, charts, progress.

use std::fmt::Write;
use std::rc::Rc;

use catamaran_lessons::Stage;
use web_sys::{Element, window};
use yew::prelude::*;

use super::progress::progress_json;
use crate::app::use_lang;
use crate::charts::STYLES;
use crate::i18n::{Lesson, say};
use crate::picture::Recording;
use crate::widgets::{download, svg_text};

/// The page's colours that the charts use: written into an exported drawing, which has no page around it.
const COLOURS: [&str; 19] = [
    "--surface",
    "--ink",
    "--muted",
    "--line",
    "--accent",
    "--tenant-0",
    "--tenant-1",
    "--tenant-2",
    "--tenant-3",
    "--tenant-4",
    "--tenant-5",
    "--tenant-6",
    "--tenant-7",
    "--stop",
    "--stop-ground",
    "--goal",
    "--haze",
    "--row",
    "--on-tenant",
];

/// What [`Export`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct ExportProps {
    /// What is shown: TOML.
    pub scenario: String,
    /// What was simulated.
    pub recording: Option<Rc<Recording>>,
    /// What the picture shows: charts and requests are of time.
    pub kind: Stage,
    /// Where the charts are.
    pub stage: NodeRef,
}

/// The buttons.
#[component]
pub(super) fn Export(props: &ExportProps) -> Html {
    let lang = use_lang();
    let problem = use_state(|| None::<String>);
    let name = props.recording.as_ref().map_or_else(|| "scenario".to_owned(), |r| r.report.scenario.clone());
    let button = |text: Lesson, file: String, media_type: &'static str, content: Rc<dyn Fn() -> String>| {
        let problem = problem.setter();
        let onclick = Callback::from(move |_: MouseEvent| {
            let saved = download(&file, media_type, &content());
            problem.set(saved.err().map(|error| format!("{error:?}")));
        });
        html! { <li><button type="button" class="button small" {onclick}>{ say(lang, text) }</button></li> }
    };
    let in_time = !matches!(props.kind, Stage::Sight | Stage::Family);
    let scenario = props.scenario.clone();
    let report = props.recording.clone();
    let requests = props.recording.clone();
    let stage = props.stage.clone();
    let charts = Rc::new(move || stage.cast::<Element>().map(|stage| drawing(&stage)).unwrap_or_default());
    html! {
        <div class="export">
            <ul>
                { button(Lesson::ExportScenario, format!("{name}.toml"), "application/toml", Rc::new(move || scenario.clone())) }
                if let Some(recording) = report {
                    { button(Lesson::ExportReport, format!("{name}.json"), "application/json",
                        Rc::new(move || format!("[{}]\n", recording.report.to_json()))) }
                }
                if let Some(recording) = requests.filter(|_| in_time) {
                    { button(Lesson::ExportRequests, format!("{name}.csv"), "text/csv", Rc::new(move || csv(&recording))) }
                }
                if in_time {
                    { button(Lesson::ExportCharts, format!("{name}.svg"), "image/svg+xml", charts) }
                }
                { button(Lesson::ExportProgress, "catamaran-progress.json".to_owned(), "application/json",
                    Rc::new(progress_json)) }
            </ul>
            <p role="alert">{ (*problem).clone() }</p>
        </div>
    }
}

/// The requests as CSV (RFC 4180): instants in nanoseconds; empty where there is none.
#[must_use]
pub(super) fn csv(recording: &Recording) -> String {
    let mut text = "tenant,index,arrival_ns,started_ns,completed_ns,latency_ns\r\n".to_owned();
    let or_empty = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
    for request in &recording.timeline.requests {
        let latency_ns = request.completed_ns.and_then(|at_ns| at_ns.checked_sub(request.arrival_ns));
        // Writing into a String cannot fail. Names of tenants hold nothing that CSV would quote.
        let _ = write!(
            text,
            "{},{},{},{},{},{}\r\n",
            recording.name(request.tenant),
            request.index,
            request.arrival_ns,
            or_empty(request.started_ns),
            or_empty(request.completed_ns),
            or_empty(latency_ns),
        );
    }
    text
}

/// All drawings of the stage, one below the other, in one SVG.
fn drawing(stage: &Element) -> String {
    let styles = format!(":root{{{}}}\nsvg{{background:var(--surface)}}\n{STYLES}", colours());
    let Ok(charts) = stage.query_selector_all("svg.lane, svg.histogram") else { return String::new() };
    let found: Vec<Element> = (0..charts.length())
        .filter_map(|index| wasm_bindgen::JsCast::dyn_into(charts.get(index)?).ok())
        .collect();
    svg_text(&found, &styles).unwrap_or_default()
}

fn colours() -> String {
    let root = gloo_utils::document().document_element();
    let style = root.and_then(|root| window()?.get_computed_style(&root).ok().flatten());
    let Some(style) = style else { return String::new() };
    let colour = |name: &&str| Some(format!("{name}:{};", style.get_property_value(name).ok()?));
    COLOURS.iter().filter_map(colour).collect()
}

#[cfg(test)]
mod tests {
    use catamaran_report::timeline::{Request, Timeline};

    use super::*;
    use crate::picture::tests_support::report;

    #[test]
    fn requests_become_rows() {
        let requests = vec![
            Request {
                tenant: 0,
                index: 0,
                arrival_ns: 10,
                started_ns: Some(20),
                completed_ns: Some(35),
                failed_ns: None,
                thread: None,
            },
            Request {
                tenant: 0,
                index: 1,
                arrival_ns: 30,
                started_ns: None,
                completed_ns: None,
                failed_ns: None,
                thread: None,
            },
        ];
        let film = Recording::new(report(), Timeline { requests, ..Timeline::default() });
        let expected = "tenant,index,arrival_ns,started_ns,completed_ns,latency_ns\r\nweb,0,10,20,35,25\r\nweb,1,30,,,\r\n";
        assert_eq!(csv(&film), expected);
    }
}
