//! Guests without a kernel (`guest = "bare"`): what both backends have to know of their memory.

use crate::plan::PlatformSettings;

/// Memory of a guest where the scenario names none (bytes).
const MEMORY_BYTES: u64 = 256 << 20;
/// Most memory of a guest (bytes): above it are the devices of every PC.
pub const MEMORY_MAX: u64 = 3 << 30;
/// What of it the guest's program and its page tables take (bytes).
pub const PROGRAM_BYTES: u64 = 2 << 20;

/// Memory of each guest (bytes).
#[must_use]
pub fn memory_bytes(settings: &PlatformSettings) -> u64 {
    settings.memory.map_or(MEMORY_BYTES, |memory| memory.0)
}
