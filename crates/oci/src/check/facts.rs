//! What the checks have to know of the machine.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use oci_spec::runtime::{LinuxNamespaceType, Spec};

/// Facts that decide whether a configuration can be carried out here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The machine uses cgroup v2 alone.
    pub unified: bool,
    /// The runtime is not root, or root in a user namespace only.
    pub rootless: bool,
    /// AppArmor confines processes.
    pub apparmor: bool,
    /// SELinux labels processes.
    pub selinux: bool,
    /// The `resctrl` file system is mounted.
    pub resctrl: bool,
    /// Sizes of huge pages, as the specification writes them: `2MB`.
    pub hugepage_sizes: Vec<String>,
    /// The network namespace that the container joins is the runtime's own.
    pub joins_own_network: bool,
    /// The mount namespace that the container joins is the runtime's own.
    pub joins_own_mounts: bool,
}

impl Facts {
    /// Facts of this machine, as far as `spec` asks for them: nothing is read for what it leaves out. What can't be read is
    /// taken as not there.
    #[must_use]
    pub fn here(spec: &Spec) -> Self {
        let starts_with =
            |path: &str, first: &str| fs::read_to_string(path).is_ok_and(|text| text.starts_with(first));
        let linux = spec.linux().as_ref();
        let resources = linux.and_then(|linux| linux.resources().as_ref());
        let unified = resources.is_some_and(|resources| resources.unified().is_some());
        let hugepages = resources.is_some_and(|resources| resources.hugepage_limits().is_some());
        let resctrl = linux.is_some_and(|linux| linux.intel_rdt().is_some());
        let devices = linux.is_some_and(|linux| linux.net_devices().is_some());
        Self {
            unified: unified && mounted("/sys/fs/cgroup", "cgroup2"),
            rootless: devices && !(rustix::process::geteuid().is_root() && owns_all_ids()),
            apparmor: starts_with("/sys/module/apparmor/parameters/enabled", "Y"),
            selinux: Path::new("/sys/fs/selinux/enforce").exists(),
            resctrl: resctrl && mounted_at("resctrl").is_some(),
            hugepage_sizes: if hugepages { hugepage_sizes() } else { Vec::new() },
            joins_own_network: joins_own(spec, LinuxNamespaceType::Network, "net"),
            joins_own_mounts: joins_own(spec, LinuxNamespaceType::Mount, "mnt"),
        }
    }
}

/// Whether a file system of this kind is mounted at this place.
fn mounted(place: &str, kind: &str) -> bool {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    mounts.lines().any(|line| {
        let mut fields = line.split(' ').skip(1);
        fields.next() == Some(place) && fields.next() == Some(kind)
    })
}

/// Where a file system of this kind is mounted.
pub(crate) fn mounted_at(kind: &str) -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let at = fields.next()?;
        (fields.next() == Some(kind)).then(|| PathBuf::from(at))
    })
}

/// Whether this is the first user namespace, which maps every id to itself.
fn owns_all_ids() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().eq(["0", "0", "4294967295"])
}

/// `/sys/kernel/mm/hugepages/hugepages-2048kB` is called `2MB`.
fn hugepage_sizes() -> Vec<String> {
    let entries = fs::read_dir("/sys/kernel/mm/hugepages").into_iter().flatten().flatten();
    let mut sizes: Vec<String> = entries.filter_map(|entry| size(entry.file_name().to_str()?)).collect();
    sizes.sort_unstable();
    sizes
}

fn size(folder: &str) -> Option<String> {
    const UNITS: [(u64, &str); 3] = [(1 << 20, "GB"), (1 << 10, "MB"), (1, "KB")];
    let kib: u64 = folder.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse().ok()?;
    let (unit, name) = UNITS.iter().find(|(unit, _)| kib >= *unit && kib.is_multiple_of(*unit))?;
    Some(format!("{}{name}", kib / unit))
}

fn joins_own(spec: &Spec, kind: LinuxNamespaceType, file: &str) -> bool {
    let namespaces = spec.linux().as_ref().and_then(|linux| linux.namespaces().as_ref());
    let joined = namespaces.into_iter().flatten().find(|one| one.typ() == kind);
    let Some(path) = joined.and_then(|one| one.path().as_ref()) else { return false };
    let identity = |path: &Path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    identity(path).is_some_and(|theirs| Some(theirs) == identity(&Path::new("/proc/self/ns").join(file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_the_specification_does() {
        let cases = [
            ("hugepages-2048kB", Some("2MB")),
            ("hugepages-1048576kB", Some("1GB")),
            ("hugepages-64kB", Some("64KB")),
            ("hugepages-1536kB", Some("1536KB")),
            ("hugepages-0kB", None),
            ("hugepages-xkB", None),
            ("else", None),
        ];
        for (folder, name) in cases {
            assert_eq!(size(folder).as_deref(), name, "{folder}");
        }
    }

    #[test]
    fn facts_of_this_machine_can_be_read_and_its_own_network_is_known() {
        let spec = |path: &str| {
            let text = format!(
                r#"{{"ociVersion": "1.2.0", "linux": {{"namespaces": [{{"type": "network"{path}}}]}}}}"#
            );
            serde_json::from_str::<Spec>(&text).unwrap()
        };
        assert!(Facts::here(&spec(r#", "path": "/proc/self/ns/net""#)).joins_own_network);
        assert!(!Facts::here(&spec("")).joins_own_network);
        assert!(!Facts::here(&spec(r#", "path": "/proc/self/ns/ipc""#)).joins_own_network);
    }

    #[test]
    fn what_is_mounted_is_known_by_its_kind() {
        assert!(mounted("/proc", "proc") && mounted_at("proc").is_some_and(|at| at.is_absolute()));
        assert!(!mounted("/proc", "resctrl") && !mounted("/no/such/place", "proc"));
        assert_eq!(mounted_at("no-such-kind"), None);
    }
}
