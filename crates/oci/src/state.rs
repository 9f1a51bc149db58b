//! What is known of containers between two commands: `ROOT/ID/state.json`, and beside it the configuration as it was at creation.

use std::collections::HashMap;
use std::fs::{DirBuilder, File, Metadata};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};

use crate::Problem;
use crate::bundle;
use crate::cgroup::Manager;
use crate::cover::Cover;
use crate::process::Process;
use crate::resctrl::Class;

const STATE: &str = "state.json";
/// The same while the container is being made. A name of its own, because ext4 writes a file to the disk at once that takes the place
/// of another (ext4(5), `auto_da_alloc`), which takes longer than all the rest.
const CREATING: &str = "creating.json";
const CONFIG: &str = "config.json";
/// Socket at which a created container waits; gone once it was started.
const DOOR: &str = "start";
/// Longest state that is read (bytes): annotations of the longest configuration, and what comes with them.
const STATE_MAX: u64 = 2 * bundle::CONFIG_MAX;
/// Write permission for all (inode(7), `S_IWOTH`).
const OTHERS_WRITE: u32 = 0o002;
/// What is in the folder only its owner may rename (inode(7), `S_ISVTX`).
const STICKY: u32 = 0o1000;
/// Longest identifier (bytes): it is one name in a file system.
const ID_MAX: usize = 255;

/// What is written down of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct State {
    pub(crate) oci_version: String,
    pub(crate) id: String,
    pub(crate) bundle: PathBuf,
    pub(crate) rootfs: PathBuf,
    /// When it was created: RFC 3339, UTC.
    pub(crate) created: String,
    /// User who created it.
    pub(crate) owner: u32,
    pub(crate) annotations: HashMap<String, String>,
    /// Its first process; none while it is being made.
    pub(crate) process: Option<Process>,
    pub(crate) groups: Option<Manager>,
    /// Its class of service.
    pub(crate) class: Option<Class>,
    /// Whether it has a start door, so that what is left of one tells created from running.
    pub(crate) waits: bool,
    /// Whether it has a pid namespace of its own, whose processes all end with the first.
    pub(crate) own_pids: bool,
    /// Whether its root was entered by chroot(2): who enters its mount namespace does not get there by that.
    pub(crate) chrooted: bool,
    /// What lies over its root file system among the mounts of the machine.
    pub(crate) cover: Option<Cover>,
    /// Whether there are hooks for after the start, and for after the deletion.
    pub(crate) poststart: bool,
    pub(crate) poststop: bool,
}

/// Where a container is in its life (runtime.md, "State").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// It is being made.
    Creating,
    /// Everything is there; its program has not been started.
    Created,
    /// Its program runs.
    Running,
    /// It runs, and is frozen.
    Paused,
    /// Its program has ended.
    Stopped,
}

impl Status {
    /// The word of the specification.
    #[must_use]
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }
}

/// A container's folder, and the lock on it for as long as the value lives.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    /// Keeps two commands from acting on one container at once.
    _lock: File,
}

/// Identifiers are names of folders: no way leads out of the root.
pub(crate) fn check_id(id: &str) -> Result<(), Problem> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'-' | b'.');
    if id.is_empty() || id.len() > ID_MAX || matches!(id, "." | "..") || !id.bytes().all(fine) {
        return Err(Problem::Usage(format!(
            "container id {id:?}: takes 1 to {ID_MAX} letters, digits and `_+-.`, and is not `.` or `..`"
        )));
    }
    Ok(())
}

impl Folder {
    /// Takes an identifier: whoever makes the folder has it.
    pub(crate) fn make(root: &Path, id: &str) -> Result<Self, Problem> {
        check_id(id)?;
        let failed =
            |error: std::io::Error| Problem::system(format!("make {}", root.join(id).display()), error);
        DirBuilder::new().recursive(true).mode(0o711).create(root).map_err(failed)?;
        trusted_root(root)?;
        let path = root.join(id);
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(Problem::Usage(format!(
                    "container {id}: there is one of this id already; delete it or take another id"
                )));
            }
            Err(error) => return Err(failed(error)),
        }
        Self::lock(path, id)
    }

    /// Opens the folder of a container that is there.
    pub(crate) fn open(root: &Path, id: &str) -> Result<Self, Problem> {
        check_id(id)?;
        Self::lock(root.join(id), id)
    }

    fn lock(path: PathBuf, id: &str) -> Result<Self, Problem> {
        let missing = || Problem::Usage(format!("container {id} does not exist; `list` shows those that do"));
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => missing(),
            _ => Problem::system(format!("open {}", path.display()), error),
        };
        let lock = open(&path).map_err(failed)?;
        trusted(&path, &lock.metadata().map_err(failed)?)?;
        flock(&lock, FlockOperation::LockExclusive)
            .map_err(|error| Problem::system(format!("lock {}", path.display()), error))?;
        // Another command may have deleted it while this one waited, and made it anew.
        let number = |of: std::io::Result<Metadata>| of.ok().map(|of| (of.dev(), of.ino()));
        if number(lock.metadata()) != number(std::fs::symlink_metadata(&path)) {
            return Err(missing());
        }
        Ok(Self { path, _lock: lock })
    }

    /// Writes the state, once while the container is being made and once when that is done: whoever reads finds one of them, whole.
    pub(crate) fn write(&self, state: &State) -> Result<(), Problem> {
        let name = if state.process.is_some() { STATE } else { CREATING };
        let target = self.path.join(name);
        let fresh = self.path.join("fresh.json");
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&fresh)?;
            file.write_all(&serde_json::to_vec(state)?)?;
            std::fs::rename(&fresh, &target)?;
            if name == STATE { std::fs::remove_file(self.path.join(CREATING)) } else { Ok(()) }
        };
        write().map_err(|error| Problem::system(format!("write {}", target.display()), error))
    }

    /// Keeps the configuration.
    pub(crate) fn write_config(&self, text: &[u8]) -> Result<(), Problem> {
        let path = self.path.join(CONFIG);
        std::fs::write(&path, text)
            .map_err(|error| Problem::system(format!("write {}", path.display()), error))
    }

    /// The configuration as it was at creation.
    pub(crate) fn config(&self) -> Result<oci_spec::runtime::Spec, Problem> {
        bundle::parse(&bundle::read_bounded(&self.path.join(CONFIG))?, &mut Vec::new())
    }

    pub(crate) fn read(&self) -> Result<State, Problem> {
        read(&self.path)
    }

    /// Where a created container waits.
    pub(crate) fn door(&self) -> PathBuf {
        self.path.join(DOOR)
    }

    /// Removes everything that is known.
    pub(crate) fn remove(self) -> Result<(), Problem> {
        std::fs::remove_dir_all(&self.path)
            .map_err(|error| Problem::system(format!("remove {}", self.path.display()), error))
    }
}

/// A container's folder itself: a link in its place was not made by a runtime.
fn open(path: &Path) -> std::io::Result<File> {
    let flags = (OFlags::DIRECTORY | OFlags::NOFOLLOW).bits().cast_signed();
    File::options().read(true).custom_flags(flags).open(path)
}

/// What is written in a folder decides which processes are killed and which groups removed: it is believed only where nobody else
/// can have written it.
fn trusted(path: &Path, what: &Metadata) -> Result<(), Problem> {
    let own = geteuid().as_raw();
    if what.uid() == own && what.mode() & OTHERS_WRITE == 0 {
        return Ok(());
    }
    let found = format!("it belongs to user {}, with mode {:o}", what.uid(), what.mode() & 0o7777);
    let wanted = format!(
        "a container's folder is believed only if it is user {own}'s and nobody else may write to it"
    );
    Err(Problem::system(format!("open {}", path.display()), format!("{found}; {wanted}")))
}

/// The folder of all containers may be another's, as long as it is not everybody's to rename things in.
fn trusted_root(root: &Path) -> Result<(), Problem> {
    let failed = |error: std::io::Error| Problem::system(format!("open {}", root.display()), error);
    let mode = root.metadata().map_err(failed)?.mode();
    if mode & OTHERS_WRITE == 0 || mode & STICKY != 0 {
        return Ok(());
    }
    let found = format!("everybody may rename what is in it (mode {:o})", mode & 0o7777);
    Err(Problem::system(
        format!("open {}", root.display()),
        format!("{found}; give --root a folder of your own"),
    ))
}

/// The state in a container's folder, without a lock: it is replaced as a whole.
pub(crate) fn read(folder: &Path) -> Result<State, Problem> {
    match open(folder).and_then(|opened| opened.metadata()) {
        Ok(what) => trusted(folder, &what)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(Problem::system(format!("open {}", folder.display()), error)),
    }
    for name in [STATE, CREATING, STATE] {
        let path = folder.join(name);
        // The third look is for one that was finished between the first two.
        if path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            continue;
        }
        match bundle::read_at_most(&path, STATE_MAX) {
            Ok(text) => return bundle::parse_at(&text, &path.display().to_string()),
            Err(problem) if path.exists() => return Err(problem),
            Err(_) => {}
        }
    }
    let id = folder.file_name().unwrap_or_default().to_string_lossy();
    Err(Problem::Usage(format!("container {id} does not exist; `list` shows those that do")))
}

impl State {
    /// It is there: remembers its process, and its root file system where that lies among the machine's mounts.
    pub(crate) fn made(&mut self, process: Process) -> Result<(), Problem> {
        self.process = Some(process);
        self.cover.as_mut().map_or(Ok(()), |cover| cover.made(&self.rootfs))
    }

    /// Takes its root file system from among the machine's mounts.
    pub(crate) fn uncover(&self) -> Result<(), Problem> {
        self.cover.map_or(Ok(()), |cover| cover.remove(&self.rootfs))
    }

    /// Where the container is in its life now.
    pub(crate) fn status(&self, folder: &Path) -> Status {
        let Some(process) = self.process else { return Status::Creating };
        if !process.is_alive() {
            Status::Stopped
        } else if self.waits && folder.join(DOOR).exists() {
            Status::Created
        } else if self.groups.as_ref().is_some_and(Manager::is_frozen) {
            Status::Paused
        } else {
            Status::Running
        }
    }

    /// The document that hooks get and `state` prints (runtime.md, "State").
    pub(crate) fn document(&self, status: Status) -> Document<'_> {
        let pid = self.process.filter(|_| status != Status::Stopped).map_or(0, |process| process.pid);
        Document {
            oci_version: &self.oci_version,
            id: &self.id,
            status: status.word(),
            pid,
            bundle: &self.bundle,
            rootfs: &self.rootfs,
            created: &self.created,
            owner: self.owner,
            annotations: &self.annotations,
        }
    }
}

/// A container's state as others see it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document<'a> {
    oci_version: &'a str,
    id: &'a str,
    status: &'a str,
    /// 0 once it has stopped.
    pid: i32,
    bundle: &'a Path,
    rootfs: &'a Path,
    created: &'a str,
    owner: u32,
    annotations: &'a HashMap<String, String>,
}

impl Document<'_> {
    pub(crate) fn to_json(&self) -> Result<String, Problem> {
        serde_json::to_string(self).map_err(|error| Problem::system("write the container's state", error))
    }

    /// The same in lines, for people, and for scripts that look for `"status": "stopped"` in what runc prints.
    pub(crate) fn to_text(&self) -> Result<String, Problem> {
        serde_json::to_string_pretty(self)
            .map_err(|error| Problem::system("write the container's state", error))
    }
}

/// Folders below a root, one for each container.
pub(crate) fn all(root: &Path) -> Result<Vec<PathBuf>, Problem> {
    let entries = match std::fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Problem::system(format!("read {}", root.display()), error)),
    };
    let mut folders: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_names() {
        for id in ["a", "A_b+c-d.e", "...", &"x".repeat(255)] {
            assert_eq!(check_id(id), Ok(()), "{id}");
        }
        for id in ["", ".", "..", "a/b", "../x", "a b", "ä", "a\0", &"x".repeat(256)] {
            assert!(check_id(id).is_err(), "{id}");
        }
    }

    #[test]
    fn an_id_is_given_once_and_again_after_removal() {
        let root = tempfile::tempdir().unwrap();
        let first = Folder::make(root.path(), "a").unwrap();
        let said = Folder::make(root.path(), "a").unwrap_err().to_string();
        assert!(said.contains("already"), "{said}");
        first.remove().unwrap();
        drop(Folder::make(root.path(), "a").unwrap());
        assert!(Folder::open(root.path(), "b").unwrap_err().to_string().contains("does not exist"));
    }
}
