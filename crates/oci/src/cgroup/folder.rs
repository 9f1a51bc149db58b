//! The folder of one control group, held by a descriptor. Whatever is reached from it lies below it: neither a symbolic
//! link nor `..` nor another mount is followed (`RESOLVE_BENEATH`, `RESOLVE_NO_SYMLINKS`, `RESOLVE_NO_XDEV` of openat2(2)).

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, fstat, mkdirat, openat, openat2, unlinkat,
};
use rustix::io::{Errno, retry_on_intr, write};

/// Longest file that is read (bytes): longer than any that the kernel writes here but for lists of very many processes.
const LONGEST: u64 = 64 << 20;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// One folder.
#[derive(Debug)]
pub(super) struct Folder {
    descriptor: OwnedFd,
    /// For messages only.
    path: PathBuf,
}

impl Folder {
    /// The folder at which a hierarchy is mounted.
    pub(super) fn mount(path: &Path) -> Result<Self, Errno> {
        let descriptor = rustix::fs::open(path, FOLDER, Mode::empty())?;
        Ok(Self { descriptor, path: path.to_owned() })
    }

    /// A folder some levels below this one.
    pub(super) fn inside(&self, below: &Path) -> Result<Self, Errno> {
        if below.as_os_str().is_empty() {
            let descriptor = self.descriptor.try_clone().map_err(|error| errno(&error))?;
            return Ok(Self { descriptor, path: self.path.clone() });
        }
        let descriptor = self.open(below, FOLDER)?;
        Ok(Self { descriptor, path: self.path.join(below) })
    }

    /// The folder above. Groups can't be moved to another parent, so this is the way back that was come down.
    pub(super) fn above(&self) -> Result<Self, Errno> {
        let descriptor = openat(&self.descriptor, "..", FOLDER, Mode::empty())?;
        let path = self.path.parent().unwrap_or(&self.path).to_owned();
        Ok(Self { descriptor, path })
    }

    /// Where it is, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The number that the kernel gave to the group: no other has it as long as the machine runs.
    pub(super) fn number(&self) -> Result<u64, Errno> {
        Ok(fstat(&self.descriptor)?.st_ino)
    }

    /// Makes a group in this one; `false` where there is one already.
    pub(super) fn make(&self, name: &OsStr) -> Result<bool, Errno> {
        match mkdirat(&self.descriptor, name, Mode::from_raw_mode(0o755)) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes a group in this one.
    pub(super) fn remove(&self, name: &OsStr) -> Result<(), Errno> {
        unlinkat(&self.descriptor, name, AtFlags::REMOVEDIR)
    }

    /// Names of the groups in this one.
    pub(super) fn children(&self) -> Result<Vec<OsString>, Errno> {
        let mut names = self.names(FileType::Directory)?;
        names.retain(|name| name != "." && name != "..");
        Ok(names)
    }

    /// Names of the files in this group.
    pub(super) fn files(&self) -> Result<Vec<String>, Errno> {
        Ok(self
            .names(FileType::RegularFile)?
            .into_iter()
            .filter_map(|name| name.into_string().ok())
            .collect())
    }

    fn names(&self, kind: FileType) -> Result<Vec<OsString>, Errno> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.descriptor)? {
            let entry = entry?;
            if entry.file_type() == kind {
                names.push(OsStr::from_bytes(entry.file_name().to_bytes()).to_owned());
            }
        }
        Ok(names)
    }

    /// Whether there is such a file.
    pub(super) fn has(&self, file: &str) -> bool {
        self.open(Path::new(file), OFlags::PATH.union(OFlags::CLOEXEC)).is_ok()
    }

    /// What a file says.
    pub(super) fn read(&self, file: &str) -> Result<String, Errno> {
        let descriptor = self.watched(file)?;
        let mut text = String::new();
        File::from(descriptor).take(LONGEST).read_to_string(&mut text).map_err(|error| errno(&error))?;
        Ok(text)
    }

    /// A file whose changes poll(2) tells.
    pub(super) fn watched(&self, file: &str) -> Result<OwnedFd, Errno> {
        self.open(Path::new(file), OFlags::RDONLY.union(OFlags::CLOEXEC))
    }

    /// Writes a value as the kernel wants it: in one call.
    pub(super) fn write(&self, file: &str, value: &str) -> Result<(), Errno> {
        let descriptor = self.open(Path::new(file), OFlags::WRONLY | OFlags::TRUNC | OFlags::CLOEXEC)?;
        let written = retry_on_intr(|| write(&descriptor, value.as_bytes()))?;
        if written == value.len() { Ok(()) } else { Err(Errno::IO) }
    }

    /// Visits this group and all groups below it, each before those below it, with two descriptors however deep they
    /// lie. A group that goes meanwhile is left out.
    pub(super) fn walk(&self, visit: &mut impl FnMut(&Self)) -> Result<(), Errno> {
        visit(self);
        let mut waiting = vec![self.children()?];
        let mut here = self.inside(Path::new(""))?;
        while let Some(names) = waiting.last_mut() {
            if let Some(name) = names.pop() {
                let Ok(child) = here.inside(Path::new(&name)) else { continue };
                visit(&child);
                waiting.push(child.children().unwrap_or_default());
                here = child;
            } else {
                waiting.pop();
                if !waiting.is_empty() {
                    here = here.above()?;
                }
            }
        }
        Ok(())
    }

    fn open(&self, below: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::BENEATH
            | ResolveFlags::NO_SYMLINKS
            | ResolveFlags::NO_MAGICLINKS
            | ResolveFlags::NO_XDEV;
        // The kernel answers EAGAIN where something was renamed while it looked.
        let mut tries = 0;
        loop {
            match openat2(&self.descriptor, below, flags, Mode::empty(), resolve) {
                Err(Errno::AGAIN | Errno::INTR) if tries < 100 => tries += 1,
                other => return other,
            }
        }
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl From<Folder> for OwnedFd {
    fn from(folder: Folder) -> Self {
        folder.descriptor
    }
}

fn errno(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nothing_outside_of_a_folder_is_reached_from_it() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "s").unwrap();
        let group = tempfile::tempdir().unwrap();
        symlink(outside.path(), group.path().join("link")).unwrap();
        symlink(outside.path().join("secret"), group.path().join("file")).unwrap();
        let folder = Folder::mount(group.path()).unwrap();
        assert_eq!(folder.read("file"), Err(Errno::LOOP));
        assert_eq!(folder.write("file", "x"), Err(Errno::LOOP));
        assert!(!folder.has("file"));
        assert_eq!(folder.inside(Path::new("link")).map(drop), Err(Errno::LOOP));
        assert_eq!(folder.read("../secret"), Err(Errno::XDEV));
        assert_eq!(folder.inside(Path::new("..")).map(drop), Err(Errno::XDEV));
        assert_eq!(folder.inside(outside.path()).map(drop), Err(Errno::XDEV));
        assert_eq!(fs::read_to_string(outside.path().join("secret")).unwrap(), "s");
    }

    #[test]
    fn a_walk_visits_all_groups_however_deep() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::mount(root.path()).unwrap();
        // Deeper than a process may have descriptors.
        let mut here = folder.inside(Path::new("")).unwrap();
        for _ in 0..1500 {
            assert_eq!(here.make(OsStr::new("d")), Ok(true));
            assert_eq!(here.make(OsStr::new("d")), Ok(false));
            here = here.inside(Path::new("d")).unwrap();
        }
        fs::create_dir_all(root.path().join("d/e/f")).unwrap();
        let mut visited = 0;
        folder.walk(&mut |_| visited += 1).unwrap();
        assert_eq!(visited, 1 + 1500 + 2);
    }
}
