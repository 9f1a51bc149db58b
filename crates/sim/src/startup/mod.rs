//! Room 3: moves one deployment from request to first response.
//!
//! **Law.** Stages follow one another, each as long as the calibration's median of it on this platform. A guest that was not
//! booted here takes as long as was published, under the accelerator for which it was. **Source.** The calibration;
//! figures.csv FC-BS-07.

use catamaran_report::report::StageRow;
use catamaran_scenario::calibration::{Accel, StartupStage};
use catamaran_scenario::{Calibration, Plan, Platform};

use crate::platform::vm;

/// From QEMU's start (with qboot as firmware) to the first process of a small Linux guest under KVM (ns; FC-BS-07). The
/// figure is of the whole: how firmware, kernel and init share it was not published.
const BOOT_NS: u64 = 213_900_000;

/// The stages of a start on `platform`; none where neither the machine was measured nor anything was published.
pub(crate) fn stages(plan: &Plan, platform: Platform, calibration: &Calibration) -> Option<Vec<StageRow>> {
    let measured = calibration.startup.get(&platform).map(Vec::as_slice);
    if platform != Platform::Vm {
        return measured.map(rows);
    }
    let accel = vm::accelerator(&plan.settings(platform), calibration);
    let of_this_one = calibration.vm.as_ref().is_none_or(|costs| costs.accel == accel);
    let boot = StartupStage { name: "boot".into(), actor: "hypervisor".into(), median_ns: BOOT_NS };
    match (measured, accel) {
        (Some(stages), _) if of_this_one => Some(rows(stages)),
        (_, Accel::Kvm) => Some(rows(&[boot])),
        (_, Accel::Tcg) => None,
    }
}

fn rows(stages: &[StartupStage]) -> Vec<StageRow> {
    let mut at = 0u64;
    let row = |stage: &StartupStage| {
        let start = at;
        at += stage.median_ns;
        StageRow {
            name: stage.name.clone(),
            actor: stage.actor.clone(),
            start_s: start as f64 / 1e9,
            end_s: at as f64 / 1e9,
        }
    };
    stages.iter().map(row).collect()
}
