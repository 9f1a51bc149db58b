//! Files below `/proc`, opened through a handle on the host's own procfs: nothing that a container mounts or links can stand
//! in for them (CVE-2019-16884, CVE-2025-52881).

use std::os::fd::{AsRawFd as _, OwnedFd};

use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, PROC_SUPER_MAGIC, ResolveFlags, chmodat, fstat, fstatfs, openat, openat2,
};
use rustix::io::Errno;

use crate::failure::{Done, During as _, Failure};

/// Number of the root of every procfs (`PROC_ROOT_INO`, include/linux/proc_ns.h).
const PROC_ROOT_INODE: u64 = 1;

/// The root of a procfs.
#[derive(Debug)]
pub(crate) struct ProcFiles(OwnedFd);

impl ProcFiles {
    /// The host's, before any other root is entered.
    pub(crate) fn open() -> Done<Self> {
        let open = || -> Result<OwnedFd, Errno> {
            let root =
                openat(CWD, c"/proc", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
            let is_proc =
                fstatfs(&root)?.f_type == PROC_SUPER_MAGIC && fstat(&root)?.st_ino == PROC_ROOT_INODE;
            if is_proc { Ok(root) } else { Err(Errno::NODEV) }
        };
        open()
            .map(Self)
            .map_err(|error| Failure::new("/proc is not a procfs; mount one where the runtime runs", error))
    }

    /// Writes a whole value to a file below `self` or `sys`, which leads through no link and no mount.
    pub(crate) fn write(&self, path: &str, value: &str) -> Result<(), Errno> {
        // `self` is itself a link: it is read, and its target, a number, is what is opened.
        let path = match path.strip_prefix("self/") {
            Some(rest) => format!("{}/{rest}", self.own_number()?),
            None => path.to_owned(),
        };
        let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        let file = openat2(&self.0, path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty(), how)?;
        if fstatfs(&file)?.f_type != PROC_SUPER_MAGIC {
            return Err(Errno::NODEV);
        }
        match rustix::io::write(&file, value.as_bytes())? {
            written if written == value.len() => Ok(()),
            _ => Err(Errno::IO),
        }
    }

    /// Number of this process where that procfs is.
    fn own_number(&self) -> Result<String, Errno> {
        let number = rustix::fs::readlinkat(&self.0, c"self", Vec::new())?;
        number.into_string().map_err(|_| Errno::INVAL)
    }

    /// Sets the permissions of what an `O_PATH` descriptor stands for, which fchmod(2) does not take: by the descriptor's own link,
    /// so that whatever has its name by now is left alone.
    pub(crate) fn set_mode(&self, of: &OwnedFd, mode: Mode) -> Result<(), Errno> {
        let link = format!("{}/fd/{}", self.own_number()?, of.as_raw_fd());
        chmodat(&self.0, link, mode, AtFlags::empty())
    }

    /// A name space of this process, as a descriptor.
    pub(crate) fn own_namespace(&self, name: &str) -> Done<OwnedFd> {
        let open = || -> Result<OwnedFd, Errno> {
            let path = format!("{}/ns/{name}", self.own_number()?);
            openat(&self.0, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        };
        open().during(|| format!("open the own namespace {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_foreign_files_are_not_written() {
        let files = ProcFiles::open().unwrap();
        assert_eq!(files.write("self/comm", "some-name"), Ok(()));
        assert_eq!(files.write("self/root/dev/null", "x"), Err(Errno::LOOP));
        assert_eq!(files.write("self/../../dev/null", "x"), Err(Errno::XDEV));
        assert_eq!(files.write("self/nothing", "x"), Err(Errno::NOENT));
    }
}
