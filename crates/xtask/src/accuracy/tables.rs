//! The tables of the chapter. No first cell begins with a digit: such rows are promises.

use std::fmt::Write as _;

use super::amount::{amount, log, percent, seconds};
use super::bars::{GUESTS, comparisons, rows};
use super::comparison::Row;
use super::corpus::Part;
use super::figures::{Figures, Skill, stages};
use super::kept::Kept;

/// Platforms in the order of the contract, `vm` apart.
const PLATFORMS: [&str; 5] = ["bare-metal", "chroot", "namespaces", "cgroups", "container"];
/// Metrics that are judged, in the order in which `compare` shows them.
const METRICS: [&str; 11] = [
    "latency_s.p50",
    "latency_s.p95",
    "latency_s.p99",
    "cpu_s",
    "waited_s",
    "throttled_s",
    "throttled_periods",
    "startup_s",
    "finished_s",
    "memory_peak_bytes",
    "oom_kills",
];
/// Excess (ln) beyond which a row counts as not explained.
const UNEXPLAINED: f64 = 0.15;
const NOTHING: &str = "Nothing was measured.\n";

/// A head and a line for each row; a word where there is no row.
fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return NOTHING.to_owned();
    }
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
    for row in rows {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

fn skill(skill: Option<Skill>) -> String {
    skill.map_or_else(|| "–".to_owned(), |skill| format!("{:.2} ({})", skill.value, skill.against))
}

fn excesses(figures: &Figures) -> [String; 4] {
    [log(figures.median_excess), log(figures.p90_excess), log(figures.worst_excess), skill(figures.skill)]
}

/// The platforms of a part, `vm` apart.
pub(super) fn by_platform(kept: &[Kept], part: Part) -> String {
    table_of_platforms(kept, part, &PLATFORMS)
}

/// The same for `vm`.
pub(super) fn of_guests(kept: &[Kept], part: Part) -> String {
    table_of_platforms(kept, part, &[GUESTS])
}

fn table_of_platforms(kept: &[Kept], part: Part, platforms: &[&str]) -> String {
    let row = |platform: &&str| {
        let of_it = || comparisons(kept, part, platform);
        let figures = Figures::of(rows(kept, part, platform));
        let used: usize = of_it().map(|one| one.native.len()).sum();
        let discarded: u32 = of_it().map(|one| one.summary.discarded_trials).sum();
        let mut cells = vec![
            (*platform).to_owned(),
            of_it().count().to_string(),
            figures.conserved.to_string(),
            percent(figures.conserved_worst),
            figures.judged.to_string(),
        ];
        cells.extend(excesses(&figures));
        cells.push(format!("{} of {}", figures.undecidable, figures.judged));
        cells.push(used.to_string());
        cells.push(discarded.to_string());
        (of_it().count() > 0).then_some(cells)
    };
    let head = [
        "platform",
        "scenarios",
        "conserved rows",
        "worst deviation",
        "judged rows",
        "median excess",
        "90 %",
        "worst",
        "skill (against)",
        "undecidable",
        "trials",
        "discarded",
    ];
    table(&head, &platforms.iter().filter_map(row).collect::<Vec<_>>())
}

/// The rows of all platforms but `vm`, with the platform.
fn judged<'a>(
    kept: &'a [Kept],
    part: Part,
    metric: &'a str,
) -> impl Iterator<Item = (&'static str, &'a Row)> {
    let all = PLATFORMS
        .into_iter()
        .flat_map(move |platform| rows(kept, part, platform).map(move |row| (platform, row)));
    all.filter(move |(_, row)| !row.is_conserved() && row.metric == metric)
}

/// Metric by metric over all platforms but `vm`.
pub(super) fn by_metric(kept: &[Kept], part: Part) -> String {
    let row = |metric: &&str| {
        let figures = Figures::of(judged(kept, part, metric).map(|(_, row)| row));
        let mut cells = vec![format!("`{metric}`"), figures.judged.to_string()];
        cells.extend(excesses(&figures));
        cells.push(format!("{} of {}", figures.undecidable, figures.judged));
        (figures.judged > 0).then_some(cells)
    };
    let head = ["metric", "judged rows", "median excess", "90 %", "worst", "skill (against)", "undecidable"];
    table(&head, &METRICS.iter().filter_map(row).collect::<Vec<_>>())
}

/// Median excess and skill, metric by metric on each platform.
pub(super) fn by_metric_and_platform(kept: &[Kept], part: Part) -> String {
    let present: Vec<&str> =
        PLATFORMS.into_iter().filter(|platform| comparisons(kept, part, platform).count() > 0).collect();
    let cell = |metric: &str, platform: &str| {
        let of_it = judged(kept, part, metric).filter(|(on, _)| *on == platform);
        let figures = Figures::of(of_it.map(|(_, row)| row));
        let skill = figures.skill.map(|skill| skill.value);
        match figures.judged {
            0 => String::new(),
            rows => format!("{} / {} ({rows})", log(figures.median_excess), log(skill)),
        }
    };
    let row = |metric: &&str| {
        let cells: Vec<String> = present.iter().map(|platform| cell(metric, platform)).collect();
        let any = cells.iter().any(|cell| !cell.is_empty());
        any.then(|| [vec![format!("`{metric}`")], cells].concat())
    };
    table(&[&["metric"], present.as_slice()].concat(), &METRICS.iter().filter_map(row).collect::<Vec<_>>())
}

/// Start-up stages of guests.
pub(super) fn of_stages(kept: &[Kept], part: Part) -> String {
    let row = |stage: &super::figures::StageFigures| {
        vec![
            stage.name.clone(),
            seconds(stage.simulated_s),
            seconds(stage.native_s),
            format!("{:.2}", stage.ratio()),
            stage.starts.to_string(),
        ]
    };
    let stages = stages(comparisons(kept, part, GUESTS));
    table(
        &["stage", "simulated", "native", "ratio", "native starts"],
        &stages.iter().map(row).collect::<Vec<_>>(),
    )
}

/// Every judged row whose excess is beyond [`UNEXPLAINED`], the worst first.
pub(super) fn unexplained(kept: &[Kept]) -> String {
    let mut found: Vec<(f64, Vec<String>)> = Vec::new();
    for one in kept {
        for comparison in &one.comparisons {
            let judged = comparison.rows.iter().filter(|row| !row.is_conserved() && !row.undecidable);
            for row in judged {
                let Some(excess) = row.excess.filter(|excess| *excess > UNEXPLAINED) else { continue };
                found.push((
                    excess,
                    vec![
                        format!("{}/{}", one.part.folder(), one.name),
                        comparison.platform.clone(),
                        row.label(),
                        format!("`{}`", row.metric),
                        amount(&row.metric, row.simulated),
                        amount(&row.metric, row.native),
                        log(Some(excess)),
                    ],
                ));
            }
        }
    }
    if found.is_empty() {
        return format!("No judged row that could be decided has an excess beyond {UNEXPLAINED}.\n");
    }
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    let rows: Vec<Vec<String>> = found.into_iter().map(|(_, cells)| cells).collect();
    table(&["scenario", "platform", "tenant", "metric", "simulated", "native", "excess"], &rows)
}
