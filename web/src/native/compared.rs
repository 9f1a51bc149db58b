//! Simulated against native, figure by figure, with the difference in words.

use std::rc::Rc;

use catamaran_lessons::Stage;
use catamaran_report::compare::Row;
use catamaran_report::metric::Metric;
use catamaran_report::{Report, words};
use yew::prelude::*;

use super::overlay::NativeRun;
use super::seen::SeenTable;
use crate::app::use_lang;
use crate::i18n::{Lang, Native, say};
use crate::picture::Recording;

/// What [`Compared`] needs.
#[derive(Properties, PartialEq)]
pub struct ComparedProps {
    /// The simulation.
    pub recording: Rc<Recording>,
    /// The machine.
    pub native: NativeRun,
    /// What the lesson draws.
    #[prop_or_default]
    pub kind: Stage,
    /// Takes the native run away.
    pub remove: Callback<()>,
}

/// The table.
#[component]
pub fn Compared(props: &ComparedProps) -> Html {
    let lang = use_lang();
    let simulated: &Report = &props.recording.report;
    let comparison = props.native.compared(simulated);
    let remove = props.remove.reform(|_: MouseEvent| ());
    html! {
        <section class="compared" aria-labelledby="compared-title" data-testid="compared">
            <h3 id="compared-title">{ say(lang, Native::Compared) }</h3>
            if other_accelerator(simulated, &props.native) {
                <p class="emulated" data-testid="accelerators-differ">{ say(lang, Native::AcceleratorsDiffer) }</p>
            }
            if let Some(native) = props.native.reports.first() {
                <SeenTable simulated={simulated.clone()} native={native.clone()} always={matches!(props.kind, Stage::Sight | Stage::Family)} />
            }
            if let Some(comparison) = comparison.filter(|comparison| !comparison.rows.is_empty()) {
                <p aria-live="polite">{ words::summary(lang, &comparison) }</p>
                <div class="table-scroll" tabindex="0" role="region" aria-labelledby="compared-title">
                    <table>
                        <thead>
                            <tr>
                                { for [Native::Metric, Native::Model, Native::Machine]
                                    .map(|name| html! { <th scope="col">{ say(lang, name) }</th> }) }
                            </tr>
                        </thead>
                        <tbody>{ for comparison.rows.iter().filter_map(|found| row(lang, found)) }</tbody>
                    </table>
                </div>
            }
            { machine(lang, &props.native) }
            <button type="button" class="button small quiet" onclick={remove} data-testid="drop-remove">
                { say(lang, Native::Remove) }
            </button>
        </section>
    }
}

/// Whether the model's guests are carried out by the processor and the machine's were emulated, or the other way round.
fn other_accelerator(simulated: &Report, native: &NativeRun) -> bool {
    let emulated = |machine: Option<&std::collections::BTreeMap<String, String>>| {
        machine.and_then(|facts| facts.get("accelerator")).map(|name| name.starts_with("tcg"))
    };
    let (model, machine) = (emulated(simulated.identity.machine.as_ref()), emulated(native.machine()));
    model.is_some() && machine.is_some() && model != machine
}

fn row(lang: Lang, row: &Row) -> Option<Html> {
    let metric = Metric::from_name(&row.metric)?;
    let tenant =
        if row.replica == 0 { row.tenant.clone() } else { format!("{}/{}", row.tenant, row.replica) };
    Some(html! {
        <>
            <tr class="figures">
                <th scope="row">{ format!("{tenant}: {}", words::label(lang, metric)) }</th>
                <td>{ words::figure(lang, metric, row.simulated) }</td>
                <td>{ words::figure(lang, metric, row.native) }</td>
            </tr>
            <tr>
                <td class="in-words" colspan="3">{ words::row(lang, row) }</td>
            </tr>
        </>
    })
}

fn machine(lang: Lang, native: &NativeRun) -> Html {
    let Some(machine) = native.machine().filter(|machine| !machine.is_empty()) else {
        return Html::default();
    };
    let parts: Vec<String> = machine.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    html! { <p class="machine">{ say(lang, Native::MachineOf) }{ ": " }{ parts.join(" · ") }</p> }
}
