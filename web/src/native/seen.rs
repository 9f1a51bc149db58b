//! What tenants see in the model and on the machine, row by row.

use catamaran_report::Report;
use catamaran_report::words::{self, Seen};
use yew::prelude::*;

use crate::app::use_lang;
use crate::i18n::{Lang, Native, say};

/// What a [`SeenTable`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct SeenProps {
    pub(super) simulated: Report,
    pub(super) native: Report,
    /// Also where everything is the machine's.
    pub(super) always: bool,
}

/// The rows, where there is more to say than that everything is the machine's.
#[component]
pub(super) fn SeenTable(props: &SeenProps) -> Html {
    let lang = use_lang();
    let rows = words::seen(&props.simulated, &props.native);
    if !props.always && words::nothing_is_hidden(&rows) {
        return Html::default();
    }
    html! {
        <section aria-labelledby="seen-title" data-testid="seen">
            <h4 id="seen-title">{ say(lang, Native::Seen) }</h4>
            <p aria-live="polite" data-testid="seen-summary">{ words::seen_summary(lang, &rows) }</p>
            <div class="table-scroll" tabindex="0" role="region" aria-labelledby="seen-title">
                <table>
                    <thead>
                        <tr>
                            { for [Native::What, Native::Model, Native::Machine]
                                .map(|name| html! { <th scope="col">{ say(lang, name) }</th> }) }
                        </tr>
                    </thead>
                    <tbody>{ for rows.iter().map(|found| row(lang, found)) }</tbody>
                </table>
            </div>
        </section>
    }
}

fn row(lang: Lang, row: &Seen) -> Html {
    let differs = row.native.is_some_and(|native| native != row.simulated);
    html! {
        <tr class={classes!(differs.then_some("differs"))}>
            <th scope="row">{ format!("{}: {}", row.observer, words::resource(lang, &row.resource)) }</th>
            <td>{ words::sees(lang, row.simulated) }</td>
            <td>{ row.native.map_or(say(lang, Native::NotLooked), |native| words::sees(lang, native)) }</td>
        </tr>
    }
}
