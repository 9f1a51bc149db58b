//! Names in a root, each looked up from the root's own descriptor.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use crate::error::{Error, Result};

/// Most folders in each other. Whoever removes a tree has each of them open on the way down, and may have 1024.
const DEPTH_MAX: usize = 256;

/// The folder that is to be the root.
pub(super) struct Root(OwnedFd);

impl Root {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(folder, flags, Mode::empty());
        opened.map(Self).map_err(Error::of("open", &folder.display().to_string()))
    }

    /// The folder at a path; none where there is nothing, or something else.
    pub(super) fn find_folder(&self, path: &Path) -> Result<Option<OwnedFd>> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let within = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
        match openat2(&self.0, path, flags, Mode::empty(), within) {
            Ok(folder) => Ok(Some(folder)),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error @ (Errno::LOOP | Errno::NAMETOOLONG | Errno::XDEV)) => {
                Err(Error::bad(format!("a path that leads nowhere: {}", std::io::Error::from(error))))
            }
            Err(error) => Err(Error::of("open", "the folder that it is in")(error)),
        }
    }

    /// The folder at a path, made where it is not there.
    pub(super) fn make_folders(&self, path: &Path) -> Result<OwnedFd> {
        if let Some(found) = self.find_folder(path)? {
            return Ok(found);
        }
        let mut so_far = PathBuf::new();
        let mut folder = None;
        for name in path {
            so_far.push(name);
            let found = match self.find_folder(&so_far)? {
                Some(found) => found,
                None => {
                    let parent = folder.as_ref().map_or(self.0.as_fd(), AsFd::as_fd);
                    make_folder(parent, name)?;
                    let made = open_folder(parent, name)?;
                    // Whatever the umask.
                    let mode = Mode::from_raw_mode(0o755);
                    rustix::fs::fchmod(&made, mode).map_err(Error::of("give a mode to", "the folder"))?;
                    made
                }
            };
            folder = Some(found);
        }
        folder.ok_or_else(|| Error::bad("a path without a name"))
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// What has a name in a folder, links not followed; none where nothing has.
pub(super) fn kind(at: BorrowedFd<'_>, name: &OsStr) -> Result<Option<FileType>> {
    match rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) => Ok(Some(FileType::from_raw_mode(found.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::NAMETOOLONG) => Err(Error::bad("a name of more than 255 bytes")),
        Err(error) => Err(Error::of("look at", "it")(error)),
    }
}

/// Whether two names are one file.
pub(super) fn is_same(one: (BorrowedFd<'_>, &OsStr), other: (BorrowedFd<'_>, &OsStr)) -> bool {
    let look =
        |(at, name): (BorrowedFd<'_>, &OsStr)| rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW).ok();
    let (one, other) = (look(one), look(other));
    one.zip(other).is_some_and(|(one, other)| (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}

/// Makes a folder, unless it would be too deep: links on the way to it can make it deeper than its path is long.
pub(super) fn make_folder(at: BorrowedFd<'_>, name: &OsStr) -> Result<()> {
    let path = std::fs::read_link(format!("/proc/self/fd/{}", at.as_raw_fd()));
    let path = path.map_err(|error| Error::Machine(format!("cannot tell where a folder is: {error}")))?;
    if path.components().count() > DEPTH_MAX {
        return Err(Error::bad(format!("more than {DEPTH_MAX} folders in each other")));
    }
    rustix::fs::mkdirat(at, name, Mode::from_raw_mode(0o755)).map_err(|error| match error {
        // A file, or a link that leads nowhere.
        Errno::EXIST => Error::bad(format!("{} is no folder", name.display())),
        other => Error::of("make the folder", &name.display().to_string())(other),
    })
}

/// A folder that has just been looked at or made.
pub(super) fn open_folder(at: BorrowedFd<'_>, name: &OsStr) -> Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    rustix::fs::openat(at, name, flags, Mode::empty()).map_err(Error::of("open", "the folder"))
}

/// Removes whatever has that name, with all that is in it.
pub(super) fn clear(at: BorrowedFd<'_>, name: &OsStr) -> Result<()> {
    let is_folder = match kind(at, name)? {
        None => return Ok(()),
        Some(kind) => kind == FileType::Directory,
    };
    if is_folder {
        let folder = open_folder(at, name)?;
        for child in names(folder.as_fd())? {
            clear(folder.as_fd(), &child)?;
        }
    }
    let flags = if is_folder { AtFlags::REMOVEDIR } else { AtFlags::empty() };
    rustix::fs::unlinkat(at, name, flags).map_err(Error::of("remove", "what was beneath"))
}

/// Removes all of a folder but what this layer has brought.
pub(super) fn empty(at: BorrowedFd<'_>, path: &Path, fresh: &BTreeSet<PathBuf>) -> Result<()> {
    for name in names(at)? {
        let own = path.join(&name);
        let is_fresh = fresh.contains(&own);
        // Whatever is below a path comes right after it.
        let below =
            fresh.range(own.clone()..).take_while(|other| other.starts_with(&own)).any(|other| *other != own);
        match kind(at, &name)? {
            Some(FileType::Directory) if is_fresh || below => {
                empty(open_folder(at, &name)?.as_fd(), &own, fresh)?;
            }
            _ if is_fresh => {}
            _ => clear(at, &name)?,
        }
    }
    Ok(())
}

fn names(folder: BorrowedFd<'_>) -> Result<Vec<std::ffi::OsString>> {
    let failed = Error::of("read", "the folder");
    let entries = Dir::read_from(folder).map_err(&failed)?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(&failed)?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name != "." && name != ".." {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}
