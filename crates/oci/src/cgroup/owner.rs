//! Handing a container's group to a user (config-linux.md, "Cgroup ownership"): version 2 only, as delegation is not safe in
//! version 1, and only the group and the files that the kernel lists for it.

use std::fs;

use rustix::fs::{AtFlags, Uid, chownat, fchown};
use rustix::io::Errno;

use super::Manager;
use super::folder::Folder;
use super::hierarchy::Version;
use crate::Problem;

/// Where the kernel lists them (Linux 4.15).
const LISTED: &str = "/sys/kernel/cgroup/delegate";
/// The list where it does not.
const KNOWN: &str = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";

impl Manager {
    /// Hands the container's group of version 2 to the user with the number `uid` on this machine. What was there before the
    /// container, and groups of version 1, stay whose they are.
    ///
    /// # Errors
    /// Where the kernel refuses, unless permissions may be missing: a rootless container's group stays whose it is.
    pub fn hand_over(&self, uid: u32) -> Result<(), Problem> {
        let listed = fs::read_to_string(LISTED).unwrap_or_else(|_| KNOWN.to_owned());
        for group in self.groups.iter().filter(|group| group.version == Version::V2 && group.made) {
            let handed = group.open().and_then(|folder| hand_over(&folder, &listed, Uid::from_raw(uid)));
            if self.rootless && handed.is_err() {
                continue;
            }
            handed.map_err(|errno| {
                let what = format!("hand the control group {} to user {uid}", group.place().display());
                Problem::system(what, errno)
            })?;
        }
        Ok(())
    }
}

fn hand_over(folder: &Folder, listed: &str, uid: Uid) -> Result<(), Errno> {
    fchown(folder, Some(uid), None)?;
    for file in listed.lines().filter(|file| !file.contains('/')) {
        match chownat(folder, file, Some(uid), None, AtFlags::SYMLINK_NOFOLLOW) {
            // Not every group has every file.
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
