//! How many copies of one tenant fit into the machine's memory.
//!
//! **Law.** Copies are alike: as many fit as what one is charged goes, in whole pages, into `host.memory`. One is charged for
//! being there (`platform::footprint`), and for the pages that its workload touches by the end of the run, with a page
//! table for each 512th; in a guest the pages have tables on both sides, and the first of them lie in memory that the guest
//! has been given before: QEMU asks for huge pages, of which an idle guest uses some small ones (`madvise`, MADV_HUGEPAGE; the
//! guest's kernel takes from the smallest blocks that fit, `__rmqueue_smallest`). Without swap nothing of it can be reclaimed, so
//! that one more brings the out-of-memory killer, whoever its victim is. Where equal pages are merged (`platform::sharing`) that is so
//! when they come one by one, each after the scanner has been round: then one of them alone holds what all have alike. CPU time bounds no number: it only gets scarce.
//! **Source.** As for the footprint and for `resources::memory`.
//! **Judge.** The simulation itself, in which so many all live and one more does not (`tests/laws/density.rs`); the machine
//! at hand (`tests/tests/density.rs`).

use catamaran_report::RunError;
use catamaran_scenario::leak::Leak;
use catamaran_scenario::plan::Workload;
use catamaran_scenario::{Calibration, Plan, Platform, fork_work};

use super::disk;
use super::refuse::{self, refusal};
use crate::Density;
use crate::platform::footprint::Footprint;
use crate::platform::{bare, sharing, vm};
use crate::workload::Program;

/// Pages whose entries a page table holds.
const ENTRIES_PER_TABLE: u64 = 512;

pub(crate) fn density(
    plan: &Plan,
    platform: Platform,
    calibration: &Calibration,
) -> Result<Density, RunError> {
    refuse::what_is_not_carried_out(plan, platform, calibration)?;
    let calibration = &*bare::machine(plan, platform, calibration);
    if !plan.events().is_empty() {
        return Err(refusal("event".into(), "a density with events", "leave them out"));
    }
    let (Some(tenant), None) = (plan.tenants().first(), plan.tenants().get(1)) else {
        let advice = "leave the other tenants out";
        return Err(refusal("tenant".into(), "a density of more than one kind of tenant", advice));
    };
    if plan.host().swap.0 > 0 {
        return Err(refusal("host.swap".into(), "a density with swap", "leave it out"));
    }
    if disk::operates(&tenant.workload) {
        let what = "a density of tenants with files";
        return Err(refusal("tenant.workload".into(), what, "take another workload"));
    }
    if fork_work::forks(&tenant.workload) {
        let what = "a density of tenants that fork";
        return Err(refusal("tenant.workload".into(), what, "take another workload"));
    }
    if platform == Platform::Gvisor {
        let what = "a density under gVisor, whose own memory was not measured";
        return Err(refusal("platforms".into(), what, "choose another platform"));
    }
    let Some(costs) = &calibration.memory else {
        let what = "a density on a machine that was calibrated without memory";
        return Err(refusal("host.memory".into(), what, "calibrate anew with `catamaran calibrate`"));
    };
    let page_bytes = calibration.machine.page_bytes.max(1);
    let guest = vm::guest(plan, platform, calibration);
    let end = plan.duration().0;
    let threads = Program::new(plan, 0, 0, (tenant.start_at.0, end), page_bytes)
        .map_or(1, |program| program.threads() as u64);
    let touched = touched_pages(&tenant.workload, end.saturating_sub(tenant.start_at.0), page_bytes);
    refuse::too_much_for_guests(plan, platform, calibration)?;
    // A guest's own kernel has tables as well.
    let (sides, reserve_bytes) = guest.as_ref().map_or((1, 0), |guest| (2, guest.reserve_bytes));
    let idle_bytes = Footprint::of(platform, calibration, costs, guest.as_ref()).bytes(threads);
    let tables = sides * touched.div_ceil(ENTRIES_PER_TABLE);
    let settings = plan.settings(platform);
    let (used, reserve) = (touched.saturating_add(tables), reserve_bytes / page_bytes);
    // What is not used holds zeros, which are merged, or is given back.
    let gives_back = settings.page_sharing == Some(true) || settings.balloon == Some(true);
    let given_back = if gives_back { reserve.saturating_sub(used) } else { 0 };
    let alike = guest.as_ref().map_or(0, |guest| guest.alike_bytes / page_bytes);
    let pages = idle_bytes.div_ceil(page_bytes).saturating_add(used.saturating_sub(reserve));
    let pages = pages.saturating_sub(given_back + alike).max(1);
    let host_bytes = plan.host().memory.0;
    let frames = host_bytes / page_bytes;
    let records = sharing::records_bytes(&settings, frames).div_ceil(page_bytes);
    Ok(Density {
        platform,
        host_bytes,
        idle_bytes,
        tenant_bytes: pages.saturating_mul(page_bytes),
        // One of them holds what all have alike.
        tenants: frames.saturating_sub(records + alike) / pages,
    })
}

/// Pages that a workload has touched after so long (ns): what one phase has touched, the next ones keep.
pub(super) fn touched_pages(workload: &Workload, lasts: u64, page_bytes: u64) -> u64 {
    match workload {
        Workload::Phases(phases) => {
            let pages = phases.iter().map(|phase| {
                let lasts = phase.lasts.map_or(lasts, |own| own.0.min(lasts));
                touched_pages(&phase.workload, lasts, page_bytes)
            });
            pages.fold(0, u64::saturating_add)
        }
        Workload::Command { like: Some(like), .. } => touched_pages(like, lasts, page_bytes),
        other => Leak::of(other).map_or(0, |leak| leak.pages_due(lasts, page_bytes)),
    }
}
