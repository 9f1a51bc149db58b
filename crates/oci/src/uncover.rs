//! A container without a mount namespace has its root file system among the machine's mounts, over its own folder: whoever
//! removes the container takes it away again.

use std::path::Path;

use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};

use crate::Problem;
use crate::state::State;

/// The mount that a path is on.
pub(crate) fn mount_at(path: &Path) -> Result<u64, Problem> {
    let look = || -> Result<u64, Errno> {
        let found = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::MNT_ID)?;
        if found.stx_mask & StatxFlags::MNT_ID.bits() == 0 { Err(Errno::NOSYS) } else { Ok(found.stx_mnt_id) }
    };
    look().map_err(|error| Problem::system(format!("look which mount {} is on", path.display()), error))
}

/// Takes the container's root file system away, if it is still there: somebody else may have done so.
pub(crate) fn uncover(state: &State) -> Result<(), Problem> {
    let Some(below) = state.below else { return Ok(()) };
    let path = state.rootfs.as_path();
    if !path.exists() || mount_at(path)? == below {
        return Ok(());
    }
    match unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
        // Its folder is no mount's place: nothing lies on it.
        Ok(()) | Err(Errno::INVAL) => Ok(()),
        Err(error) => Err(Problem::system(format!("unmount {}", path.display()), error)),
    }
}
