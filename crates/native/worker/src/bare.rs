//! What the runner has to know of a bare guest before there is one.

/// Bytes of the guest's pages; the first has its program and its page tables.
pub const PAGE_BYTES: u64 = 2 << 20;
/// Most memory of a guest (bytes): above it are devices in every PC, and the tape in ours.
pub const MEMORY_MAX: u64 = 3 << 30;
/// Most processors.
pub const PROCESSORS_MAX: usize = 112;
