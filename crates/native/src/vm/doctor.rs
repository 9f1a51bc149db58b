//! What the platform `vm` needs of this machine.

use super::kernel::Kernel;
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

/// QEMU, and a kernel for its guests.
pub(crate) fn checks() -> [Check; 2] {
    [
        Check::of("qemu", qemu::find().map(|qemu| qemu.version)),
        Check::of(
            "guest-kernel",
            Kernel::find().map(|kernel| format!("Linux {} at {}", kernel.release, kernel.image.display())),
        ),
    ]
}
