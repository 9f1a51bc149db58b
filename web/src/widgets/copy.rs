//! A button that copies a text.

use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::window;
use yew::prelude::*;

use crate::app::use_lang;
use crate::i18n::{Site, say};

/// What a [`CopyButton`] needs.
#[derive(Properties, PartialEq)]
pub struct CopyProps {
    /// What it says; "Copy" where it is not given.
    #[prop_or_default]
    pub label: Option<AttrValue>,
    /// Gives the text at the moment of the click.
    pub text: Callback<(), String>,
    /// `data-testid`.
    #[prop_or_default]
    pub testid: Option<AttrValue>,
}

#[derive(Clone, Copy, PartialEq)]
enum Told {
    Nothing,
    Copied,
    Refused,
}

/// How long "Copied" stands (ms).
const TOLD_MS: u32 = 2_500;

/// A button that copies a text and says so.
#[component]
pub fn CopyButton(props: &CopyProps) -> Html {
    let lang = use_lang();
    let told = use_state(|| Told::Nothing);
    let onclick = {
        let (text, told) = (props.text.clone(), told.setter());
        Callback::from(move |_: MouseEvent| {
            let (text, told) = (text.emit(()), told.clone());
            spawn_local(async move {
                told.set(if copy(&text).await { Told::Copied } else { Told::Refused });
                gloo_timers::future::TimeoutFuture::new(TOLD_MS).await;
                told.set(Told::Nothing);
            });
        })
    };
    let label = props.label.clone().unwrap_or_else(|| say(lang, Site::Copy).into());
    let answer = match *told {
        Told::Nothing => "",
        Told::Copied => say(lang, Site::Copied),
        Told::Refused => say(lang, Site::CopyFailed),
    };
    html! {
        <span class="copy">
            <button type="button" class="button small" {onclick} data-testid={props.testid.clone()}>{ label }</button>
            <span class="copy-answer" role="status">{ answer }</span>
        </span>
    }
}

async fn copy(text: &str) -> bool {
    let Some(window) = window() else { return false };
    // Only secure origins have a clipboard; asking elsewhere would throw.
    if !window.is_secure_context() {
        return false;
    }
    JsFuture::from(window.navigator().clipboard().write_text(text)).await.is_ok()
}
