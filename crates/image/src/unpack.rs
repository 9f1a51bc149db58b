//! Layers become a folder: each is laid over those beneath, and what it says is gone is gone.
//!
//! **Law.** OCI image-spec, `layer.md`: an entry replaces what has its path, but for a folder on a folder; `.wh.NAME` removes NAME, and
//! `.wh..wh..opq` all that the layers beneath have in its folder.
//!
//! **Who is hostile.** Whoever made the image. Every path is walked anew by the kernel from the root's own descriptor
//! (`openat2`, `RESOLVE_IN_ROOT`), so that `..` and symbolic links end in the root; the last name of a path is never followed, and a
//! file is only ever written that was just made. Paths with `..` are refused. Devices are not made, bits that lend a user's rights
//! (setuid, setgid) and attributes are not kept: a tenant has no use for them.

mod entry;
mod place;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid};
use rustix::io::Errno;
use tar::EntryType;

use crate::bounds::{BYTES_MAX, ENTRIES_MAX};
use crate::error::{Error, Result};
use crate::manifest::{Image, Layer};
use entry::{Entry, Said, inside};
use place::Root;

/// What a name begins with that says that something is gone.
const WHITEOUT: &[u8] = b".wh.";
/// What removes all of a folder that is beneath.
const OPAQUE: &[u8] = b".wh..wh..opq";
/// What else begins so belongs to aufs.
const OF_AUFS: &[u8] = b".wh..wh.";

/// A folder into which layers are unpacked.
pub struct Unpacking {
    root: Root,
    bytes_left: u64,
    entries_left: u64,
    /// Whether files get the owners that the layers name.
    owners: bool,
}

impl Unpacking {
    /// Into an empty folder.
    ///
    /// # Errors
    /// Where it can't be opened.
    pub fn into(folder: &Path) -> Result<Self> {
        Ok(Self {
            root: Root::open(folder)?,
            bytes_left: BYTES_MAX,
            entries_left: ENTRIES_MAX,
            owners: rustix::process::geteuid().is_root(),
        })
    }

    /// Lays a layer of an image over what is there.
    ///
    /// # Errors
    /// [`Error::Bad`] where it is not what its digests say, or not one that may be taken.
    pub fn layer(&mut self, image: &Image, layer: &Layer) -> Result<()> {
        let mut reader = image.read(layer, self.bytes_left)?;
        let unpacked = self.tar(&mut reader);
        // A broken layer is told by its digest, before anything that it seems to say.
        reader.finish(layer)?;
        self.bytes_left = self.bytes_left.saturating_sub(reader.count());
        unpacked.map_err(|error| error.within(&layer.place()))
    }

    /// Lays a tar file over what is there.
    ///
    /// # Errors
    /// As [`Self::layer`].
    pub fn tar(&mut self, reader: &mut dyn Read) -> Result<()> {
        let mut archive = tar::Archive::new(reader);
        let broken = |error: io::Error| Error::bad(format!("no tar file: {error}"));
        let mut said = Said::default();
        let mut fresh = BTreeSet::new();
        // Raw: extensions are read here, with bounds.
        for entry in archive.entries().map_err(broken)?.raw(true) {
            let mut entry = entry.map_err(broken)?;
            self.entries_left = self.entries_left.checked_sub(1).ok_or_else(|| {
                Error::advised(format!("more than {ENTRIES_MAX} entries"), "take a smaller image")
            })?;
            if said.hears(&mut entry)? {
                continue;
            }
            let size = entry.size();
            let about = std::mem::take(&mut said).about(entry.header(), size)?;
            let place = about.path.display().to_string();
            self.place(&about, &mut fresh, &mut entry).map_err(|error| error.within(&place))?;
            fresh.insert(about.path);
        }
        Ok(())
    }

    fn place(&self, entry: &Entry, fresh: &mut BTreeSet<PathBuf>, content: &mut dyn Read) -> Result<()> {
        let Some(name) = entry.path.file_name() else {
            // The root itself, whose mode alone is of use.
            return self.adopt(self.root.as_fd(), entry);
        };
        let folder = entry.path.parent().unwrap_or(Path::new(""));
        if name.as_bytes().starts_with(WHITEOUT) {
            return self.white_out(folder, name, fresh);
        }
        let parent = self.root.make_folders(folder)?;
        let at = parent.as_fd();
        match entry.kind {
            EntryType::Directory => self.folder(at, name, entry),
            EntryType::Regular | EntryType::Continuous => self.file(at, name, entry, content),
            EntryType::Symlink => {
                place::clear(at, name)?;
                rustix::fs::symlinkat(OsStr::from_bytes(&entry.link), at, name)
                    .map_err(failed("make the link"))?;
                self.own_link(at, name, entry)
            }
            EntryType::Link => self.hard_link(at, name, entry),
            EntryType::Fifo => {
                place::clear(at, name)?;
                rustix::fs::mknodat(at, name, FileType::Fifo, entry.mode, 0)
                    .map_err(failed("make the pipe"))?;
                self.own_link(at, name, entry)
            }
            // What has a device's name in the layers beneath is gone all the same.
            EntryType::Char | EntryType::Block => place::clear(at, name),
            other => Err(Error::bad(format!("an entry of the kind {other:?}"))),
        }
    }

    fn folder(&self, at: BorrowedFd<'_>, name: &OsStr, entry: &Entry) -> Result<()> {
        match place::kind(at, name)? {
            Some(FileType::Directory) => {}
            _ => {
                place::clear(at, name)?;
                place::make_folder(at, name)?;
            }
        }
        self.adopt(place::open_folder(at, name)?.as_fd(), entry)
    }

    fn file(&self, at: BorrowedFd<'_>, name: &OsStr, entry: &Entry, content: &mut dyn Read) -> Result<()> {
        place::clear(at, name)?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file =
            rustix::fs::openat(at, name, flags, Mode::RUSR | Mode::WUSR).map_err(failed("make the file"))?;
        let mut file = File::from(file);
        let mut piece = vec![0_u8; 1 << 16];
        loop {
            let length =
                content.read(&mut piece).map_err(|error| Error::bad(format!("cannot be read: {error}")))?;
            if length == 0 {
                break;
            }
            file.write_all(piece.get(..length).unwrap_or_default())
                .map_err(|error| Error::Machine(format!("cannot write the file: {error}")))?;
        }
        self.adopt(file.as_fd(), entry)
    }

    /// Another name of a file that is in the root.
    fn hard_link(&self, at: BorrowedFd<'_>, name: &OsStr, entry: &Entry) -> Result<()> {
        let target = inside(&entry.link)?;
        let target_name = target.file_name().ok_or_else(|| Error::bad("a hard link to the root"))?;
        let nothing = || Error::bad(format!("a hard link to {}, which is not there", target.display()));
        let folder = self.root.find_folder(target.parent().unwrap_or(Path::new("")))?.ok_or_else(nothing)?;
        match place::kind(folder.as_fd(), target_name)? {
            None => return Err(nothing()),
            Some(FileType::Directory) => return Err(Error::bad("a hard link to a folder")),
            Some(_) => {}
        }
        // The same file by two paths would be cleared away before it is linked.
        if place::is_same((folder.as_fd(), target_name), (at, name)) {
            return Ok(());
        }
        place::clear(at, name)?;
        // Without SYMLINK_FOLLOW the link itself gets the other name, whatever it leads to.
        rustix::fs::linkat(&folder, target_name, at, name, AtFlags::empty())
            .map_err(failed("make the hard link"))
    }

    /// Removes what a layer says is gone.
    fn white_out(&self, folder: &Path, name: &OsStr, fresh: &BTreeSet<PathBuf>) -> Result<()> {
        let Some(parent) = self.root.find_folder(folder)? else { return Ok(()) };
        let at = parent.as_fd();
        if name.as_bytes() == OPAQUE {
            return place::empty(at, folder, fresh);
        }
        if name.as_bytes().starts_with(OF_AUFS) {
            return Ok(());
        }
        let gone = name.as_bytes().get(WHITEOUT.len()..).unwrap_or_default();
        if matches!(gone, b"" | b"." | b"..") {
            return Err(Error::bad("it says that nothing is gone"));
        }
        place::clear(at, OsStr::from_bytes(gone))
    }

    /// Gives a file or folder that is open its owner, mode and time.
    fn adopt(&self, file: BorrowedFd<'_>, entry: &Entry) -> Result<()> {
        if self.owners {
            let (user, group) = owner(entry);
            rustix::fs::fchown(file, Some(user), Some(group)).map_err(failed("give an owner to"))?;
        }
        // Whoever is not root has to get into a folder to remove it.
        let is_folder = entry.kind == EntryType::Directory;
        let mode = if is_folder && !self.owners { entry.mode | Mode::RWXU } else { entry.mode };
        rustix::fs::fchmod(file, mode).map_err(failed("give a mode to"))?;
        if is_folder {
            return Ok(());
        }
        let changed = Timespec { tv_sec: entry.changed_s, tv_nsec: 0 };
        let times = Timestamps { last_access: changed, last_modification: changed };
        rustix::fs::futimens(file, &times).map_err(failed("give a time to"))
    }

    fn own_link(&self, at: BorrowedFd<'_>, name: &OsStr, entry: &Entry) -> Result<()> {
        if !self.owners {
            return Ok(());
        }
        let (user, group) = owner(entry);
        rustix::fs::chownat(at, name, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(failed("give an owner to"))
    }
}

fn owner(entry: &Entry) -> (Uid, Gid) {
    (Uid::from_raw(entry.owner.0), Gid::from_raw(entry.owner.1))
}

fn failed(what: &'static str) -> impl Fn(Errno) -> Error {
    Error::of(what, "it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Recipe, TarLayer};

    #[test]
    fn no_image_is_larger_than_its_bound() {
        let home = tempfile::tempdir().unwrap();
        let mut layer = TarLayer::default();
        layer.file("zeros", 0o644, &vec![0; 1 << 20]).unwrap();
        layer.folder("a", 0o755).unwrap();
        let archive = home.path().join("image.tar");
        let top = layer.finish().unwrap();
        Recipe { name: "x:1", base: None, top: &top, config: serde_json::json!({}) }.write(&archive).unwrap();
        let image = Image::open(&archive).unwrap();
        let unpack = |bytes_left: u64, entries_left: u64| {
            let root = tempfile::tempdir_in(home.path()).unwrap();
            let mut unpacking =
                Unpacking { bytes_left, entries_left, ..Unpacking::into(root.path()).unwrap() };
            unpacking.layer(&image, &image.layers()[0]).map_err(|error| error.to_string())
        };
        let whole = top.len() as u64;
        assert_eq!(unpack(whole, 2), Ok(()));
        assert!(unpack(whole - 1, 2).is_err_and(|what| what.contains("more bytes than are taken")));
        assert!(unpack(whole, 1).is_err_and(|what| what.contains("entries")));
    }
}
