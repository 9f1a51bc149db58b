//! The container's root file system: mounted over the caller's root in a mount namespace of its own, filled, entered, and the
//! caller's detached.

use std::os::fd::{AsFd as _, OwnedFd};

use catamaran_oci_init::hook;
use catamaran_oci_init::mount::{Attributes, Kind, Propagation, Reach};
use catamaran_oci_init::order::{Mounting, Root};
use catamaran_oci_init::wire::States;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::process::{chroot, fchdir, pivot_root};
use rustix::system::{setdomainname, sethostname};

use super::{Stage, devices, mask, mounts, proceed, sources};
use crate::failure::{Done, During as _, Failure};
use crate::sys;

/// Builds the root and enters it; a handle on it.
pub(crate) fn build(
    stage: &Stage<'_>,
    root: &Root,
    early: &mut impl Iterator<Item = Option<OwnedFd>>,
    states: &mut States,
) -> Done<OwnedFd> {
    if root.mounting == Mounting::Nothing {
        return without_mounts(stage, root, states);
    }
    let outside = openat(CWD, c"/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .during(|| "open the caller's root".to_owned())?;
    isolate(root, &outside)?;
    let tree = match early.next().flatten() {
        Some(tree) => tree,
        None => sources::open_root(root)?,
    };
    put(root, &tree, &outside)?;
    let own_groups = stage.order.make & libc::CLONE_NEWCGROUP as u32 != 0;
    // Permissions are as they are asked for.
    let umask = rustix::process::umask(Mode::empty());
    let mut views = Vec::new();
    for mount in &root.mounts {
        views.extend(mounts::mount(tree.as_fd(), mount, early.next().flatten(), own_groups)?);
    }
    if root.own_dev {
        devices::make(tree.as_fd(), root, &stage.files)?;
    }
    rustix::process::umask(umask);
    name(stage, root)?;
    hooks(stage, states)?;
    mask::make_read_only(tree.as_fd(), &views, &root.read_only_paths)?;
    mask::mask(tree.as_fd(), &views, &root.masked)?;
    drop(views);
    if root.read_only {
        let read_only = Attributes { set: 1, clear: 0 };
        sources::set(&tree, read_only, false).during(|| "root.readonly: set it".to_owned())?;
    }
    enter(root, &tree, &outside)?;
    Ok(tree)
}

/// Nothing is mounted and nothing about the caller's mounts is changed: the root is the folder as it is.
fn without_mounts(stage: &Stage<'_>, root: &Root, states: &mut States) -> Done<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let tree = openat(CWD, root.path.as_str(), flags, Mode::empty())
        .during(|| format!("root.path: open {}", root.path))?;
    let umask = rustix::process::umask(Mode::empty());
    devices::make(tree.as_fd(), root, &stage.files)?;
    rustix::process::umask(umask);
    name(stage, root)?;
    hooks(stage, states)?;
    enter_by(&tree)?;
    Ok(tree)
}

/// Makes a folder this process's root (chroot(2)).
pub(super) fn enter_by(folder: &OwnedFd) -> Done {
    fchdir(folder).during(|| "go to the new root".to_owned())?;
    chroot(c".").during(|| "chroot".to_owned())?;
    rustix::process::chdir(c"/").during(|| "go to /".to_owned())
}

/// Hooks of the runtime, then those inside that come before the root is entered.
fn hooks(stage: &Stage<'_>, states: &mut States) -> Done {
    if !stage.order.wait_for_hooks {
        return Ok(());
    }
    *states = proceed(stage)?;
    hook::run(&stage.order.create_container, "createContainer", &states.creating).map_err(Failure)
}

/// Puts the root file system onto its own folder, where hooks look for it; over the caller's root where that can't be: the way to
/// the bundle may lead through folders that nobody of the user namespace may enter, and what the new root lies on must not be
/// shared (pivot_root(2)).
fn put(root: &Root, tree: &OwnedFd, outside: &OwnedFd) -> Done {
    let attached =
        |place: &OwnedFd| mounts::attach(tree, place).during(|| "mount the root file system".to_owned());
    if root.mounting == Mounting::Own && root.propagation.is_some_and(|how| how.kind == Kind::Shared) {
        let how = Propagation { kind: Kind::Slave, reach: Reach::Alone };
        sources::propagate(outside, &[how]).during(|| "make the caller's root a slave".to_owned())?;
        return attached(outside);
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match openat(CWD, root.path.as_str(), flags, Mode::empty()) {
        Ok(place) => attached(&place),
        Err(Errno::ACCESS) if root.mounting == Mounting::Own => attached(outside),
        Err(error) => Err(Failure::new(format!("root.path: open {}", root.path), error)),
    }
}

/// Nothing that is mounted here goes out.
fn isolate(root: &Root, outside: &OwnedFd) -> Done {
    if root.mounting != Mounting::Own {
        // How the caller's mounts go out is the caller's affair.
        return Ok(());
    }
    let kind = match root.propagation.map(|how| how.kind) {
        Some(Kind::Shared) => return Ok(()),
        Some(Kind::Private) => Kind::Private,
        _ => Kind::Slave,
    };
    let how = Propagation { kind, reach: Reach::Recursive };
    sources::propagate(outside, &[how]).during(|| "rootfsPropagation: isolate the caller's mounts".to_owned())
}

/// Names, system settings and the loopback device: all of new namespaces.
fn name(stage: &Stage<'_>, root: &Root) -> Done {
    if let Some(name) = &root.hostname {
        sethostname(name.as_bytes()).during(|| format!("hostname: set {name}"))?;
    }
    if let Some(name) = &root.domainname {
        setdomainname(name.as_bytes()).during(|| format!("domainname: set {name}"))?;
    }
    if root.loopback {
        let up = || {
            let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
            sys::loopback_up(&socket)
        };
        up().during(|| "bring the loopback device up".to_owned())?;
    }
    for (name, value) in &root.sysctl {
        stage
            .files
            .write(&format!("sys/{name}"), value)
            .during(|| format!("linux.sysctl: set {name} to {value:?}"))?;
    }
    Ok(())
}

/// Makes `tree` this process's root and leaves the caller's.
fn enter(root: &Root, tree: &OwnedFd, outside: &OwnedFd) -> Done {
    if !root.pivot {
        return enter_by(tree);
    }
    fchdir(tree).during(|| "go to the new root".to_owned())?;
    // The old root ends up over the new one, where it can be detached without a folder for it (pivot_root(2), "pivot_root(".", ".")").
    pivot_root(c".", c".").during(|| "pivot_root (from an initramfs it takes --no-pivot)".to_owned())?;
    let how = Propagation { kind: Kind::Slave, reach: Reach::Recursive };
    sources::propagate(outside, &[how]).during(|| "make the old root a slave".to_owned())?;
    fchdir(outside).during(|| "go to the old root".to_owned())?;
    unmount(c".", UnmountFlags::DETACH).during(|| "detach the old root".to_owned())?;
    rustix::process::chdir(c"/").during(|| "go to /".to_owned())?;
    // Only now: nothing that was shared could have been entered.
    let wanted = root.propagation.filter(|how| how.kind != Kind::Slave);
    let wanted = wanted.as_slice();
    sources::propagate(tree, wanted).during(|| "rootfsPropagation: set it".to_owned())
}
