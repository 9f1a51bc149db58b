//! Where the stages of those end who start tenants and are not ours: runtimes and engines of the machine, of whose work the kernel tells
//! what can be seen from outside.
//!
//! Names and actors are those of the simulator's chains (`crates/sim/src/startup/chains`), but for what is not done natively: `ctr`
//! asks for no sandbox of pods, and none of the engines is asked for a network. What an engine pulls comes before, and is seen elsewhere
//! (`crates/native/src/engine/pull.rs`).

use catamaran_report::report::StageRow;
use catamaran_scenario::Platform;
use catamaran_worker::script::stamp;
use catamaran_worker::tape::{Tape, head};

use crate::trace::{Call, Mark, Seen};

/// What a program is called that was started as `/proc/PID/exe`.
const ITSELF: &str = "exe";

/// A stage: its name, who is at work in it, and what it ends with.
type Stage = (&'static str, &'static str, Mark);

/// From the mounts that make the root to the program, whichever runtime it is; `init` is at work in the new namespaces.
const fn last_stages(init: &'static str, caller: &'static str) -> [Stage; 5] {
    [
        ("rootfs", init, Mark::Own(Call::Pivot)),
        ("pivot-root", "kernel", Mark::Own(Call::Pivoted)),
        ("confine", init, Mark::LastOwn(Call::Confine)),
        ("start", caller, Mark::LastOwn(Call::Execute)),
        ("exec", "kernel", Mark::Instruction),
    ]
}

fn of_runtime(platform: Platform) -> Vec<Stage> {
    let (first, last): (&[Stage], _) = match platform {
        Platform::Runc => (
            &[
                ("config", "runc", Mark::ChildBegins("runc")),
                ("re-exec", "runc init", Mark::LastBefore("runc:[0:PARENT]")),
                ("limits", "runc", Mark::Calls("runc:[0:PARENT]")),
                ("clone", "kernel", Mark::Born),
            ],
            last_stages("runc init", "runc"),
        ),
        Platform::Crun => (
            &[
                ("config", "crun", Mark::Making),
                ("clone", "kernel", Mark::Born),
                ("limits", "crun", Mark::Own(Call::Mount)),
            ],
            last_stages("crun", "crun"),
        ),
        Platform::Youki => (
            &[
                ("config", "youki", Mark::MakerBorn),
                ("limits", "youki intermediate", Mark::Making),
                ("clone", "kernel", Mark::Born),
            ],
            last_stages("youki init", "youki"),
        ),
        _ => return Vec::new(),
    };
    [first, &last].concat()
}

/// What an engine does before its runtime begins.
fn of_engine(platform: Platform, runtime: &'static str) -> Vec<Stage> {
    match platform {
        Platform::Podman => vec![
            ("request", "podman", Mark::Begins("podman")),
            ("create", "podman", Mark::Last("podman", Call::Mount)),
            ("mount", "podman", Mark::Last("podman", Call::Mounted)),
            ("conmon", "podman", Mark::Begins("conmon")),
            ("call", "conmon", Mark::Begins(runtime)),
        ],
        Platform::Docker => vec![
            ("request", "docker", Mark::First("dockerd", Call::Accept)),
            ("create", "dockerd", Mark::Last("dockerd", Call::Mount)),
            ("mount", "dockerd", Mark::Last("dockerd", Call::Mounted)),
            ("task", "containerd", Mark::Begins("containerd-shim")),
            ("shim", "containerd-shim", Mark::Begins(runtime)),
        ],
        Platform::Containerd => vec![
            ("request", "ctr", Mark::First("containerd", Call::Accept)),
            ("create", "containerd", Mark::Begins("containerd-shim")),
            ("shim", "containerd-shim", Mark::Last("containerd-shim", Call::Mount)),
            ("mount", "containerd-shim", Mark::Last("containerd-shim", Call::Mounted)),
            ("task", "containerd-shim", Mark::Begins(runtime)),
        ],
        // It is its own runtime; the tenant is the container's init.
        Platform::Lxc => {
            let first: &[Stage] = &[
                ("config", "lxc-start", Mark::Forks("lxc-start")),
                ("monitor", "lxc-start", Mark::MakerBorn),
                ("limits", "lxc monitor", Mark::Making),
                ("clone", "kernel", Mark::Born),
            ];
            [first, &last_stages("container init", "lxc monitor")].concat()
        }
        _ => Vec::new(),
    }
}

/// The stages of a platform on which `runtime` starts the containers.
pub(super) fn of(platform: Platform, runtime: Platform) -> Vec<Stage> {
    let mut stages = [of_engine(platform, runtime.name()), of_runtime(runtime)].concat();
    let root = stages.iter().position(|(name, ..)| *name == "rootfs");
    if let Some(at) = root.filter(|_| platform == Platform::Docker) {
        // dockerd has its network put in by a hook, which is its own program once more and lasts until the root is turned.
        let (name, actor, end) = stages[at];
        stages[at] = (name, actor, Mark::Begins(ITSELF));
        stages.insert(at + 1, ("network", "dockerd", end));
    }
    stages
}

/// Each stage from the end of the one before to its mark; where that was not seen, the end is not known.
pub(super) fn stages(tape: &Tape, marks: &[Stage], seen: &Seen) -> Vec<StageRow> {
    let at = |stamp: usize| tape.get(head::STAMP + stamp);
    let (request_ns, first_ns) = (at(stamp::REQUEST), at(stamp::FIRST));
    if first_ns == 0 {
        return Vec::new();
    }
    let seconds = |ns: u64| ns.saturating_sub(request_ns) as f64 / 1e9;
    let (mut begin, mut after_ns) = (Some(request_ns), request_ns);
    let row = |(name, actor, mark): &Stage| {
        let end = match mark {
            Mark::Instruction => Some(first_ns),
            mark => seen.at(*mark, after_ns).filter(|at_ns| *at_ns <= first_ns),
        };
        let start_s = begin.map(seconds);
        begin = end;
        after_ns = end.unwrap_or(after_ns);
        StageRow {
            name: (*name).to_owned(),
            actor: (*actor).to_owned(),
            start_s,
            end_s: end.map(seconds),
            length_s: None,
            source: None,
        }
    };
    marks.iter().map(row).collect()
}
