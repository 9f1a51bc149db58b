//! The table of distributions on the clock of the play head: the run from its start to its end is the table from its first
//! day to its last.

use catamaran_lessons::{Base, Release, all};

/// The curriculum's table of bases, from the lesson that has one.
#[must_use]
pub fn table() -> &'static [Base] {
    all().iter().map(|lesson| lesson.bases).find(|bases| !bases.is_empty()).unwrap_or_default()
}

/// Every release, with its base.
pub fn releases(bases: &'static [Base]) -> impl Iterator<Item = (&'static Base, &'static Release)> {
    bases.iter().flat_map(|base| base.releases.iter().map(move |release| (base, release)))
}

/// The years of a table, whole ones at both ends, laid over a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Years {
    /// The first.
    pub first: f64,
    /// The end of the last.
    pub last: f64,
    end_ns: u64,
}

impl Years {
    /// Of this table over a run of that length (ns).
    #[must_use]
    pub fn over(bases: &'static [Base], end_ns: u64) -> Self {
        let starts = bases.iter().map(|base| base.first.years());
        let ends = releases(bases).map(|(_, release)| release.to.years());
        let first = starts.reduce(f64::min).unwrap_or(2000.0).floor();
        let last = ends.reduce(f64::max).unwrap_or(first + 1.0).ceil();
        Self { first, last, end_ns: end_ns.max(1) }
    }

    /// The instant (ns) that stands for a point in the years.
    #[must_use]
    pub fn ns(&self, years: f64) -> u64 {
        let share = (years - self.first) / (self.last - self.first).max(1.0);
        (share.clamp(0.0, 1.0) * self.end_ns as f64).round() as u64
    }

    /// The point in the years that an instant (ns) stands for.
    #[must_use]
    pub fn at(&self, at_ns: u64) -> f64 {
        let share = (at_ns as f64 / self.end_ns as f64).clamp(0.0, 1.0);
        self.first + share * (self.last - self.first).max(1.0)
    }
}

/// `2021-06` of a point in the years.
#[must_use]
pub fn month(years: f64) -> String {
    // A day begins half a day early, so that rounding to nanoseconds does not show the month before.
    let months = ((years + 0.5 / 372.0) * 12.0).floor().max(0.0) as u64;
    format!("{:04}-{:02}", months / 12, months % 12 + 1)
}

/// The instants (ns) at which something in the table begins or ends.
#[must_use]
pub fn changes(end_ns: u64) -> Vec<u64> {
    let bases = table();
    let years = Years::over(bases, end_ns);
    let firsts = bases.iter().map(|base| base.first);
    let days = firsts.chain(releases(bases).flat_map(|(_, release)| [release.from, release.to]));
    days.map(|day| years.ns(day.years())).collect()
}

/// How a release stands at a point in the years.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not there yet.
    Ahead,
    /// Gets security fixes.
    Kept,
    /// Gets none any more.
    Ended,
}

impl Phase {
    /// Of that release.
    #[must_use]
    pub fn of(release: &Release, years: f64) -> Self {
        match (years < release.from.years(), years <= release.to.years()) {
            (true, _) => Self::Ahead,
            (false, true) => Self::Kept,
            (false, false) => Self::Ended,
        }
    }
}

/// Above a base in the tree: how many others it comes from.
#[must_use]
pub fn depth(bases: &[Base], base: &Base) -> usize {
    let mut depth = 0;
    let mut from = base.from;
    while let Some(parent) = from.and_then(|id| bases.iter().find(|other| other.id == id)) {
        depth += 1;
        from = parent.from;
    }
    depth
}

/// The place in the table of the base that a base's line begins with.
#[must_use]
pub fn root(bases: &[Base], base: &Base) -> usize {
    let parent = base.from.and_then(|id| bases.iter().find(|other| other.id == id));
    match parent {
        Some(parent) => root(bases, parent),
        None => bases
            .iter()
            .filter(|other| other.from.is_none())
            .position(|other| other.id == base.id)
            .unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use catamaran_lessons::Date;

    use super::*;

    #[test]
    fn a_run_is_laid_over_whole_years() {
        let years = Years::over(table(), 10_000_000_000);
        assert_eq!(years.first.fract() + years.last.fract(), 0.0);
        assert_eq!((years.ns(years.first), years.ns(years.last)), (0, 10_000_000_000));
        for day in [Date { year: 2004, month: 10, day: 20 }, Date { year: 2024, month: 6, day: 30 }] {
            let back = years.at(years.ns(day.years()));
            assert!((back - day.years()).abs() < 1e-6, "{day}");
            assert_eq!(month(back), day.to_string()[..7]);
        }
        assert_eq!(month(years.at(years.ns(Date { year: 2022, month: 1, day: 1 }.years()))), "2022-01");
    }

    #[test]
    fn a_release_is_kept_between_its_days() {
        let day = |year| Date { year, month: 5, day: 31 };
        let release = Release { name: "9", from: day(2022), to: day(2032), source: "" };
        let phases = [2021.0, 2022.5, 2032.4, 2032.5].map(|years| Phase::of(&release, years));
        assert_eq!(phases, [Phase::Ahead, Phase::Kept, Phase::Kept, Phase::Ended]);
    }

    #[test]
    fn the_line_of_red_hat_is_one() {
        let bases = table();
        let find = |id: &str| bases.iter().find(|base| base.id == id).unwrap();
        assert_eq!(
            ["fedora", "centos-stream", "rhel", "alma"].map(|id| depth(bases, find(id))),
            [0, 1, 2, 3]
        );
        assert_eq!(root(bases, find("alma")), root(bases, find("fedora")));
        assert_ne!(root(bases, find("alma")), root(bases, find("debian")));
    }
}
