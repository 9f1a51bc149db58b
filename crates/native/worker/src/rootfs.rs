//! The minimal root: a tmpfs with the worker, `/proc`, `/sys`, six devices and `/tmp`; and the ways into it.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use catamaran_worker::minimal::{DEVICE_LINKS, DEVICES, FOLDERS, MASKED, PROGRAM, READ_ONLY, TOP};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_bind_recursive, mount_change,
    mount_remount, unmount,
};

use crate::layer;

/// How devices come into the root.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Devices {
    /// By `mknod`, which takes the machine's root.
    Made,
    /// By binding the machine's own.
    Borrowed,
}

/// What becomes of mounts below a folder that is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Below {
    /// Their folders are empty.
    Hidden,
    /// They are shown as well: in a user namespace the kernel lets nobody take them off (`mount_namespaces(7)`).
    Shown,
}

/// Flags of `/proc` and `/sys`: nothing in them is a program or a device.
fn bare() -> MountFlags {
    MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC
}

/// Takes care that what is mounted here is not seen elsewhere, nor the other way round.
pub(crate) fn keep_mounts_private() -> Result<(), String> {
    mount_change(c"/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)
        .map_err(|error| format!("cannot make the mounts private: {error}"))
}

/// Mounts an empty root at `at` and goes there; with an image, whose files are seen in it, to [`TOP`] in it.
pub(crate) fn mount_at(at: &Path, image: Option<&Path>, rootless: bool) -> Result<(), String> {
    mount(c"catamaran", at, c"tmpfs", MountFlags::NOSUID, Some(c"mode=755"))
        .map_err(|error| format!("cannot mount a tmpfs at {}: {error}", at.display()))?;
    rustix::process::chdir(at).map_err(|error| format!("cannot go to {}: {error}", at.display()))?;
    image.map_or(Ok(()), |image| mount_over(image, rootless))
}

/// Shows an image in the working directory, and goes there.
fn mount_over(image: &Path, rootless: bool) -> Result<(), String> {
    for (folder, mode) in [("upper", 0o755), ("work", 0o700), (TOP, 0o755)] {
        rustix::fs::mkdir(folder, Mode::from_raw_mode(mode)).map_err(failed("make the folder", folder))?;
    }
    let mut options = vec![layer::option("lowerdir", image)];
    options.extend(["upper", "work"].map(|name| format!("{name}dir={name}").into_bytes()));
    // What a user namespace may not have are attributes of the trusted (Linux 5.11).
    options.extend(rootless.then(|| b"userxattr".to_vec()));
    let options = CString::new(options.join(&b',')).map_err(|error| format!("a path with NUL: {error}"))?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount(c"overlay", TOP, c"overlay", flags, Some(options.as_c_str()))
        .map_err(failed("mount an overlay of the image at", TOP))?;
    rustix::process::chdir(TOP).map_err(failed("go to", TOP))
}

/// Fills the root in which we are; an image has the worker and folders already.
pub(crate) fn furnish(program: &OwnedFd, devices: Devices, of_image: bool) -> Result<(), String> {
    // Modes are as they are written below, whatever the runner's umask.
    let umask = rustix::process::umask(Mode::empty());
    let done = fill(program, devices, of_image);
    rustix::process::umask(umask);
    done
}

fn fill(program: &OwnedFd, devices: Devices, of_image: bool) -> Result<(), String> {
    if of_image {
        // Devices are the root's own, whatever the image has there.
        mount(c"catamaran", c"dev", c"tmpfs", MountFlags::NOSUID, Some(c"mode=755"))
            .map_err(failed("mount", "dev"))?;
    }
    for (folder, mode) in FOLDERS {
        match rustix::fs::mkdir(folder, Mode::from_raw_mode(mode)) {
            // The layer over every image has these as folders, so that no link is followed.
            Err(Errno::EXIST) if of_image => {}
            made => made.map_err(failed("make the folder", folder))?,
        }
    }
    mount_proc("proc")?;
    match mount(c"sysfs", c"sys", c"sysfs", bare() | MountFlags::RDONLY, None::<&CStr>) {
        // Where the machine's own /sys is partly hidden, the kernel gives none to a user namespace: then there is none.
        Ok(()) | Err(Errno::PERM) => {}
        Err(error) => return Err(failed("mount", "sys")(error)),
    }
    for (name, major, minor) in DEVICES {
        device(name, rustix::fs::makedev(major, minor), devices)?;
    }
    for (name, target) in DEVICE_LINKS {
        rustix::fs::symlink(target, format!("dev/{name}")).map_err(failed("make the link dev", name))?;
    }
    if of_image { Ok(()) } else { copy(program) }
}

/// Shows files and folders of the machine in the root in which we are: at the same place, read-only, no devices, no set-user-ID. What is
/// mounted or unmounted in one of the two is not so in the other.
pub(crate) fn show(paths: &[PathBuf], below: Below) -> Result<(), String> {
    show_from(Path::new("/"), paths, below)
}

/// The same of files and folders that are in a folder as they are on a machine.
pub(crate) fn show_from(machine: &Path, paths: &[PathBuf], below: Below) -> Result<(), String> {
    let umask = rustix::process::umask(Mode::empty());
    let done = paths.iter().try_for_each(|path| {
        show_one(machine, path, below)
            .map_err(|error| format!("minimal root: cannot show {} in it: {error}", path.display()))
    });
    rustix::process::umask(umask);
    done
}

fn show_one(machine: &Path, path: &Path, below: Below) -> std::io::Result<()> {
    let at = path.strip_prefix("/").map_err(|_| Errno::INVAL)?;
    let path = &machine.join(at);
    let folder = if path.is_dir() { Some(at) } else { at.parent() };
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(builder.recursive(true), 0o755).create(folder.unwrap_or(at))?;
    if !path.is_dir() {
        std::fs::File::create(at)?;
    }
    match below {
        Below::Hidden => mount_bind(path, at)?,
        Below::Shown => mount_bind_recursive(path, at)?,
    }
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV,
        attr_clr: 0,
        propagation: libc::MS_PRIVATE,
        userns_fd: 0,
    };
    let name = CString::new(at.as_os_str().as_encoded_bytes())?;
    // SAFETY: name and attributes live until the call is over, and the size is theirs.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            name.as_ptr(),
            libc::AT_RECURSIVE,
            std::ptr::from_ref(&attributes),
            size_of::<libc::mount_attr>(),
        )
    };
    if answer == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

fn device(name: &str, number: rustix::fs::Dev, devices: Devices) -> Result<(), String> {
    let path = format!("dev/{name}");
    let everyone = Mode::from_raw_mode(0o666);
    match devices {
        Devices::Made => rustix::fs::mknodat(CWD, &path, FileType::CharacterDevice, everyone, number)
            .map_err(failed("mknod", &path)),
        Devices::Borrowed => {
            rustix::fs::mknodat(CWD, &path, FileType::RegularFile, everyone, 0)
                .map_err(failed("make the file", &path))?;
            mount_bind(format!("/{path}"), &path).map_err(failed("bind the device", &path))
        }
    }
}

/// Copies the worker into the root.
fn copy(program: &OwnedFd) -> Result<(), String> {
    let done = || -> rustix::io::Result<()> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        let into = rustix::fs::open(PROGRAM, flags, Mode::from_raw_mode(0o755))?;
        let size = rustix::fs::fstat(program)?.st_size as u64;
        let mut offset = 0;
        while offset < size {
            let left = (size - offset) as usize;
            if rustix::fs::sendfile(&into, program, Some(&mut offset), left)? == 0 {
                break;
            }
        }
        Ok(())
    };
    done().map_err(failed("copy the worker to", PROGRAM))
}

/// A `/proc` for the process numbers of this namespace.
pub(crate) fn mount_proc(at: &str) -> Result<(), String> {
    mount(c"proc", at, c"proc", bare(), None::<&CStr>)
        .map_err(|error| format!("cannot mount /proc for the new process numbers: {error}"))
}

/// Exchanges the machine's root for the one in which we are, and lets go of the machine's.
pub(crate) fn pivot() -> Result<(), String> {
    rustix::process::pivot_root(c".", c".").map_err(failed("pivot_root to", "."))?;
    // The old root now lies upon the new one, at the same place (pivot_root(2), "pivot_root(".", ".")").
    unmount(c".", UnmountFlags::DETACH).map_err(failed("let go of", "the machine's root"))?;
    rustix::process::chdir(c"/").map_err(failed("go to", "/"))
}

/// Makes a folder of the machine the root, and nothing else.
pub(crate) fn chroot_to(at: &Path) -> Result<(), String> {
    rustix::process::chroot(at).map_err(|error| format!("cannot chroot to {}: {error}", at.display()))?;
    rustix::process::chdir(c"/").map_err(failed("go to", "/"))
}

/// Hides what shows the machine, and makes read-only what changes it.
pub(crate) fn mask() -> Result<(), String> {
    for path in READ_ONLY {
        match mount_bind(path, path) {
            Ok(()) => mount_remount(path, MountFlags::BIND | MountFlags::RDONLY | bare(), c"")
                .map_err(failed("make read-only", path))?,
            Err(Errno::NOENT) => {}
            Err(error) => return Err(failed("bind", path)(error)),
        }
    }
    for path in MASKED {
        match mount_bind(c"/dev/null", path) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::NOTDIR) => {
                mount(c"tmpfs", path, c"tmpfs", bare() | MountFlags::RDONLY, Some(c"mode=555"))
                    .map_err(failed("hide", path))?;
            }
            Err(error) => return Err(failed("hide", path)(error)),
        }
    }
    Ok(())
}

/// A sentence about what failed.
fn failed<'a>(what: &'a str, path: &'a str) -> impl Fn(Errno) -> String + 'a {
    move |error| format!("minimal root: cannot {what} {path}: {error}")
}
