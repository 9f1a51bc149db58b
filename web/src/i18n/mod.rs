//! Every text of the page, in English and Korean, side by side in one `match` that the compiler checks for completeness.

mod home;
mod lesson;
mod native;
mod player;
mod sentences;
mod site;

pub use home::Home;
pub use lesson::Lesson;
pub use native::Native;
pub use player::Player;
pub use sentences::*;
pub use site::Site;

/// A language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

impl Lang {
    /// The ISO 639-1 code, also the value of the `lang` attribute.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko => "ko",
        }
    }

    /// The language of a BCP 47 tag (`ko-KR`); `None` for others than these two.
    #[must_use]
    pub fn from_code(tag: &str) -> Option<Self> {
        match tag.split('-').next() {
            Some("ko") => Some(Self::Ko),
            Some("en") => Some(Self::En),
            _ => None,
        }
    }
}

/// `text` in that language.
#[must_use]
pub fn say(lang: Lang, text: impl Text) -> &'static str {
    let (en, ko) = text.both();
    match lang {
        Lang::En => en,
        Lang::Ko => ko,
    }
}

/// A text of the page.
pub trait Text {
    /// English and Korean.
    fn both(self) -> (&'static str, &'static str);
}

/// Declares the texts of one part of the page: `Name = "English", "한국어";`.
macro_rules! texts {
    ($(#[$doc:meta])* $name:ident { $($key:ident = $en:literal, $ko:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each text says itself what it is")]
        pub enum $name { $($key,)* }

        impl $name {
            /// All of them, for the tests.
            pub const ALL: &'static [Self] = &[$(Self::$key,)*];
        }

        impl $crate::i18n::Text for $name {
            fn both(self) -> (&'static str, &'static str) {
                match self { $(Self::$key => ($en, $ko),)* }
            }
        }
    };
}
pub(crate) use texts;

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Text + Copy + std::fmt::Debug>(texts: &[T]) {
        for text in texts {
            let (en, ko) = text.both();
            let korean = |c: char| ('가'..='힣').contains(&c);
            assert!(!en.is_empty() && !en.chars().any(korean), "{text:?}: the English text is {en:?}");
            assert!(!ko.is_empty(), "{text:?} has no Korean text");
        }
    }

    #[test]
    fn every_text_has_both_languages() {
        check(Site::ALL);
        check(Home::ALL);
        check(Lesson::ALL);
        check(Player::ALL);
        check(Native::ALL);
    }
}
