//! Many rows in a few figures, by the rules of `catamaran compare` (`crates/report/src/compare`), pooled over scenarios.
//!
//! Conserved and judged rows are never pooled. Undecidable rows are counted and otherwise left out. Skill is 1 − Σe/Σe₀ over
//! the rows that both naive predictions have, against the one with the smaller sum.

use super::comparison::{Comparison, Report, Row};

/// Rows of one platform, or of one metric.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Figures {
    /// Conserved rows that could be decided.
    pub(super) conserved: usize,
    /// Greatest error among them.
    pub(super) conserved_worst: Option<f64>,
    /// How many of them are not within the limit.
    pub(super) conserved_beyond: usize,
    /// Judged rows, the undecidable ones too.
    pub(super) judged: usize,
    pub(super) undecidable: usize,
    pub(super) median_excess: Option<f64>,
    pub(super) p90_excess: Option<f64>,
    pub(super) worst_excess: Option<f64>,
    pub(super) skill: Option<Skill>,
}

/// What the model saves of a naive prediction's errors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Skill {
    pub(super) value: f64,
    /// `alone` or `fluid`.
    pub(super) against: &'static str,
}

impl Figures {
    pub(super) fn of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Self {
        let (conserved, judged): (Vec<&Row>, Vec<&Row>) =
            rows.into_iter().partition(|row| row.is_conserved());
        let checked: Vec<&Row> = conserved.into_iter().filter(|row| row.within.is_some()).collect();
        let decided: Vec<&Row> = judged.iter().copied().filter(|row| !row.undecidable).collect();
        let excesses = ascending(decided.iter().filter_map(|row| row.excess));
        Self {
            conserved: checked.len(),
            conserved_worst: ascending(checked.iter().map(|row| row.error)).last().copied(),
            conserved_beyond: checked.iter().filter(|row| row.within == Some(false)).count(),
            judged: judged.len(),
            undecidable: judged.len() - decided.len(),
            median_excess: median(&excesses),
            p90_excess: nearest_rank(&excesses, 90),
            worst_excess: excesses.last().copied(),
            skill: skill(&decided),
        }
    }
}

fn skill(decided: &[&Row]) -> Option<Skill> {
    let errors = decided.iter().filter_map(|row| Some((row.error, row.alone_error?, row.fluid_error?)));
    let (error, alone, fluid) =
        errors.fold((0.0, 0.0, 0.0), |sums, row| (sums.0 + row.0, sums.1 + row.1, sums.2 + row.2));
    let (naive, against) = if alone < fluid { (alone, "alone") } else { (fluid, "fluid") };
    (naive > 0.0).then(|| Skill { value: 1.0 - error / naive, against })
}

/// A start-up stage in both backends: medians over tenants (and native trials) (s).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StageFigures {
    pub(super) name: String,
    pub(super) simulated_s: f64,
    pub(super) native_s: f64,
    /// Native starts that it rests on.
    pub(super) starts: usize,
}

impl StageFigures {
    /// Simulated over native.
    pub(super) fn ratio(&self) -> f64 {
        self.simulated_s / self.native_s
    }
}

/// The stages in the order in which they are gone through; those that one side lacks are left out.
pub(super) fn stages<'a>(comparisons: impl Iterator<Item = &'a Comparison> + Clone) -> Vec<StageFigures> {
    let simulated: Vec<(&str, f64)> =
        comparisons.clone().filter_map(|one| one.simulated.as_ref()).flat_map(lengths).collect();
    let native: Vec<(&str, f64)> = comparisons.flat_map(|one| &one.native).flat_map(lengths).collect();
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in &native {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let of = |all: &[(&str, f64)], name: &str| {
        ascending(all.iter().filter(|stage| stage.0 == name).map(|stage| stage.1))
    };
    let figures = names.into_iter().filter_map(|name| {
        let (simulated, native) = (of(&simulated, name), of(&native, name));
        Some(StageFigures {
            name: name.to_owned(),
            simulated_s: median(&simulated)?,
            native_s: median(&native)?,
            starts: native.len(),
        })
    });
    figures.collect()
}

fn lengths(report: &Report) -> impl Iterator<Item = (&str, f64)> {
    let stages = report.tenants.iter().flat_map(|tenant| &tenant.startup_stages);
    stages.map(|stage| (stage.name.as_str(), stage.end_s - stage.start_s))
}

fn ascending(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The middle one, or the mean of the middle two.
fn median(ascending: &[f64]) -> Option<f64> {
    let upper = *ascending.get(ascending.len() / 2)?;
    if ascending.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(*ascending.get(ascending.len() / 2 - 1)?, upper))
}

/// Value number ceil(q·n), counted from 1.
fn nearest_rank(ascending: &[f64], percent: usize) -> Option<f64> {
    let rank = (ascending.len() * percent).div_ceil(100).max(1);
    ascending.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::super::bars::tests::{comparison, row};
    use super::*;

    #[test]
    fn rows_are_pooled_by_hand() {
        let rows = [
            // conserved: 1 %, 3 % (beyond), and one that cannot be decided
            row("conserved", "cpu_s", 0.01, Some(true)),
            row("conserved", "cpu_s", 0.03, Some(false)),
            Row { undecidable: true, ..row("conserved", "cpu_s", 9.0, None) },
            // judged: errors 0.1, 0.2, 0.4, excess half of it
            row("judged", "waited_s", 0.1, None),
            row("judged", "waited_s", 0.2, None),
            Row { alone_error: None, ..row("judged", "startup_s", 0.4, None) },
            Row { undecidable: true, ..row("judged", "waited_s", 9.0, None) },
        ];
        let figures = Figures::of(&rows);
        assert_eq!(
            (figures.conserved, figures.conserved_worst, figures.conserved_beyond),
            (2, Some(0.03), 1)
        );
        assert_eq!((figures.judged, figures.undecidable), (4, 1));
        assert_eq!(
            (figures.median_excess, figures.p90_excess, figures.worst_excess),
            (Some(0.1), Some(0.2), Some(0.2))
        );
        // Rows that both predict: e 0.1 + 0.2 against alone 2 + 2 and fluid 0.5 + 0.5.
        let skill = figures.skill.unwrap();
        assert_eq!(skill.against, "fluid");
        assert!((skill.value - 0.7).abs() < 1e-12, "{skill:?}");
        assert_eq!(Figures::of(&[]), Figures::default());
    }

    #[test]
    fn stages_are_medians_over_tenants_and_trials() {
        let (mut first, second) = (
            comparison("vm", &[("kernel", 2.0), ("init", 0.1)], &[&[("kernel", 1.0)]]),
            comparison("vm", &[("kernel", 3.0)], &[&[("kernel", 5.0)], &[("kernel", 4.0), ("exec", 0.1)]]),
        );
        first.native.extend(second.native.clone());
        let stages = stages([&first, &second].into_iter());
        // kernel: simulated 2 and 3; native 1, 5, 4 and again 5, 4. exec is not simulated, init was not measured.
        let expected = StageFigures { name: "kernel".to_owned(), simulated_s: 2.5, native_s: 4.0, starts: 5 };
        assert_eq!(stages, [expected]);
        assert!((stages[0].ratio() - 0.625).abs() < 1e-12);
    }
}
