//! What a request to a guest's disk costs beyond the same request on the machine, by monitor.
//!
//! **Law.** That of [`VirtioCosts`]: time of the virtual CPU, a turn at the monitor's thread, the machine's disk, and what passes
//! beside. Where these come from, by queueing laws of closed networks (Denning and Buzen, ACM Computing Surveys 10, 1978: at
//! saturation N customers complete 1/D a second, D the demand at the bottleneck, and stay N·D each):
//!
//! - One request at a time, all parts together: 1/X(guest) − 1/X(machine), of one test bed (FC-IO-2m/2f/2q). In it is the path
//!   through a kernel once more, for there are two: at most 1/301,182 s (FC-IO-1m).
//! - QEMU's thread: with 128 at a time a request stays 3,007 µs (FEL-FIO-L1), some twenty times as long as one alone, so that
//!   one station is saturated: D = 3,007/128 µs. The device is not it (it took half of that natively), eight virtual CPUs are
//!   not it (next point). In it is the machine's own path of the operation, natively the job's (1/58,729 s, FEL-FIO-6n),
//!   which the monitor's thread takes in its place.
//! - The virtual CPU: one job with 16 at a time completes 24,793 a second (FEL-FIO-6k), again saturated, and slower than the
//!   thread, so that the job's own CPU is the bottleneck: what it takes longer than natively, 1/24,793 − 1/58,729 s, is that of
//!   exits and interrupts (under VX-2 some thirty exits, or fewer with what they cost indirectly).
//! - The rest of the first point passes beside. What 128 KiB take longer than 4 (FC-IO-6m/6f/6q) is copying: by threads of a pool,
//!   or none, under QEMU (`util/thread-pool.c`, `block/linux-aio.c`), so it passes beside; by the one thread of Firecracker 0.20.
//! - Firecracker's thread waits for each operation of the machine (`block.rs` of 0.20: `read_exact`, `write_all` within the
//!   handler): its limit of about 13,000 a second (said in the source of the FC-IO rows) is that of the machine's operation
//!   and its own time. Its virtual CPU pays two exits (VX-2): to tell of the request, and to take the interrupt.
//!
//! **Source.** The rows named. **Judge.** `parts_add_up_to_the_rows`; one at a time, many at a time in the tests of laws.
//!
//! **Where the model is wrong.** The rows for QEMU are of two test beds and two versions, six years apart. The monitor's thread
//! finds a core at once and its time is nobody's. A request is one request: larger ones are not split. Rings never
//! fill. Kata's root is taken to be a block device of QEMU's; one that is shared by virtio-fs or 9p is another thing.

use catamaran_scenario::calibration::{Accel, VirtioCosts};
use catamaran_scenario::{Calibration, Platform};

use super::figures::{
    FC_IO_1M, FC_IO_2F, FC_IO_2M, FC_IO_2Q, FC_IO_6F, FC_IO_6M, FC_IO_6Q, FEL_FIO_6K, FEL_FIO_6N, FEL_FIO_L1,
    Figure,
};
use super::vm::EXIT_NS;

/// Requests in flight in FEL-FIO-L1: eight jobs of 16.
const IN_FLIGHT: f64 = 128.0;
/// The place of KVM in it.
const KVM: usize = 1;
/// What Firecracker 0.20 completed at most (a second): "about 13k IOPS cap", in the source of the FC-IO rows.
const FIRECRACKER_MOST: f64 = 13_000.0;
/// Exits of a request: one to tell the monitor, one for the interrupt.
const EXITS: u64 = 2;
/// Bytes by which the requests of FC-IO-6 are larger than those of FC-IO-2.
const MORE_BYTES: f64 = (128.0 - 4.0) * 1024.0;

/// The costs of a platform's guests: measured on this machine, else published; none where no figure fits.
pub(crate) fn costs(platform: Platform, accel: Accel, calibration: &Calibration) -> Option<VirtioCosts> {
    let measured = calibration.vm.as_ref().filter(|vm| vm.accel == accel).and_then(|vm| vm.disk);
    match (platform, accel) {
        // What was measured is QEMU's.
        (Platform::Vm, Accel::Kvm) => Some(measured.unwrap_or_else(qemu)),
        (Platform::Vm, Accel::Tcg) => measured,
        (Platform::Kata, Accel::Kvm) => Some(qemu()),
        (Platform::Microvm, Accel::Kvm) => Some(firecracker()),
        _ => None,
    }
}

/// What one request at a time takes longer than on the machine (ns), the path through one more kernel included.
fn beyond(guest: Figure) -> f64 {
    guest.per_second(0) - FC_IO_2M.per_second(0)
}

/// What of that passes beside (ns).
fn beside(guest: Figure, cpu: f64, service: f64) -> f64 {
    beyond(guest) - cpu - service - FC_IO_1M.per_second(0)
}

/// What each further byte takes longer than on the machine (ns).
fn by_the_byte(small: Figure, large: Figure) -> f64 {
    (large.per_second(0) - FC_IO_6M.per_second(0) - beyond(small)) / MORE_BYTES
}

fn qemu() -> VirtioCosts {
    let cpu = FEL_FIO_6K.per_second(0) - FEL_FIO_6N.per_second(0);
    let service = FEL_FIO_L1.us(KVM) / IN_FLIGHT - FEL_FIO_6N.per_second(0);
    VirtioCosts {
        cpu_ns: whole(cpu),
        service_ns: whole(service),
        service_ns_per_byte: 0.0,
        latency_ns: whole(beside(FC_IO_2Q, cpu, service)),
        latency_ns_per_byte: by_the_byte(FC_IO_2Q, FC_IO_6Q),
        waits: false,
    }
}

fn firecracker() -> VirtioCosts {
    let cpu_ns = EXITS * EXIT_NS;
    let service = 1e9 / FIRECRACKER_MOST - FC_IO_2M.per_second(0);
    VirtioCosts {
        cpu_ns,
        service_ns: whole(service),
        service_ns_per_byte: by_the_byte(FC_IO_2F, FC_IO_6F),
        latency_ns: whole(beside(FC_IO_2F, cpu_ns as f64, service)),
        latency_ns_per_byte: 0.0,
        waits: true,
    }
}

fn whole(ns: f64) -> u64 {
    (ns + 0.5) as u64
}

#[cfg(test)]
mod tests {
    use catamaran_scenario::calibration::VmCosts;

    use super::*;

    #[test]
    fn parts_add_up_to_the_rows() {
        // (costs, what one of 4 KiB and one of 128 KiB take longer, in µs): QEMU's and Firecracker's rows less the machine's.
        let table = [(qemu(), 72.4, 201.0), (firecracker(), 57.7, 346.1)];
        for (costs, small_us, large_us) in table {
            let own = (costs.cpu_ns + costs.service_ns + costs.latency_ns) as f64;
            let small = own + FC_IO_1M.per_second(0);
            let each = costs.service_ns_per_byte + costs.latency_ns_per_byte;
            let large = small + each * MORE_BYTES;
            assert!(
                (small / 1e3 - small_us).abs() < 0.1 && (large / 1e3 - large_us).abs() < 0.1,
                "{costs:?}"
            );
        }
        assert_eq!((qemu().cpu_ns, qemu().service_ns, qemu().latency_ns), (23_307, 6462, 39_308));
        assert_eq!((firecracker().cpu_ns, firecracker().service_ns), (1366, 16_218));
    }

    #[test]
    fn a_figure_of_one_accelerator_is_no_figure_of_another() {
        let reference = Calibration::reference();
        let mut measured = Calibration::reference();
        measured.vm = Some(VmCosts { disk: Some(firecracker()), ..VmCosts::of_speed(Accel::Tcg, 0.2) });
        let table = [
            (Platform::Vm, Accel::Kvm, &measured, Some(qemu())),
            (Platform::Vm, Accel::Tcg, &measured, Some(firecracker())),
            (Platform::Vm, Accel::Tcg, &reference, None),
            (Platform::VmHosted, Accel::Kvm, &measured, None),
            (Platform::Microvm, Accel::Kvm, &measured, Some(firecracker())),
            (Platform::Kata, Accel::Kvm, &reference, Some(qemu())),
            (Platform::Container, Accel::Kvm, &reference, None),
        ];
        for (platform, accel, calibration, expected) in table {
            assert_eq!(costs(platform, accel, calibration), expected, "{platform}");
        }
    }
}
