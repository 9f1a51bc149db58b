//! Every text of the page, in English and Korean, side by side in one `match` that the compiler checks for completeness.

mod chain;
mod container;
mod curriculum;
mod duel;
mod family;
mod home;
mod layers;
mod lesson;
mod memory;
mod native;
mod player;
mod sentences;
mod servers;
mod sight;
mod site;
mod steal;
mod weight;
mod why;

pub use catamaran_scenario::Lang;
pub use chain::*;
pub use container::*;
pub use curriculum::coming_lessons;
pub use duel::*;
pub use family::*;
pub use home::Home;
pub use layers::*;
pub use lesson::Lesson;
pub use memory::*;
pub use native::Native;
pub use player::Player;
pub use sentences::*;
pub use servers::*;
pub use sight::{Sight, inside_of, process_words, sight_summary, thing_words};
pub use site::Site;
pub use steal::*;
pub use weight::*;
pub use why::*;

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
        check(Duel::ALL);
        check(Sight::ALL);
        check(Memory::ALL);
        check(Weighing::ALL);
        check(Steal::ALL);
        check(Layers::ALL);
        check(ChainWords::ALL);
        check(ContainerWords::ALL);
        check(Servers::ALL);
        check(FamilyWords::ALL);
        check(Why::ALL);
    }
}
