//! What `catamaran calibrate` measures of the disk under the tenants' files.
//!
//! **Law.** An operation takes CPU time of the thread that asks for it (`cpu_ns`, more where the device idles and has to be
//! told that there is work: `notify_ns`), then its turn at the device, which serves one after the other (`service_ns`, and
//! more for each byte), then time that passes for all of them at once (`latency_ns`: the way through the host, the
//! interrupt). One operation alone takes the sum of all; n at once come out one every `service_ns`, or in batches, each of
//! them after the sum for one and n − 1 services more.

use serde::{Deserialize, Serialize};

/// A disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiskCosts {
    /// The kernel's scheduler of its requests (`/sys/block/…/queue/scheduler`); weights count with `bfq` only.
    pub scheduler: String,
    /// Length of a slice of the kernel's throttling (ns; `throtl_slice` in Linux `block/blk-throttle.c`).
    pub throttle_slice_ns: u64,
    /// Whether it tells of what it has served only when nothing more waits, of all at once: as disks of virtual machines do,
    /// whose host interrupts them once for all requests that it found.
    pub batches: bool,
    /// Reading from the device.
    pub read: OperationCosts,
    /// Writing to it.
    pub write: OperationCosts,
    /// Having it write its cache out, as `fdatasync` does.
    pub flush: FlushCosts,
    /// Reading what the page cache has.
    pub cached_read: CachedCosts,
    /// Writing into the page cache.
    pub cached_write: CachedCosts,
}

/// An operation on the device.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationCosts {
    /// CPU time of the thread for one of one block of 4 KiB, beside others (ns).
    pub cpu_ns: u64,
    /// CPU time for each further byte (ns).
    pub cpu_ns_per_byte: f64,
    /// CPU time beyond that when the device idles, and has to be told (ns).
    pub notify_ns: u64,
    /// What each further one of 4 KiB takes of the device when several are in flight (ns).
    pub service_ns: u64,
    /// The same for each further byte (ns).
    pub service_ns_per_byte: f64,
    /// What passes beside (ns).
    pub latency_ns: u64,
    /// The same for each further byte (ns).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub latency_ns_per_byte: f64,
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A flush of the device's cache.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlushCosts {
    /// CPU time of the thread (ns).
    pub cpu_ns: u64,
    /// What the device does nothing else for (ns).
    pub service_ns: u64,
    /// What passes beside (ns).
    pub latency_ns: u64,
}

/// An operation that the page cache serves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CachedCosts {
    /// CPU time of the thread for one of one block of 4 KiB (ns).
    pub cpu_ns: u64,
    /// CPU time for each further byte (ns).
    pub cpu_ns_per_byte: f64,
}
