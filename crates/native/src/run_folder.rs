//! What a run registers in its [folder](Folder), and how whoever comes after a run that was killed finds and removes it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use catamaran_worker::folder::{Folder, door, group_line, process_start};
use catamaran_worker::stop::stop_at;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};

use crate::{cgroup, disk};

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
    /// A place at which we mounted something.
    Mount(PathBuf),
    /// A tenant's file, on whatever disk it is.
    File(PathBuf),
}

/// End of the name of every folder on which a tenant's root is mounted.
pub(crate) const ROOT_ENDING: &str = ".root";
/// End of the name of every tenant's file.
pub(crate) const FILE_ENDING: &str = ".disk";
/// Name of the folder in which a probe may do as it likes.
pub(crate) const PLAYGROUND: &str = "playground";

impl Resource {
    /// As a line of the ledger.
    fn to_line(&self) -> String {
        match self {
            Self::Group(path) => group_line(path),
            Self::Controllers { group, names } => {
                format!("controllers {} {}\n", names.join(","), group.display())
            }
            Self::Mount(path) => format!("mount {}\n", path.display()),
            Self::File(path) => format!("file {}\n", path.display()),
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
            // The same holds for a mount: only at a place that a run of ours makes.
            "mount" if rest.starts_with('/') && rest.contains("/catamaran") && !rest.contains("/../") => {
                let ours = rest.ends_with(ROOT_ENDING) || rest.ends_with(&format!("/{PLAYGROUND}/mount"));
                ours.then(|| Self::Mount(rest.into()))
            }
            "file" if rest.starts_with('/') && rest.contains("/catamaran-") && !rest.contains("/../") => {
                rest.ends_with(FILE_ENDING).then(|| Self::File(rest.into()))
            }
            _ => None,
        }
    }
}

impl Resource {
    /// Removes it; what was removed, where it was there.
    fn remove(&self) -> Result<Option<String>, String> {
        Ok(match self {
            Self::Group(group) => {
                cgroup::remove(group)?.then(|| format!("control group {}", group.display()))
            }
            Self::Controllers { group, names } => cgroup::withdraw(group, names)
                .then(|| format!("controllers {} below {}", names.join(", "), group.display())),
            Self::Mount(path) => release(path)?.then(|| format!("mount at {}", path.display())),
            Self::File(path) => disk::remove(path)?.then(|| format!("file {}", path.display())),
        })
    }
}

/// The resources of a ledger in the order in which they were made; lines that are none are left out.
pub(crate) fn parse_ledger(bytes: &[u8]) -> Vec<Resource> {
    let text = String::from_utf8_lossy(bytes);
    let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap_or_default());
    whole.lines().filter_map(Resource::from_line).collect()
}

/// The folder of a run that lives.
#[derive(Debug)]
pub(crate) struct RunFolder(Folder);

impl RunFolder {
    /// Makes the folder of a new run in `home`.
    pub(crate) fn make(home: &Path) -> io::Result<Self> {
        Folder::make(home).map(Self)
    }

    /// Unique on this machine since boot.
    pub(crate) fn id(&self) -> &str {
        &self.0.id
    }

    /// Where it is; files of the run may lie there, and go with it.
    pub(crate) fn path(&self) -> &Path {
        &self.0.path
    }

    /// Notes a resource; call it before the resource is made.
    pub(crate) fn register(&mut self, resource: &Resource) -> io::Result<()> {
        self.0.register(&resource.to_line())
    }

    /// Name of every group of this run.
    pub(crate) fn group_name(&self) -> String {
        format!("catamaran-{}", self.id())
    }

    /// Removes what the run made, then the folder; that behind the door, for nobody shall find half of it and take it for
    /// that of a dead run.
    pub(crate) fn remove(self) -> Result<Vec<String>, String> {
        let mut removed = remove_resources(self.path())?;
        stop_at("no-groups");
        let home = self.path().parent().unwrap_or(Path::new("/"));
        let _door = door(home).map_err(|error| format!("cannot open {}/door: {error}", home.display()))?;
        removed.extend(remove_folder(self.path())?);
        Ok(removed)
    }
}

/// A folder of a run as somebody else finds it.
#[derive(Debug)]
pub(crate) enum Found {
    /// The run lives: its process.
    Live(u32),
    /// Its maker is gone; locked by us as long as this lives.
    Dead(File),
    /// Somebody removed it meanwhile.
    Gone,
}

/// Looks at the folder of a run.
pub(crate) fn look(path: &Path) -> io::Result<Found> {
    let lock_path = path.join("lock");
    let text = fs::read_to_string(&lock_path).unwrap_or_default();
    let mut words = text.split_ascii_whitespace().map(str::parse::<u64>);
    let (pid, start) = (words.next().and_then(Result::ok), words.next().and_then(Result::ok));
    let pid = pid.and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0);
    let lock = match OpenOptions::new().append(true).open(&lock_path) {
        // A run that was killed before it had one. None is made, for there may be no room: the folder serves as well.
        Err(error) if error.kind() == io::ErrorKind::NotFound => match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Gone),
            opened => opened?,
        },
        opened => opened?,
    };
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => return Ok(Found::Live(pid)),
        Err(error) => return Err(error.into()),
        Ok(()) => {}
    }
    // A file system without working locks must not cost a live run its groups.
    if pid != 0 && start.is_some() && process_start(pid) == start {
        return Ok(Found::Live(pid));
    }
    Ok(Found::Dead(lock))
}

/// Removes everything that the ledger of a dead run in `path` names, and then the folder; what was removed.
pub(crate) fn remove_run(path: &Path) -> Result<Vec<String>, String> {
    let mut removed = remove_resources(path)?;
    removed.extend(remove_folder(path)?);
    Ok(removed)
}

/// Removes everything that the ledger in `path` names, newest first; what was removed. What can't be removed keeps nothing
/// else from it but the folder, which remembers it: the first such thing is told.
fn remove_resources(path: &Path) -> Result<Vec<String>, String> {
    let ledger = fs::read(path.join("ledger")).unwrap_or_default();
    let (mut removed, mut failed) = (Vec::new(), None);
    for resource in parse_ledger(&ledger).iter().rev() {
        match resource.remove() {
            Ok(what) => removed.extend(what),
            Err(what) => {
                failed.get_or_insert(what);
            }
        }
    }
    failed.map_or(Ok(removed), Err)
}

/// Removes the folder of a run; what was removed, unless somebody was faster.
fn remove_folder(path: &Path) -> Result<Option<String>, String> {
    match fs::remove_dir_all(path) {
        Ok(()) => Ok(Some(format!("folder {}", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot remove {}: {error}", path.display())),
    }
}

/// Takes away what is mounted at `path`, with all that is mounted below; whether there was something.
fn release(path: &Path) -> Result<bool, String> {
    match unmount(path, UnmountFlags::DETACH) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOENT) => Ok(false),
        Err(error) => Err(format!("cannot unmount {}: {error}", path.display())),
    }
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
            Resource::Mount("/run/catamaran/1-2/web.0.root".into()),
            Resource::Mount("/run/catamaran/1-2/playground/mount".into()),
            Resource::File("/var/tmp/catamaran-1-2-web.0.disk".into()),
        ];
        let text: String = resources.iter().map(Resource::to_line).collect();
        assert_eq!(parse_ledger(text.as_bytes()), resources);
        let torn = format!("{text}group /sys/fs/cgroup/cpu/catamaran-1-2/we");
        assert_eq!(parse_ledger(torn.as_bytes()), resources, "a run can be killed while it writes");
    }

    #[test]
    fn a_ledger_never_names_what_is_not_ours() {
        for line in [
            "group /sys/fs/cgroup/cpu",
            "group catamaran-1",
            "group /x/catamaran-1/../../y",
            "mount /x",
            "mount /run/catamaran/1-2",
            "mount /run/catamaran/../home.root",
        ] {
            assert_eq!(parse_ledger(format!("{line}\n").as_bytes()), [], "{line}");
        }
    }

    #[test]
    fn a_folder_is_live_as_long_as_its_run_and_dead_afterwards() {
        let home = tempfile::tempdir().unwrap();
        let folder = RunFolder::make(home.path()).unwrap();
        let path = home.path().join(folder.id());
        assert!(matches!(look(&path).unwrap(), Found::Live(pid) if pid == std::process::id()));
        drop(folder);
        assert!(
            matches!(look(&path).unwrap(), Found::Live(_)),
            "its process lives, whatever became of the lock"
        );
        fs::write(path.join("lock"), "999999999 1\n").unwrap();
        assert!(matches!(look(&path).unwrap(), Found::Dead(_)));
    }

    #[test]
    fn a_folder_without_a_lock_is_dead_and_gets_none() {
        let home = tempfile::tempdir().unwrap();
        assert!(matches!(look(home.path()).unwrap(), Found::Dead(_)));
        assert!(!home.path().join("lock").exists());
    }

    #[test]
    fn a_file_of_a_run_that_was_killed_is_removed() {
        let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut folder = RunFolder::make(home.path()).unwrap();
        let named = |name: &str| elsewhere.path().join(name);
        let (ours, never_made, strangers) =
            (named("catamaran-1-2-web.0.disk"), named("catamaran-1-2-web.1.disk"), named("precious.disk"));
        for file in [&ours, &never_made, &strangers] {
            folder.register(&Resource::File(file.clone())).unwrap();
        }
        for file in [&ours, &strangers] {
            fs::write(file, "x").unwrap();
        }
        let path = folder.path().to_owned();
        drop(folder);
        let removed = remove_run(&path).unwrap();
        assert!(removed.contains(&format!("file {}", ours.display())), "{removed:?}");
        assert!(!ours.exists() && !path.exists(), "{removed:?}");
        assert!(strangers.exists(), "whatever stands in a ledger, only our own files are removed");
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
