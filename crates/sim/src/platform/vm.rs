//! `vm`, `vm-hosted`, `microvm`, `kata`: each tenant in a guest of its own: under QEMU with KVM (or emulated), under a monitor of
//! type 2, under Firecracker, in a pod of Kata's. To the host a guest is a process with a thread
//! for each virtual CPU, in a control group with the tenant's weight, quota and cores; inside, the guest's own kernel divides
//! what these threads get among the tenant's.
//!
//! **Law.** A timer that comes due in the guest costs two exits on top of what it costs on the machine itself: arming it is one,
//! the other is its expiry, or, where the virtual CPU had nothing else to do, the halt that it is woken from; a loop that
//! stays in registers costs nothing more (no exit, no walk of nested page tables). A guest's memory is what its monitor needs,
//! and what its kernel keeps; of that, a structure of 64 bytes for each page that it has. Under type 2 an exit that the host has to
//! answer goes on to the monitor's own process and back: two switches more (Sugerman et al., USENIX ATC 2001, "world
//! switch"; each as long as the calibration's, which is the least that it can be). A pod of Kata's takes what upstream books
//! for it: monitor, guest kernel, agent and shim.
//!
//! **Source.** Linux `arch/x86/kvm/lapic.c` (`kvm_set_lapic_tscdeadline_msr`: arming the timer exits;
//! `kvm_lapic_expired_hv_timer`: so does its expiry), `arch/x86/kvm/x86.c` (`kvm_emulate_halt`); figures.csv VX-2, FC-MEM-1, FC-MEM-3, FC-MEM-4, KATA-1, CFS-2,
//! CFS-9, CFS-10, CFS-11; the
//! calibration (`vm`, `memory.tenant_bytes`) where the machine was measured, with guests of 256 MiB; `struct page` in
//! Linux `include/linux/mm_types.h`.
//!
//! **Where the model is wrong.** Polling before a halt (`halt_poll_ns`) and the CPU time of the monitor's own threads are not
//! modelled. A holder of a lock that has lost its virtual CPU's core is (`workload/lock.rs`), but for the locks of the guest's own
//! kernel. Nested page walks are not: VX-4 counts their references at worst, and no row says how long one takes.

use std::collections::BTreeMap;

use catamaran_scenario::calibration::{Accel, VirtioCosts};
use catamaran_scenario::plan::{PlatformSettings, Scheduler};
use catamaran_scenario::{Calibration, Plan, Platform};

use super::sharing::KERNEL_IMAGE;
use super::{bare, figures, has_guests, virtio};
use crate::resources::cpu::{Costs, Knobs, Pick};

/// Exits of a timer: one to arm it, one when it expires.
pub(crate) const EXITS_PER_TIMER: u32 = 2;
/// GHz of the core on which the cycles of an exit were counted (VX-2).
const EXIT_GHZ: f64 = 2.93;
/// Direct cost of an exit, to the nearest nanosecond.
pub(super) const EXIT_NS: u64 = (figures::VX_2.value(0) / EXIT_GHZ + 0.5) as u64;
/// Switches to a monitor that is a process of the host, and back.
const SWITCHES_PER_WORLD_SWITCH: u64 = 2;
/// Memory of a guest where the scenario does not say: that of the guests of FC-MEM-4 and FC-BS-07.
const MEMORY_BYTES: u64 = 256 << 20;
/// Bytes of memory for each byte that the kernel keeps of it: pages of 4096 bytes, structures of 64.
const BYTES_PER_KEPT: u64 = 4096 / 64;
/// Memory of a guest and what of it its kernel shows (MiB); the rest it keeps.
const SHOWN_MIB: [(f64, f64); 4] = [
    (128.0, figures::FC_MEM_4.value(0)),
    (256.0, figures::FC_MEM_4.value(1)),
    (1024.0, figures::FC_MEM_4.value(2)),
    (8192.0, figures::FC_MEM_4.value(3)),
];
/// CONFIG_HZ of the guest's kernel (Debian's).
const HZ: u32 = 250;
/// `sched_latency`, `sched_min_granularity`, `sched_wakeup_granularity` before scaling.
const CFS_NS: (u64, u64, u64) = (figures::CFS_9.ms(0), figures::CFS_9.ms(1), figures::CFS_9.ms(2));
/// `base_slice` before scaling where the scenario wants EEVDF (Linux 6.6 to 6.12, of which the last is taken: Debian
/// 13's, which delays dequeues and has no buddies).
const BASE_SLICE_NS: u64 = figures::CFS_10.ms(0);
/// `sched_migration_cost`.
const MIGRATION_COST_NS: u64 = figures::CFS_11.ms(0);
/// `sched_cfs_bandwidth_slice`.
const BANDWIDTH_SLICE_NS: u64 = figures::CFS_2.ms(0);
/// CPUs beyond which the kernel scales its settings no further (`get_update_sysctl_factor`).
const SCALED_CPUS_MOST: u64 = 8;

/// Least memory of a guest that the figures say anything of.
pub(crate) const MEMORY_LEAST: u64 = 128 << 20;

/// A guest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Guest {
    pub(crate) vcpus: usize,
    /// Its kernel's scheduler.
    pub(crate) knobs: Knobs,
    /// Speed of work in it, relative to the same outside.
    pub(crate) speed: f64,
    /// CPU time that a timer costs it beyond what it costs on the machine itself (ns).
    pub(crate) timer_ns: u64,
    /// Under which it can tell, or not, how long its virtual CPUs waited for a core.
    pub(crate) accel: Accel,
    /// Memory that it takes while it is idle, its monitor included (bytes): its resident pages, and what its group is
    /// charged for (which may be less: not for the files that the monitor is made of).
    pub(crate) idle_bytes: u64,
    pub(crate) charged_bytes: u64,
    /// What of that it does not use: what is touched in it for the first time lies there first.
    pub(crate) reserve_bytes: u64,
    /// What of that is the same in each guest, where equal pages are looked for (bytes).
    pub(crate) alike_bytes: u64,
    /// What of that its kernel keeps, where a published figure tells the two apart (bytes).
    pub(crate) kernel_bytes: Option<u64>,
    /// Memory that its kernel has (bytes).
    pub(crate) memory_bytes: u64,
    /// What its disk costs beyond the machine's, where a figure says so.
    pub(crate) disk: Option<VirtioCosts>,
}

impl Guest {
    /// Whether it has a steal clock. It is there to be read: Debian's kernel charges its threads for stolen time all the same.
    pub(crate) fn has_steal_clock(&self) -> bool {
        self.accel == Accel::Kvm
    }

    /// What a report says of it, under the keys of a native run.
    pub(crate) fn facts(&self) -> BTreeMap<String, String> {
        let accelerator = match self.accel {
            Accel::Kvm => "kvm",
            Accel::Tcg => "tcg: emulation, not a hypervisor's speed",
        };
        let scheduler = match self.knobs.pick {
            Pick::Cfs { .. } => "cfs",
            Pick::Eevdf { .. } => "eevdf",
        };
        let facts = [
            ("accelerator", accelerator.to_owned()),
            ("guest_scheduler", scheduler.to_owned()),
            ("guest_vcpus", self.vcpus.to_string()),
            ("guest_memory_bytes", self.memory_bytes.to_string()),
            ("guest_idle_bytes", self.idle_bytes.to_string()),
        ];
        let kernel = self.kernel_bytes.map(|bytes| ("guest_kernel_bytes", bytes.to_string()));
        facts.into_iter().chain(kernel).map(|(name, fact)| (name.to_owned(), fact)).collect()
    }
}

/// The accelerator: the scenario's, else that under which a guest boots on this machine, else KVM.
pub(crate) fn accelerator(settings: &PlatformSettings, calibration: &Calibration) -> Accel {
    match settings.accel.as_deref() {
        Some("tcg") => Accel::Tcg,
        Some(_) => Accel::Kvm,
        None => calibration.vm.as_ref().map_or(Accel::Kvm, |vm| vm.accel),
    }
}

/// The accelerator of a platform's guests. Firecracker and Kata know no emulation.
fn accelerator_on(platform: Platform, settings: &PlatformSettings, calibration: &Calibration) -> Accel {
    match (platform, settings.accel.as_deref()) {
        (Platform::Microvm | Platform::Kata, None) => Accel::Kvm,
        _ => accelerator(settings, calibration),
    }
}

/// What an idle guest takes where it was not measured (bytes), and what of that its kernel keeps, where that is told apart.
fn published_idle(platform: Platform, memory: u64) -> (u64, Option<u64>) {
    let with_monitor = |monitor_mib: f64| (mib(monitor_mib + kept_mib(memory)), Some(mib(kept_mib(memory))));
    match platform {
        Platform::Kata => (mib(figures::KATA_1.value(0)), None),
        Platform::Microvm => with_monitor(figures::FC_MEM_1.value(0)),
        _ => with_monitor(figures::FC_MEM_3.value(0)),
    }
}

/// The guests of a plan: all are alike. None where the platform has none, or such as have no kernel (`bare.rs`), where this machine's accelerator was not measured and
/// no published figure can stand in for it, and where the monitor knows no emulation.
pub(crate) fn guest(plan: &Plan, platform: Platform, calibration: &Calibration) -> Option<Guest> {
    let settings = &plan.settings(platform);
    let accel = accelerator_on(platform, settings, calibration);
    let is_qemu = matches!(platform, Platform::Vm | Platform::VmHosted);
    if !has_guests(platform) || bare::is_bare(plan, platform) || (accel == Accel::Tcg && !is_qemu) {
        return None;
    }
    let measured = calibration.vm.as_ref().filter(|vm| vm.accel == accel);
    let speed = match (measured, accel) {
        (Some(vm), _) => vm.speed_factor,
        // A loop in registers neither exits nor walks page tables.
        (None, Accel::Kvm) => 1.0,
        (None, Accel::Tcg) => return None,
    };
    let world_switch_ns = match platform {
        Platform::VmHosted => SWITCHES_PER_WORLD_SWITCH * calibration.cpu.context_switch_ns,
        _ => 0,
    };
    let timer_ns = match accel {
        Accel::Kvm => {
            u64::from(EXITS_PER_TIMER)
                * (measured.and_then(|vm| vm.exit_ns).unwrap_or(EXIT_NS) + world_switch_ns)
        }
        // Emulation has nothing to leave.
        Accel::Tcg => 0,
    };
    let vcpus = settings.vcpus.unwrap_or(plan.host().cores) as usize;
    let mut knobs = knobs(settings, vcpus);
    knobs.costs = costs(calibration, speed, timer_ns);
    let memory = settings.memory.map_or(MEMORY_BYTES, |memory| memory.0);
    // What was measured is QEMU's.
    let weighed_here = measured.filter(|_| is_qemu);
    let (idle_bytes, kernel_bytes) = match weighed_here.and_then(|vm| vm.idle_bytes) {
        Some(bytes) => (of_other_size(bytes, memory), None),
        None => published_idle(platform, memory),
    };
    let weighed = calibration.memory.as_ref().and_then(|costs| costs.tenant_bytes.get(&platform));
    let charged_bytes = match weighed.filter(|_| weighed_here.is_some()) {
        Some(bytes) => of_other_size(*bytes, memory),
        None => idle_bytes,
    };
    Some(Guest {
        vcpus,
        knobs,
        speed,
        timer_ns,
        accel,
        idle_bytes,
        charged_bytes,
        reserve_bytes: weighed_here.and_then(|vm| vm.reserve_bytes).unwrap_or(0),
        alike_bytes: if settings.page_sharing == Some(true) { KERNEL_IMAGE.min(charged_bytes) } else { 0 },
        kernel_bytes,
        memory_bytes: memory,
        disk: virtio::costs(platform, accel, calibration),
    })
}

/// What a guest of `memory` bytes takes, where one of [`MEMORY_BYTES`] was measured to take `bytes`: they differ by what the
/// kernel keeps of each page.
fn of_other_size(bytes: u64, memory: u64) -> u64 {
    (bytes + memory / BYTES_PER_KEPT).saturating_sub(MEMORY_BYTES / BYTES_PER_KEPT)
}

/// What the guest's kernel costs: as much as the host's, at the guest's speed, and the exits of a tick.
fn costs(calibration: &Calibration, speed: f64, timer_ns: u64) -> Costs {
    let inside = |ns: u64| (ns as f64 / speed) as u64;
    Costs {
        switch: inside(calibration.cpu.context_switch_ns),
        tick: inside(calibration.cpu.tick_ns) + timer_ns,
        // What cores share they share beneath.
        all_busy_factor: 1.0,
        taken: 0.0,
    }
}

/// The guest's scheduler: CFS as in Debian's 6.1, unless the scenario says otherwise.
fn knobs(settings: &PlatformSettings, vcpus: usize) -> Knobs {
    let factor = 1 + u64::from((vcpus as u64).clamp(1, SCALED_CPUS_MOST).ilog2());
    let (latency, granularity, wakeup_granularity) = CFS_NS;
    let (pick, slice) = match settings.scheduler.unwrap_or(Scheduler::Cfs) {
        Scheduler::Cfs => {
            let (latency, wakeup_granularity) = (latency * factor, wakeup_granularity * factor);
            (Pick::Cfs { latency, wakeup_granularity }, granularity)
        }
        Scheduler::Eevdf => {
            (Pick::Eevdf { delay_dequeue: true, pick_buddy: false, places_running: false }, BASE_SLICE_NS)
        }
    };
    Knobs {
        pick,
        tick: 1_000_000_000 / u64::from(settings.hz.unwrap_or(HZ).max(1)),
        base_slice: settings.base_slice.map_or(slice * factor, |slice| slice.0),
        bandwidth_slice: BANDWIDTH_SLICE_NS,
        migration_cost: MIGRATION_COST_NS,
        throttle_by_task: false,
        run_delay_includes_throttled: false,
        costs: Costs { switch: 0, tick: 0, all_busy_factor: 1.0, taken: 0.0 },
    }
}

fn mib(mib: f64) -> u64 {
    (mib * f64::from(1 << 20)) as u64
}

/// What the guest's kernel keeps of `memory` (MiB), between the published sizes by a straight line.
fn kept_mib(memory: u64) -> f64 {
    let mib = memory as f64 / f64::from(1 << 20);
    let span = SHOWN_MIB.windows(2).find(|pair| mib <= pair[1].0).or_else(|| SHOWN_MIB.windows(2).last());
    span.map_or(0.0, |pair| {
        let ((from, from_shown), (to, to_shown)) = (pair[0], pair[1]);
        let (low, high) = (from - from_shown, to - to_shown);
        low + (high - low) * (mib - from) / (to - from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_scale_with_the_logarithm_of_the_virtual_cpus() {
        for (vcpus, latency) in [(1, 6), (2, 12), (3, 12), (4, 18), (8, 24), (64, 24)] {
            let knobs = knobs(&PlatformSettings::default(), vcpus);
            let expected =
                Pick::Cfs { latency: latency * 1_000_000, wakeup_granularity: latency * 1_000_000 / 6 };
            assert_eq!((knobs.pick, knobs.base_slice), (expected, latency * 125_000), "{vcpus}");
        }
    }

    #[test]
    fn a_guest_of_other_size_differs_by_a_64th() {
        for (mib, expected_mib) in [(256, 200), (512, 204), (192, 199), (1024, 212)] {
            assert_eq!(of_other_size(200 << 20, mib << 20), expected_mib << 20, "{mib} MiB");
        }
    }

    #[test]
    fn a_kernel_keeps_what_was_published_and_in_between_a_part_of_it() {
        let kept = |mib: u64| kept_mib(mib << 20);
        for (mib, expected) in [(128, 15.9), (256, 17.9), (640, 23.9), (1024, 29.9), (8192, 206.3)] {
            assert!((kept(mib) - expected).abs() < 1e-3, "{mib} MiB: {}", kept(mib));
        }
        assert!(kept(16_384) > kept(8192));
    }
}
