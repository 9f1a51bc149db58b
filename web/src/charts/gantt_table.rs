//! The Gantt chart as a table: the same runs, for whoever reads rather than looks.

use yew::prelude::*;

use super::lane::Frame;
use crate::app::use_lang;
use crate::format;
use crate::i18n::{Player, say, table_caption, table_rest};
use crate::picture::Run;

/// More rows than this help nobody; the caption says how many there are.
const MOST_ROWS: usize = 120;

/// What a [`GanttTable`] needs.
#[derive(Properties, PartialEq)]
pub struct GanttTableProps {
    /// What is shown in the chart.
    pub frame: Frame,
}

/// The runs in the window, by time.
#[component]
pub fn GanttTable(props: &GanttTableProps) -> Html {
    let lang = use_lang();
    let open = use_state_eq(|| false);
    let ontoggle = {
        let open = open.setter();
        Callback::from(move |event: Event| {
            let details = event.target_dyn_into::<web_sys::Element>();
            open.set(details.is_some_and(|details| details.has_attribute("open")));
        })
    };
    html! {
        <details class="twin" {ontoggle} data-testid="gantt-table">
            <summary>{ say(lang, Player::AsTable) }</summary>
            if *open {
                <Rows frame={props.frame.clone()} />
            }
        </details>
    }
}

#[component]
fn Rows(props: &GanttTableProps) -> Html {
    let lang = use_lang();
    let Frame { recording, view, .. } = &props.frame;
    let of_core =
        |core: usize| recording.runs(core, view.start_ns, view.end_ns()).iter().map(move |run| (core, *run));
    let mut runs: Vec<(usize, Run)> = (0..recording.cores.len()).flat_map(of_core).collect();
    runs.sort_by_key(|(core, run)| (run.start_ns, *core));
    let rest = runs.len().saturating_sub(MOST_ROWS);
    let row = |(core, run): &(usize, Run)| {
        html! {
            <tr>
                <td>{ core }</td>
                <td>{ recording.name(run.tenant) }</td>
                <td>{ run.thread }</td>
                <td>{ format::instant(run.start_ns) }</td>
                <td>{ format::instant(run.end_ns) }</td>
                <td>{ format::nanos(run.end_ns - run.start_ns) }</td>
            </tr>
        }
    };
    html! {
        <div class="table-scroll" tabindex="0" role="region" aria-label={say(lang, Player::AsTable)}>
            <table>
                <caption>{ table_caption(lang, *view, runs.len()) }</caption>
                <thead>
                    <tr>
                        { for [Player::Core, Player::Tenant, Player::Thread, Player::From, Player::To, Player::Length]
                            .map(|name| html! { <th scope="col">{ say(lang, name) }</th> }) }
                    </tr>
                </thead>
                <tbody>{ for runs.iter().take(MOST_ROWS).map(row) }</tbody>
            </table>
            if rest > 0 {
                <p>{ table_rest(lang, rest) }</p>
            }
        </div>
    }
}
