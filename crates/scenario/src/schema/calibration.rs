//! The fields of `host.toml`, which `catamaran calibrate` writes.

use super::takes::{BYTES_MOST, MILLISECOND, SECOND};
use super::{Field, Table, Takes};

/// Any cost of a single operation (ns), up to a second.
const COST: Takes = Takes::Count { least: 0, most: SECOND };
/// A slice of CPU time (ns), as the kernel bounds it.
const SLICE: Takes = Takes::Count { least: MILLISECOND / 1000, most: SECOND };

pub(crate) static CALIBRATION: Table = Table::new(
    "A measured machine.",
    &[
        Field::required("schema", Takes::Exactly(CALIBRATION_SCHEMA)),
        Field::required("machine", Takes::Table(&MACHINE)),
        Field::required("cpu", Takes::Table(&CPU)),
        Field::required("scheduler", Takes::Table(&SCHEDULER)),
        Field::optional("memory", Takes::Table(&MEMORY)),
        Field::optional("disk", Takes::Table(&DISK)),
        Field::optional("network", Takes::Table(&NETWORK)),
        Field::optional("fork", Takes::Table(&FORK)),
        Field::optional("vm", Takes::Table(&VM)),
        Field::optional("bare", Takes::Table(&BARE)),
        Field::optional("startup", Takes::ByPlatform(&STARTUP)),
    ],
);

/// The file's name and version.
pub(crate) const CALIBRATION_SCHEMA: &str = "catamaran/host/v1";

static MACHINE: Table = Table::new(
    "Identity of the machine.",
    &[
        Field::required("kernel", Takes::Text),
        Field::required("cpu_model", Takes::Text),
        Field::required("cores", Takes::Count { least: 1, most: 8192 }),
        Field::required("cgroup_version", Takes::Count { least: 1, most: 2 }),
        Field::required("page_bytes", Takes::Count { least: 1024, most: 1 << 21 }),
    ],
);

static CPU: Table = Table::new(
    "CPU figures.",
    &[
        Field::required("turns_per_cpu_s", Takes::Real { most: 1e12 }),
        // Above 1 by measuring error only.
        Field::required("all_busy_factor", Takes::Real { most: 1.25 }),
        Field::required("context_switch_ns", COST),
        Field::required("wakeup_idle_ns", COST),
        Field::required("request_overhead_ns", COST),
        Field::required("sleep_overhead_ns", COST),
        Field::required("tick_ns", COST),
    ],
);

static SCHEDULER: Table = Table::new(
    "The kernel scheduler as found.",
    &[
        Field::required("kind", Takes::Choice(&["eevdf", "cfs"])),
        Field::required("hz", Takes::Count { least: 100, most: 10_000 }),
        Field::required("base_slice_ns", SLICE),
        Field::default("latency_ns", COST, "0"),
        Field::default("wakeup_granularity_ns", COST, "0"),
        Field::required("autogroup", Takes::Flag),
        Field::required("bandwidth_slice_ns", SLICE),
        Field::required("migration_cost_ns", COST),
        Field::required("throttle_by_task", Takes::Flag),
        Field::required("delay_dequeue", Takes::Flag),
        Field::required("pick_buddy", Takes::Flag),
        Field::required("places_running", Takes::Flag),
        Field::required("run_delay_includes_throttled", Takes::Flag),
    ],
);

/// CPU time or waiting for one page (ns), up to a second.
const PAGE_COST: Takes = Takes::Real { most: 1e9 };
/// What a process or thread weighs (bytes), up to a GiB.
const WEIGHT: Takes = Takes::Count { least: 0, most: 1 << 30 };

static MEMORY: Table = Table::new(
    "What memory costs and weighs.",
    &[
        Field::required("touch_ns", PAGE_COST),
        Field::required("retouch_ns", PAGE_COST),
        Field::required("release_ns", PAGE_COST),
        Field::required("worker_bytes", WEIGHT),
        Field::required("thread_bytes", WEIGHT),
        Field::optional("group_bytes", WEIGHT),
        Field::optional("start_bytes", WEIGHT),
        Field::required("worker_rss_bytes", WEIGHT),
        Field::optional("swap", Takes::Table(&SWAP)),
        Field::optional("tenant_bytes", Takes::ByPlatform(&TENANT_BYTES)),
    ],
);

static TENANT_BYTES: Table = Table::new(
    "What the memory groups are charged for one tenant being there, by platform.",
    &super::by_platform(Takes::Count { least: 1, most: BYTES_MOST }),
);

static SWAP: Table = Table::new(
    "What swapping costs whoever waits for it.",
    &[Field::required("out_ns", PAGE_COST), Field::required("in_ns", PAGE_COST)],
);

static DISK: Table = Table::new(
    "The disk under the tenants' files.",
    &[
        Field::required("scheduler", Takes::Text),
        Field::required("throttle_slice_ns", Takes::Count { least: MILLISECOND, most: SECOND }),
        Field::required("batches", Takes::Flag),
        Field::required("read", Takes::Table(&OPERATION)),
        Field::required("write", Takes::Table(&OPERATION)),
        Field::required("flush", Takes::Table(&FLUSH)),
        Field::required("cached_read", Takes::Table(&CACHED)),
        Field::required("cached_write", Takes::Table(&CACHED)),
    ],
);

/// Time for one byte (ns).
const BYTE_COST: Takes = Takes::Real { most: 1e6 };

static OPERATION: Table = Table::new(
    "What an operation on the device costs.",
    &[
        Field::required("cpu_ns", COST),
        Field::required("cpu_ns_per_byte", BYTE_COST),
        Field::required("notify_ns", COST),
        Field::required("service_ns", COST),
        Field::required("service_ns_per_byte", BYTE_COST),
        Field::required("latency_ns", COST),
        Field::optional("latency_ns_per_byte", BYTE_COST),
    ],
);

static FLUSH: Table = Table::new(
    "What it costs to have the device write its cache out.",
    &[
        Field::required("cpu_ns", COST),
        Field::required("service_ns", COST),
        Field::required("latency_ns", COST),
    ],
);

static CACHED: Table = Table::new(
    "What an operation costs that the page cache serves.",
    &[Field::required("cpu_ns", COST), Field::required("cpu_ns_per_byte", BYTE_COST)],
);

static NETWORK: Table = Table::new(
    "The machine's own network: loopback, and pairs of virtual Ethernet devices on a bridge.",
    &[
        Field::required("wake_ns", COST),
        Field::required("wake_idle_ns", COST),
        Field::required("wakeup_idle_ns", COST),
        Field::required("sleep_ns", COST),
        Field::required("window_bytes", Takes::Count { least: 1, most: 1 << 40 }),
        Field::required("loopback", Takes::Table(&MESSAGE)),
        Field::required("veth", Takes::Table(&MESSAGE)),
    ],
);

static FORK: Table = Table::new(
    "Forks and their children.",
    &[
        Field::required("fork_ns", COST),
        Field::required("refused_ns", COST),
        Field::required("start_ns", COST),
        Field::required("exit_ns", COST),
        Field::required("reap_ns", COST),
        Field::required("wakeup_idle_ns", COST),
        Field::required("child_bytes", Takes::Count { least: 0, most: 1 << 40 }),
        Field::optional("busy", Takes::Table(&BUSY_FORK)),
    ],
);

static BUSY_FORK: Table = Table::new(
    "Forks and their children where all cores are busy.",
    &[Field::required("fork_ns", COST), Field::required("start_ns", COST), Field::required("exit_ns", COST)],
);

static MESSAGE: Table = Table::new(
    "What a piece of a message costs: a system call with at most 64 KiB.",
    &[
        Field::required("send_ns", COST),
        Field::required("send_ns_per_byte", BYTE_COST),
        Field::required("receive_ns", COST),
        Field::required("receive_ns_per_byte", BYTE_COST),
        Field::optional("in_turn", Takes::Table(&TURN)),
    ],
);

static TURN: Table = Table::new(
    "What the bytes of a message of at most 64 KiB cost that is answered before the next is sent.",
    &[
        Field::required("send_ns_per_byte", BYTE_COST),
        Field::required("receive_ns_per_byte", BYTE_COST),
        Field::required("segments_send_ns", COST),
        Field::required("segments_receive_ns", COST),
        Field::required("after_ns", COST),
        Field::required("segments_after_ns", COST),
    ],
);

static VM: Table = Table::new(
    "Guests on the machine.",
    &[
        Field::required("accel", Takes::Choice(&["kvm", "tcg"])),
        // Above 1 by measuring error only.
        Field::required("speed_factor", Takes::Real { most: 1.25 }),
        Field::optional("exit_ns", COST),
        Field::optional("idle_bytes", Takes::Count { least: 1, most: BYTES_MOST }),
        Field::optional("reserve_bytes", Takes::Count { least: 0, most: BYTES_MOST }),
        Field::optional("disk", Takes::Table(&VIRTIO)),
    ],
);

static BARE: Table = Table::new(
    "Guests without a kernel (`platform.microvm.guest = \"bare\"`).",
    &[
        // Above 1 by measuring error only.
        Field::required("speed_factor", Takes::Real { most: 1.25 }),
        Field::required("request_overhead_ns", COST),
        Field::required("sleep_overhead_ns", COST),
        Field::required("touch_ns", PAGE_COST),
        Field::required("retouch_ns", PAGE_COST),
        Field::required("release_ns", PAGE_COST),
        Field::required("tenant_bytes", WEIGHT),
        Field::required("thread_bytes", WEIGHT),
        Field::required("rss_bytes", WEIGHT),
        Field::required("startup", Takes::Tables(&STAGE)),
    ],
);

static VIRTIO: Table = Table::new(
    "What a guest's disk costs beyond the machine's.",
    &[
        Field::required("cpu_ns", COST),
        Field::required("service_ns", COST),
        Field::required("service_ns_per_byte", BYTE_COST),
        Field::required("latency_ns", COST),
        Field::required("latency_ns_per_byte", BYTE_COST),
        Field::required("waits", Takes::Flag),
    ],
);

static STARTUP: Table =
    Table::new("Start-up stages by platform.", &super::by_platform(Takes::Tables(&STAGE)));

static STAGE: Table = Table::new(
    "One stage of a start-up.",
    &[
        Field::required("name", Takes::Text),
        Field::required("actor", Takes::Text),
        Field::required("median_ns", Takes::Count { least: 0, most: 3600 * SECOND }),
    ],
);
