//! The configuration of a tenant's bundle: what our own container has (`catamaran_worker::minimal`, `catamaran_worker::seccomp`),
//! in the words of the OCI runtime specification.
//!
//! **Source.** Runtime specification 1.0.2, `config.md`, `config-linux.md`. Nothing newer is used: runc 1.1 and crun 1.8 know no
//! more.

use std::path::{Path, PathBuf};

use catamaran_worker::minimal::{FILE, KEPT_CAPABILITIES, MASKED, READ_ONLY};
use catamaran_worker::program::PATH;
use catamaran_worker::seccomp::{NEW_NAMESPACES, REFUSED};
use oci_spec::runtime::Spec;
use rustix::io::Errno;
use serde_json::{Value, json};

use crate::cgroup::{Limits, MemoryLimits};
use crate::disk::bounds::Bounds;
use crate::problem::Problem;

/// Version of the specification that a configuration is written for.
const VERSION: &str = "1.0.2";

/// What a container is to be.
pub(super) struct Contents<'a> {
    /// The worker's arguments, its own name first.
    pub(super) arguments: Vec<String>,
    /// Its root, a folder of the machine.
    pub(super) root: &'a Path,
    /// Whether that is its own to write to.
    pub(super) writable: bool,
    pub(super) host_name: &'a str,
    pub(super) oom_score_adj: Option<i32>,
    /// The tenant's file on the machine.
    pub(super) file: Option<&'a Path>,
    /// Its group below that in which the runtime finds itself.
    pub(super) group: &'a str,
    pub(super) limits: &'a Limits,
    /// What of the machine is shown, read-only at the same place: folders of its programs.
    pub(super) programs: &'a [PathBuf],
}

impl Contents<'_> {
    /// As the library that engines are built with has it.
    pub(super) fn spec(&self) -> Result<Spec, Problem> {
        let kept: Vec<_> =
            KEPT_CAPABILITIES.iter().map(|(name, _)| format!("CAP_{}", name.to_uppercase())).collect();
        let namespaces =
            ["pid", "mount", "uts", "ipc", "network", "cgroup"].map(|kind| json!({ "type": kind }));
        let mut process = json!({
            "terminal": false,
            "user": { "uid": 0, "gid": 0 },
            "args": self.arguments,
            // The worker looks for nothing, but youki refuses a container without.
            "env": [format!("PATH={PATH}")],
            "cwd": "/",
            "capabilities": { "bounding": kept, "effective": kept, "permitted": kept, "inheritable": [] },
            "noNewPrivileges": true,
        });
        if let Some(adjustment) = self.oom_score_adj {
            put(&mut process, "oomScoreAdj", json!(adjustment));
        }
        let config = json!({
            "ociVersion": VERSION,
            "process": process,
            "root": { "path": self.root, "readonly": !self.writable },
            "hostname": self.host_name,
            "mounts": self.mounts(),
            "linux": {
                "cgroupsPath": format!("/{}", self.group),
                "namespaces": namespaces,
                "resources": resources(self.limits),
                "maskedPaths": MASKED,
                "readonlyPaths": READ_ONLY,
                "seccomp": seccomp(),
            },
        });
        let defect = |error| Problem::new(format!("config.json: {error}"), "this is a defect of catamaran");
        serde_json::from_value(config).map_err(defect)
    }

    fn mounts(&self) -> Vec<Value> {
        let bare = ["nosuid", "nodev", "noexec"];
        let mut mounts = vec![
            json!({ "destination": "/proc", "type": "proc", "source": "proc", "options": bare }),
            json!({ "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"] }),
            json!({
                "destination": "/sys", "type": "sysfs", "source": "sysfs",
                "options": ["nosuid", "nodev", "noexec", "ro"],
            }),
            json!({
                "destination": "/tmp", "type": "tmpfs", "source": "tmpfs",
                "options": ["nosuid", "nodev", "mode=1777"],
            }),
        ];
        let file = self.file.map(|file| {
            json!({
                "destination": format!("/{FILE}"), "type": "bind", "source": file,
                "options": ["bind", "rw", "nosuid", "nodev", "noexec"],
            })
        });
        mounts.extend(file);
        mounts.extend(self.programs.iter().map(|folder| {
            let options = ["bind", "ro", "nosuid", "nodev"];
            json!({ "destination": folder, "type": "bind", "source": folder, "options": options })
        }));
        mounts
    }
}

/// Puts `value` into an object.
fn put(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

/// Bounds as `config-linux.md` ("Control groups") has them.
fn resources(limits: &Limits) -> Value {
    let mut resources = json!({});
    let mut cpu = json!({});
    if let Some(shares) = limits.shares {
        put(&mut cpu, "shares", json!(shares));
    }
    if let Some(quota_us) = limits.quota_us {
        put(&mut cpu, "quota", json!(quota_us));
        put(&mut cpu, "period", json!(limits.period_us));
    }
    if let Some(cpus) = &limits.cpus {
        put(&mut cpu, "cpus", json!(crate::machine::to_cpu_list(cpus)));
    }
    put(&mut resources, "cpu", cpu);
    if let MemoryLimits { max: Some(max), swap, .. } = limits.memory {
        let mut memory = json!({ "limit": max });
        if let Some(swap) = swap {
            // Of both together, as on version 1.
            put(&mut memory, "swap", json!(max.saturating_add(swap)));
        }
        put(&mut resources, "memory", memory);
    }
    if let Some(pids) = limits.pids {
        put(&mut resources, "pids", json!({ "limit": pids }));
    }
    if let Some(io) = &limits.io {
        put(&mut resources, "blockIO", block_io(io));
    }
    resources
}

fn block_io(bounds: &Bounds) -> Value {
    let number = |text: &str| text.parse::<i64>().unwrap_or(0);
    let (major, minor) = bounds.device.split_once(':').map_or((0, 0), |(a, b)| (number(a), number(b)));
    let mut io = json!({});
    for (key, most) in [
        ("throttleReadBpsDevice", bounds.read),
        ("throttleWriteBpsDevice", bounds.write),
        ("throttleReadIOPSDevice", bounds.iops),
        ("throttleWriteIOPSDevice", bounds.iops),
    ] {
        if let Some(rate) = most {
            put(&mut io, key, json!([{ "major": major, "minor": minor, "rate": rate }]));
        }
    }
    io
}

/// The filter of our own container. Of `personality` all is refused, also what changes nothing: rules of a profile can't say "none of
/// these values".
fn seccomp() -> Value {
    let names = REFUSED.iter().map(|(name, _)| *name).chain(["personality"]);
    let (perm, nosys) = (Errno::PERM.raw_os_error(), Errno::NOSYS.raw_os_error());
    let with_namespace = |bit: u32| {
        json!({
            "names": ["clone"], "action": "SCMP_ACT_ERRNO", "errnoRet": perm,
            "args": [{ "index": 0, "value": bit, "valueTwo": bit, "op": "SCMP_CMP_MASKED_EQ" }],
        })
    };
    let mut rules = vec![
        json!({ "names": names.collect::<Vec<_>>(), "action": "SCMP_ACT_ERRNO", "errnoRet": perm }),
        json!({ "names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": nosys }),
    ];
    let bits = (0..u32::BITS).map(|number| 1 << number).filter(|bit| NEW_NAMESPACES & bit != 0);
    rules.extend(bits.map(with_namespace));
    json!({ "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": rules })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents<'a>(limits: &'a Limits, file: Option<&'a Path>) -> Contents<'a> {
        Contents {
            arguments: vec!["/catamaran-worker".into(), "work".into(), "1-2".into()],
            root: Path::new("/run/catamaran/1-2/web.0.bundle/rootfs"),
            writable: false,
            host_name: "web",
            oom_score_adj: Some(-5),
            file,
            group: "web.0",
            limits,
            programs: &[],
        }
    }

    #[test]
    fn limits_are_in_the_words_of_the_specification() {
        let limits = Limits {
            shares: Some(512),
            quota_us: Some(20_000),
            period_us: 100_000,
            cpus: Some(vec![0, 1]),
            memory: MemoryLimits { max: Some(100), swap: Some(10), ..MemoryLimits::default() },
            pids: Some(9),
            io: Some(Bounds { device: "254:1".into(), read: Some(7), write: None, iops: None }),
            ..Limits::default()
        };
        let spec = contents(&limits, Some(Path::new("/var/tmp/x.disk"))).spec().expect("a configuration");
        let config = serde_json::to_value(&spec).expect("JSON");
        let expected = json!({
            "cpu": { "shares": 512, "quota": 20_000, "period": 100_000, "cpus": "0,1" },
            "memory": { "limit": 100, "swap": 110 },
            "pids": { "limit": 9 },
            "blockIO": { "throttleReadBpsDevice": [{ "major": 254, "minor": 1, "rate": 7 }] },
        });
        assert_eq!(config["linux"]["resources"], expected);
        assert_eq!(config["process"]["oomScoreAdj"], json!(-5));
        assert!(config["mounts"].to_string().contains("/var/tmp/x.disk"));
    }

    #[test]
    fn without_limits_nothing_is_bounded_and_all_is_taken_away_that_our_own_container_takes() {
        let limits = Limits::default();
        let spec = contents(&limits, None).spec().expect("a configuration");
        let config = serde_json::to_value(&spec).expect("JSON");
        assert_eq!(config["linux"]["resources"], json!({ "cpu": {} }));
        let namespaces = config["linux"]["namespaces"].as_array().map(Vec::len);
        assert_eq!(namespaces, Some(catamaran_worker::script::Namespace::ALL.len()));
        let filter = config["linux"]["seccomp"].to_string();
        for (name, _) in REFUSED {
            assert!(filter.contains(&format!("\"{name}\"")), "{name}");
        }
        let bits = filter.matches("SCMP_CMP_MASKED_EQ").count();
        assert_eq!(bits as u32, NEW_NAMESPACES.count_ones());
        let kept = config["process"]["capabilities"]["bounding"].as_array().map(Vec::len);
        assert_eq!(kept, Some(KEPT_CAPABILITIES.len()));
        assert_eq!(config["process"]["capabilities"]["inheritable"], json!([]));
    }
}
