//! What a guest without a kernel does not do, as the runner refuses it, too.

use catamaran_report::RunError;
use catamaran_scenario::file_work::FileWork;
use catamaran_scenario::plan::{Guest, Plan, Tenant, Workload};
use catamaran_scenario::{Calibration, Platform, bare_guest, fork_work, network_work};

use super::refusal;
use crate::experiment::density;
use crate::platform::bare;

/// Refuses guests without a kernel where there are none, and what they do not do.
pub(super) fn bare_guests(
    plan: &Plan,
    platform: Platform,
    calibration: &Calibration,
) -> Result<(), RunError> {
    let settings = plan.settings(platform);
    let field = |name: &str| format!("platform.{platform}.{name}");
    if settings.guest == Some(Guest::Bare) && platform != Platform::Microvm {
        return Err(refusal(
            field("guest"),
            "guests without a kernel on this platform",
            "use the platform microvm",
        ));
    }
    if !bare::is_bare(plan, platform) {
        return Ok(());
    }
    if calibration.bare.is_none() {
        let what = "guests without a kernel on a machine on which none was measured";
        let advice = "measure a machine that has /dev/kvm with `catamaran calibrate` (table bare of host.toml), or use guest = \"linux\"";
        return Err(refusal(field("guest"), what, advice));
    }
    let most = settings.memory.is_some_and(|memory| memory.0 > bare_guest::MEMORY_MAX);
    let asked = [
        ("accel", settings.accel.as_deref() == Some("tcg"), "an emulated microVM", "leave it out"),
        ("memory", most, "so much memory of a guest without a kernel", "give it 3 GiB at most"),
        (
            "vcpus",
            settings.vcpus.is_some(),
            "processors beside those of the workload's threads",
            "leave it out",
        ),
        (
            "scheduler",
            settings.scheduler.is_some(),
            "a scheduler in a guest without a kernel",
            "leave it out",
        ),
        ("hz", settings.hz.is_some(), "ticks in a guest without a kernel", "leave it out"),
        ("base_slice", settings.base_slice.is_some(), "slices in a guest without a kernel", "leave it out"),
    ];
    if let Some((name, _, what, advice)) = asked.into_iter().find(|(_, asked, ..)| *asked) {
        return Err(refusal(field(name), what, advice));
    }
    let room = bare_guest::memory_bytes(&settings).saturating_sub(bare_guest::PROGRAM_BYTES);
    let page_bytes = calibration.machine.page_bytes.max(1);
    plan.tenants().iter().enumerate().try_for_each(|(index, tenant)| {
        let touched = density::touched_pages(
            &tenant.workload,
            plan.duration().0.saturating_sub(tenant.start_at.0),
            page_bytes,
        );
        work(tenant, network_work::serves(plan, index), touched.saturating_mul(page_bytes) > room)
    })
}

fn work(tenant: &Tenant, serves: bool, too_much: bool) -> Result<(), RunError> {
    let workload = &tenant.workload;
    let asked = [
        (FileWork::all(workload).next().is_some(), "files in a guest that has no kernel to keep them"),
        (serves || network_work::talks(workload), "a network between guests without a kernel"),
        (fork_work::forks(workload), "forks in a guest that has no kernel to fork"),
        (locks(workload), "a lock between processors of a guest without a kernel"),
        (too_much, "more memory touched than the guest has"),
    ];
    let field = format!("tenant.{}.workload", tenant.name);
    match asked.into_iter().find(|(asked, _)| *asked) {
        Some((_, what)) => Err(refusal(field, what, "choose another platform, or guest = \"linux\"")),
        None => Ok(()),
    }
}

fn locks(workload: &Workload) -> bool {
    match workload {
        Workload::Compute { lock, .. } => lock.is_some(),
        Workload::Phases(phases) => phases.iter().any(|phase| locks(&phase.workload)),
        Workload::Command { like: Some(like), .. } => locks(like),
        _ => false,
    }
}
