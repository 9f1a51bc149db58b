//! Paths inside of a root file system that may be hostile: every step is taken from a descriptor, and no link leads out
//! (openat2(2), `RESOLVE_IN_ROOT`).

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, mkdirat, openat, openat2, readlinkat};
use rustix::io::Errno;

/// Links in one path at most, as the kernel's MAXSYMLINKS.
const LINKS_MAX: u32 = 40;
/// Tries where something is renamed at the same time (openat2(2), EAGAIN).
const TRIES: u32 = 16;

const PATH: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);
const IN_ROOT: ResolveFlags = ResolveFlags::IN_ROOT.union(ResolveFlags::NO_MAGICLINKS);

/// What is made where nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Make {
    Directory,
    File,
}

/// Opens a path inside of `root`.
pub(crate) fn open(root: BorrowedFd<'_>, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let path = relative(path);
    for _ in 0..TRIES {
        match openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), IN_ROOT) {
            Err(Errno::AGAIN) => {}
            other => return other,
        }
    }
    Err(Errno::AGAIN)
}

/// A handle on a path inside of `root`.
pub(crate) fn look(root: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, Errno> {
    open(root, path, PATH)
}

/// Whether some of a path inside of `root` is a symbolic link.
pub(crate) fn leads_through_links(root: BorrowedFd<'_>, path: &str) -> Result<bool, Errno> {
    let how = IN_ROOT | ResolveFlags::NO_SYMLINKS;
    match openat2(root, relative(path), PATH | OFlags::NOFOLLOW, Mode::empty(), how) {
        // A last name that is a link is opened itself by PATH and NOFOLLOW.
        Ok(last) => Ok(FileType::from_raw_mode(fstat(&last)?.st_mode) == FileType::Symlink),
        Err(Errno::LOOP) => Ok(true),
        // What is not there is made, and is no link then.
        Err(Errno::NOENT | Errno::AGAIN) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A handle on a path inside of `root`; what is missing is made.
pub(crate) fn make(root: BorrowedFd<'_>, path: &str, make: Make) -> Result<OwnedFd, Errno> {
    match look(root, path) {
        Err(Errno::NOENT) => Walk::new(root, path).go(make),
        other => other,
    }
}

/// The folder of a path inside of `root`, made where it is missing, and the path's last name.
pub(crate) fn parent<'a>(root: BorrowedFd<'_>, path: &'a str) -> Result<(OwnedFd, &'a str), Errno> {
    let trimmed = path.trim_end_matches('/');
    let (folder, name) = trimmed.rsplit_once('/').unwrap_or(("", trimmed));
    if name.is_empty() || name == "." || name == ".." {
        return Err(Errno::INVAL);
    }
    Ok((make(root, folder, Make::Directory)?, name))
}

fn relative(path: &str) -> &str {
    let path = path.trim_start_matches('/');
    if path.is_empty() { "." } else { path }
}

/// A walk that makes what is missing. Links are read and followed by us, one name at a time, so that also a link to what is not
/// there yet (`/etc/resolv.conf`) leads to a place inside.
struct Walk<'a> {
    root: BorrowedFd<'a>,
    /// Folders that were entered, the last one being where we are.
    entered: Vec<OwnedFd>,
    names: VecDeque<String>,
    links: u32,
}

impl<'a> Walk<'a> {
    fn new(root: BorrowedFd<'a>, path: &str) -> Self {
        Self { root, entered: Vec::new(), names: names(path).collect(), links: 0 }
    }

    fn here(&self) -> BorrowedFd<'_> {
        self.entered.last().map_or(self.root, |folder| folder.as_fd())
    }

    fn go(mut self, make: Make) -> Result<OwnedFd, Errno> {
        while let Some(name) = self.names.pop_front() {
            if name == ".." {
                self.entered.pop();
                continue;
            }
            let last = self.names.is_empty();
            let step = self.step(&name, if last { make } else { Make::Directory })?;
            match FileType::from_raw_mode(fstat(&step)?.st_mode) {
                FileType::Symlink => self.follow(&step)?,
                FileType::Directory => self.entered.push(step),
                _ if last => return Ok(step),
                _ => return Err(Errno::NOTDIR),
            }
        }
        match self.entered.pop() {
            Some(folder) => Ok(folder),
            None => openat(self.root, c".", PATH | OFlags::DIRECTORY, Mode::empty()),
        }
    }

    /// A handle on the next name itself, also if it is a link.
    fn step(&self, name: &str, make: Make) -> Result<OwnedFd, Errno> {
        let how = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let look = || openat2(self.here(), name, PATH | OFlags::NOFOLLOW, Mode::empty(), how);
        match look() {
            Err(Errno::NOENT) => {}
            other => return other,
        }
        let made = match make {
            Make::Directory => mkdirat(self.here(), name, Mode::from_raw_mode(0o755)),
            Make::File => {
                let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                openat(self.here(), name, flags, Mode::from_raw_mode(0o644)).map(drop)
            }
        };
        match made {
            Ok(()) | Err(Errno::EXIST) => look(),
            Err(error) => Err(error),
        }
    }

    fn follow(&mut self, link: &OwnedFd) -> Result<(), Errno> {
        self.links += 1;
        if self.links > LINKS_MAX {
            return Err(Errno::LOOP);
        }
        let target = readlinkat(link, c"", Vec::new())?.into_string().map_err(|_| Errno::INVAL)?;
        if target.starts_with('/') {
            self.entered.clear();
        }
        for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
            self.names.push_front(name);
        }
        Ok(())
    }
}

fn names(path: &str) -> impl Iterator<Item = String> + '_ {
    path.split('/').filter(|name| !name.is_empty() && *name != ".").map(str::to_owned)
}
