//! `microvm` with `guest = "bare"`: each tenant's work is done in a guest without a kernel.
//!
//! **Law.** A processor of a bare guest is a thread of its monitor, and the monitor is the tenant's process: nobody divides its time
//! but the machine's scheduler, and the tenant's groups hold it. So this is the model of a process in control groups on a machine
//! on which the same things cost something else: each request's work is handed in by a doorbell (one exit, one entry), turns are made
//! at the guest's speed, first touches go through two levels of page tables, and what is there before any work is a monitor with
//! its machine.
//!
//! **Source.** The calibration (`bare`), measured by the runner's own scenarios; decision 1350.
//! **Judge.** `crates/sim/tests/laws/bare.rs`; `catamaran compare` on the machine at hand.
//!
//! **Where the model is wrong.** Memory is charged page by page, where the machine gives 2 MiB at once: what a tenant is charged is up to
//! 2 MiB more than this says. Interrupts of the machine that take a processor out of its guest are in its speed only.

use std::borrow::Cow;
use std::collections::BTreeMap;

use catamaran_report::Report;
use catamaran_scenario::calibration::BareGuestCosts;
use catamaran_scenario::plan::Guest;
use catamaran_scenario::{Calibration, Plan, Platform, bare_guest};

/// Whether tenants are in guests without a kernel.
pub(crate) fn is_bare(plan: &Plan, platform: Platform) -> bool {
    platform == Platform::Microvm && plan.settings(platform).guest == Some(Guest::Bare)
}

/// The machine as tenants of a platform find it: as it was measured, but for those in guests without a kernel.
pub(crate) fn machine<'a>(
    plan: &Plan,
    platform: Platform,
    calibration: &'a Calibration,
) -> Cow<'a, Calibration> {
    match &calibration.bare {
        Some(costs) if is_bare(plan, platform) => Cow::Owned(inside(calibration, costs)),
        _ => Cow::Borrowed(calibration),
    }
}

fn inside(calibration: &Calibration, costs: &BareGuestCosts) -> Calibration {
    let mut machine = calibration.clone();
    machine.cpu.request_overhead_ns = costs.request_overhead_ns;
    machine.cpu.sleep_overhead_ns = costs.sleep_overhead_ns;
    if let Some(memory) = &mut machine.memory {
        (memory.touch_ns, memory.retouch_ns, memory.release_ns) =
            (costs.touch_ns, costs.retouch_ns, costs.release_ns);
        (memory.thread_bytes, memory.worker_rss_bytes) = (costs.thread_bytes, costs.rss_bytes);
        memory.tenant_bytes.insert(Platform::Microvm, costs.tenant_bytes);
    }
    machine.startup.insert(Platform::Microvm, costs.startup.clone());
    machine
}

/// Speed of turns, relative to those of a process.
pub(crate) fn speed(plan: &Plan, platform: Platform, calibration: &Calibration) -> f64 {
    calibration.bare.as_ref().filter(|_| is_bare(plan, platform)).map_or(1.0, |costs| costs.speed_factor)
}

/// What a report cannot tell of them, in the words of a native run.
pub(crate) fn amend(report: &mut Report) {
    for row in &mut report.tenants {
        row.explain_absence(
            "stolen_s",
            "a bare guest has no clock that runs on without it: time that its processors waited for a core is waited_s",
        );
    }
    for field in ["overhead_memory_bytes", "overhead_cpu_s"] {
        let why = "the monitor is the tenant's own process: what it takes is the tenant's";
        report.host.explain_absence(field, why);
    }
    report.host.explain_absence("isolation", "a bare guest has no kernel that could be asked what it sees");
}

/// What a report says of the guests, under the keys of a native run.
pub(crate) fn facts(plan: &Plan) -> BTreeMap<String, String> {
    let facts = [
        ("accelerator", "kvm".to_owned()),
        ("guest", "bare: a program without a kernel".to_owned()),
        ("guest_memory_bytes", bare_guest::memory_bytes(&plan.settings(Platform::Microvm)).to_string()),
    ];
    facts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
