//! What a guest's disk costs beyond the machine's own.
//!
//! **Law.** A request costs the virtual CPU that asks for it time of its own: exits, the interrupt (`cpu_ns`). Then it has its
//! turn at the monitor's thread, which serves one guest's requests one after the other (`service_ns`, more for each byte, and
//! the CPU time that the machine's own kernel takes for the operation); then at the machine's disk; then time passes for all at
//! once (`latency_ns`: threads that are woken, what is copied beside the monitor's thread). A monitor that waits for each
//! operation of the machine's disk takes up no other request meanwhile.

use serde::{Deserialize, Serialize};

/// A disk by virtio.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VirtioCosts {
    /// CPU time of the guest for a request, beyond that of the same operation on the machine (ns).
    pub cpu_ns: u64,
    /// What the monitor's thread does nothing else for, beside the operation on the machine, for a block of 4 KiB (ns).
    pub service_ns: u64,
    /// The same for each further byte (ns).
    pub service_ns_per_byte: f64,
    /// What passes beside (ns).
    pub latency_ns: u64,
    /// The same for each further byte (ns).
    pub latency_ns_per_byte: f64,
    /// Whether the monitor's thread waits for the machine's disk before it takes up the next request.
    pub waits: bool,
}
