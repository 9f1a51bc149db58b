//! Start-ups by runtimes and engines of this machine.

use std::collections::BTreeMap;

use catamaran_report::report::StageRow;
use catamaran_scenario::calibration::StartupStage;
use catamaran_scenario::{Plan, Platform};

use super::scenario::{ON_ONE_CORE, Scenario};
use super::{Progress, tenants};
use crate::interrupt::Interrupt;
use crate::problem::Problem;
use crate::run::Run;

/// Who starts tenants if they are installed.
const OTHERS: [Platform; 7] = [
    Platform::Runc,
    Platform::Crun,
    Platform::Youki,
    Platform::Lxc,
    Platform::Podman,
    Platform::Containerd,
    Platform::Docker,
];
/// Runs of each, of which every tenant counts. An engine's first container finds it as it came up, those after it warm; a run
/// of two has as many of the one as of the other.
const RUNS: u32 = 7;
/// Two tenants as in [`tenants::STARTUP`].
const TENANTS: &str = r#"
[[tenant]]
name = "idle"
replicas = 2
cpu = { request = "500m", limit = "500m" }
workload = { kind = "idle" }
"#;

/// Median length of each stage on each platform that can be had here and of whose starts every stage was seen.
pub(super) fn measure(
    turns_per_cpu_s: f64,
    interrupt: &Interrupt,
    progress: Progress<'_>,
) -> Result<BTreeMap<Platform, Vec<StartupStage>>, Problem> {
    let plan = plan()?;
    let mut found = BTreeMap::new();
    for (number, platform) in OTHERS.into_iter().enumerate() {
        progress(&format!("start-ups by {platform}"), 0.75 + 0.05 * number as f64 / OTHERS.len() as f64);
        match starts(&plan, platform, turns_per_cpu_s, interrupt) {
            Ok(starts) => {
                let stages = whole(&starts);
                if stages.is_none() {
                    tracing::warn!(%platform, "its start-ups are not measured: not every stage was seen");
                }
                found.extend(stages.map(|stages| (platform, stages)));
            }
            Err(Problem::Unavailable(why, _)) => {
                tracing::warn!(%platform, why, "its start-ups are not measured");
            }
            Err(other) => return Err(other),
        }
    }
    Ok(found)
}

fn plan() -> Result<Plan, Problem> {
    Scenario { name: "starts", platforms: &OTHERS, tenants: TENANTS, ..ON_ONE_CORE }.plan()
}

fn starts(
    plan: &Plan,
    platform: Platform,
    turns_per_cpu_s: f64,
    interrupt: &Interrupt,
) -> Result<Vec<Vec<StageRow>>, Problem> {
    let mut starts = Vec::new();
    for _ in 0..RUNS {
        starts.extend(Run::start(plan, platform, turns_per_cpu_s, interrupt)?.all_startup_stages());
    }
    Ok(starts)
}

/// The medians, if there is one of every stage: a start without some of its parts is shorter than it was.
fn whole(starts: &[Vec<StageRow>]) -> Option<Vec<StartupStage>> {
    let stages = tenants::medians(starts);
    let all = starts.first().map_or(0, Vec::len);
    (all > 0 && stages.len() == all).then_some(stages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scenario_is_valid() {
        plan().unwrap();
    }

    #[test]
    fn a_start_of_which_a_part_was_never_seen_is_not_measured() {
        let row = |name: &str, end_s| StageRow { end_s, ..StageRow::measured(name, "runc", 0.25, 0.5) };
        let complete = vec![row("config", Some(0.5)), row("exec", Some(0.5))];
        let partly = vec![row("config", None), row("exec", Some(0.75))];
        let names =
            |stages: Vec<StartupStage>| stages.into_iter().map(|s| (s.name, s.median_ns)).collect::<Vec<_>>();
        let medians = whole(&[partly.clone(), complete]).map(names);
        let expected = vec![("config".to_owned(), 250_000_000), ("exec".to_owned(), 375_000_000)];
        assert_eq!(medians, Some(expected));
        assert_eq!(whole(&[partly]), None);
        assert_eq!(whole(&[]), None);
    }
}
