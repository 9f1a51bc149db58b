//! Room 3: moves one deployment from request to first response.
//!
//! **Law.** Stages follow one another, each as long as the calibration's median of it on this platform. A guest that was not
//! booted here takes as long as was published, under the accelerator for which it was. What a guest's threads do (its monitor
//! from the moment on that it is in its group, firmware, kernel, init) is work: under a limit of less than a core it takes as
//! much longer, but for a period or so. The speed of a trial is left out: what a guest makes of its CPU time tells of its
//! timers as much as of the machine.
//! **Source.** The calibration; figures.csv FC-BS-07; for the limit `kernel/sched/fair.c` (`__refill_cfs_bandwidth_runtime`).
//! **Judge.** The stages of native boots, which `catamaran compare` shows beside these.

use catamaran_report::report::StageRow;
use catamaran_scenario::calibration::{Accel, StartupStage};
use catamaran_scenario::plan::Tenant;
use catamaran_scenario::{Calibration, Plan, Platform};

use crate::platform::vm;

/// From QEMU's start (with qboot as firmware) to the first process of a small Linux guest under KVM (ns; FC-BS-07). The
/// figure is of the whole: how firmware, kernel and init share it was not published.
const BOOT_NS: u64 = 213_900_000;

/// Stages that a guest's threads work through.
const WORK: [&str; 6] = ["vmm", "firmware", "kernel", "init", "exec", "boot"];

/// The stages of a start on `platform`; none where neither the machine was measured nor anything was published.
pub(crate) fn stages(
    plan: &Plan,
    platform: Platform,
    calibration: &Calibration,
) -> Option<Vec<StartupStage>> {
    let measured = calibration.startup.get(&platform).map(Vec::as_slice);
    if platform != Platform::Vm {
        return measured.map(<[_]>::to_vec);
    }
    let accel = vm::accelerator(&plan.settings(platform), calibration);
    let of_this_one = calibration.vm.as_ref().is_none_or(|costs| costs.accel == accel);
    let boot = StartupStage { name: "boot".into(), actor: "hypervisor".into(), median_ns: BOOT_NS };
    match (measured, accel) {
        (Some(stages), _) if of_this_one => Some(stages.to_vec()),
        (_, Accel::Kvm) => Some(vec![boot]),
        (_, Accel::Tcg) => None,
    }
}

/// How fast a tenant starts, relative to one with a whole core; 1 for whoever is in no guest.
pub(crate) fn pace(tenant: &Tenant, platform: Platform) -> f64 {
    let cores = tenant.cpu.limit.map_or(1.0, |limit| limit.0 as f64 / 1000.0).min(1.0);
    if platform == Platform::Vm { cores } else { 1.0 }
}

/// The stages, one after the other, where a guest's work goes on at this pace.
pub(crate) fn rows(stages: &[StartupStage], pace: f64) -> Vec<StageRow> {
    let mut at = 0u64;
    let row = |stage: &StartupStage| {
        let start = at;
        at += match WORK.contains(&stage.name.as_str()) {
            true if pace > 0.0 => (stage.median_ns as f64 / pace) as u64,
            _ => stage.median_ns,
        };
        StageRow {
            name: stage.name.clone(),
            actor: stage.actor.clone(),
            start_s: start as f64 / 1e9,
            end_s: at as f64 / 1e9,
        }
    };
    stages.iter().map(row).collect()
}
