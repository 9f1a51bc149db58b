//! What belongs to the runs of a process, by the names of things and by what the kernel tells.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long processes that were killed, and those that die with them, get to be gone.
const DYING: Duration = Duration::from_secs(2);

/// A process of a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    /// Its command line.
    pub(crate) words: String,
}

/// Everything on the machine that belongs to runs of one process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Inventory {
    processes: BTreeSet<Process>,
    groups: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
    mounts: BTreeSet<String>,
    /// Files of tenants, which are disks of guests, too.
    files: BTreeSet<PathBuf>,
}

impl Inventory {
    /// Of the runs of process `pid`, whose user has their folders in `home`.
    pub(crate) fn take(pid: u32, home: &Path) -> Self {
        let id = format!("{pid:x}-");
        let mut inventory = Self::default();
        for process in folders(Path::new("/proc")) {
            let text =
                |file: &str| fs::read_to_string(process.join(file)).unwrap_or_default().replace('\0', " ");
            let words = text("cmdline");
            let ours = words.contains(&format!(" {id}"))
                || words.contains(&format!("catamaran-{id}"))
                || text("cgroup").contains(&format!("catamaran-{id}"));
            let stat = text("stat");
            let mut fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields).split(' ');
            // A zombie has ended; it only waits for whoever inherited it.
            let lives = fields.next().is_some_and(|state| !state.is_empty() && !"ZX".contains(state));
            if ours && lives {
                let number = |text: Option<&str>| text.and_then(|text| text.parse().ok()).unwrap_or(0);
                let name = process.file_name().and_then(|name| name.to_str());
                let (pid, parent) = (number(name), number(fields.next()));
                inventory.processes.insert(Process { pid, parent, words });
            }
        }
        find_groups(Path::new("/sys/fs/cgroup"), &format!("catamaran-{id}"), &mut inventory.groups);
        inventory.folders.extend(folders(home).filter(|path| named(path, &id)));
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let ours = mounts.lines().filter(|mount| mount.contains(&format!("/{id}")));
        inventory.mounts.extend(ours.map(str::to_owned));
        let files = entries(Path::new("/var/tmp"));
        inventory.files.extend(files.filter(|path| named(path, &format!("catamaran-{id}"))));
        inventory
    }

    /// The same, after whoever is dying had the time to.
    pub(crate) fn take_when_settled(pid: u32, home: &Path) -> Self {
        let deadline = Instant::now() + DYING;
        loop {
            let inventory = Self::take(pid, home);
            if inventory.is_empty() || Instant::now() > deadline {
                return inventory;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Every process.
    pub(crate) fn processes(&self) -> Vec<&Process> {
        self.processes.iter().collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Tenants that have become what they shall run: the worker, or QEMU.
    pub(crate) fn tenants(&self) -> Vec<&Process> {
        let has_become = |process: &&Process| {
            process.words.contains("catamaran-worker work") || process.words.contains("-M microvm")
        };
        self.processes.iter().filter(has_become).collect()
    }

    /// Launchers and tenants of `runner`, the oldest first: a tenant is the sibling of the launcher that makes it.
    pub(crate) fn children(&self, runner: u32) -> Vec<&Process> {
        self.processes.iter().filter(|process| process.parent == runner).collect()
    }
}

/// What is mounted on the machine, runs of catamaran left out: others may be under way.
pub(crate) fn mounts_of_others() -> BTreeSet<String> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    mounts.lines().filter(|mount| !mount.contains("/catamaran")).map(str::to_owned).collect()
}

/// The devices of the machine's own network.
pub(crate) fn devices() -> BTreeSet<String> {
    let entries = fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn folders(path: &Path) -> impl Iterator<Item = PathBuf> {
    entries(path).filter(|path| path.is_dir() && !path.is_symlink())
}

fn entries(path: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn named(path: &Path, prefix: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
}

fn find_groups(path: &Path, prefix: &str, found: &mut BTreeSet<PathBuf>) {
    for folder in folders(path) {
        if named(&folder, prefix) {
            found.insert(folder.clone());
        }
        find_groups(&folder, prefix, found);
    }
}
