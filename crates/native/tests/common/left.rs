//! What an engine of a run's own may leave behind.

use std::collections::BTreeSet;
use std::path::Path;

/// What the names of engines' and runtimes' states begin with in `/run` and `/dev/shm`.
const STATES: [&str; 7] = ["podman", "containers", "containerd", "docker", "libpod", "lxc", "conmon"];

/// The folder of what is typed, and the name of its guard.
pub(crate) const BY_HAND_FOLDER: &str = "/tmp/catamaran-by-hand";
const BY_HAND: &str = "by-hand";

/// What is on the machine of the runs of a process and of typed lines, and all that an engine leaves in places of the machine's.
pub(crate) fn left(process: u32) -> BTreeSet<String> {
    let ours = format!("{process:x}-");
    let mut found = BTreeSet::new();
    [&*ours, BY_HAND].iter().for_each(|name| groups(Path::new("/sys/fs/cgroup"), name, &mut found));
    found.extend(Path::new(BY_HAND_FOLDER).exists().then(|| BY_HAND_FOLDER.to_owned()));
    for folder in [
        "/run",
        "/run/catamaran",
        "/var/lib/containers",
        "/var/lib/docker",
        "/var/lib/containerd",
        "/dev/shm",
    ] {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let is_engines = |name: &str| STATES.iter().any(|state| name.contains(state));
        let of_ours = names.filter(|name| match folder {
            "/run/catamaran" => name.starts_with(&ours),
            // Others may be at work there.
            "/run" | "/dev/shm" => is_engines(name),
            _ => true,
        });
        found.extend(of_ours.map(|name| format!("{folder}/{name}")));
    }
    let mounts = std::fs::read_to_string("/proc/self/mounts").expect("mounts");
    let is_ours = |text: &str| text.contains(&format!("/{ours}")) || text.contains(BY_HAND_FOLDER);
    found.extend(mounts.lines().filter(|line| is_ours(line)).map(str::to_owned));
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let words = processes.filter_map(|process| std::fs::read_to_string(process.path().join("cmdline")).ok());
    found.extend(words.filter(|words| is_ours(words)).map(|words| words.replace('\0', " ")));
    found
}

fn groups(folder: &Path, ours: &str, found: &mut BTreeSet<String>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()).filter(|path| path.is_dir() && !path.is_symlink()) {
        if path.to_string_lossy().contains(&format!("catamaran-{ours}")) {
            found.insert(path.display().to_string());
        }
        groups(&path, ours, found);
    }
}
