//! Paths that nobody shall read or write (config-linux.md, "Masked Paths" and "Readonly Paths"). What is not there needs nothing.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use catamaran_oci_init::mount::{Attributes, Options};
use rustix::fs::{AtFlags, FileType, StatxFlags, fstat, statx};
use rustix::io::Errno;

use super::mounts::{attach, new};
use super::{devices, sources};
use crate::failure::{Done, During as _, Failure};
use crate::inside;

/// A procfs or sysfs that was mounted, and where the order wanted it. Its paths are hidden by this handle: the folder that it lies
/// on may be another's too, who moves it in the meantime (CVE-2019-19921).
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) at: String,
    pub(crate) tree: OwnedFd,
}

/// `MOUNT_ATTR_RDONLY`.
const READ_ONLY: u64 = 1;

/// Covers files by the null device, and folders by an empty folder.
pub(crate) fn mask(root: BorrowedFd<'_>, views: &[View], paths: &[String]) -> Done {
    let mut covers = Covers::default();
    for path in paths {
        let what = || format!("linux.maskedPaths: mask {path}");
        for place in there(root, views, path).during(what)? {
            let stat = fstat(&place).during(what)?;
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                covers.folder(&place).during(what)?;
            } else {
                covers.file(&place).during(what)?;
            }
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
pub(crate) fn make_read_only(root: BorrowedFd<'_>, views: &[View], paths: &[String]) -> Done {
    for path in paths {
        let what = || format!("linux.readonlyPaths: protect {path}");
        for place in there(root, views, path).during(what)? {
            let protect = || -> Result<(), Errno> {
                let tree = sources::copy_of(&place)?;
                sources::set(&tree, Attributes { set: READ_ONLY, clear: 0 }, true)?;
                attach(tree, place.as_fd())
            };
            protect().during(what)?;
        }
    }
    Ok(())
}

/// Handles on what is at the path, where there is something: the path as it leads now, and what it leads to in a view of the kernel
/// that was mounted above it. These are two only if another process has moved the view's folder since, or something covers it.
fn there(root: BorrowedFd<'_>, views: &[View], path: &str) -> Result<Vec<OwnedFd>, Errno> {
    let mut places: Vec<OwnedFd> = Vec::new();
    let in_view = views.iter().rev().find_map(|view| Some((view, below(path, &view.at)?)));
    let looks =
        [in_view.map(|(view, rest)| inside::look(view.tree.as_fd(), rest)), Some(inside::look(root, path))];
    for look in looks.into_iter().flatten() {
        match look {
            Ok(place) => {
                if places.first().map(identity).transpose()? != Some(identity(&place)?) {
                    places.push(place);
                }
            }
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(places)
}

/// Mount and file of a handle.
fn identity(of: &OwnedFd) -> Result<(u64, u64), Errno> {
    let stat = statx(of, c"", AtFlags::EMPTY_PATH, StatxFlags::INO | StatxFlags::MNT_ID)?;
    Ok((stat.stx_mnt_id, stat.stx_ino))
}

/// The rest of a path below another, name by name.
fn below<'a>(path: &'a str, above: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(above.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_below_another_by_whole_names() {
        assert_eq!(below("/proc/kcore", "/proc"), Some("/kcore"));
        assert_eq!(below("/proc/kcore", "/proc/"), Some("/kcore"));
        assert_eq!(below("/proc", "/proc"), Some(""));
        assert_eq!(below("/process", "/proc"), None);
        assert_eq!(below("/sys", "/proc"), None);
    }
}
