//! Sources of bind mounts: detached copies of mounts with everything set, ready to be put into place.

use std::os::fd::{AsFd, OwnedFd};

use catamaran_oci_init::mount::{Attributes, Kind, Options, Propagation, Reach};
use catamaran_oci_init::order::{Mount, Owners, Root, What};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::mount::{OpenTreeFlags, open_tree};

use crate::failure::{Done, During as _, Failure};
use crate::sys::{self, MountAttributes};

/// `MOUNT_ATTR_IDMAP` (linux/mount.h).
const IDMAP: u64 = 0x10_0000;

/// The root file system, and then for each mount its source where it is a bind mount.
pub(crate) fn open_all(root: &Root) -> Done<Vec<Option<OwnedFd>>> {
    let mut all = vec![Some(open_root(root)?)];
    for mount in &root.mounts {
        all.push(match &mount.what {
            What::Bind(source) => Some(open(mount, source)?),
            _ => None,
        });
    }
    Ok(all)
}

/// The root file system with all that is mounted below it.
pub(crate) fn open_root(root: &Root) -> Done<OwnedFd> {
    let tree = copy(&root.path, true).during(|| format!("root.path: open {}", root.path))?;
    // What is mounted in the container must not go out, whatever the caller's mounts do.
    let how = Propagation { kind: Kind::Slave, reach: Reach::Recursive };
    propagate(&tree, &[how]).during(|| "isolate the root file system".to_owned())?;
    Ok(tree)
}

/// The source of a bind mount.
pub(crate) fn open(mount: &Mount, source: &str) -> Done<OwnedFd> {
    let options = &mount.options;
    let recursive = options.bind != Some(Reach::Alone);
    let tree = copy(source, recursive).during(|| format!("mount {}: open {source}", mount.destination))?;
    let what = || format!("mount {}: set the options of {source}", mount.destination);
    if let Some(reach) = options.idmap {
        map_owners(&tree, mount, reach)?;
    }
    dress(&tree, options).during(what)?;
    Ok(tree)
}

fn copy(path: &str, recursive: bool) -> Result<OwnedFd, Errno> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    open_tree(CWD, path, flags)
}

/// A detached copy of what a descriptor stands for.
pub(crate) fn copy_of(what: impl AsFd) -> Result<OwnedFd, Errno> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH
        | OpenTreeFlags::AT_RECURSIVE;
    open_tree(what, c"", flags)
}

/// Attributes and propagation of a mount that is not in place yet.
pub(crate) fn dress(tree: &OwnedFd, options: &Options) -> Result<(), Errno> {
    set(tree, options.attributes, false)?;
    set(tree, options.recursive, true)?;
    if options.propagation.is_empty() {
        return propagate(tree, &[Propagation { kind: Kind::Slave, reach: Reach::Recursive }]);
    }
    propagate(tree, &options.propagation)
}

pub(crate) fn set(tree: impl AsFd, attributes: Attributes, recursive: bool) -> Result<(), Errno> {
    if attributes.is_empty() {
        return Ok(());
    }
    let attributes =
        MountAttributes { set: attributes.set, clear: attributes.clear, ..MountAttributes::default() };
    sys::mount_setattr(tree, &attributes, recursive)
}

pub(crate) fn propagate(tree: impl AsFd, how: &[Propagation]) -> Result<(), Errno> {
    for one in how {
        let propagation = match one.kind {
            Kind::Private => libc::MS_PRIVATE,
            Kind::Shared => libc::MS_SHARED,
            Kind::Slave => libc::MS_SLAVE,
            Kind::Unbindable => libc::MS_UNBINDABLE,
        };
        let attributes = MountAttributes { propagation, ..MountAttributes::default() };
        sys::mount_setattr(&tree, &attributes, one.reach == Reach::Recursive)?;
    }
    Ok(())
}

fn map_owners(tree: &OwnedFd, mount: &Mount, reach: Reach) -> Done {
    let at = &mount.destination;
    let namespace = match &mount.owners {
        Some(Owners::By(users, groups)) => sys::user_namespace(users, groups)
            .during(|| format!("mount {at}: make the user namespace of its owners"))?,
        Some(Owners::As(path)) => openat(CWD, path.as_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .during(|| format!("mount {at}: open the user namespace {path}"))?,
        None => {
            return Err(Failure(format!(
                "mount {at}: `idmap` without mappings; give the mount uidMappings and gidMappings, or the container a user namespace"
            )));
        }
    };
    let attributes = MountAttributes {
        set: IDMAP,
        user_namespace: sys::number_of(&namespace),
        ..MountAttributes::default()
    };
    sys::mount_setattr(tree, &attributes, reach == Reach::Recursive).during(|| {
        format!("mount {at}: map its owners (takes a file system that can do it, and CAP_SYS_ADMIN outside of the container)")
    })
}
