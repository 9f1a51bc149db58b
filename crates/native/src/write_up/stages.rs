//! How long each stage of a start took, by the stamps of a tape.

use catamaran_report::report::StageRow;
use catamaran_scenario::Platform;
use catamaran_scenario::plan::PlatformSettings;
use catamaran_worker::script::stamp;
use catamaran_worker::tape::{Tape, head};

use super::marks;
use crate::engine;
use crate::trace::Seen;

/// The start-up stages of a platform: name, actor, and the stamp at which each is over.
fn stage_table(platform: Platform, version: u8) -> &'static [(&'static str, &'static str, usize)] {
    const CLONE: (&str, &str, usize) = ("clone", "kernel", stamp::CLONED);
    const EXEC: (&str, &str, usize) = ("exec", "kernel", stamp::FIRST);
    const LIMITS: (&str, &str, usize) = ("limits", "runtime", stamp::LIMITED);
    const JOIN: (&str, &str, usize) = ("join", "runtime", stamp::JOINED);
    const ISOLATE: (&str, &str, usize) = ("isolate", "runtime", stamp::ISOLATED);
    const ROOTFS: (&str, &str, usize) = ("rootfs", "runtime", stamp::ROOTED);
    const CHROOT: (&str, &str, usize) = ("chroot", "runtime", stamp::PIVOTED);
    const PIVOT: (&str, &str, usize) = ("pivot-root", "runtime", stamp::PIVOTED);
    const CONFINE: (&str, &str, usize) = ("confine", "runtime", stamp::CONFINED);
    // A virtual machine: the monitor builds it, firmware loads and unpacks the kernel, the kernel comes up, process 1
    // mounts and starts the worker.
    const VMM: (&str, &str, usize) = ("vmm", "hypervisor", stamp::VMM);
    const MONITOR: (&str, &str, usize) = ("vmm", "monitor", stamp::VMM);
    const FIRMWARE: (&str, &str, usize) = ("firmware", "firmware", stamp::FIRMWARE);
    const KERNEL: (&str, &str, usize) = ("kernel", "guest", stamp::KERNEL);
    const INIT: (&str, &str, usize) = ("init", "guest", stamp::INIT);
    // A bare guest: the worker makes its machine, which executes its first instruction.
    const GUEST: (&str, &str, usize) = ("boot", "guest", stamp::GUEST);
    match (platform, version) {
        (Platform::Chroot, _) => &[ROOTFS, CLONE, CHROOT, EXEC],
        (Platform::Container, 0) => &[CLONE, ISOLATE, ROOTFS, PIVOT, CONFINE, EXEC],
        // Its cgroup namespace is made in this stage on both versions.
        (Platform::Container, _) => &[LIMITS, CLONE, JOIN, ISOLATE, ROOTFS, PIVOT, CONFINE, EXEC],
        (Platform::Namespaces, _) => &[CLONE, ISOLATE, EXEC],
        (Platform::Cgroups, 1) => &[LIMITS, CLONE, JOIN, EXEC],
        // On v2 the process is born in its group: there is nothing to join.
        (Platform::Cgroups, _) => &[LIMITS, CLONE, EXEC],
        (Platform::Vm, 1) => &[LIMITS, CLONE, JOIN, VMM, FIRMWARE, KERNEL, INIT, EXEC],
        (Platform::Vm, _) => &[LIMITS, CLONE, VMM, FIRMWARE, KERNEL, INIT, EXEC],
        (Platform::Microvm, 1) => &[LIMITS, CLONE, JOIN, EXEC, MONITOR, GUEST],
        (Platform::Microvm, _) => &[LIMITS, CLONE, EXEC, MONITOR, GUEST],
        _ => &[CLONE, EXEC],
    }
}

/// The stages that were noted, or `seen` where others start the tenants; each from the end of the one before.
pub(crate) fn stages(
    tape: &Tape,
    platform: Platform,
    settings: &PlatformSettings,
    version: u8,
    seen: Option<&Seen>,
) -> Vec<StageRow> {
    if let Some(seen) = seen {
        let marks = marks::of(platform, engine::runtime(platform, settings).unwrap_or(platform));
        return marks::stages(tape, &marks, seen);
    }
    let at = |stamp: usize| tape.get(head::STAMP + stamp);
    let request_ns = at(stamp::REQUEST);
    let mut start_s = 0.0;
    let mut rows = Vec::new();
    for (name, actor, stamp) in
        stage_table(platform, version).iter().take_while(|(_, _, stamp)| at(*stamp) != 0)
    {
        let end_s = at(*stamp).saturating_sub(request_ns) as f64 / 1e9;
        rows.push(StageRow::measured(name, actor, start_s, end_s));
        start_s = end_s;
    }
    rows
}
