//! Language and colours: as the link says, else as chosen before, else as the browser and the system have them.

use gloo_storage::{LocalStorage, Storage};
use web_sys::window;
use yew::prelude::*;

use crate::i18n::Lang;
use crate::link::Link;

/// The same keys are read by `boot/theme.js` before the first paint.
const LANGUAGE_KEY: &str = "catamaran.language";
const THEME_KEY: &str = "catamaran.theme";

/// Colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system has them.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// All, in the order of the switch.
    pub const ALL: &'static [Self] = &[Self::System, Self::Light, Self::Dark];

    /// The name in links, in storage and in `data-theme`; `None` for the system's.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }

    /// The theme of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|theme| theme.name() == Some(name))
    }
}

/// What a visitor chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preferences {
    /// Language.
    pub lang: Lang,
    /// Colours.
    pub theme: Theme,
}

impl Preferences {
    /// As `link` says, else as chosen before, else as the browser says.
    #[must_use]
    pub fn wanted(link: &Link) -> Self {
        let stored = |key: &str| LocalStorage::get::<String>(key).ok();
        let browser = || window().and_then(|window| window.navigator().language());
        let from_code = |code: String| Lang::from_code(&code);
        let lang = link.lang.or_else(|| stored(LANGUAGE_KEY).and_then(from_code));
        let theme = link.theme.or_else(|| stored(THEME_KEY).and_then(|name| Theme::from_name(&name)));
        Self {
            lang: lang.or_else(|| browser().and_then(from_code)).unwrap_or_default(),
            theme: theme.unwrap_or_default(),
        }
    }

    /// Shows them on the document.
    pub(super) fn apply(self) {
        let Some(root) = gloo_utils::document().document_element() else { return };
        let _ = root.set_attribute("lang", self.lang.code());
        let _ = match self.theme.name() {
            Some(name) => root.set_attribute("data-theme", name),
            None => root.remove_attribute("data-theme"),
        };
    }

    /// Keeps them for the next visit. Where the browser keeps nothing (private windows), the choice ends with the page.
    pub(super) fn keep(self) {
        let _ = LocalStorage::set(LANGUAGE_KEY, self.lang.code());
        match self.theme.name() {
            Some(name) => drop(LocalStorage::set(THEME_KEY, name)),
            None => LocalStorage::delete(THEME_KEY),
        }
    }
}

/// The preferences as a context, with the way to change them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PreferencesContext {
    pub(super) now: Preferences,
    pub(super) choose: Callback<Preferences>,
}

/// The preferences and the way to change them.
#[hook]
pub fn use_preferences() -> (Preferences, Callback<Preferences>) {
    let context = use_context::<PreferencesContext>();
    let fallback = || (Preferences { lang: Lang::default(), theme: Theme::default() }, Callback::noop());
    context.map_or_else(fallback, |context| (context.now, context.choose))
}

/// The language of the page.
#[hook]
pub fn use_lang() -> Lang {
    use_preferences().0.lang
}
