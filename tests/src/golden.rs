//! Golden texts: what a simulation answers, with simulated time, the same on every target.
//!
//! A golden text holds the SHA-256 of the whole report and of the whole causal trace, so that no byte escapes it, and for
//! people every figure of the report and the beginning of the trace.

use std::fmt::Write as _;

use catamaran_report::timeline::Entry;
use catamaran_report::{Metric, Report};
use catamaran_scenario::{Calibration, Plan, Platform};
use catamaran_sim::{Options, Outcome, simulate};
use sha2::{Digest, Sha256};

use crate::shipped::Shipped;

/// Entries of the trace that are written out.
const TRACE_ENTRIES: usize = 200;

const HOST_FIGURES: [&str; 5] = [
    "elapsed_s",
    "host.cpu_utilisation",
    "host.memory_peak_bytes",
    "host.overhead_cpu_s",
    "host.turns_per_cpu_s",
];

/// The golden text of every platform of a scenario, on the reference machine.
///
/// # Errors
/// A scenario that does not parse.
pub fn texts(shipped: &Shipped) -> Result<Vec<(Platform, String)>, String> {
    let plan = Plan::from_toml(shipped.text, shipped.key).map_err(|error| error.to_string())?;
    let calibration = Calibration::reference();
    Ok(plan.platforms().iter().map(|&platform| (platform, text(&plan, platform, &calibration))).collect())
}

/// What the simulator answers; where it refuses, its words.
fn text(plan: &Plan, platform: Platform, calibration: &Calibration) -> String {
    let options = Options { timeline: true, ..Options::default() };
    match simulate(plan, platform, calibration, &options) {
        Ok(outcome) => answer(&outcome),
        Err(refusal) => format!("{refusal}\n"),
    }
}

fn answer(Outcome { report, timeline }: &Outcome) -> String {
    let json = report.to_json();
    let lines: Vec<String> = timeline.trace.iter().map(line).collect();
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "report: {} bytes, sha256 {}", json.len(), sha256(&json));
    let _ = writeln!(text, "trace: {} entries, sha256 {}\n", lines.len(), sha256(&lines.concat()));
    figures(report, &mut text);
    let _ = writeln!(text, "\nThe first {} entries of the trace:", lines.len().min(TRACE_ENTRIES));
    text.extend(lines.into_iter().take(TRACE_ENTRIES));
    text
}

fn figures(report: &Report, text: &mut String) {
    let tenants = report.tenants.iter().flat_map(|tenant| {
        Metric::ALL.iter().map(move |metric| format!("tenant.{}.{}", tenant.label(), metric.name()))
    });
    let paths = HOST_FIGURES.into_iter().map(str::to_owned).chain(tenants);
    for path in paths {
        if let Some(value) = report.value(&path) {
            let _ = writeln!(text, "{path} = {value}");
        }
    }
}

/// `0.100000000 s  cgroup throttle web/0.0, because of 17`.
fn line(entry: &Entry) -> String {
    let Entry { at_ns, actor, what, target, because } = entry;
    let because = because.map_or(String::new(), |cause| format!(", because of {cause}"));
    let (seconds, rest) = (at_ns / 1_000_000_000, at_ns % 1_000_000_000);
    format!("{seconds}.{rest:09} s  {actor} {what} {target}{because}\n")
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Holds the golden files of a scenario against what the simulator answers now.
///
/// # Errors
/// What differs, platform by platform, with the first line that does.
pub fn check(shipped: &Shipped) -> Result<(), String> {
    let texts = texts(shipped)?;
    let golden =
        |name: &str| shipped.goldens.iter().find(|(platform, _)| *platform == name).map(|(_, text)| *text);
    let mut faults: Vec<String> = texts
        .iter()
        .filter_map(|(platform, found)| fault(platform.name(), golden(platform.name()), found))
        .collect();
    let is_stale = |name: &str| texts.iter().all(|(platform, _)| platform.name() != name);
    let stale = shipped.goldens.iter().filter(|(name, _)| is_stale(name));
    faults.extend(stale.map(|(name, _)| format!("{name}: the scenario no longer has this platform")));
    if faults.is_empty() { Ok(()) } else { Err(explained(shipped.key, &faults)) }
}

fn fault(platform: &str, expected: Option<&str>, found: &str) -> Option<String> {
    let Some(expected) = expected else { return Some(format!("{platform}: there is no golden file")) };
    if expected == found {
        return None;
    }
    let mut lines = expected.lines().zip(found.lines()).enumerate();
    let first = lines.find(|(_, (expected, found))| expected != found);
    Some(match first {
        Some((index, (expected, found))) => {
            format!(
                "{platform}, line {}:\n  golden: {expected}\n  now:    {found}\n{}",
                index + 1,
                figures_that_differ(&lines.collect::<Vec<_>>())
            )
        }
        None => format!("{platform}: one text is longer than the other"),
    })
}

/// The figures of the report that differ after the first line that does: these say more than a hash.
fn figures_that_differ(rest: &[(usize, (&str, &str))]) -> String {
    let differing =
        rest.iter().filter(|(_, (expected, found))| expected != found && expected.contains(" = "));
    differing
        .take(10)
        .map(|(_, (expected, found))| format!("  golden: {expected}\n  now:    {found}\n"))
        .collect()
}

fn explained(key: &str, faults: &[String]) -> String {
    format!(
        "{key} differs from tests/golden/{key}:\n{}\nWhere the change is meant, run `cargo xtask golden`, look at the \
         difference, and commit it.",
        faults.join("\n")
    )
}
