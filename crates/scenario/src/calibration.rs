//! What `catamaran calibrate` measured of a machine, and the only way in which the machine reaches the simulator:
//! through the file `host.toml`, never in code.

use serde::{Deserialize, Serialize};

use crate::plan::Scheduler;

mod bare;
mod disk;
mod forks;
mod network;
mod virtio;

pub use bare::BareGuestCosts;
pub use disk::{CachedCosts, DiskCosts, FlushCosts, OperationCosts};
pub use forks::{BusyForkCosts, ForkCosts};
pub use network::{MessageCosts, NetworkCosts, TurnCosts};
pub use virtio::VirtioCosts;

/// A measured machine (`host.toml`, `schema = "catamaran/host/v1"`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// `"catamaran/host/v1"`.
    pub schema: String,
    /// Who was measured.
    pub machine: Machine,
    /// How fast it computes, what a switch costs.
    pub cpu: CpuCosts,
    /// The kernel scheduler and its knobs.
    pub scheduler: SchedulerKnobs,
    /// What memory costs and weighs; files of before it was measured have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryCosts>,
    /// The disk under the tenants' files; none where it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskCosts>,
    /// The machine's own network; none where it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkCosts>,
    /// Forks and their children; none where they were not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork: Option<ForkCosts>,
    /// What guests cost on it; none where no guest was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vm: Option<VmCosts>,
    /// Guests without a kernel; none where none was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bare: Option<BareGuestCosts>,
    /// Median length (ns) of each start-up stage, by platform.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub startup: std::collections::BTreeMap<crate::Platform, Vec<StartupStage>>,
}

/// The calibration that the web page and a simulation without `--host` use, recorded on one machine.
const REFERENCE: &str = include_str!("reference-host.toml");

impl Calibration {
    /// The recorded reference machine.
    #[must_use]
    pub fn reference() -> Self {
        #[expect(clippy::expect_used, reason = "the text is part of the program, and a test parses it")]
        Self::from_toml(REFERENCE, "reference-host.toml").expect("the embedded calibration is valid")
    }

    /// The text of `host.toml`. A calibration that [`Calibration::from_toml`] would refuse may give a text that it refuses.
    #[must_use]
    pub fn to_toml(&self) -> String {
        // What TOML can't hold (numbers beyond i64) is refused when the file is read; here it becomes a comment that says so.
        toml::to_string(self)
            .unwrap_or_else(|error| format!("# this calibration can't be written: {error}\n"))
    }

    /// SHA-256 (hex) of what was measured, independent of how the file is written.
    #[must_use]
    pub fn digest(&self) -> String {
        crate::digest::of(self)
    }
}

/// Identity of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// `uname -r`.
    pub kernel: String,
    /// Model name of `/proc/cpuinfo`.
    pub cpu_model: String,
    /// Cores online.
    pub cores: u32,
    /// 1 or 2.
    pub cgroup_version: u8,
    /// Page size (bytes).
    pub page_bytes: u64,
}

/// CPU figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CpuCosts {
    /// Turns of the worker's fixed loop per second of CPU time between the ticks, one core busy. A CPU second of a scenario
    /// is so many turns.
    pub turns_per_cpu_s: f64,
    /// Speed of each core with all cores busy, relative to one busy (≤ 1 with hyper-threads).
    pub all_busy_factor: f64,
    /// From one thread to another on a core (ns of CPU time, charged to the one that comes).
    pub context_switch_ns: u64,
    /// From a timer's expiry to the first instruction of the thread that slept, on an idle core (ns).
    pub wakeup_idle_ns: u64,
    /// CPU time of a server's request beyond its demand: clock, bookkeeping (ns).
    pub request_overhead_ns: u64,
    /// CPU time of a sleep until a given instant, beyond the switches: system call, timer, wake-up (ns).
    pub sleep_overhead_ns: u64,
    /// CPU time that each timer tick takes from the thread that runs (ns).
    pub tick_ns: u64,
}

/// Memory figures. A page is one of [`Machine::page_bytes`], never a huge one: the worker advises against those.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemoryCosts {
    /// CPU time of the first touch of a page: fault, charge, zeroing (ns).
    pub touch_ns: f64,
    /// CPU time of touching a page once more (ns).
    pub retouch_ns: f64,
    /// From a process's end to that of its memory, per page (ns).
    pub release_ns: f64,
    /// Memory that a worker's group is charged for the worker being there, with one thread (bytes), on platforms of which
    /// [`Self::tenant_bytes`] says nothing.
    pub worker_bytes: u64,
    /// The same for each further thread (bytes).
    pub thread_bytes: u64,
    /// What of the weight of a tenant its own memory group is not charged, but the one above it: the group's own records
    /// (`mem_cgroup_css_alloc` in Linux `mm/memcontrol.c`; bytes).
    #[serde(default)]
    pub group_bytes: u64,
    /// Memory of the kernel's own that a tenant is charged while it starts and that is given back after a grace period only,
    /// when its threads are long there (bytes): page tables and records of the image that it was before `execve`.
    #[serde(default)]
    pub start_bytes: u64,
    /// What the out-of-memory killer weighs of a worker that holds nothing (`oom_badness`: resident pages of every kind and
    /// page tables; bytes).
    pub worker_rss_bytes: u64,
    /// Swap, on a machine that has some and was measured with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swap: Option<SwapCosts>,
    /// What a run's groups are charged for one tenant with one thread being there (bytes), by platform: its pages, the
    /// kernel's for it, its groups, its own root; of a guest all that its monitor holds.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub tenant_bytes: std::collections::BTreeMap<crate::Platform, u64>,
}

/// What swapping costs whoever waits for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwapCosts {
    /// Writing a page out (ns).
    pub out_ns: f64,
    /// Reading a page back in (ns).
    pub in_ns: f64,
}

/// The kernel scheduler as found, all after the kernel's scaling by the number of CPUs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchedulerKnobs {
    /// Which pick.
    pub kind: Scheduler,
    /// CONFIG_HZ.
    pub hz: u32,
    /// `base_slice_ns` (EEVDF) or `sched_min_granularity_ns` (CFS).
    pub base_slice_ns: u64,
    /// `sched_latency_ns` (CFS only).
    pub latency_ns: u64,
    /// `sched_wakeup_granularity_ns` (CFS only).
    pub wakeup_granularity_ns: u64,
    /// `kernel.sched_autogroup_enabled`.
    pub autogroup: bool,
    /// `sched_cfs_bandwidth_slice_us`, in ns.
    pub bandwidth_slice_ns: u64,
    /// `migration_cost_ns`.
    pub migration_cost_ns: u64,
    /// Whether a throttled task is stopped only at its return to user mode and on its own (6.18 on), not with its whole
    /// run queue.
    pub throttle_by_task: bool,
    /// Whether a sleeper that has had more than its share stays queued until its lag is paid (`DELAY_DEQUEUE`, 6.12 on).
    pub delay_dequeue: bool,
    /// Whether a group of which a thread has just gone to sleep is picked before its turn, as long as it is eligible
    /// (`PICK_BUDDY`, 6.14 on).
    pub pick_buddy: bool,
    /// Whether a group whose weight changes while it runs is placed as one that comes (6.13 to 6.19).
    pub places_running: bool,
    /// Whether a thread's schedstat run-queue wait goes on while its group is throttled, as found by trying.
    pub run_delay_includes_throttled: bool,
}

/// An accelerator of virtual machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accel {
    /// Hardware help through `/dev/kvm`.
    Kvm,
    /// QEMU's emulation.
    Tcg,
}

/// Guests on the machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VmCosts {
    /// The accelerator under which a Linux guest boots here, and to which the figures below belong.
    pub accel: Accel,
    /// Turns of the fixed loop per second of a virtual CPU's time, relative to `cpu.turns_per_cpu_s`.
    pub speed_factor: f64,
    /// From the guest to the host and back (ns of CPU time); none where it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_ns: Option<u64>,
    /// Resident memory of an idle guest, its monitor included (bytes); none where it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_bytes: Option<u64>,
    /// Memory that an idle guest has been given and does not use (bytes): the rest of huge pages of which it uses some small
    /// ones. What is touched in it for the first time lies there first. None where it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve_bytes: Option<u64>,
    /// What a guest's disk costs beyond the machine's; none where it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<VirtioCosts>,
}

impl VmCosts {
    /// Guests of which nothing was measured but how fast they compute.
    #[must_use]
    pub const fn of_speed(accel: Accel, speed_factor: f64) -> Self {
        Self { accel, speed_factor, exit_ns: None, idle_bytes: None, reserve_bytes: None, disk: None }
    }
}

/// One stage of a start-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartupStage {
    /// As in the report.
    pub name: String,
    /// Who does it.
    pub actor: String,
    /// Median (ns).
    pub median_ns: u64,
}
