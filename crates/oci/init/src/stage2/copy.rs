//! A folder with all that is in it, copied into another (`tmpcopyup`). No link is followed.

use std::ffi::CStr;
use std::fs::File;
use std::os::fd::OwnedFd;

use rustix::fs::{
    AtFlags, Dir, FileType, Gid, Mode, OFlags, Stat, Uid, chownat, fchmod, fchown, fstat, mkdirat, mknodat,
    openat, readlinkat, statat, symlinkat,
};
use rustix::io::Errno;

/// Copies what is in `from` into `to`, and the owner and permissions of `from` itself.
pub(crate) fn tree(from: &OwnedFd, to: &OwnedFd) -> Result<(), Errno> {
    own(to, &fstat(from)?)?;
    for entry in Dir::read_from(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            one(from, to, name)?;
        }
    }
    Ok(())
}

fn one(from: &OwnedFd, to: &OwnedFd, name: &CStr) -> Result<(), Errno> {
    let what = statat(from, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match FileType::from_raw_mode(what.st_mode) {
        FileType::Directory => {
            mkdirat(to, name, Mode::from_raw_mode(0o700))?;
            let directory = read | OFlags::DIRECTORY;
            tree(&openat(from, name, directory, Mode::empty())?, &openat(to, name, directory, Mode::empty())?)
        }
        FileType::RegularFile => {
            let make = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            // By now it may be a pipe, of which opening and reading would wait.
            let source = openat(from, name, read | OFlags::NONBLOCK | OFlags::NOCTTY, Mode::empty())?;
            if FileType::from_raw_mode(fstat(&source)?.st_mode) != FileType::RegularFile {
                return Err(Errno::STALE);
            }
            let mut source = File::from(source);
            let target = openat(to, name, make, Mode::from_raw_mode(0o600))?;
            own(&target, &what)?;
            std::io::copy(&mut source, &mut File::from(target))
                .map(drop)
                .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
        }
        FileType::Symlink => {
            symlinkat(readlinkat(from, name, Vec::new())?, to, name)?;
            let (uid, gid) = (Uid::from_raw(what.st_uid), Gid::from_raw(what.st_gid));
            chownat(to, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
        }
        kind => {
            let mode = Mode::from_raw_mode(what.st_mode);
            mknodat(to, name, kind, mode, what.st_rdev)?;
            let (uid, gid) = (Uid::from_raw(what.st_uid), Gid::from_raw(what.st_gid));
            chownat(to, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
        }
    }
}

fn own(what: &OwnedFd, like: &Stat) -> Result<(), Errno> {
    fchown(what, Some(Uid::from_raw(like.st_uid)), Some(Gid::from_raw(like.st_gid)))?;
    fchmod(what, Mode::from_raw_mode(like.st_mode))
}
