//! Room 3: moves one deployment from request to first response.
//!
//! **Law.** Stages follow one another, each as long as the calibration's median of it on this platform.

use catamaran_report::report::StageRow;
use catamaran_scenario::{Calibration, Platform};

/// The stages of a start on `platform`; none where the machine was not measured.
pub(crate) fn stages(platform: Platform, calibration: &Calibration) -> Option<Vec<StageRow>> {
    let measured = calibration.startup.get(&platform)?;
    let mut at = 0u64;
    let row = |stage: &catamaran_scenario::calibration::StartupStage| {
        let start = at;
        at += stage.median_ns;
        StageRow {
            name: stage.name.clone(),
            actor: stage.actor.clone(),
            start_s: start as f64 / 1e9,
            end_s: at as f64 / 1e9,
        }
    };
    Some(measured.iter().map(row).collect())
}
