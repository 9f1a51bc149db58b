//! Paths that nobody shall read or write (config-linux.md, "Masked Paths" and "Readonly Paths"). What is not there needs nothing.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use catamaran_oci_init::mount::{Attributes, Options};
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;

use super::mounts::{attach, new};
use super::{devices, sources};
use crate::failure::{Done, During as _, Failure};
use crate::inside;

/// `MOUNT_ATTR_RDONLY`.
const READ_ONLY: u64 = 1;

/// Covers files by the null device, and folders by an empty folder.
pub(crate) fn mask(root: BorrowedFd<'_>, paths: &[String]) -> Done {
    let mut covers = Covers::default();
    for path in paths {
        let what = || format!("linux.maskedPaths: mask {path}");
        let Some(place) = there(root, path).during(what)? else { continue };
        let stat = fstat(&place).during(what)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            covers.folder(&place).during(what)?;
        } else {
            covers.file(&place).during(what)?;
        }
    }
    Ok(())
}

#[derive(Default)]
struct Covers {
    null: Option<OwnedFd>,
    /// An empty file system that is in place already: it is mounted again wherever it is needed.
    empty: Option<OwnedFd>,
}

impl Covers {
    fn file(&mut self, place: &OwnedFd) -> Result<(), String> {
        let null = match self.null.take() {
            Some(null) => null,
            None => devices::null().map_err(|Failure(why)| why)?,
        };
        let done = sources::copy_of(&null).and_then(|tree| attach(tree, place));
        self.null = Some(null);
        done.map_err(|error| error.to_string())
    }

    fn folder(&mut self, place: &OwnedFd) -> Result<(), String> {
        if let Some(empty) = &self.empty {
            return sources::copy_of(empty)
                .and_then(|tree| attach(tree, place))
                .map_err(|error| error.to_string());
        }
        let options = Options {
            attributes: Attributes { set: READ_ONLY, clear: 0 },
            data: vec!["nr_blocks=1".to_owned(), "nr_inodes=1".to_owned()],
            ..Options::default()
        };
        let empty = new("tmpfs", "tmpfs", &options)?;
        attach(&empty, place).map_err(|error| error.to_string())?;
        self.empty = Some(empty);
        Ok(())
    }
}

/// Makes paths read-only, with all that is mounted below them.
pub(crate) fn make_read_only(root: BorrowedFd<'_>, paths: &[String]) -> Done {
    for path in paths {
        let what = || format!("linux.readonlyPaths: protect {path}");
        let Some(place) = there(root, path).during(what)? else { continue };
        let protect = || -> Result<(), Errno> {
            let tree = sources::copy_of(&place)?;
            sources::set(&tree, Attributes { set: READ_ONLY, clear: 0 }, true)?;
            attach(tree, place.as_fd())
        };
        protect().during(what)?;
    }
    Ok(())
}

/// A handle on the path, where there is something.
fn there(root: BorrowedFd<'_>, path: &str) -> Result<Option<OwnedFd>, Errno> {
    match inside::look(root, path) {
        Ok(place) => Ok(Some(place)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(error) => Err(error),
    }
}
