//! Charts of `--plot`.

use std::path::{Path, PathBuf};

use catamaran_report::charts::{self, ChartError};
use catamaran_report::compare::PlatformComparison;
use catamaran_report::report::TenantReport;
use catamaran_scenario::{Lang, Platform};
use catamaran_sim::Outcome;

use crate::failure::Failure;
use crate::output;

/// A run of many seconds has no room in a chart where a slice of a few milliseconds is to be seen.
const WINDOW_NS: u64 = 1_000_000_000;

/// Who is on which core in the first second of a simulation.
pub(crate) fn timeline(path: &Path, outcome: &Outcome) -> Result<(), Failure> {
    let tenants = outcome.report.tenants.iter().map(TenantReport::label).collect::<Vec<_>>();
    let end_ns = (outcome.report.elapsed_s * 1e9) as u64;
    let svg = charts::gantt(Lang::En, &outcome.timeline, &tenants, 0..end_ns.min(WINDOW_NS));
    output::write(path, &svg?)
}

/// Both backends side by side.
pub(crate) fn comparison(
    path: &Path,
    scenario: &str,
    comparisons: &[PlatformComparison],
) -> Result<(), Failure> {
    let svg = charts::comparison(Lang::En, scenario, comparisons);
    output::write(path, &svg?)
}

/// Where the charts go, found to be writable: the file asked for, or with several platforms `chart-PLATFORM.svg` beside it.
pub(crate) fn paths(asked: &Path, platforms: &[Platform]) -> Result<Vec<PathBuf>, Failure> {
    if asked.is_dir() {
        output::check(asked)?;
    }
    let paths =
        platforms.iter().map(|platform| path_for(asked, *platform, platforms.len())).collect::<Vec<_>>();
    for path in &paths {
        output::check(path)?;
    }
    Ok(paths)
}

fn path_for(asked: &Path, platform: Platform, platforms: usize) -> PathBuf {
    if platforms == 1 {
        return asked.to_owned();
    }
    let stem = asked.file_stem().unwrap_or_default().to_string_lossy();
    let extension = asked.extension().map(|text| format!(".{}", text.to_string_lossy())).unwrap_or_default();
    asked.with_file_name(format!("{stem}-{platform}{extension}"))
}

impl From<ChartError> for Failure {
    fn from(error: ChartError) -> Self {
        Self::Failed(format!("cannot draw the chart: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_platform_has_a_file_of_its_own() {
        let table = [
            ("a/chart.svg", 1, "a/chart.svg"),
            ("a/chart.svg", 2, "a/chart-vm.svg"),
            ("chart.v1.svg", 2, "chart.v1-vm.svg"),
            ("chart", 2, "chart-vm"),
        ];
        for (asked, platforms, expected) in table {
            assert_eq!(path_for(Path::new(asked), Platform::Vm, platforms), Path::new(expected));
        }
    }
}
