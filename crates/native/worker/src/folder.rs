//! The folder of a run: a lock that says whether the run lives, and a ledger in which everything is registered that
//! outlives its maker, before it is made. Whoever comes after a run that was killed removes what the ledger names.
//!
//! `/run/catamaran/<run id>/` as root, `$XDG_RUNTIME_DIR/catamaran/<run id>/` otherwise. `lock` is held by `flock` as
//! long as the run lives and names its process; `ledger` has one line a resource.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// Where all runs of this user have their folders.
#[must_use]
pub fn home() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/run/catamaran");
    }
    match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(folder) => PathBuf::from(folder).join("catamaran"),
        None => std::env::temp_dir().join(format!("catamaran-{}", rustix::process::geteuid().as_raw())),
    }
}

/// When a process began (clock ticks after boot, field 22 of `/proc/PID/stat`); `None` where it is no more.
#[must_use]
pub fn process_start(pid: u32) -> Option<u64> {
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

/// Held while a run's folder is made or judged, so that none is judged half made.
///
/// # Errors
/// What the file system answered.
pub fn door(home: &Path) -> io::Result<File> {
    let door = OpenOptions::new().create(true).append(true).open(home.join("door"))?;
    flock(&door, FlockOperation::LockExclusive)?;
    Ok(door)
}

/// The folder of a run that lives.
#[derive(Debug)]
pub struct Folder {
    /// Unique on this machine since boot.
    pub id: String,
    /// Where it is.
    pub path: PathBuf,
    ledger: File,
    /// Held as long as the run lives.
    _lock: File,
}

impl Folder {
    /// Makes the folder of a new run in `home`.
    ///
    /// # Errors
    /// What the file system answered.
    pub fn make(home: &Path) -> io::Result<Self> {
        fs::create_dir_all(home)?;
        let _door = door(home)?;
        let pid = std::process::id();
        let id = format!("{pid:x}-{:x}", crate::clock::now_ns());
        let path = home.join(&id);
        fs::create_dir(&path)?;
        match fill(&path, pid) {
            Ok((lock, ledger)) => Ok(Self { id, path, ledger, _lock: lock }),
            Err(error) => {
                // Where there is no room for a run, there is none for what is left of it.
                let _ = fs::remove_dir_all(&path);
                Err(error)
            }
        }
    }

    /// Adds lines to the ledger; call it before what they name is made.
    ///
    /// # Errors
    /// What the file system answered.
    pub fn register(&mut self, lines: &str) -> io::Result<()> {
        self.ledger.write_all(lines.as_bytes())
    }
}

/// The ledger's line for a control group.
#[must_use]
pub fn group_line(group: &Path) -> String {
    format!("group {}\n", group.display())
}

/// Makes the lock, which this process then holds, and the ledger.
fn fill(path: &Path, pid: u32) -> io::Result<(File, File)> {
    let mut lock = create(&path.join("lock"))?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    lock.write_all(format!("{pid} {}\n", process_start(pid).unwrap_or(0)).as_bytes())?;
    Ok((lock, create(&path.join("ledger"))?))
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().create_new(true).append(true).open(path)
}
