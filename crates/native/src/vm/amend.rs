//! What only guests can say in a report: time that was stolen from them, what the monitors took, under which accelerator.

use catamaran_report::Report;
use catamaran_scenario::calibration::Accel;

use super::Hypervisor;
use super::guest::Guest;
use super::host_side::Counts;
use crate::run::Tenant;

/// A guest's cost at the common start and at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cost {
    counts: Counts,
    resident_bytes: Option<u64>,
}

impl Guest {
    /// What it has cost on this side so far.
    pub(crate) fn cost(&self) -> Cost {
        Cost { counts: self.threads.counts(), resident_bytes: self.threads.resident_bytes() }
    }
}

/// Completes the report of a run in guests.
pub(crate) fn amend(report: &mut Report, hypervisor: &Hypervisor, tenants: &[Tenant]) {
    for (row, tenant) in report.tenants.iter_mut().zip(tenants) {
        let stolen_ns = tenant.sum(|life| since(life.costs, |cost| cost.counts.stolen_ns));
        row.stolen_s = Some(stolen_ns as f64 / 1e9);
        row.absent.remove("stolen_s");
        row.explain_absence(
            "stolen_s.steal-clock",
            "not the guest's steal clock: the run-queue wait of the threads that execute its processors, on this side; \
             time that they are throttled counts where the kernel counts it as such a wait",
        );
        row.explain_absence(
            "memory_peak_bytes.guest",
            "that of its whole guest, whose kernel is in it, and of its monitor; what the tenant alone holds the guest knows",
        );
        row.explain_absence(
            "waited_s.host",
            "waited_s is what the guest's kernel counts; time taken from its processors is stolen_s",
        );
    }
    let host = &mut report.host;
    let lives = || tenants.iter().flat_map(|tenant| &tenant.lives);
    let idle: Option<u64> = lives().map(|life| life.costs.0.resident_bytes).sum();
    host.overhead_memory_bytes = idle;
    match idle {
        // Before the common start a guest's worker only waits: what is resident then is the price of being a guest.
        Some(_) => host.absent.remove("overhead_memory_bytes"),
        None => host
            .absent
            .insert("overhead_memory_bytes".to_owned(), "a QEMU ended before it was looked at".to_owned()),
    };
    let overhead_ns: u64 = lives().map(|life| since(life.costs, |cost| cost.counts.overhead_ns)).sum();
    host.overhead_cpu_s = Some(overhead_ns as f64 / 1e9);
    host.absent.remove("overhead_cpu_s");
    let guests: Vec<&Guest> = lives().filter_map(|life| life.guest.as_ref()).collect();
    identify(report, hypervisor, &guests);
}

/// What was added to a figure since a life's beginning.
fn since((first, last): (Cost, Cost), figure: fn(Cost) -> u64) -> u64 {
    figure(last).saturating_sub(figure(first))
}

/// Names hypervisor, guest kernel and accelerator; emulation is called emulation.
fn identify(report: &mut Report, hypervisor: &Hypervisor, guests: &[&Guest]) {
    let machine = &hypervisor.machine;
    let accelerator = match machine.accelerator {
        Accel::Kvm => "kvm".to_owned(),
        Accel::Tcg => {
            let why = hypervisor.not_kvm.as_deref().unwrap_or("no KVM");
            format!("tcg: emulation, not a hypervisor's speed ({why})")
        }
    };
    let guest_scheduler =
        if crate::machine::kernel_version(&machine.kernel.release) >= (6, 6) { "eevdf" } else { "cfs" };
    let start_error_ns = guests.iter().map(|guest| guest.offset.error_ns).max().unwrap_or(0);
    let facts = [
        ("runtime", machine.qemu.version.clone()),
        ("accelerator", accelerator),
        ("guest_kernel", machine.kernel.release.clone()),
        ("guest_scheduler", guest_scheduler.to_owned()),
        ("guest_vcpus", machine.vcpus.to_string()),
        ("guest_memory_bytes", machine.memory_bytes.to_string()),
        // Guests start at one instant of our clock by their own clocks, which are known to this.
        ("common_start_error_us", format!("{:.0}", start_error_ns as f64 / 1e3)),
    ];
    let known = report.identity.machine.get_or_insert_default();
    known.extend(facts.into_iter().map(|(key, value)| (key.to_owned(), value)));
}
