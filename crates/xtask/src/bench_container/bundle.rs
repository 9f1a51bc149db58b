//! The OCI bundle that runc and crun get: what `runc spec` writes, with the same limits as ours.
//!
//! **Source.** opencontainers/runc `libcontainer/specconv/example.go`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::groups::{MEMORY_BYTES, PERIOD_US, PIDS, QUOTA_US, SHARES};

/// Makes the bundle with the worker as its only file.
pub(super) fn make(bundle: &Path, worker: &Path) -> Result<()> {
    let root = bundle.join("rootfs");
    for folder in ["proc", "sys", "dev", "tmp"] {
        fs::create_dir_all(root.join(folder))?;
    }
    let program = root.join("worker");
    fs::copy(worker, &program).with_context(|| format!("cannot copy {}", worker.display()))?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    let config = bundle.join("config.json");
    fs::write(&config, serde_json::to_vec_pretty(&config_json())?)
        .with_context(|| format!("cannot write {}", config.display()))
}

fn config_json() -> Value {
    let kept = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];
    let namespaces = ["pid", "network", "ipc", "uts", "mount", "cgroup"].map(|kind| json!({ "type": kind }));
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": false,
            "user": { "uid": 0, "gid": 0 },
            "args": ["/worker", "true"],
            "cwd": "/",
            "capabilities": { "bounding": kept, "effective": kept, "permitted": kept },
            "noNewPrivileges": true
        },
        "root": { "path": "rootfs", "readonly": false },
        "hostname": "bench",
        "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc" },
            { "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
              "options": ["nosuid", "strictatime", "mode=755", "size=65536k"] },
            { "destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"] }
        ],
        "linux": {
            "resources": {
                "devices": [{ "allow": false, "access": "rwm" }],
                "cpu": { "shares": SHARES, "quota": QUOTA_US, "period": PERIOD_US },
                "memory": { "limit": MEMORY_BYTES },
                "pids": { "limit": PIDS }
            },
            "namespaces": namespaces,
            "maskedPaths": [
                "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
                "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi"
            ],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_others_get_the_same_limits_as_we() {
        let resources = &config_json()["linux"]["resources"];
        assert_eq!(resources["cpu"]["quota"], QUOTA_US);
        assert_eq!(resources["memory"]["limit"], MEMORY_BYTES);
        assert_eq!(resources["pids"]["limit"], PIDS);
    }
}
