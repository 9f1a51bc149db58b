//! What `catamaran calibrate` measures of guests without a kernel, in a microVM of our own (`platform.microvm.guest = "bare"`).
//!
//! **Law.** A bare guest's processors are threads of its monitor, which is the tenant's process: the machine's scheduler and the
//! tenant's groups hold them as they hold any thread. What differs is what the work costs: each piece is handed in by a doorbell
//! (an exit and an entry), first touches go through two levels of page tables, and the monitor and its machine weigh something.

use serde::{Deserialize, Serialize};

use super::StartupStage;

/// Guests without a kernel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BareGuestCosts {
    /// Turns of the fixed loop per second of a processor's CPU time, relative to `cpu.turns_per_cpu_s`.
    pub speed_factor: f64,
    /// CPU time of a server's request beyond its demand, the doorbell's round trip in it (ns).
    pub request_overhead_ns: u64,
    /// CPU time of a sleep until a given instant, beyond the switches, and of what is slower after it (ns).
    pub sleep_overhead_ns: u64,
    /// CPU time of the first touch of a page of `machine.page_bytes` (ns): of large pages, which are given at once, the part.
    pub touch_ns: f64,
    /// CPU time of touching a page once more (ns).
    pub retouch_ns: f64,
    /// From the monitor's end to that of its memory, per page (ns).
    pub release_ns: f64,
    /// What a run's groups are charged for one guest with one processor being there, its monitor included (bytes).
    pub tenant_bytes: u64,
    /// The same for each further processor (bytes).
    pub thread_bytes: u64,
    /// What the out-of-memory killer weighs of one that holds nothing (bytes).
    pub rss_bytes: u64,
    /// Median length of each start-up stage.
    pub startup: Vec<StartupStage>,
}
