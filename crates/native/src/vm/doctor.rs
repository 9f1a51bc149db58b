//! What the platform `vm` needs of this machine.

use catamaran_modules::Module;

use super::kernel::{FOR_A_DISK, FOR_A_NETWORK, FOR_A_SHARE, Kernel};
use super::qemu;
use crate::doctor::Check;

/// A guest that does nothing, for a moment. Emulated, because KVM that does not work takes its time to show it.
pub(crate) const MOMENT: &str = r#"
schema = "catamaran/scenario/v1"
name = "doctor"
seed = 1
duration = "10ms"
platforms = ["vm"]
[host]
cores = 1
memory = "512MiB"
[platform.vm]
accel = "tcg"
[[tenant]]
name = "idle"
workload = { kind = "idle" }
"#;

/// QEMU, a kernel for its guests, and what that takes for a disk, for a network between them, and for programs of this machine.
pub(crate) fn checks() -> [Check; 5] {
    [
        Check::of("qemu", qemu::find().map(|qemu| qemu.version)),
        Check::of(
            "guest-kernel",
            Kernel::find().map(|kernel| format!("Linux {} at {}", kernel.release, kernel.image.display())),
        ),
        Check::of(
            "guest-disk",
            Kernel::find().and_then(|kernel| kernel.modules("disk", &FOR_A_DISK)).map(listed),
        ),
        Check::of(
            "guest-network",
            super::check_tap().and_then(|()| Kernel::find()?.modules("network", &FOR_A_NETWORK)).map(listed),
        ),
        Check::of(
            "guest-programs",
            qemu::daemon()
                .and_then(|_| Kernel::find()?.modules("programs of the machine", &FOR_A_SHARE))
                .map(listed),
        ),
    ]
}

/// Names of modules in the order in which they are loaded.
fn listed(modules: Vec<Module>) -> String {
    let names: Vec<String> = modules.into_iter().map(|module| module.name).collect();
    format!("modules {}", names.join(", "))
}
