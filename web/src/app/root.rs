//! The outermost component: which page, in which language and colours.

use gloo_events::EventListener;
use web_sys::window;
use yew::prelude::*;

use super::frame::{Footer, Header};
use super::preferences::{Preferences, PreferencesContext};
use super::{address, take_token};
use crate::charts::Patterns;
use crate::container::ContainerPage;
use crate::duel::DuelPage;
use crate::home::HomePage;
use crate::i18n::{Site, say};
use crate::lesson::LessonPage;
use crate::link::{Link, Route};

/// The link that was opened, and how many were before: each opens its page anew.
#[derive(Clone, PartialEq)]
struct Opened {
    link: Link,
    count: u32,
}

#[component]
pub(super) fn Root() -> Html {
    // The token leaves the address before anything else reads it.
    let token = use_memo((), |()| take_token());
    let opened = use_state(|| Opened { link: address::read(), count: 0 });
    let preferences = use_state(|| Preferences::wanted(&opened.link));
    use_hash_changes(opened.clone(), preferences.setter());
    use_effect_with(*preferences, |preferences| preferences.apply());
    let choose = {
        let preferences = preferences.setter();
        Callback::from(move |chosen: Preferences| {
            chosen.keep();
            preferences.set(chosen);
        })
    };
    let lang = preferences.lang;
    let page = page(&opened, (*token).clone(), lang);
    html! {
        <ContextProvider<PreferencesContext> context={PreferencesContext { now: *preferences, choose }}>
            <Patterns />
            <Header route={opened.link.route.clone()} />
            <main id="content" tabindex="-1">{ page }</main>
            <Footer />
        </ContextProvider<PreferencesContext>>
    }
}

fn page(opened: &Opened, token: Option<String>, lang: crate::i18n::Lang) -> Html {
    match &opened.link.route {
        Route::Home => html! { <HomePage /> },
        Route::Lesson(id) => match catamaran_lessons::find(id) {
            Some(lesson) => html! {
                <LessonPage key={opened.count} {lesson} link={opened.link.clone()} {token} />
            },
            None => not_found(lang),
        },
        Route::Duel => html! { <DuelPage key={opened.count} link={opened.link.clone()} /> },
        Route::Container => html! { <ContainerPage key={opened.count} link={opened.link.clone()} /> },
        Route::Unknown(_) => not_found(lang),
    }
}

fn not_found(lang: crate::i18n::Lang) -> Html {
    html! {
        <section class="page narrow">
            <h1>{ say(lang, Site::NotFound) }</h1>
            <p>{ say(lang, Site::NotFoundFix) }</p>
            <p><a class="button" href={Route::Home.href()}>{ say(lang, Site::GoHome) }</a></p>
        </section>
    }
}

/// Another link in the address bar opens another page, from its top.
#[hook]
fn use_hash_changes(opened: UseStateHandle<Opened>, preferences: UseStateSetter<Preferences>) {
    use_effect_with(opened.count, move |&count| {
        let listener = window().map(|target| {
            EventListener::new(&target.clone(), "hashchange", move |_| {
                let link = address::read();
                preferences.set(Preferences::wanted(&link));
                opened.set(Opened { link, count: count + 1 });
                target.scroll_to_with_x_and_y(0.0, 0.0);
            })
        });
        move || drop(listener)
    });
}

/// Registers the service worker that keeps the page for use without a network. Not during development, when files change
/// under it, and not under `catamaran serve`, whose port will belong to something else tomorrow.
pub(super) fn keep_for_offline() {
    if cfg!(debug_assertions) || take_token().is_some() {
        return;
    }
    let Some(navigator) = window().map(|window| window.navigator()) else { return };
    let known = js_sys::Reflect::has(&navigator, &"serviceWorker".into()).unwrap_or_default();
    if known {
        // A page that can't be kept still works; there is nobody to tell.
        drop(navigator.service_worker().register("./sw.js"));
    }
}
