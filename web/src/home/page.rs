//! What this is, for whom; a live picture; the lessons; the way to one's own machine.

use catamaran_lessons as lessons;
use yew::prelude::*;

use super::cards::Cards;
use super::hero::Hero;
use crate::app::use_lang;
use crate::container::ContainerCard;
use crate::duel::DuelCard;
use crate::i18n::{Home, say};
use crate::widgets::CopyButton;

/// Shown to be copied.
const SERVE: &str = "catamaran serve";
const COMPARE: &str = "catamaran compare lesson:cgroups";

/// The home page.
#[component]
pub fn HomePage() -> Html {
    let lang = use_lang();
    html! {
        <div class="home" data-testid="home">
            <header class="home-head">
                <h1>{ say(lang, Home::Headline) }</h1>
                <p class="lead">{ say(lang, Home::Lead) }</p>
            </header>
            <Hero />
            <DuelCard />
            <ContainerCard />
            <Cards />
            <section class="columns" aria-label={say(lang, Home::Headline)}>
                { for lessons::home(lang).iter().map(|section| html! {
                    <section aria-labelledby={format!("home-{}", section.id)}>
                        <h2 id={format!("home-{}", section.id)}>{ section.title }</h2>
                        <div class="prose">
                            { Html::from_html_unchecked(section.html.fill(&mut |_, _| None).into()) }
                        </div>
                    </section>
                }) }
            </section>
            <section class="machine-pointer" aria-labelledby="for-real-title">
                <h2 id="for-real-title">{ say(lang, Home::ForRealTitle) }</h2>
                <p>{ say(lang, Home::ForRealText) }</p>
                { command(SERVE) }
                <p>{ say(lang, Home::ForRealCompare) }</p>
                { command(COMPARE) }
            </section>
        </div>
    }
}

fn command(text: &'static str) -> Html {
    html! {
        <div class="command">
            <code>{ text }</code>
            <CopyButton text={Callback::from(move |()| text.to_owned())} />
        </div>
    }
}
