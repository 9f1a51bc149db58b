//! What can be told of a process's surroundings: its namespaces, its root, its devices. Read by the process itself
//! through `/proc/self`, or by the runner through `/proc/PID`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Kinds of namespaces, as the links in `/proc/PID/ns` are called.
pub const NAMESPACES: [&str; 8] = ["pid", "mnt", "uts", "user", "net", "ipc", "cgroup", "time"];

/// Facts by name: `boot-id` (the kernel's own, of this boot), `ns.KIND` (the link's text), `root` (device and inode),
/// `devices` (names in `/dev`, sorted, separated by blanks). A fact that can't be read is not there.
pub type Facts = BTreeMap<String, String>;

/// The facts of the process whose folder in a `/proc` is `process`.
#[must_use]
pub fn read(process: &Path) -> Facts {
    let mut facts = Facts::new();
    let proc = process.parent().unwrap_or(process);
    if let Ok(id) = fs::read_to_string(proc.join("sys/kernel/random/boot_id")) {
        facts.insert("boot-id".into(), id.trim().to_owned());
    }
    for kind in NAMESPACES {
        if let Ok(link) = fs::read_link(process.join("ns").join(kind)) {
            facts.insert(format!("ns.{kind}"), link.to_string_lossy().into_owned());
        }
    }
    let root = process.join("root");
    // With the slash it is the folder that is looked at, not the link.
    if let Ok(status) = fs::metadata(root.join("")) {
        facts.insert("root".into(), format!("{}:{}", status.dev(), status.ino()));
    }
    if let Ok(entries) = fs::read_dir(root.join("dev")) {
        let mut names: Vec<String> = entries
            .filter_map(Result::ok)
            .filter(|entry| is_device(&entry.path()))
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        facts.insert("devices".into(), names.join(" "));
    }
    facts
}

fn is_device(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    fs::symlink_metadata(path)
        .is_ok_and(|status| status.file_type().is_char_device() || status.file_type().is_block_device())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_seen_by_itself_is_the_one_seen_by_number() {
        let own = read(Path::new("/proc/self"));
        assert_eq!(own, read(&Path::new("/proc").join(std::process::id().to_string())));
        assert!(own.contains_key("ns.pid") && own.contains_key("root"), "{own:?}");
        assert!(own.contains_key("boot-id"), "{own:?}");
    }
}
