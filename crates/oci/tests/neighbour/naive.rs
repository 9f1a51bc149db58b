//! A runtime as nobody should write it: every step takes the path once more. It is here to be caught: a neighbour and canaries that
//! do not catch it would not notice anything in ours either.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, unsafe_code)]

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change, unmount,
};
use rustix::thread::{UnshareFlags, unshare_unsafe};

/// Leaves the mount namespace of the other threads.
pub(crate) fn apart() {
    // SAFETY: only the mounts and the working directory of this thread become its own; no memory or descriptor does.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS) }.expect("root may");
    let how = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", how).expect("root may");
}

/// A mount and the folder for it.
pub(crate) fn mount_on(place: &Path) -> bool {
    let _ = fs::create_dir_all(place);
    let flags = MountFlags::NOSUID;
    mount("tmpfs", place, "tmpfs", flags, c"").is_ok()
}

/// A file for a bind mount.
pub(crate) fn file_at(place: &Path) {
    let _ = fs::File::create(place);
}

/// A device: what is there is looked at and taken, else it is made; then the mode.
pub(crate) fn device(place: &Path) {
    let number = makedev(1, 3);
    let is_it = |what: &fs::Metadata| what.file_type().is_char_device() && what.rdev() == number;
    match fs::symlink_metadata(place) {
        Ok(what) if is_it(&what) => {}
        Ok(_) => return,
        Err(_) => {
            let _ = mknodat(CWD, place, FileType::CharacterDevice, Mode::from_raw_mode(0o666), number);
        }
    }
    let _ = fs::set_permissions(place, fs::Permissions::from_mode(0o666));
}

/// Covers a file by what is taken for the null device; what is to be read there then.
pub(crate) fn cover(null: &Path, place: &Path) -> String {
    let is_null = fs::symlink_metadata(null).is_ok_and(|what| what.file_type().is_char_device());
    if !is_null || mount_bind(null, place).is_err() {
        return String::new();
    }
    let is_file = fs::metadata(place).is_ok_and(|what| what.is_file());
    let text = if is_file { fs::read_to_string(place).unwrap_or_default() } else { String::new() };
    let _ = unmount(place, UnmountFlags::DETACH);
    text
}

/// A terminal for `/dev/console`, by its name.
pub(crate) fn console(terminal: &Path, console: &Path) -> String {
    if mount_bind(terminal, console).is_err() {
        return String::new();
    }
    let is_file = fs::metadata(console).is_ok_and(|what| what.is_file());
    let text = if is_file { fs::read_to_string(console).unwrap_or_default() } else { String::new() };
    let _ = unmount(console, UnmountFlags::DETACH);
    text
}

/// A procfs, one file of which is covered.
pub(crate) fn procfs(place: &Path, masked: &str) -> bool {
    mount("proc", place, "proc", MountFlags::NOSUID, c"").is_ok()
        && mount_bind("/dev/null", place.join(masked)).is_ok()
}

/// Takes away whatever is mounted on it.
pub(crate) fn clear(place: &Path) {
    while unmount(place, UnmountFlags::DETACH).is_ok() {}
}

/// A setting of the kernel.
pub(crate) fn setting(proc: &Path, name: &str, value: &str) {
    let _ = fs::write(proc.join("sys").join(name), value);
}
