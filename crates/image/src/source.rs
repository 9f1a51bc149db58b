//! Where the files of an image are: in a folder, or in a tar file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use crate::bounds::MEMBERS_MAX;
use crate::error::{Error, Result};

/// First bytes of a file that `gzip` wrote (RFC 1952).
pub(crate) const GZIP: &[u8] = &[0x1f, 0x8b];
/// First bytes of a frame of Zstandard (RFC 8878).
pub(crate) const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Links from one file of an archive to another that are followed: `docker save` of old writes layers that it has twice as links.
const LINKS_MAX: usize = 4;

/// Files by their names.
#[derive(Debug)]
pub(crate) enum Source {
    Folder(OwnedFd),
    Archive { file: Arc<File>, members: BTreeMap<String, Member> },
}

/// What an archive has under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Member {
    /// Bytes of the archive.
    File { at: u64, bytes: u64 },
    /// The same as under another name.
    Link(String),
}

impl Source {
    /// The files of a folder or of a tar file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        // A named pipe would keep us waiting without NONBLOCK.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| match error {
            Errno::NOENT => Error::advised("no such file or folder", "give the path of an image: `docker save -o FILE IMAGE`, or a folder with an OCI layout; it is relative to the scenario's file"),
            other => Error::advised(io::Error::from(other).to_string(), "make it readable"),
        })?;
        match kind(&opened) {
            FileType::Directory => Ok(Self::Folder(opened)),
            FileType::RegularFile => Self::of_archive(File::from(opened)),
            _ => Err(Error::advised(
                "neither a file nor a folder",
                "give an archive that `docker save` wrote, or a folder with an OCI layout",
            )),
        }
    }

    fn of_archive(file: File) -> Result<Self> {
        let bytes = file.metadata().map_err(|error| unreadable(&error))?.len();
        let file = Arc::new(file);
        let whole = Piece { file: Arc::clone(&file), at: 0, left: bytes };
        let first = whole.peek().map_err(|error| unreadable(&error))?;
        if first.starts_with(GZIP) || first.starts_with(ZSTD) {
            return Err(Error::advised(
                "the archive as a whole is compressed",
                "decompress it (gunzip, unzstd)",
            ));
        }
        let mut members = BTreeMap::new();
        // Raw: what extensions say is of no use for the short names of images' files, and may be without end.
        let mut archive = tar::Archive::new(whole);
        let entries = archive.entries_with_seek().map_err(|error| no_tar(&error))?;
        for entry in entries.raw(true) {
            let entry = entry.map_err(|error| no_tar(&error))?;
            if members.len() >= MEMBERS_MAX {
                return Err(Error::advised(
                    format!("an archive of more than {MEMBERS_MAX} files"),
                    "give the image's archive, not that of its files",
                ));
            }
            let name = plain(&String::from_utf8_lossy(&entry.header().path_bytes()));
            let link = entry.header().link_name_bytes();
            let link = link.map(|target| String::from_utf8_lossy(&target).into_owned()).unwrap_or_default();
            let kind = entry.header().entry_type();
            let member = if kind.is_file() {
                Member::File { at: entry.raw_file_position(), bytes: entry.size() }
            } else if kind.is_hard_link() {
                Member::Link(plain(&link))
            } else if kind.is_symlink() {
                let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
                Member::Link(plain(&format!("{folder}/{link}")))
            } else {
                continue;
            };
            members.insert(name, member);
        }
        Ok(Self::Archive { file, members })
    }

    /// Whether there is a file of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.find(name).is_ok()
    }

    /// The file of that name, and its length (bytes).
    pub(crate) fn find(&self, name: &str) -> Result<(Piece, u64)> {
        let missing = || Error::bad(format!("there is no {name} in it"));
        match self {
            Self::Folder(folder) => {
                let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
                let within = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
                let file =
                    openat2(folder.as_fd(), name, flags, Mode::empty(), within).map_err(
                        |error| match error {
                            Errno::NOENT | Errno::NOTDIR => missing(),
                            other => Error::bad(format!("{name}: {}", io::Error::from(other))),
                        },
                    )?;
                if kind(&file) != FileType::RegularFile {
                    return Err(Error::bad(format!("{name} is no file")));
                }
                let file = File::from(file);
                let bytes = file.metadata().map_err(|error| unreadable(&error))?.len();
                Ok((Piece { file: Arc::new(file), at: 0, left: bytes }, bytes))
            }
            Self::Archive { file, members } => {
                let mut name = plain(name);
                for _ in 0..=LINKS_MAX {
                    match members.get(&name).ok_or_else(missing)? {
                        Member::File { at, bytes } => {
                            return Ok((Piece { file: Arc::clone(file), at: *at, left: *bytes }, *bytes));
                        }
                        Member::Link(other) => name.clone_from(other),
                    }
                }
                Err(Error::bad(format!("{name} is a link to a link, and so on")))
            }
        }
    }

    /// A whole file, at most so many bytes of it.
    pub(crate) fn read(&self, name: &str, most: u64) -> Result<Vec<u8>> {
        let (mut file, bytes) = self.find(name)?;
        if bytes > most {
            return Err(Error::bad(format!("{name} has {bytes} bytes; at most {most} are taken")));
        }
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(|error| unreadable(&error))?;
        // A tar file may say more than it has.
        if content.len() as u64 != bytes {
            return Err(Error::bad(format!("{name} ends after {} of {bytes} bytes", content.len())));
        }
        Ok(content)
    }
}

fn kind(file: &OwnedFd) -> FileType {
    rustix::fs::fstat(file).map_or(FileType::Unknown, |found| FileType::from_raw_mode(found.st_mode))
}

fn unreadable(error: &io::Error) -> Error {
    Error::advised(format!("cannot read it: {error}"), "make it readable")
}

fn no_tar(error: &io::Error) -> Error {
    Error::advised(
        format!("no tar file: {error}"),
        "give an archive that `docker save` wrote, or a folder with an OCI layout",
    )
}

/// A name in an archive without what does not matter in it.
fn plain(name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Some bytes of a file, read without moving anything that others use.
#[derive(Debug)]
pub(crate) struct Piece {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Piece {
    /// Its first bytes, which stay to be read.
    pub(crate) fn peek(&self) -> io::Result<Vec<u8>> {
        let mut first = [0_u8; 4];
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(first.len());
        let length = self.file.read_at(first.get_mut(..most).unwrap_or_default(), self.at)?;
        Ok(first.get(..length).unwrap_or_default().to_vec())
    }
}

impl Read for Piece {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let length = self.file.read_at(buffer.get_mut(..most).unwrap_or_default(), self.at)?;
        self.at += length as u64;
        self.left -= length as u64;
        Ok(length)
    }
}

impl io::Seek for Piece {
    /// Forward only, as passing over an entry does.
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let io::SeekFrom::Current(by) = to else { return Err(io::ErrorKind::Unsupported.into()) };
        let by = u64::try_from(by).map_err(|_| io::ErrorKind::Unsupported)?.min(self.left);
        self.at += by;
        self.left -= by;
        Ok(self.at)
    }
}
