//! What lies over a folder: the root file system of a container without a mount namespace is mounted on its own folder, among the
//! machine's mounts. Whoever removes the container takes it away again, and nothing else that lies there.

use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatxFlags, openat, statx};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};
use serde::{Deserialize, Serialize};

use crate::Problem;

/// Mounts by their numbers (statx(2), `stx_mnt_id`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cover {
    /// The one that the folder was on before.
    below: u64,
    /// The container's, once it has been made.
    own: Option<u64>,
}

impl Cover {
    /// Before anything is mounted.
    pub(crate) fn before(folder: &Path) -> Result<Self, Problem> {
        let below = mount_at(folder)?;
        Ok(Self { below, own: None })
    }

    /// Once it is.
    pub(crate) fn made(&mut self, folder: &Path) -> Result<(), Problem> {
        self.own = Some(mount_at(folder)?);
        Ok(())
    }

    /// Takes the container's away, with all that lies on it. Somebody else may have done so, or have put something over it.
    pub(crate) fn remove(&self, folder: &Path) -> Result<(), Problem> {
        let problem = |error: Errno| Problem::system(format!("unmount {}", folder.display()), error);
        let handle = match open(folder) {
            Ok(handle) => handle,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(()),
            Err(error) => return Err(problem(error)),
        };
        let here = mount_of(&handle).map_err(problem)?;
        if self.own.map_or(here == self.below, |own| here != own) {
            return Ok(());
        }
        // By the handle: what was looked at is what goes.
        match unmount(format!("/proc/self/fd/{}", handle.as_raw_fd()), UnmountFlags::DETACH) {
            // The folder is within the mount that lies there.
            Ok(()) | Err(Errno::INVAL) => Ok(()),
            Err(error) => Err(problem(error)),
        }
    }
}

fn open(folder: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(CWD, folder, flags, Mode::empty())
}

fn mount_of(handle: impl AsFd) -> Result<u64, Errno> {
    let found = statx(handle, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?;
    if found.stx_mask & StatxFlags::MNT_ID.bits() == 0 { Err(Errno::NOSYS) } else { Ok(found.stx_mnt_id) }
}

fn mount_at(folder: &Path) -> Result<u64, Problem> {
    open(folder)
        .and_then(mount_of)
        .map_err(|error| Problem::system(format!("look which mount {} is on", folder.display()), error))
}
