//! The tree of version 2, as tests look at it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const TREE: &str = "/sys/fs/cgroup";

/// Whether this machine has its controllers on version 2; else says why the test `name` is skipped. Where the guest of
/// `native-v2` has told us to find version 2, nothing is skipped.
pub(crate) fn on_v2(name: &str) -> bool {
    let groups = fs::read_to_string("/proc/self/cgroup").expect("/proc");
    let v1 = groups.lines().any(|line| line.split(':').nth(1).is_some_and(|list| list.contains("cpu")));
    let v2 = !v1 && Path::new(TREE).join("cgroup.controllers").exists();
    if !v2 {
        assert!(std::env::var_os("CATAMARAN_CGROUP").is_none(), "cgroup v2 was promised: {groups}");
        println!("skipped: {name}: the controllers of this machine are mounted as version 1");
    }
    v2
}

/// Every group of the tree, with the controllers that it hands down.
pub(crate) fn tree() -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![PathBuf::from(TREE)];
    while let Some(folder) = waiting.pop() {
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
        waiting.extend(entries.filter(|path| path.is_dir()));
        let handed_down = fs::read_to_string(folder.join("cgroup.subtree_control")).unwrap_or_default();
        found.insert(folder, handed_down);
    }
    found
}

/// The group `name` of the run of this process, once there is one with a process in it.
pub(crate) fn group_with_a_process(name: &str) -> PathBuf {
    let guard = format!("catamaran-{:x}-", std::process::id());
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let inside = |group: &PathBuf| {
            let parent = group.parent().and_then(Path::file_name).map(|name| name.to_string_lossy());
            parent.is_some_and(|parent| parent.starts_with(&guard)) && group.ends_with(name)
        };
        let occupied = |group: &PathBuf| {
            fs::read_to_string(group.join("cgroup.procs")).is_ok_and(|processes| !processes.is_empty())
        };
        if let Some(group) = tree().into_keys().find(|group| inside(group) && occupied(group)) {
            return group;
        }
        assert!(Instant::now() < deadline, "no process came into a group {name}: {:#?}", tree());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What stands in a file of a group; nothing where the group is gone.
pub(crate) fn read(group: &Path, file: &str) -> String {
    fs::read_to_string(group.join(file)).map(|text| text.trim().to_owned()).unwrap_or_default()
}
