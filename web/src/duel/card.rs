//! The way from the home page to the duel.

use yew::prelude::*;

use crate::app::use_lang;
use crate::i18n::{Duel, say};
use crate::link::Route;

/// What the duel is, with a link to it.
#[component]
pub fn DuelCard() -> Html {
    let lang = use_lang();
    html! {
        <section class="duel-card" aria-labelledby="duel-card-title">
            <div>
                <h2 id="duel-card-title">{ say(lang, Duel::Title) }</h2>
                <p>{ say(lang, Duel::Lead) }</p>
            </div>
            <a class="button main" href={Route::Duel.href()} data-testid="open-duel">{ say(lang, Duel::Open) }</a>
        </section>
    }
}
