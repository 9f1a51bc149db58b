//! The platform `microvm`: the worker of each tenant is itself the monitor of a guest of its own (decision 1350). The guest is
//! *bare*: a program without a kernel, which does the work; `guest = "bare"` is asked for, as most people mean another by the word.
//!
//! **Law.** Turns and touches are the guest's; time between them is the monitor's, which is the tenant's process: whatever bounds
//! that process bounds the guest. Each thread of a workload is a processor of the guest.

use catamaran_report::{Report, RunError};
use catamaran_scenario::file_work::FileWork;
use catamaran_scenario::leak::Leak;
use catamaran_scenario::plan::{Guest, Plan, PlatformSettings, Tenant, Workload};
use catamaran_scenario::{Platform, bare_guest, fork_work, network_work};
use catamaran_worker::bare::{MEMORY_END, PAGE_BYTES, PROCESSORS_MAX};

use crate::accept::{refuse, threads};

// The monitor lays a guest out so that it has what a scenario may ask for.
const _: () = assert!(bare_guest::MEMORY_MAX <= MEMORY_END && bare_guest::PROGRAM_BYTES == PAGE_BYTES);
/// Where the kernel makes guests.
const DEVICE: &str = "/dev/kvm";

/// Memory of the guest in which a tenant's work is done (bytes); none where it is done by a process.
pub(crate) fn guest_bytes(platform: Platform, settings: &PlatformSettings) -> Option<u64> {
    (platform == Platform::Microvm).then(|| bare_guest::memory_bytes(settings))
}

/// Whether this user may make guests.
pub(crate) fn check_device() -> Result<(), RunError> {
    std::fs::OpenOptions::new().read(true).write(true).open(DEVICE).map(drop).map_err(|error| {
        RunError::Unavailable {
            platform: Platform::Microvm,
            why: format!("{DEVICE}: {error}"),
            remedy:
                "enable virtualisation (in a virtual machine: nested virtualisation) and join the group kvm, \
                     or run as root; emulation is on the platform vm"
                    .to_owned(),
        }
    })
}

/// Refuses what a bare guest does not do.
pub(crate) fn check(plan: &Plan) -> Result<(), RunError> {
    let settings = plan.settings(Platform::Microvm);
    let field = |name: &str| format!("platform.microvm.{name}");
    let table = [
        (
            "guest",
            settings.guest != Some(Guest::Bare),
            "a guest with a kernel in a microVM",
            "set it to \"bare\": a guest without a kernel",
        ),
        (
            "accel",
            settings.accel.as_deref().is_some_and(|accel| accel != "kvm"),
            "an emulated microVM",
            "leave it out, or take the platform vm",
        ),
        (
            "memory",
            settings.memory.is_some_and(|memory| memory.0 > bare_guest::MEMORY_MAX),
            "so much memory of a microVM",
            "give it 3 GiB at most",
        ),
    ];
    table
        .into_iter()
        .try_for_each(|(name, wrong, what, advice)| refuse(wrong, &field(name), what, advice))?;
    let bytes = guest_bytes(Platform::Microvm, &settings).unwrap_or_default();
    plan.tenants().iter().enumerate().try_for_each(|(index, tenant)| {
        let serves = network_work::serves(plan, index);
        check_tenant(tenant, serves, bytes)
    })
}

fn check_tenant(tenant: &Tenant, serves: bool, guest_bytes: u64) -> Result<(), RunError> {
    let field = format!("tenant.{}.workload", tenant.name);
    let workload = &tenant.workload;
    let advice = "choose another platform, or simulate";
    let table = [
        (FileWork::all(workload).next().is_some(), "files in a bare guest, which has no kernel to keep them"),
        (serves || network_work::talks(workload), "a network between bare guests"),
        (fork_work::forks(workload), "forks in a bare guest, which has no kernel to fork"),
        (spins(workload), "a lock between the processors of a bare guest"),
        (threads(workload) as usize > PROCESSORS_MAX, "so many processors of one guest"),
    ];
    table.into_iter().try_for_each(|(wrong, what)| refuse(wrong, &field, what, advice))?;
    // What it touches lies behind the first page, which has its program and its page tables.
    let room = guest_bytes.saturating_sub(bare_guest::PROGRAM_BYTES);
    let advice = format!("raise `platform.microvm.memory`, now {} MiB", guest_bytes >> 20);
    refuse(most_touched(workload) > room, &field, "more memory touched than the guest has", &advice)
}

fn spins(workload: &Workload) -> bool {
    match workload {
        Workload::Compute { lock, .. } => lock.is_some(),
        Workload::Phases(phases) => phases.iter().any(|phase| spins(&phase.workload)),
        _ => false,
    }
}

/// Most that any phase touches (bytes). Each begins anew with the guest's first memory.
fn most_touched(workload: &Workload) -> u64 {
    match workload {
        Workload::Phases(phases) => {
            phases.iter().map(|phase| most_touched(&phase.workload)).max().unwrap_or_default()
        }
        workload => Leak::of(workload).map_or(0, |leak| leak.most.0),
    }
}

/// Says in a report whose work it was.
pub(crate) fn amend(report: &mut Report, plan: &Plan) {
    let settings = plan.settings(Platform::Microvm);
    for row in &mut report.tenants {
        row.explain_absence(
            "stolen_s",
            "a bare guest has no clock that runs on without it: time that its processors waited for a core is waited_s",
        );
    }
    let host = &mut report.host;
    for field in ["overhead_memory_bytes", "overhead_cpu_s"] {
        host.explain_absence(field, "the monitor is the tenant's own process: what it takes is the tenant's");
    }
    host.explain_absence("isolation", "a bare guest has no kernel that could be asked what it sees");
    let facts = [
        ("runtime", concat!("catamaran ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("accelerator", "kvm".to_owned()),
        ("guest", "bare: a program without a kernel".to_owned()),
        ("guest_memory_bytes", guest_bytes(Platform::Microvm, &settings).unwrap_or_default().to_string()),
    ];
    let known = report.identity.machine.get_or_insert_default();
    known.extend(facts.into_iter().map(|(key, value)| (key.to_owned(), value)));
}
