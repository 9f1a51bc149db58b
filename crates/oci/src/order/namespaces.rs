//! Which namespaces a container gets (config-linux.md, "Namespaces", "User namespace mappings", "Offset for Time Namespace").

use catamaran_oci_init::order::Join;
use oci_spec::runtime::{Linux, LinuxIdMapping, LinuxNamespaceType, Spec};

use super::text;
use crate::Problem;

// `CLONE_NEW…` of linux/sched.h.
const MOUNT: u32 = 0x0002_0000;
pub(crate) const CGROUP: u32 = 0x0200_0000;
const UTS: u32 = 0x0400_0000;
const IPC: u32 = 0x0800_0000;
pub(crate) const USER: u32 = 0x1000_0000;
pub(crate) const PID: u32 = 0x2000_0000;
pub(crate) const NETWORK: u32 = 0x4000_0000;
const TIME: u32 = 0x80;

/// Names below `/proc/PID/ns`.
pub(crate) const NAMES: [(&str, u32); 8] = [
    ("user", USER),
    ("mnt", MOUNT),
    ("uts", UTS),
    ("ipc", IPC),
    ("pid", PID),
    ("cgroup", CGROUP),
    ("net", NETWORK),
    ("time", TIME),
];

/// Namespaces of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Namespaces {
    /// New ones.
    pub(crate) make: u32,
    /// Those that are there.
    pub(crate) join: Vec<Join>,
    /// Maps of the user namespace.
    pub(crate) users: Vec<LinuxIdMapping>,
    pub(crate) groups: Vec<LinuxIdMapping>,
}

impl Namespaces {
    pub(crate) fn of(spec: &Spec) -> Result<Self, Problem> {
        let mut namespaces = Self::default();
        let Some(linux) = spec.linux() else { return Ok(namespaces) };
        for (at, namespace) in linux.namespaces().iter().flatten().enumerate() {
            let kind = bit(namespace.typ());
            match namespace.path() {
                Some(path) if !path.as_os_str().is_empty() => {
                    let path = text(path, &format!("linux.namespaces[{at}].path"))?;
                    namespaces.join.push(Join { kind, path });
                }
                _ => namespaces.make |= kind,
            }
        }
        if namespaces.has_user() && !namespaces.has_mounts() {
            return Err(no_mount_namespace());
        }
        namespaces.users = linux.uid_mappings().clone().unwrap_or_default();
        namespaces.groups = linux.gid_mappings().clone().unwrap_or_default();
        Ok(namespaces)
    }

    /// Kinds in which the container is apart from the runtime.
    fn all(&self) -> u32 {
        self.join.iter().fold(self.make, |all, one| all | one.kind)
    }

    pub(crate) fn has_mounts(&self) -> bool {
        self.all() & MOUNT != 0
    }

    pub(crate) fn has_user(&self) -> bool {
        self.all() & USER != 0
    }

    pub(crate) fn makes_user(&self) -> bool {
        self.make & USER != 0
    }
}

fn no_mount_namespace() -> Problem {
    Problem::config(
        "linux.namespaces",
        "a user namespace and no mount namespace",
        "add {\"type\": \"mount\"}: who is in a user namespace may not mount among the machine's mounts",
    )
}

fn bit(kind: LinuxNamespaceType) -> u32 {
    match kind {
        LinuxNamespaceType::Mount => MOUNT,
        LinuxNamespaceType::Cgroup => CGROUP,
        LinuxNamespaceType::Uts => UTS,
        LinuxNamespaceType::Ipc => IPC,
        LinuxNamespaceType::User => USER,
        LinuxNamespaceType::Pid => PID,
        LinuxNamespaceType::Network => NETWORK,
        LinuxNamespaceType::Time => TIME,
    }
}

/// Lines of `uid_map` or `gid_map`.
pub(crate) fn map(mappings: &[LinuxIdMapping]) -> String {
    let line = |one: &LinuxIdMapping| format!("{} {} {}\n", one.container_id(), one.host_id(), one.size());
    mappings.iter().map(line).collect()
}

/// Lines of `timens_offsets` (time_namespaces(7)).
pub(crate) fn time_offsets(linux: &Linux) -> Result<String, Problem> {
    let mut lines = String::new();
    for (clock, offset) in linux.time_offsets().iter().flatten() {
        if !matches!(clock.as_str(), "monotonic" | "boottime") {
            let at = format!("linux.timeOffsets.{clock}");
            return Err(Problem::config(at, "no clock that has an offset", "use monotonic or boottime"));
        }
        let (seconds, nanoseconds) =
            (offset.secs().unwrap_or_default(), offset.nanosecs().unwrap_or_default());
        lines.push_str(&format!("{clock} {seconds} {nanoseconds}\n"));
    }
    Ok(lines)
}
