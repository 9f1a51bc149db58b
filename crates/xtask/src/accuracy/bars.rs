//! What is asked of the model over `judge`, platform by platform, and whether it holds.

use super::corpus::Part;
use super::figures::{Figures, StageFigures, stages};
use super::kept::Kept;

/// Platforms that are held to account one by one.
pub(super) const HELD: [&str; 4] = ["bare-metal", "cgroups", "namespaces", "container"];
/// Emulated here, and judged by how its guests start.
pub(super) const GUESTS: &str = "vm";

/// Greatest median excess (ln).
const MEDIAN_EXCESS_MOST: f64 = 0.15;
const SKILL_LEAST: f64 = 0.6;
/// Greatest share of undecidable rows: one in five.
const UNDECIDABLE_MOST: f64 = 0.2;
/// How far a stage's median may be off, of the native one.
const STAGE_MOST: f64 = 0.25;

/// A bar, and why it does not hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bar {
    /// Platform.
    pub(super) of: &'static str,
    /// What is asked.
    pub(super) asked: &'static str,
    /// What was found instead; nothing where it holds.
    faults: Vec<String>,
}

impl Bar {
    /// Why it does not hold, in words.
    pub(super) fn missed(&self) -> Option<String> {
        (!self.faults.is_empty()).then(|| self.faults.join("; "))
    }
}

/// Every bar, by what is kept.
pub(super) fn bars(kept: &[Kept]) -> Vec<Bar> {
    let held = HELD.into_iter().map(|platform| Bar {
        of: platform,
        asked: "conserved rows within 2 %, median excess at most 0.15, skill at least 0.6, at most one judged row in five \
                undecidable",
        faults: faults(&Figures::of(rows(kept, Part::Judge, platform))),
    });
    let guests = Bar {
        of: GUESTS,
        asked: "median of each start-up stage within 25 % of the native one",
        faults: stage_faults(&stages(comparisons(kept, Part::Judge, GUESTS))),
    };
    held.chain([guests]).collect()
}

/// The comparisons of a platform in a part.
pub(super) fn comparisons<'a>(
    kept: &'a [Kept],
    part: Part,
    platform: &'a str,
) -> impl Iterator<Item = &'a super::comparison::Comparison> + Clone {
    let of_part = kept.iter().filter(move |one| one.part == part);
    of_part.flat_map(|one| &one.comparisons).filter(move |one| one.platform == platform)
}

/// The rows of a platform in a part.
pub(super) fn rows<'a>(
    kept: &'a [Kept],
    part: Part,
    platform: &'a str,
) -> impl Iterator<Item = &'a super::comparison::Row> {
    comparisons(kept, part, platform).flat_map(|one| &one.rows)
}

fn faults(figures: &Figures) -> Vec<String> {
    if figures.judged == 0 {
        return vec!["nothing was judged".to_owned()];
    }
    let mut faults = Vec::new();
    if figures.conserved_beyond > 0 {
        let worst = figures.conserved_worst.unwrap_or(0.0) * 100.0;
        faults.push(format!("{} conserved rows beyond 2 % (worst {worst:.1} %)", figures.conserved_beyond));
    }
    match figures.median_excess {
        Some(median) if median <= MEDIAN_EXCESS_MOST => {}
        Some(median) => faults.push(format!("median excess {median:.2}")),
        None => faults.push("no judged row could be decided".to_owned()),
    }
    match figures.skill {
        Some(skill) if skill.value >= SKILL_LEAST => {}
        Some(skill) => faults.push(format!("skill {:.2} against {}", skill.value, skill.against)),
        None => faults.push("no skill: the naive predictions make no error".to_owned()),
    }
    if figures.undecidable as f64 > UNDECIDABLE_MOST * figures.judged as f64 {
        faults.push(format!("{} of {} judged rows undecidable", figures.undecidable, figures.judged));
    }
    faults
}

fn stage_faults(stages: &[StageFigures]) -> Vec<String> {
    if stages.is_empty() {
        return vec!["no start-up stage was measured on both sides".to_owned()];
    }
    let off = stages.iter().filter(|stage| (stage.ratio() - 1.0).abs() > STAGE_MOST);
    off.map(|stage| format!("stage {} at {:.2} of the native one", stage.name, stage.ratio())).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::comparison::{Comparison, Identity, Report, Row, Stage, Summary, Tenant};
    use super::super::kept::Measured;
    use super::*;

    /// A row of `web` whose excess is half its error; `alone` is off by 2, `fluid` by 0.5.
    pub(in super::super) fn row(group: &str, metric: &str, error: f64, within: Option<bool>) -> Row {
        Row {
            tenant: "web".to_owned(),
            replica: 0,
            metric: metric.to_owned(),
            group: group.to_owned(),
            simulated: 1.0,
            native: 2.0,
            error,
            excess: Some(error / 2.0),
            undecidable: false,
            within,
            alone_error: Some(2.0),
            fluid_error: Some(0.5),
        }
    }

    fn report(stages: &[(&str, f64)]) -> Report {
        let stage = |(name, seconds): &(&str, f64)| Stage {
            name: (*name).to_owned(),
            start_s: 1.0,
            end_s: 1.0 + seconds,
        };
        let machine = Some([("kernel".to_owned(), "6.18".to_owned())].into());
        Report {
            tenants: vec![Tenant { startup_stages: stages.iter().map(stage).collect() }],
            identity: Identity { machine },
        }
    }

    /// A comparison without rows, by the stages of the simulation and of each native trial.
    pub(in super::super) fn comparison(
        platform: &str,
        simulated: &[(&str, f64)],
        native: &[&[(&str, f64)]],
    ) -> Comparison {
        Comparison {
            platform: platform.to_owned(),
            rows: Vec::new(),
            summary: Summary { discarded_trials: 1 },
            simulated: Some(report(simulated)),
            native: native.iter().map(|stages| report(stages)).collect(),
        }
    }

    pub(in super::super) fn kept(part: Part, name: &str, comparisons: Vec<Comparison>) -> Kept {
        let measured = Measured { date: "2026-01-02".to_owned(), commit: "abc".to_owned(), seconds: 60.0 };
        Kept { part, name: name.to_owned(), measured, comparisons }
    }

    fn missed(platform: &'static str, change: impl FnOnce(&mut Comparison)) -> String {
        let mut one = comparison(platform, &[("kernel", 1.2)], &[&[("kernel", 1.0)]]);
        one.rows = vec![row("conserved", "cpu_s", 0.01, Some(true)), row("judged", "waited_s", 0.1, None)];
        change(&mut one);
        let bars = bars(&[kept(Part::Judge, "a", vec![one])]);
        bars.iter().find(|bar| bar.of == platform).and_then(Bar::missed).unwrap_or_default()
    }

    #[test]
    fn each_bar_can_be_missed() {
        assert_eq!(missed("container", |_| ()), "");
        assert_eq!(missed("vm", |_| ()), "");
        type Change = fn(&mut Comparison);
        let table: [(&str, &str, Change); 6] = [
            ("cgroups", "1 conserved rows beyond 2 % (worst 3.0 %)", |one| {
                one.rows[0] = row("conserved", "cpu_s", 0.03, Some(false));
            }),
            ("cgroups", "median excess 0.16; skill 0.36 against fluid", |one| one.rows[1].error = 0.32),
            ("cgroups", "skill 0.40 against fluid", |one| {
                one.rows[1] = Row { excess: Some(0.0), ..row("judged", "waited_s", 0.3, None) };
            }),
            ("cgroups", "1 of 2 judged rows undecidable", |one| {
                one.rows.push(Row { undecidable: true, ..row("judged", "waited_s", 0.1, None) });
            }),
            ("cgroups", "nothing was judged", |one| drop(one.rows.pop())),
            ("vm", "stage kernel at 1.26 of the native one", |one| {
                *one = comparison("vm", &[("kernel", 1.26)], &[&[("kernel", 1.0)]]);
            }),
        ];
        for (platform, said, change) in table {
            let found = missed(platform, |one| {
                change(one);
                if said.starts_with("median") {
                    one.rows[1].excess = Some(0.16);
                }
            });
            assert_eq!(found, said, "{platform}");
        }
    }

    #[test]
    fn what_was_not_measured_does_not_hold() {
        let of_fit = kept(Part::Fit, "a", vec![comparison("cgroups", &[], &[])]);
        assert!(bars(&[of_fit]).iter().all(|bar| bar.missed().is_some()));
    }
}
