//! What a `disk` workload does, one operation after the other: both backends follow this rule.
//!
//! **Law.** `size` in whole blocks, rounded up, is so many operations. `depth` of them are in flight: a thread that has
//! finished one takes the next, and with a `rate` begins it no sooner than the rate has it. The file is as large as `size`, but
//! no larger than [`FILE_BYTES_MAX`]: what is larger goes over it again. An operation's latency runs from its beginning (not
//! from when the rate had it) to its completion, the flush of `fsync` included.

use crate::Plan;
use crate::plan::{DiskOp, Layer, Workload};

/// Largest file that a tenant gets (bytes).
pub const FILE_BYTES_MAX: u64 = 256 << 20;

/// Bytes that the page cache asks the device for at once (`VM_READAHEAD_PAGES` in Linux `include/linux/pagemap.h`).
pub const READ_AHEAD_BYTES: u64 = 128 << 10;

/// The layers whose files the tenants of a plan use, each once, in the order of the tenants.
#[must_use]
pub fn layers(plan: &Plan) -> Vec<&Layer> {
    let mut layers = Vec::new();
    for layer in plan.tenants().iter().flat_map(|tenant| layers_of(&tenant.workload)) {
        if !layers.contains(&layer) {
            layers.push(layer);
        }
    }
    layers
}

/// The layers whose files a workload and its phases use.
#[must_use]
pub fn layers_of(workload: &Workload) -> Vec<&Layer> {
    match workload {
        Workload::Disk { layer: Some(layer), .. } => vec![layer],
        Workload::Command { like: Some(like), .. } => layers_of(like),
        Workload::Phases(phases) => phases.iter().flat_map(|phase| layers_of(&phase.workload)).collect(),
        _ => Vec::new(),
    }
}

/// The work of one `disk` workload or phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileWork {
    /// Operations in all, at least 1.
    pub operations: u64,
    /// Bytes of each.
    pub block_bytes: u64,
    /// Blocks of the file, at least 1.
    pub file_blocks: u64,
    /// Operations in flight.
    pub depth: u32,
    /// Whether it writes.
    pub writes: bool,
    /// Whether at random places.
    pub random: bool,
    /// Whether each waits until the device has written its cache out.
    pub flushes: bool,
    /// Through the page cache.
    pub cached: bool,
    /// Most bytes a second.
    pub rate: Option<u64>,
    /// Bytes of the layer that the file is, where it is one.
    pub layer_bytes: Option<u64>,
}

impl FileWork {
    /// Of a workload; none where it does no such work itself.
    #[must_use]
    pub fn of(workload: &Workload) -> Option<Self> {
        let Workload::Disk { op, size, block, depth, fsync, rate, cached, layer } = workload else {
            return None;
        };
        let block_bytes = block.0.max(1);
        let layer_bytes = layer.as_ref().map(|layer| layer.size.0);
        let file_most = layer_bytes.unwrap_or(FILE_BYTES_MAX);
        let writes = matches!(op, DiskOp::Write | DiskOp::RandWrite);
        Some(Self {
            operations: size.0.div_ceil(block_bytes).max(1),
            block_bytes,
            file_blocks: (size.0.div_ceil(block_bytes)).min(file_most / block_bytes).max(1),
            depth: *depth,
            writes,
            random: matches!(op, DiskOp::RandRead | DiskOp::RandWrite),
            flushes: *fsync && writes,
            cached: *cached || layer.is_some(),
            rate: rate.map(|rate| rate.0),
            layer_bytes,
        })
    }

    /// Of a workload and its phases, in order.
    pub fn all(workload: &Workload) -> impl Iterator<Item = Self> + '_ {
        workload.and_its_phases().filter_map(Self::of)
    }

    /// The earliest beginning of an operation (ns from that of the phase).
    #[must_use]
    pub fn due_ns(&self, number: u64) -> u64 {
        let bytes = u128::from(number) * u128::from(self.block_bytes) * 1_000_000_000;
        let due = self.rate.map_or(0, |rate| bytes / u128::from(rate.max(1)));
        u64::try_from(due).unwrap_or(u64::MAX)
    }

    /// Most operations that can come of it in so many seconds, as far as the scenario says. What the page cache has to read, and
    /// what is copied up, counts in the pieces in which the device is asked for it.
    #[must_use]
    pub fn expected_within(&self, seconds: f64) -> f64 {
        let paced = |rate: u64| rate as f64 / self.block_bytes as f64 * seconds + f64::from(self.depth);
        let operations = self.rate.map_or(f64::INFINITY, paced).min(self.operations as f64);
        let Some(layer_bytes) = self.layer_bytes else { return operations };
        let pieces = |bytes: u64| bytes.div_ceil(READ_AHEAD_BYTES) as f64;
        operations * pieces(self.block_bytes) + if self.writes { pieces(layer_bytes) } else { 0.0 }
    }

    /// The stream of places of a replica's phase of that number: every one goes to places of its own.
    #[must_use]
    pub const fn places_seed(seed: u64, tenant: usize, replica: u32, phase: usize) -> u64 {
        seed ^ (tenant as u64) << 40 ^ (replica as u64) << 20 ^ phase as u64
    }

    /// Size of the file (bytes).
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.file_blocks * self.block_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bytes, BytesPerSecond};

    fn work(size: u64, block: u64, rate: Option<u64>) -> FileWork {
        let workload = Workload::Disk {
            op: DiskOp::RandRead,
            size: Bytes(size),
            block: Bytes(block),
            depth: 2,
            fsync: true,
            rate: rate.map(BytesPerSecond),
            cached: false,
            layer: None,
        };
        FileWork::of(&workload).unwrap()
    }

    #[test]
    fn a_size_is_whole_blocks_and_a_large_one_goes_over_its_file_again() {
        let small = work(10_000, 4096, None);
        assert_eq!((small.operations, small.file_blocks, small.due_ns(5)), (3, 3, 0));
        assert!(!small.flushes, "a read has nothing to write out");
        let large = work(1 << 30, 4096, None);
        assert_eq!((large.operations, large.file_bytes()), (1 << 18, FILE_BYTES_MAX));
        let huge = work(2 << 30, 1 << 30, None);
        assert_eq!((huge.operations, huge.file_bytes()), (2, 1 << 30), "one block at least");
    }

    #[test]
    fn a_rate_paces_whole_blocks() {
        assert_eq!(work(1 << 20, 4096, Some(4_096_000)).due_ns(3), 3_000_000);
        assert_eq!(work(u64::MAX, 1, Some(1)).due_ns(u64::MAX), u64::MAX, "no overflow");
    }
}
