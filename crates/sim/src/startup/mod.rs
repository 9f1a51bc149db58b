//! Room 3: moves one deployment from request to first response.
//!
//! **Law.** Stages follow one another, each as long as the calibration's median of it on this platform. A guest that was not
//! booted here takes as long as was published, under the accelerator for which it was. What a guest's threads do (its monitor
//! from the moment on that it is in its group, firmware, kernel, init) is work of one core: with a quota q in each period P
//! of less than a core it stands still for P − q once in each q of work. The first stage begins with a fresh quota; a
//! later one begins anywhere in it, and in the median stands still the nearest whole number of times. The speed of a trial is
//! left out: what a guest makes of its CPU time tells of its timers as much as of the machine.
//! **Source.** The calibration; figures.csv FC-BS-07; for the limit `kernel/sched/fair.c` (`__refill_cfs_bandwidth_runtime`).
//! **Judge.** The stages of native boots, which `catamaran compare` shows beside these.

use catamaran_report::report::StageRow;
use catamaran_scenario::calibration::{Accel, StartupStage};
use catamaran_scenario::plan::Tenant;
use catamaran_scenario::{Calibration, Plan, Platform, weight};

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

/// The quota of a tenant in a guest, where it is less than a core: (quota, period) in ns.
pub(crate) fn quota(tenant: &Tenant, platform: Platform) -> Option<(u64, u64)> {
    let period = tenant.cpu.period;
    let quota = weight::quota_us(tenant.cpu.limit?, period) * 1000;
    (platform == Platform::Vm && (1..period.0).contains(&quota)).then_some((quota, period.0))
}

/// The stages, one after the other, where a guest has this quota in each period.
pub(crate) fn rows(stages: &[StartupStage], quota: Option<(u64, u64)>) -> Vec<StageRow> {
    let mut at = 0u64;
    let mut is_fresh = true;
    let row = |stage: &StartupStage| {
        let start = at;
        at += stage.median_ns;
        if let Some((quota, period)) = quota.filter(|_| WORK.contains(&stage.name.as_str())) {
            let begun = if std::mem::take(&mut is_fresh) { 0 } else { quota / 2 };
            at += (stage.median_ns + begun) / quota * (period - quota);
        }
        StageRow {
            name: stage.name.clone(),
            actor: stage.actor.clone(),
            start_s: start as f64 / 1e9,
            end_s: at as f64 / 1e9,
        }
    };
    stages.iter().map(row).collect()
}
