//! The link: everything that decides the picture, in the part of the address after `#`.
//!
//! `#/lesson/cgroups?on=cgroups&set=tenant.web.cpu.period=20ms&seed=7&t=1250000000&w=500000000&lang=ko&theme=dark`

use catamaran_scenario::Platform;
use form_urlencoded::{Serializer, parse};

use crate::app::Theme;
use crate::i18n::Lang;

/// Which page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Route {
    /// What this is.
    #[default]
    Home,
    /// A lesson by its id.
    Lesson(String),
    /// The era duel.
    Duel,
    /// A container in twelve system calls.
    Container,
    /// None that exists; what was asked for.
    Unknown(String),
}

/// A changed value: a path of the scenario and what stands there instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `tenant.web.cpu.limit`.
    pub path: String,
    /// As in the file, without quotes: `400m`.
    pub value: String,
}

/// What the address says. Everything that is `None` or empty is as the lesson or the visitor's own preference has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Link {
    /// Which page.
    pub route: Route,
    /// Which beat of the lesson, or which call, from 1.
    pub beat: Option<u8>,
    /// Platform.
    pub platform: Option<Platform>,
    /// Changed values in the order in which they are applied.
    pub changes: Vec<Change>,
    /// Seed.
    pub seed: Option<u64>,
    /// Play head (ns).
    pub time_ns: Option<u64>,
    /// Left edge of the window (ns).
    pub start_ns: Option<u64>,
    /// Width of the window (ns).
    pub window_ns: Option<u64>,
    /// Language.
    pub lang: Option<Lang>,
    /// Colours.
    pub theme: Option<Theme>,
    /// What `catamaran serve` gave this page to run things with; taken out of the address at once.
    pub token: Option<String>,
}

impl Link {
    /// Reads an address' fragment, with or without `#`. What can't be read is left out: a link of another version still
    /// opens.
    #[must_use]
    pub fn from_hash(hash: &str) -> Self {
        let text = hash.strip_prefix('#').unwrap_or(hash);
        let (path, query) = match text.split_once('?') {
            Some(parts) => parts,
            // `catamaran serve` opens the page with `#token=…`.
            None if text.contains('=') => ("", text),
            None => (text, ""),
        };
        let mut link = Self { route: Route::from_path(path), ..Self::default() };
        for (key, value) in parse(query.as_bytes()) {
            link.read(&key, value.into_owned());
        }
        link
    }

    fn read(&mut self, key: &str, value: String) {
        match key {
            "beat" => self.beat = value.parse().ok(),
            "on" => self.platform = Platform::from_name(&value),
            "set" => self.changes.extend(Change::parse(&value)),
            "seed" => self.seed = value.parse().ok(),
            "t" => self.time_ns = value.parse().ok(),
            "v" => self.start_ns = value.parse().ok(),
            "w" => self.window_ns = value.parse().ok(),
            "lang" => self.lang = Lang::from_code(&value),
            "theme" => self.theme = Theme::from_name(&value),
            "token" => self.token = Some(value),
            _ => {}
        }
    }

    /// The fragment with `#`; the token is never part of it.
    #[must_use]
    pub fn to_hash(&self) -> String {
        let mut query = Serializer::new(String::new());
        let mut put = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                query.append_pair(key, &value);
            }
        };
        put("beat", self.beat.map(|beat| beat.to_string()));
        put("on", self.platform.map(|platform| platform.to_string()));
        for change in &self.changes {
            put("set", Some(format!("{}={}", change.path, change.value)));
        }
        put("seed", self.seed.map(|seed| seed.to_string()));
        put("t", self.time_ns.map(|time| time.to_string()));
        put("v", self.start_ns.map(|start| start.to_string()));
        put("w", self.window_ns.map(|window| window.to_string()));
        put("lang", self.lang.map(|lang| lang.code().to_owned()));
        put("theme", self.theme.and_then(Theme::name).map(str::to_owned));
        let query = query.finish();
        let separator = if query.is_empty() { "" } else { "?" };
        format!("#{}{separator}{query}", self.route.path())
    }
}

impl Route {
    fn from_path(path: &str) -> Self {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => Self::Home,
            (Some("lesson"), Some(id), None) => Self::Lesson(id.to_owned()),
            (Some("duel"), None, None) => Self::Duel,
            (Some("container"), None, None) => Self::Container,
            _ => Self::Unknown(path.to_owned()),
        }
    }

    /// The path after `#`.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Home => "/".to_owned(),
            Self::Lesson(id) => format!("/lesson/{id}"),
            Self::Duel => "/duel".to_owned(),
            Self::Container => "/container".to_owned(),
            Self::Unknown(path) => path.clone(),
        }
    }

    /// The address of this page with nothing else in it, for links.
    #[must_use]
    pub fn href(&self) -> String {
        format!("#{}", self.path())
    }
}

impl Change {
    fn parse(text: &str) -> Option<Self> {
        let (path, value) = text.split_once('=')?;
        Some(Self { path: path.to_owned(), value: value.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str, value: &str) -> Change {
        Change { path: path.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn a_link_gives_back_what_was_put_in() {
        let link = Link {
            route: Route::Lesson("cgroups".to_owned()),
            beat: Some(5),
            platform: Some(Platform::Cgroups),
            changes: vec![
                change("tenant.web.cpu.period", "20ms"),
                change("tenant.web.cpu.set", "0-1 & more=x"),
            ],
            seed: Some(9_007_199_254_740_991),
            time_ns: Some(1_250_000_001),
            start_ns: Some(850_000_000),
            window_ns: Some(500_000_000),
            lang: Some(Lang::Ko),
            theme: Some(Theme::Dark),
            token: None,
        };
        assert_eq!(Link::from_hash(&link.to_hash()), link);
    }

    #[test]
    fn routes() {
        let table = [
            ("", Route::Home),
            ("#", Route::Home),
            ("#/", Route::Home),
            ("#/lesson/cgroups", Route::Lesson("cgroups".to_owned())),
            ("#/lesson/cgroups?t=1", Route::Lesson("cgroups".to_owned())),
            ("#/duel?t=1", Route::Duel),
            ("#/container?beat=3", Route::Container),
            ("#/duel/x", Route::Unknown("/duel/x".to_owned())),
            ("#/lesson", Route::Unknown("/lesson".to_owned())),
            ("#/elsewhere/x", Route::Unknown("/elsewhere/x".to_owned())),
        ];
        for (hash, expected) in table {
            assert_eq!(Link::from_hash(hash).route, expected, "{hash}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let link =
            Link::from_hash("#/lesson/cgroups?t=-5&seed=x&on=windows&lang=fr&theme=pink&set=nothing&new=1");
        assert_eq!(link, Link { route: Route::Lesson("cgroups".to_owned()), ..Link::default() });
    }

    #[test]
    fn the_token_is_read_and_never_written() {
        let link = Link::from_hash("#token=abc");
        assert_eq!(link.token.as_deref(), Some("abc"));
        assert_eq!(link.to_hash(), "#/");
        assert_eq!(Link::from_hash("#/lesson/cgroups?token=abc").token.as_deref(), Some("abc"));
    }
}
