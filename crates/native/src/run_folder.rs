//! The folder of a run: a lock that says whether the run lives, and a ledger of what it made, written *before* it was
//! made. Whoever comes after a run that was killed removes what the ledger names.
//!
//! `/run/catamaran/<run id>/` as root, `$XDG_RUNTIME_DIR/catamaran/<run id>/` otherwise. `lock` is held by `flock` as
//! long as the run lives and names its process; `ledger` has one line a resource.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use catamaran_worker::stop::stop_at;
use rustix::fs::{FlockOperation, flock};

use crate::cgroup;

/// Something that outlives its maker unless it is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resource {
    /// A control group that we made.
    Group(PathBuf),
    /// v2: controllers that we had a group hand down.
    Controllers {
        /// The group; it is not ours.
        group: PathBuf,
        /// Names of the controllers.
        names: Vec<String>,
    },
}

impl Resource {
    /// As a line of the ledger.
    fn to_line(&self) -> String {
        match self {
            Self::Group(path) => format!("group {}\n", path.display()),
            Self::Controllers { group, names } => {
                format!("controllers {} {}\n", names.join(","), group.display())
            }
        }
    }

    /// A line of a ledger; `None` where it is none, as the last line of a run that was killed while it wrote.
    fn from_line(line: &str) -> Option<Self> {
        let (kind, rest) = line.split_once(' ')?;
        match kind {
            // Whatever stands in the ledger: only a group with our name in an absolute path is ever removed.
            "group" if rest.starts_with('/') && rest.contains("/catamaran-") && !rest.contains("/../") => {
                Some(Self::Group(rest.into()))
            }
            "controllers" => {
                let (names, group) = rest.split_once(' ')?;
                let names = names.split(',').map(str::to_owned).collect();
                Some(Self::Controllers { group: group.into(), names })
            }
            _ => None,
        }
    }
}

/// The resources of a ledger in the order in which they were made; lines that are none are left out.
pub(crate) fn parse_ledger(bytes: &[u8]) -> Vec<Resource> {
    let text = String::from_utf8_lossy(bytes);
    let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap_or_default());
    whole.lines().filter_map(Resource::from_line).collect()
}

/// Where all runs of this user have their folders.
pub(crate) fn home() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/run/catamaran");
    }
    match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(folder) => PathBuf::from(folder).join("catamaran"),
        None => std::env::temp_dir().join(format!("catamaran-{}", rustix::process::geteuid().as_raw())),
    }
}

/// When a process began (clock ticks after boot, field 22 of `/proc/PID/stat`); `None` where it is no more.
pub(crate) fn process_start(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may itself hold brackets and blanks.
    let after_name = stat.rsplit_once(") ")?.1;
    let mut fields = after_name.split_ascii_whitespace();
    let state = fields.next()?;
    if state == "Z" || state == "X" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// The folder of a run that lives.
#[derive(Debug)]
pub(crate) struct RunFolder {
    /// Unique on this machine since boot.
    pub(crate) id: String,
    path: PathBuf,
    ledger: File,
    /// Held as long as the run lives.
    _lock: File,
}

impl RunFolder {
    /// Makes the folder of a new run in `home`.
    pub(crate) fn make(home: &Path) -> io::Result<Self> {
        fs::create_dir_all(home)?;
        let _door = door(home)?;
        let pid = std::process::id();
        let id = format!("{pid:x}-{:x}", catamaran_worker::clock::now_ns());
        let path = home.join(&id);
        fs::create_dir(&path)?;
        let mut lock = create(&path.join("lock"))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        lock.write_all(format!("{pid} {}\n", process_start(pid).unwrap_or(0)).as_bytes())?;
        let ledger = create(&path.join("ledger"))?;
        Ok(Self { id, path, ledger, _lock: lock })
    }

    /// Notes a resource; call it before the resource is made.
    pub(crate) fn register(&mut self, resource: &Resource) -> io::Result<()> {
        self.ledger.write_all(resource.to_line().as_bytes())
    }

    /// Where files of the run may lie; they go with it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Name of every group of this run.
    pub(crate) fn group_name(&self) -> String {
        format!("catamaran-{}", self.id)
    }

    /// Removes what the run made, then the folder.
    pub(crate) fn remove(self) -> Result<Vec<String>, String> {
        remove_run(&self.path)
    }
}

/// A folder of a run as somebody else finds it.
#[derive(Debug)]
pub(crate) enum Found {
    /// The run lives: its process.
    Live(u32),
    /// Its maker is gone; locked by us as long as this lives.
    Dead(File),
}

/// Looks at the folder of a run.
pub(crate) fn look(path: &Path) -> io::Result<Found> {
    let lock_path = path.join("lock");
    let text = fs::read_to_string(&lock_path).unwrap_or_default();
    let mut words = text.split_ascii_whitespace().map(str::parse::<u64>);
    let (pid, start) = (words.next().and_then(Result::ok), words.next().and_then(Result::ok));
    let pid = pid.and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0);
    let lock = OpenOptions::new().create(true).append(true).open(&lock_path)?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Err(rustix::io::Errno::WOULDBLOCK) => return Ok(Found::Live(pid)),
        Err(error) => return Err(error.into()),
        Ok(()) => {}
    }
    // A file system without working locks must not cost a live run its groups.
    if pid != 0 && start.is_some() && process_start(pid) == start {
        return Ok(Found::Live(pid));
    }
    Ok(Found::Dead(lock))
}

/// Held while a run's folder is made or judged, so that none is judged half made.
pub(crate) fn door(home: &Path) -> io::Result<File> {
    let door = OpenOptions::new().create(true).append(true).open(home.join("door"))?;
    flock(&door, FlockOperation::LockExclusive)?;
    Ok(door)
}

/// Removes everything that the ledger in `path` names, newest first, and then the folder; what was removed.
pub(crate) fn remove_run(path: &Path) -> Result<Vec<String>, String> {
    let ledger = fs::read(path.join("ledger")).unwrap_or_default();
    let mut removed = Vec::new();
    for resource in parse_ledger(&ledger).iter().rev() {
        match resource {
            Resource::Group(group) => {
                if cgroup::remove(group)? {
                    removed.push(format!("control group {}", group.display()));
                }
            }
            Resource::Controllers { group, names } => {
                if cgroup::withdraw(group, names) {
                    removed.push(format!("controllers {} below {}", names.join(", "), group.display()));
                }
            }
        }
    }
    stop_at("no-groups");
    fs::remove_dir_all(path).map_err(|error| format!("cannot remove {}: {error}", path.display()))?;
    removed.push(format!("folder {}", path.display()));
    Ok(removed)
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().create_new(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_ledger_tells_what_was_registered_and_leaves_out_a_torn_last_line() {
        let resources = [
            Resource::Group("/sys/fs/cgroup/cpu/catamaran-1-2".into()),
            Resource::Controllers {
                group: "/sys/fs/cgroup".into(),
                names: vec!["cpu".into(), "memory".into()],
            },
        ];
        let text: String = resources.iter().map(Resource::to_line).collect();
        assert_eq!(parse_ledger(text.as_bytes()), resources);
        let torn = format!("{text}group /sys/fs/cgroup/cpu/catamaran-1-2/we");
        assert_eq!(parse_ledger(torn.as_bytes()), resources, "a run can be killed while it writes");
    }

    #[test]
    fn a_ledger_never_names_a_group_that_is_not_ours() {
        for line in
            ["group /sys/fs/cgroup/cpu", "group catamaran-1", "group /x/catamaran-1/../../y", "mount /x"]
        {
            assert_eq!(parse_ledger(format!("{line}\n").as_bytes()), [], "{line}");
        }
    }

    #[test]
    fn a_folder_is_live_as_long_as_its_run_and_dead_afterwards() {
        let home = tempfile::tempdir().unwrap();
        let folder = RunFolder::make(home.path()).unwrap();
        let path = home.path().join(&folder.id);
        assert!(matches!(look(&path).unwrap(), Found::Live(pid) if pid == std::process::id()));
        drop(folder);
        assert!(
            matches!(look(&path).unwrap(), Found::Live(_)),
            "its process lives, whatever became of the lock"
        );
        fs::write(path.join("lock"), "999999999 1\n").unwrap();
        assert!(matches!(look(&path).unwrap(), Found::Dead(_)));
    }

    proptest! {
        #[test]
        fn no_bytes_in_a_ledger_are_too_much(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            for resource in parse_ledger(&bytes) {
                if let Resource::Group(path) = resource {
                    prop_assert!(path.to_string_lossy().contains("/catamaran-"));
                }
            }
        }
    }
}
