//! Where a native report is dropped or chosen.

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DragEvent, File, HtmlInputElement};
use yew::prelude::*;

use super::overlay::{Refused, read};
use crate::app::use_lang;
use crate::i18n::{Lang, Native, say};

/// No report is larger (bytes).
const MOST_BYTES: f64 = 64.0 * 1024.0 * 1024.0;

/// What a [`DropZone`] needs.
#[derive(Properties, PartialEq)]
pub struct DropProps {
    /// Told of the native reports in a file.
    pub dropped: Callback<Vec<catamaran_report::Report>>,
}

/// A field to drop a file on, and a button to choose one.
#[component]
pub fn DropZone(props: &DropProps) -> Html {
    let lang = use_lang();
    let problem = use_state(|| None::<String>);
    let over = use_state_eq(|| false);
    let take = {
        let (problem, dropped) = (problem.setter(), props.dropped.clone());
        Callback::from(move |file: File| {
            let (problem, dropped) = (problem.clone(), dropped.clone());
            spawn_local(async move {
                match reports_in(lang, &file).await {
                    Ok(reports) => {
                        problem.set(None);
                        dropped.emit(reports);
                    }
                    Err(reason) => problem.set(Some(reason)),
                }
            });
        })
    };
    let ondrop = {
        let (take, over) = (take.clone(), over.setter());
        Callback::from(move |event: DragEvent| {
            event.prevent_default();
            over.set(false);
            let file = event.data_transfer().and_then(|data| data.files()).and_then(|files| files.get(0));
            if let Some(file) = file {
                take.emit(file);
            }
        })
    };
    let drag = |inside: bool| {
        let over = over.setter();
        Callback::from(move |event: DragEvent| {
            event.prevent_default();
            over.set(inside);
        })
    };
    html! {
        <div class={classes!("drop", over.then_some("over"))} {ondrop} ondragover={drag(true)} ondragleave={drag(false)}
            data-testid="drop">
            <h3>{ say(lang, Native::DropTitle) }</h3>
            <p id="drop-help">{ with_code(say(lang, Native::DropHelp)) }</p>
            <label class="button file">
                { say(lang, Native::Choose) }
                <input type="file" accept=".json,application/json" aria-describedby="drop-help" onchange={chosen(take)}
                    data-testid="drop-file" />
            </label>
            <div role="alert">
                if let Some(reason) = &*problem {
                    <p class="problem" data-testid="drop-problem">
                        <strong>{ say(lang, Native::DropBad) }</strong>{ " " }{ reason }
                    </p>
                }
            </div>
        </div>
    }
}

/// The chosen file; the field is emptied, so that the same file can be chosen again.
fn chosen(take: Callback<File>) -> Callback<Event> {
    Callback::from(move |event: Event| {
        let Some(input) = event.target_dyn_into::<HtmlInputElement>() else { return };
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            take.emit(file);
        }
        input.set_value("");
    })
}

async fn reports_in(lang: Lang, file: &File) -> Result<Vec<catamaran_report::Report>, String> {
    if file.size() > MOST_BYTES {
        return Err(say(lang, Native::DropTooBig).to_owned());
    }
    let text = JsFuture::from(file.unchecked_ref::<web_sys::Blob>().text()).await;
    let text = text
        .ok()
        .and_then(|text| text.as_string())
        .ok_or_else(|| say(lang, Native::DropUnreadable).to_owned())?;
    read(&text).map_err(|refused| match refused {
        Refused::Unreadable(reason) => reason,
        Refused::NoNative => say(lang, Native::DropNoNative).to_owned(),
        Refused::Empty => say(lang, Native::DropEmpty).to_owned(),
    })
}

/// A text whose parts between back-quotes are code.
pub fn with_code(text: &'static str) -> Html {
    let part = |(index, part): (usize, &'static str)| match index % 2 {
        0 => html! { { part } },
        _ => html! { <code>{ part }</code> },
    };
    html! { <>{ for text.split('`').enumerate().map(part) }</> }
}
