//! What files of layers take.

use catamaran_scenario::file_work::layers_of;

use super::{Calibration, Plan, Platform, RunError, Tenant, density, platform, refusal};

/// A platform of which it is known how a layer comes to a tenant, memory that is counted, and guests that have room for a cache.
pub(super) fn layers(plan: &Plan, on: Platform, calibration: &Calibration) -> Result<(), RunError> {
    let uses = |tenant: &&Tenant| !layers_of(&tenant.workload).is_empty();
    let Some(user) = plan.tenants().iter().find(uses) else { return Ok(()) };
    let field = |tenant: &Tenant| format!("tenant.{}.workload.layer", tenant.name);
    if let Err(what) = platform::layers::tree(on) {
        return Err(refusal(field(user), what, "choose another platform"));
    }
    if calibration.memory.is_none() {
        let what = "a page cache on a machine that was calibrated without memory";
        return Err(refusal(field(user), what, "calibrate anew with `catamaran calibrate`"));
    }
    if platform::has_guests(on) && plan.host().swap.0 > 0 {
        let what = "a page cache in guests that are swapped out yet";
        return Err(refusal(field(user), what, "leave out host.swap"));
    }
    let Some(guest) = platform::vm::guest(plan, on, calibration) else { return Ok(()) };
    let page_bytes = calibration.machine.page_bytes.max(1);
    for tenant in plan.tenants().iter().filter(uses) {
        let mut files = layers_of(&tenant.workload);
        files.sort_unstable_by_key(|layer| (&layer.id, layer.size));
        files.dedup();
        let read: u64 = files.iter().map(|layer| layer.size.0).sum();
        let lasts = plan.duration().0.saturating_sub(tenant.start_at.0);
        let pages = density::touched_pages(&tenant.workload, lasts, page_bytes);
        let needed = pages.saturating_mul(page_bytes).saturating_add(read);
        if needed > guest.memory_bytes / 2 {
            let (needed, has) = (needed >> 20, guest.memory_bytes >> 20);
            let what = format!("{needed} MiB touched and read in a guest of {has} MiB");
            let advice = "give each guest twice as much as its tenant touches, with the layers that it reads";
            return Err(refusal(format!("platform.{on}.memory"), what, advice));
        }
    }
    Ok(())
}
