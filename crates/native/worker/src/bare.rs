//! What the runner has to know of a bare guest before there is one.

/// Bytes of the guest's pages; the first has its program and its page tables.
pub const PAGE_BYTES: u64 = 2 << 20;
/// Where its memory has to end (an address): there the tape begins.
pub const MEMORY_END: u64 = 4 << 30;
/// Most processors.
pub const PROCESSORS_MAX: usize = 112;
