//! What a container keeps: devices, capabilities, and what of `/proc` and `/sys` is hidden or can't be written. The
//! launcher carries it out, `--dry-run` prints it, from the same tables.
//!
//! **Source.** The defaults of the OCI runtimes: opencontainers/runc `libcontainer/specconv/example.go` (capabilities,
//! masked and read-only paths), opencontainers/runtime-spec `config-linux.md` section "Default Devices".

use std::path::{Path, PathBuf};

/// A character device: name in `/dev`, major and minor number (`Documentation/admin-guide/devices.txt`).
pub const DEVICES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

/// Symbolic links in `/dev` and what they point to.
pub const DEVICE_LINKS: [(&str, &str); 4] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];

/// The worker's place in a root, whatever image that comes from: it lies over what has this name there.
pub const PROGRAM: &str = "catamaran-worker";
/// The place of the socket to the runner, in an engine's containers.
pub const CONTROL: &str = "catamaran-control";
/// The place of the tenant's file, in containers of runtimes and engines.
pub const FILE: &str = "catamaran-file";

/// The root of an image in what is mounted for it, beside the folders that hold what is written.
pub const TOP: &str = "root";

/// The root in what is mounted at `at`.
#[must_use]
pub fn top(at: &Path, of_image: bool) -> PathBuf {
    if of_image { at.join(TOP) } else { at.to_owned() }
}

/// Folders of the root, with their modes; `/dev/shm` is a part of the root's own tmpfs.
pub const FOLDERS: [(&str, u32); 5] =
    [("proc", 0o755), ("sys", 0o755), ("dev", 0o755), ("dev/shm", 0o1777), ("tmp", 0o1777)];

/// Paths behind which nothing is to be seen.
pub const MASKED: [&str; 10] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
];

/// Paths that can be read only: through them, root could change the machine.
pub const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// Capabilities that are kept: name as in `capabilities(7)` and number (`include/uapi/linux/capability.h`).
pub const KEPT_CAPABILITIES: [(&str, u32); 3] = [("kill", 5), ("net_bind_service", 10), ("audit_write", 29)];
