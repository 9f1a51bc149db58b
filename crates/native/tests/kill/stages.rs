//! Where runs can be made to halt.

use catamaran_scenario::Platform;

use crate::victim::{ENGINES, Ground};

/// Stages at which a run can be made to halt, wherever it is carried out.
const STAGES: [&str; 13] = [
    "folder",
    "half-a-guard",
    "guard",
    "launcher",
    "groups",
    "limits",
    "clone",
    "join",
    "isolate",
    "started",
    "running",
    "ended",
    "no-groups",
];
/// Those of tenants with a root of their own.
const STAGES_OF_ROOTS: [&str; 2] = ["rootfs", "pivot"];
/// Those of runs whose tenants talk to each other; tenants are connected where each has a network of its own.
const STAGES_OF_NETWORKS: [&str; 2] = ["network", "attached"];
/// Those of guests; the last two take a boot each.
const STAGES_OF_GUESTS: [&str; 8] =
    ["folder", "limits", "clone", "isolate", "qemu", "boot", "running", "ended"];

/// Those of an OCI runtime's containers: what happens in the runtime has no stages.
const STAGES_OF_RUNTIMES: [&str; 10] = [
    "folder",
    "half-a-guard",
    "guard",
    "launcher",
    "groups",
    "runtime",
    "started",
    "running",
    "ended",
    "no-groups",
];

/// Those of an engine of the run's own; before there is one, and once it is gone, nothing is other than elsewhere.
const STAGES_OF_ENGINES: [&str; 7] = ["room", "daemon", "image", "engine", "started", "running", "ended"];

/// Where a tenant is started while the run goes on; before that nothing is other than elsewhere.
const STAGE_OF_LIVES: &str = "next-life";

/// All of those of a run on this ground.
pub(crate) fn stages(ground: Ground) -> Vec<&'static str> {
    if ground.lives {
        return vec![STAGE_OF_LIVES];
    }
    let networks = match (ground.talks, ground.platform) {
        (false, _) => 0,
        (true, Platform::Container) => 2,
        (true, _) => 1,
    };
    let networks = STAGES_OF_NETWORKS.into_iter().take(networks);
    stages_without(ground).into_iter().chain(networks).collect()
}

fn stages_without(ground: Ground) -> Vec<&'static str> {
    match ground.platform {
        Platform::Vm => STAGES_OF_GUESTS.to_vec(),
        Platform::Runc => STAGES_OF_RUNTIMES.to_vec(),
        _ if ENGINES.contains(&ground) => STAGES_OF_ENGINES.to_vec(),
        Platform::Chroot | Platform::Container => {
            // Without groups there is no half of a guard.
            let all = STAGES.into_iter().chain(STAGES_OF_ROOTS);
            all.filter(|stage| !ground.ordinary || *stage != "half-a-guard").collect()
        }
        _ => STAGES.to_vec(),
    }
}
