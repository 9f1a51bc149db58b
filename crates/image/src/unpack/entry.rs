//! What a tar file says about an entry, in its header and before it.
//!
//! **Source.** pax(1), "ustar Interchange Format", "pax Header Block"; GNU tar, `tar.h`, for long names.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::Mode;
use tar::EntryType;

use crate::bounds::{EXTENSION_BYTES_MAX, PATH_BYTES_MAX};
use crate::error::{Error, Result};

/// An entry of a layer, with what stood before it about it.
pub(super) struct Entry {
    pub(super) kind: EntryType,
    pub(super) path: PathBuf,
    pub(super) link: Vec<u8>,
    pub(super) mode: Mode,
    pub(super) owner: (u32, u32),
    pub(super) changed_s: i64,
}

/// What stands before an entry about it.
#[derive(Default)]
pub(super) struct Said {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    user: Option<u32>,
    group: Option<u32>,
    changed_s: Option<i64>,
}

impl Said {
    /// Takes an entry that says something about the next one; whether this is one.
    pub(super) fn hears(&mut self, entry: &mut tar::Entry<'_, impl Read>) -> Result<bool> {
        match entry.header().entry_type() {
            EntryType::GNULongName => self.path = Some(name(entry)?),
            EntryType::GNULongLink => self.link = Some(name(entry)?),
            EntryType::XHeader => self.read_records(&bytes(entry, EXTENSION_BYTES_MAX)?)?,
            // About all that come: nothing that a layer needs.
            EntryType::XGlobalHeader => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn read_records(&mut self, records: &[u8]) -> Result<()> {
        for record in tar::PaxExtensions::new(records) {
            let record = record.map_err(|error| Error::bad(format!("an extension: {error}")))?;
            let value = record.value_bytes();
            let number = || {
                let whole = record.value().ok().and_then(|text| text.split('.').next()?.parse::<i64>().ok());
                whole.ok_or_else(|| Error::bad("an extension that is no number"))
            };
            let own = || u32::try_from(number()?).map_err(|_| Error::bad("an owner that is none"));
            match record.key().unwrap_or_default() {
                "path" => self.path = Some(value.to_vec()),
                "linkpath" => self.link = Some(value.to_vec()),
                "uid" => self.user = Some(own()?),
                "gid" => self.group = Some(own()?),
                "mtime" => self.changed_s = Some(number()?),
                "size" => return Err(Error::bad("an entry of more than 8 GiB")),
                key if key.starts_with("GNU.sparse.") => {
                    return Err(Error::bad("a sparse file, which layers have not"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// With what the entry's own header says.
    pub(super) fn about(self, header: &tar::Header, bytes: u64) -> Result<Entry> {
        let old = header.as_old();
        // Writers leave out what is nothing.
        let given = |number: io::Result<u64>, field: &[u8]| match number {
            Err(_) if field.iter().all(|byte| matches!(byte, 0 | b' ')) => Ok(0),
            number => number.map_err(|error| Error::bad(format!("a header: {error}"))),
        };
        let path = self.path.unwrap_or_else(|| header.path_bytes().into_owned());
        let link = self.link.or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned));
        let owner = |own: Option<u32>, theirs: Result<u64>| {
            let owner = own.map_or(theirs, |own| Ok(u64::from(own)))?;
            // The last number means nobody to the kernel.
            let owner = u32::try_from(owner).ok().filter(|owner| *owner != u32::MAX);
            owner.ok_or_else(|| Error::bad("an owner that is none"))
        };
        let kind = header.entry_type();
        let holds = matches!(kind, EntryType::Regular | EntryType::Continuous);
        if bytes > 0 && !holds && !matches!(kind, EntryType::Link | EntryType::Directory) {
            return Err(Error::bad(format!("an entry of the kind {kind:?} with {bytes} bytes")));
        }
        let mode = given(header.mode().map(u64::from), &old.mode)?;
        let mode = Mode::from_raw_mode(u32::try_from(mode & 0o1777).unwrap_or(0));
        let user = owner(self.user, given(header.uid(), &old.uid))?;
        let group = owner(self.group, given(header.gid(), &old.gid))?;
        let changed_s = match self.changed_s {
            Some(changed_s) => changed_s,
            None => given(header.mtime(), &old.mtime)?.cast_signed(),
        };
        // Of old, a name that ends so was that of a folder.
        let kind = if holds && path.ends_with(b"/") { EntryType::Directory } else { kind };
        let path = inside(&path)?;
        if path.as_os_str().is_empty() && kind != EntryType::Directory {
            return Err(Error::bad("an entry without a name"));
        }
        let link = link.unwrap_or_default();
        Ok(Entry { kind, path, link, mode, owner: (user, group), changed_s })
    }
}

/// A path without what does not matter in it.
pub(super) fn inside(path: &[u8]) -> Result<PathBuf> {
    let shown = String::from_utf8_lossy(path.get(..path.len().min(200)).unwrap_or_default());
    if path.len() as u64 > PATH_BYTES_MAX {
        return Err(Error::bad(format!("a path of {} bytes: {shown}…", path.len())));
    }
    if path.contains(&0) {
        return Err(Error::bad(format!("a path with a zero byte: {shown:?}")));
    }
    let mut plain = PathBuf::new();
    for part in Path::new(OsStr::from_bytes(path)).components() {
        match part {
            Component::RootDir | Component::CurDir => {}
            Component::Normal(name) => plain.push(name),
            Component::ParentDir | Component::Prefix(_) => {
                return Err(Error::bad(format!("a path that leads out of its folder: {shown}")));
            }
        }
    }
    Ok(plain)
}

/// A name that is too long for a header.
fn name(entry: &mut tar::Entry<'_, impl Read>) -> Result<Vec<u8>> {
    let mut name = bytes(entry, PATH_BYTES_MAX + 1)?;
    if name.last() == Some(&0) {
        name.pop();
    }
    Ok(name)
}

fn bytes(entry: &mut tar::Entry<'_, impl Read>, most: u64) -> Result<Vec<u8>> {
    let size = entry.size();
    if size > most {
        return Err(Error::bad(format!("an extension of {size} bytes")));
    }
    let mut content = Vec::new();
    entry.read_to_end(&mut content).map_err(|error| Error::bad(format!("an extension: {error}")))?;
    Ok(content)
}
