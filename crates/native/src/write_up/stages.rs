//! How long each stage of a start took, by the stamps of a tape.

use catamaran_report::report::StageRow;
use catamaran_scenario::Platform;
use catamaran_scenario::plan::PlatformSettings;
use catamaran_worker::script::stamp;
use catamaran_worker::tape::{Tape, head};

use crate::engine;

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

/// What an OCI runtime does, by name and actor, the last being the program's own first instruction. Nobody outside of the runtime
/// sees when the others are over.
fn of_runtime(platform: Platform) -> &'static [(&'static str, &'static str)] {
    match platform {
        Platform::Runc => &[
            ("config", "runc"),
            ("limits", "runc"),
            ("re-exec", "runc init"),
            ("clone", "kernel"),
            ("join", "runc"),
            ("rootfs", "runc init"),
            ("pivot-root", "kernel"),
            ("confine", "runc init"),
            ("start", "runc"),
            ("exec", "kernel"),
        ],
        Platform::Crun => &[
            ("config", "crun"),
            ("limits", "crun"),
            ("clone", "kernel"),
            ("join", "crun"),
            ("rootfs", "crun"),
            ("pivot-root", "kernel"),
            ("confine", "crun"),
            ("start", "crun"),
            ("exec", "kernel"),
        ],
        Platform::Youki => &[
            ("config", "youki"),
            ("intermediate", "youki"),
            ("limits", "youki intermediate"),
            ("clone", "kernel"),
            ("rootfs", "youki init"),
            ("pivot-root", "kernel"),
            ("confine", "youki init"),
            ("start", "youki"),
            ("exec", "kernel"),
        ],
        _ => &[],
    }
}

/// What an engine does before its runtime does. No image is pulled, for it was brought before the run. `ctr` asks for no sandbox of
/// pods, and none of the engines is asked for a network.
fn of_engine(platform: Platform) -> &'static [(&'static str, &'static str)] {
    match platform {
        Platform::Podman => {
            &[("request", "podman"), ("create", "podman"), ("mount", "podman"), ("conmon", "podman")]
        }
        Platform::Docker => &[
            ("request", "docker"),
            ("create", "dockerd"),
            ("mount", "dockerd"),
            ("task", "containerd"),
            ("shim", "containerd"),
        ],
        Platform::Containerd => &[
            ("request", "ctr"),
            ("create", "containerd"),
            ("mount", "containerd"),
            ("shim", "containerd"),
            ("task", "containerd-shim"),
        ],
        // It is its own runtime; the tenant is the container's init.
        Platform::Lxc => &[
            ("config", "lxc-start"),
            ("monitor", "lxc-start"),
            ("limits", "lxc monitor"),
            ("clone", "kernel"),
            ("rootfs", "container init"),
            ("pivot-root", "kernel"),
            ("confine", "container init"),
            ("exec", "kernel"),
        ],
        _ => &[],
    }
}

/// The stages of a runtime, of which the first beginning and the last end are known.
fn stages_of_runtime(tape: &Tape, names: &[(&str, &str)]) -> Vec<StageRow> {
    let at = |stamp: usize| tape.get(head::STAMP + stamp);
    if at(stamp::FIRST) == 0 {
        return Vec::new();
    }
    let whole_s = at(stamp::FIRST).saturating_sub(at(stamp::REQUEST)) as f64 / 1e9;
    let last = names.len().saturating_sub(1);
    let row = |(number, (name, actor)): (usize, &(&str, &str))| StageRow {
        name: (*name).to_owned(),
        actor: (*actor).to_owned(),
        start_s: (number == 0).then_some(0.0),
        end_s: (number == last).then_some(whole_s),
        length_s: None,
        source: None,
    };
    names.iter().enumerate().map(row).collect()
}

/// The stages that were noted, each from the end of the one before.
pub(crate) fn stages(
    tape: &Tape,
    platform: Platform,
    settings: &PlatformSettings,
    version: u8,
) -> Vec<StageRow> {
    let runtime = engine::runtime(platform, settings).unwrap_or(platform);
    let names = [of_engine(platform), of_runtime(runtime)].concat();
    if !names.is_empty() {
        return stages_of_runtime(tape, &names);
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
