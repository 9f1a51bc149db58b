//! The way from the home page to the twelve calls.

use yew::prelude::*;

use crate::app::use_lang;
use crate::i18n::{ContainerWords, say};
use crate::link::Route;

/// What the page is, with a link to it.
#[component]
pub fn ContainerCard() -> Html {
    let lang = use_lang();
    html! {
        <section class="duel-card" aria-labelledby="container-card-title">
            <div>
                <h2 id="container-card-title">{ say(lang, ContainerWords::Title) }</h2>
                <p>{ say(lang, ContainerWords::Lead) }</p>
            </div>
            <a class="button main" href={Route::Container.href()} data-testid="open-container">
                { say(lang, ContainerWords::Open) }
            </a>
        </section>
    }
}
