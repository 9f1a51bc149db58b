//! The bases of images that a lesson lets one choose from: distributions, how they descend from one another, how long their
//! releases are kept. Facts with their sources, from the lesson's table.

use crate::date::Date;
use crate::lang::Text;

/// A distribution that images are built on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Base {
    /// `kebab-case`, unique in the table.
    pub id: &'static str,
    /// Name.
    pub name: &'static str,
    /// Id of the distribution that it comes from, which stands above it in the table; `None`: of its own.
    pub from: Option<&'static str>,
    /// How it comes from it, or what it is.
    pub relation: Text,
    /// The first release that the sources name.
    pub first: Date,
    /// The format of its packages (`deb`, `rpm`, `apk`).
    pub package: &'static str,
    /// The command that installs a package.
    pub install: &'static str,
    /// Its C library.
    pub libc: &'static str,
    /// Whether security fixes need a contract.
    pub contract: bool,
    /// What its C library, its shell and its basic tools take on disk (KiB); `None`: nobody measured it here.
    pub parts_kib: Option<u32>,
    /// Releases in order; the last is the one to be chosen. None: it has no releases (rolling).
    pub releases: &'static [Release],
    /// Where the facts come from, as ids in the lesson's sources.
    pub source: &'static str,
}

/// A release and how long it gets security fixes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Release {
    /// Version.
    pub name: &'static str,
    /// Released.
    pub from: Date,
    /// Last day with security fixes for everyone.
    pub to: Date,
    /// Where the dates come from.
    pub source: &'static str,
}

impl Release {
    /// Whole years of security fixes, rounded.
    #[must_use]
    pub fn years(&self) -> f64 {
        (self.to.years() - self.from.years()).round()
    }
}

impl Base {
    /// The release to be chosen.
    #[must_use]
    pub fn latest(&self) -> Option<&'static Release> {
        self.releases.last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn date(year: u16, month: u8, day: u8) -> Date {
        Date { year, month, day }
    }

    #[test]
    fn days_stand_in_order_on_the_axis_of_years() {
        let days =
            [date(2021, 12, 31), date(2022, 1, 1), date(2022, 1, 31), date(2022, 2, 1), date(2022, 12, 31)];
        for pair in days.windows(2) {
            assert!(pair[0].years() < pair[1].years(), "{} {}", pair[0], pair[1]);
        }
        assert_eq!(date(2022, 7, 1).years(), 2022.5);
        let release = Release { name: "9", from: date(2022, 7, 14), to: date(2032, 5, 31), source: "" };
        assert_eq!(release.years(), 10.0);
    }
}
