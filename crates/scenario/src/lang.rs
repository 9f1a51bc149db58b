//! The languages that people are spoken to in.

/// A language in which every lesson and every sentence about a report is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

impl Lang {
    /// Every language.
    pub const ALL: &'static [Self] = &[Self::En, Self::Ko];

    /// The ISO 639-1 code, as in `--lang ko` and `<html lang="ko">`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko => "ko",
        }
    }

    /// The language with that code; a region after it (`ko-KR`) is ignored.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        let base = code.split(['-', '_']).next().unwrap_or(code);
        Self::ALL.iter().copied().find(|lang| lang.code().eq_ignore_ascii_case(base))
    }
}
