//! Header with the preferences, and footer.

use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlSelectElement};
use yew::prelude::*;

use super::preferences::{Preferences, Theme, use_lang, use_preferences};
use crate::i18n::{Lang, Site, say};
use crate::link::Route;

/// What the [`Header`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct HeaderProps {
    pub(super) route: Route,
}

#[component]
pub(super) fn Header(props: &HeaderProps) -> Html {
    let (now, choose) = use_preferences();
    let lang = now.lang;
    let here = (props.route == Route::Home).then_some("page");
    html! {
        <header class="site-header">
            <button type="button" class="skip" onclick={skip}>{ say(lang, Site::SkipToContent) }</button>
            <nav aria-label={say(lang, Site::Navigation)}>
                <a class="wordmark" href={Route::Home.href()} aria-current={here}>
                    <Mark />
                    { say(lang, Site::Name) }
                </a>
            </nav>
            <div class="preferences" role="group" aria-label={say(lang, Site::Preferences)}>
                <Languages {now} choose={choose.clone()} />
                <Themes {now} {choose} />
            </div>
        </header>
    }
}

/// To the content without changing the address, which belongs to the routes.
fn skip(_: MouseEvent) {
    let content = gloo_utils::document().get_element_by_id("content");
    if let Some(content) = content.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = content.focus();
    }
}

/// Two hulls under one deck.
#[component]
fn Mark() -> Html {
    html! {
        <svg class="mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">
            <path class="mark-sail" d="M17 3 L17 17 L27 17 Z M15 7 L15 17 L8 17 Z" />
            <path class="mark-deck" d="M4 19 H28" />
            <path class="mark-hull" d="M3 21 H13 Q12 27 8 27 Q4 27 3 21 Z M19 21 H29 Q28 27 24 27 Q20 27 19 21 Z" />
        </svg>
    }
}

#[derive(Properties, PartialEq)]
struct ChoiceProps {
    now: Preferences,
    choose: Callback<Preferences>,
}

#[component]
fn Languages(props: &ChoiceProps) -> Html {
    let button = |lang: Lang, name: &'static str| {
        let (now, choose) = (props.now, props.choose.clone());
        let pressed = now.lang == lang;
        let onclick = Callback::from(move |_: MouseEvent| choose.emit(Preferences { lang, ..now }));
        html! {
            <button type="button" class="segment" lang={lang.code()} aria-pressed={pressed.to_string()} {onclick}
                data-testid={format!("lang-{}", lang.code())}>{ name }</button>
        }
    };
    html! {
        <div class="segments">
            { button(Lang::En, "English") }
            { button(Lang::Ko, "한국어") }
        </div>
    }
}

#[component]
fn Themes(props: &ChoiceProps) -> Html {
    let (now, choose) = (props.now, props.choose.clone());
    let onchange = Callback::from(move |event: Event| {
        let chosen =
            event.target_dyn_into::<HtmlSelectElement>().map(|select| select.value()).unwrap_or_default();
        choose.emit(Preferences { theme: Theme::from_name(&chosen).unwrap_or_default(), ..now });
    });
    let option = |theme: Theme| {
        let name = match theme {
            Theme::System => Site::ThemeSystem,
            Theme::Light => Site::ThemeLight,
            Theme::Dark => Site::ThemeDark,
        };
        html! {
            <option value={theme.name().unwrap_or("system")} selected={theme == now.theme}>
                { say(now.lang, name) }
            </option>
        }
    };
    html! {
        <label class="theme">
            <span class="visually-hidden">{ say(now.lang, Site::ThemeLabel) }</span>
            <select {onchange} data-testid="theme">{ for Theme::ALL.iter().copied().map(option) }</select>
        </label>
    }
}

#[component]
pub(super) fn Footer() -> Html {
    let lang = use_lang();
    html! {
        <footer class="site-footer">
            <p>{ say(lang, Site::FooterWhat) }{ " " }{ say(lang, Site::FooterOffline) }</p>
        </footer>
    }
}
