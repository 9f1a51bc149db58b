//! The chapter of SPECIFICATION.md that a pass writes, between two marks.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, Result};

use super::bars::{Bar, GUESTS};
use super::corpus::{Part, Scenario};
use super::kept::Kept;
use super::tables;
use super::{CHART, comparison::Report};
use crate::shell::wall;

/// Where it stands, from the top folder.
pub(super) const FILE: &str = "SPECIFICATION.md";
const BEGIN: &str = "<!-- accuracy: from here to the next mark `cargo xtask accuracy --write` writes -->\n";
const END: &str = "<!-- accuracy: end -->";
/// Trials that a comparison begins with.
const TRIALS_LEAST: usize = 7;
/// The first promise of the chapter; the bars follow one another.
const FIRST_NUMBER: u32 = 1;

/// The chapter without its heading.
pub(super) fn chapter(corpus: &[Scenario], kept: &[Kept], bars: &[Bar]) -> String {
    let mut text = if kept.is_empty() { "Not recorded yet.\n".to_owned() } else { provenance(corpus, kept) };
    text += &promises(bars);
    if kept.is_empty() {
        return text;
    }
    let judge = Part::Judge;
    for (heading, about, table) in [
        ("Over `judge/`", ERRORS, tables::by_platform(kept, judge)),
        ("By metric, over `judge/`", "All platforms but `vm` together.", tables::by_metric(kept, judge)),
        ("By metric and platform, over `judge/`", MATRIX, tables::by_metric_and_platform(kept, judge)),
        ("Emulated guests (`vm`), over `judge/`", EMULATED, tables::of_guests(kept, judge)),
        ("Start-up stages of emulated guests", STAGES, tables::of_stages(kept, judge)),
        ("Over `fit/`", FITTED, tables::by_platform(kept, Part::Fit)),
        ("`vm`, over `fit/`", EMULATED, tables::of_guests(kept, Part::Fit)),
        ("What the model does not explain", UNEXPLAINED, tables::unexplained(kept)),
    ] {
        let _ = write!(text, "\n### {heading}\n\n{about}\n\n{table}");
    }
    let _ = write!(
        text,
        "\n![Errors of the model and of the better naive prediction, by platform and metric]({CHART})\n"
    );
    text
}

const ERRORS: &str = "Errors are natural logarithms (0.05 is about 5 %) with the floors of `compare`; excess is the error beyond the \
machine's own noise. Skill is 1 − Σe/Σe₀ over all decided rows that both naive predictions have, against the one with the smaller sum.";
const MATRIX: &str = "Median excess / skill (judged rows).";
const EMULATED: &str = "TCG is emulation, not a hypervisor's speed.";
const STAGES: &str = "Medians over tenants and native trials; the simulated ones are `calibrate`'s, measured once before the pass.";
const FITTED: &str = "Nothing is fitted to these scenarios either, so far: every figure of the machine is what `catamaran calibrate` \
measures.";
const UNEXPLAINED: &str =
    "Every judged row with an excess beyond 0.15, the worst first, `fit/` and `vm` included.";

/// When, where and how much.
fn provenance(corpus: &[Scenario], kept: &[Kept]) -> String {
    let list = |values: Vec<&str>| {
        let mut values = values;
        values.sort_unstable();
        values.dedup();
        values.join(", ")
    };
    let dates = list(kept.iter().map(|one| one.measured.date.as_str()).collect());
    let commits = list(kept.iter().map(|one| one.measured.commit.as_str()).collect());
    let took = Duration::from_secs_f64(kept.iter().map(|one| one.measured.seconds).sum());
    let mut text = format!(
        "Measured on {dates} (commit {commits}): {} of {} scenarios in {}.\n",
        kept.len(),
        corpus.len(),
        wall(took)
    );
    let on = |guests: bool| {
        let mut comparisons = kept.iter().flat_map(|one| &one.comparisons);
        comparisons.find(|one| (one.platform == GUESTS) == guests && !one.native.is_empty())?.native.first()
    };
    for (what, report) in [("Machine", on(false)), ("Guests", on(true))] {
        if let Some(machine) = report.and_then(machine) {
            let _ = writeln!(text, "\n{what}: {machine}.");
        }
    }
    let missing: Vec<String> = corpus
        .iter()
        .filter(|scenario| kept.iter().all(|one| one.name != scenario.name))
        .map(Scenario::label)
        .collect();
    if !missing.is_empty() {
        let _ = writeln!(text, "\nNot measured: {}.", missing.join(", "));
    }
    text + &poorly_measured(kept)
}

/// Where too few trials were left undisturbed: nothing there is as certain as elsewhere.
fn poorly_measured(kept: &[Kept]) -> String {
    let few = |one: &Kept| {
        let few = one.comparisons.iter().filter(|on| on.native.len() < TRIALS_LEAST);
        let told = few
            .map(|on| format!("{}/{} on {} ({})", one.part.folder(), one.name, on.platform, on.native.len()));
        told.collect::<Vec<_>>()
    };
    let all: Vec<String> = kept.iter().flat_map(few).collect();
    match all.is_empty() {
        true => String::new(),
        false => format!("\nFewer than {TRIALS_LEAST} trials were left undisturbed: {}.\n", all.join(", ")),
    }
}

/// What a native report says of the machine.
fn machine(report: &Report) -> Option<String> {
    let facts = report.identity.machine.as_ref()?;
    let told = facts.iter().map(|(name, fact)| format!("{} {fact}", name.replace('_', " ")));
    Some(told.collect::<Vec<_>>().join("; "))
}

/// The bars as promises: proved by this command where they hold.
fn promises(bars: &[Bar]) -> String {
    let mut text = "\n| number | promise | proof |\n|---|---|---|\n".to_owned();
    for (number, bar) in (FIRST_NUMBER..).zip(bars) {
        let proof = match bar.missed() {
            None => "`cargo xtask accuracy`".to_owned(),
            Some(why) => format!("pending: {why}"),
        };
        let _ = writeln!(text, "| 9.{number} | On `{}`, over `judge/`: {} | {proof} |", bar.of, bar.asked);
    }
    text
}

/// Puts the chapter between its marks.
pub(super) fn put(text: &str, chapter: &str) -> Result<String> {
    let marks = || format!("{FILE} lacks the marks `{}` and `{END}`", BEGIN.trim_end());
    let (before, rest) = text.split_once(BEGIN).with_context(marks)?;
    let (_, after) = rest.split_once(END).with_context(marks)?;
    Ok(format!("{before}{BEGIN}\n{chapter}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::super::bars::bars;
    use super::super::bars::tests::{comparison, kept, row};
    use super::super::comparison::Row;
    use super::*;

    #[test]
    fn a_chapter_tells_what_was_measured_and_what_is_missed() {
        let mut one = comparison("cgroups", &[], &[&[], &[]]);
        one.rows = vec![
            row("conserved", "cpu_s", 0.01, Some(true)),
            row("judged", "waited_s", 0.1, None),
            Row { excess: Some(0.4), replica: 1, ..row("judged", "latency_s.p95", 0.5, None) },
            Row { excess: Some(0.9), undecidable: true, ..row("judged", "throttled_s", 1.0, None) },
        ];
        let guests = comparison("vm", &[("kernel", 2.1)], &[&[("kernel", 2.0)]]);
        let kept = [kept(Part::Judge, "a", vec![one.clone(), guests]), kept(Part::Fit, "b", vec![one])];
        let text = chapter(&[], &kept, &bars(&kept));
        for line in [
            "Measured on 2026-01-02 (commit abc): 2 of 0 scenarios in 2 min 00 s.",
            "Machine: kernel 6.18.",
            "Fewer than 7 trials were left undisturbed: judge/a on cgroups (2), judge/a on vm (1), fit/b on cgroups (2).",
            "skill at least 0.6, at most one judged row in five undecidable | pending: nothing was judged |",
            "| 9.5 | On `vm`, over `judge/`: median of each start-up stage within 25 % of the native one | `cargo xtask accuracy` |",
            "| cgroups | 1 | 1 | 1.0 % | 3 | 0.23 | 0.40 | 0.40 | 0.40 (fluid) | 1 of 3 | 2 | 1 |",
            "| `latency_s.p95` | 1 | 0.40 | 0.40 | 0.40 | 0.00 (fluid) | 0 of 1 |",
            "| kernel | 2.10 s | 2.00 s | 1.05 | 1 |",
            "| fit/b | cgroups | web/1 | `latency_s.p95` | 1.00 s | 2.00 s | 0.40 |",
        ] {
            assert!(text.contains(line), "{line}\nis not in\n{text}");
        }
        assert!(!text.contains("| `throttled_s` | 1.00 s"), "an undecidable row explains nothing");
    }

    #[test]
    fn a_chapter_without_a_pass_says_so() {
        let text = chapter(&[], &[], &bars(&[]));
        assert!(text.starts_with("Not recorded yet.\n"), "{text}");
        assert!(text.contains("| 9.1 | On `bare-metal`") && !text.contains("accuracy.svg"), "{text}");
    }

    #[test]
    fn the_chapter_is_put_between_its_marks() {
        let text = format!("# A\n{BEGIN}old\n{END}\nrest\n");
        let put_once = put(&text, "new\n").unwrap();
        assert_eq!(put_once, format!("# A\n{BEGIN}\nnew\n\n{END}\nrest\n"));
        assert_eq!(put(&put_once, "new\n").unwrap(), put_once, "twice is the same as once");
        assert!(put("# A\n", "new\n").is_err());
    }
}
