//! Devices of a container (config-linux.md, "Devices" and "Default Devices"), made through a descriptor of their folder.

use std::os::fd::{BorrowedFd, OwnedFd};

use catamaran_oci_init::order::{Device, DeviceKind, Mounting, Root};
use rustix::fs::{
    AtFlags, CWD, FileType, Gid, Mode, OFlags, Stat, Uid, chownat, fstat, makedev, mknodat, openat,
    readlinkat, symlinkat, unlinkat,
};
use rustix::io::Errno;

use super::mounts::attach;
use super::sources::copy_of;
use crate::failure::{Done, During as _, Failure};
use crate::inside::{self, Make};
use crate::proc_files::ProcFiles;

/// Links that every container gets: name and target.
const LINKS: [(&str, &str); 4] = [
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
];

/// Makes the devices and links; in a user namespace, which makes none, the caller's are bound into place.
pub(crate) fn make(root: BorrowedFd<'_>, order: &Root, files: &ProcFiles) -> Done {
    for device in &order.devices {
        if order.bind_devices && device.kind != DeviceKind::Fifo {
            bind(root, device)?;
        } else {
            node(root, device, files, order.mounting != Mounting::Nothing)?;
        }
    }
    for (name, target) in LINKS {
        link(root, name, target).during(|| format!("link {name} to {target}"))?;
    }
    terminals(root).during(|| "link /dev/ptmx to pts/ptmx".to_owned())
}

fn node(root: BorrowedFd<'_>, device: &Device, files: &ProcFiles, may_mount: bool) -> Done {
    let at = &device.path;
    let (folder, name) =
        inside::parent(root, at).during(|| format!("linux.devices: open the folder of {at}"))?;
    let (kind, number) = (kind(device), number(device));
    // The umask must not take anything away.
    match mknodat(&folder, name, kind, Mode::from_raw_mode(device.mode), number) {
        Ok(()) | Err(Errno::EXIST) => {}
        // The runtime itself is in a user namespace, as an ordinary user's podman starts it.
        Err(Errno::PERM) if may_mount && device.kind != DeviceKind::Fifo => return bind(root, device),
        Err(error) => return Err(Failure::new(format!("linux.devices: make {at}"), error)),
    }
    // From here on by a descriptor: another process may put a link in place of what has just been looked at.
    let made = openat(&folder, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
        .during(|| format!("look at {at}"))?;
    same(device, &fstat(&made).during(|| format!("look at {at}"))?)?;
    let own = || -> Result<(), Errno> {
        let (uid, gid) = (Uid::from_raw(device.uid), Gid::from_raw(device.gid));
        chownat(&made, c"", Some(uid), Some(gid), AtFlags::EMPTY_PATH)?;
        let mode = Mode::from_raw_mode(device.mode);
        if Mode::from_raw_mode(fstat(&made)?.st_mode) == mode { Ok(()) } else { files.set_mode(&made, mode) }
    };
    own().during(|| format!("linux.devices: owner and mode of {at}"))
}

fn bind(root: BorrowedFd<'_>, device: &Device) -> Done {
    let at = &device.path;
    let outside = openat(CWD, at.as_str(), OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
        .during(|| format!("linux.devices: open {at} outside of the user namespace, to bind it"))?;
    same(device, &fstat(&outside).during(|| format!("look at {at}"))?)?;
    let place = inside::make(root, at, Make::File).during(|| format!("linux.devices: make {at}"))?;
    let tree = copy_of(&outside).during(|| format!("linux.devices: copy {at}"))?;
    attach(tree, place).during(|| format!("linux.devices: bind {at}"))
}

fn kind(device: &Device) -> FileType {
    match device.kind {
        DeviceKind::Character => FileType::CharacterDevice,
        DeviceKind::Block => FileType::BlockDevice,
        DeviceKind::Fifo => FileType::Fifo,
    }
}

fn number(device: &Device) -> u64 {
    if device.kind == DeviceKind::Fifo { 0 } else { makedev(device.major, device.minor) }
}

/// "If a file already exists at path that does not match the requested device, the runtime MUST generate an error."
fn same(device: &Device, there: &Stat) -> Done {
    let matches = FileType::from_raw_mode(there.st_mode) == kind(device)
        && (device.kind == DeviceKind::Fifo || there.st_rdev == number(device));
    if matches {
        return Ok(());
    }
    let Device { path, major, minor, .. } = device;
    Err(Failure(format!("linux.devices: {path} is there, and it is not the device {major}:{minor}")))
}

/// A link, where nothing is yet.
fn link(root: BorrowedFd<'_>, path: &str, target: &str) -> Result<(), Errno> {
    let (folder, name) = inside::parent(root, path)?;
    match symlinkat(target, &folder, name) {
        // What the image has there is its own business.
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        // A root file system that can't be written goes without.
        Err(Errno::ROFS) => Ok(()),
        Err(error) => Err(error),
    }
}

/// "/dev/ptmx: a bind mount or symlink of the container's /dev/pts/ptmx".
fn terminals(root: BorrowedFd<'_>) -> Result<(), Errno> {
    const TARGET: &str = "pts/ptmx";
    let (folder, name) = inside::parent(root, "/dev/ptmx")?;
    if readlinkat(&folder, name, Vec::new()).is_ok_and(|target| target.as_bytes() == TARGET.as_bytes()) {
        return Ok(());
    }
    match unlinkat(&folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => symlinkat(TARGET, &folder, name),
        // A folder or a read-only file system: there is nothing to put there.
        Err(Errno::ROFS | Errno::ISDIR | Errno::BUSY) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The caller's `/dev/null`, and nothing that only looks like it (CVE-2025-31133).
pub(crate) fn null() -> Done<OwnedFd> {
    let open = || -> Result<OwnedFd, Errno> {
        let null =
            openat(CWD, c"/dev/null", OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
        let stat = fstat(&null)?;
        let is_null = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice
            && stat.st_rdev == makedev(1, 3);
        if is_null { Ok(null) } else { Err(Errno::NODEV) }
    };
    open().during(|| "linux.maskedPaths: open the character device 1:3 at /dev/null".to_owned())
}
