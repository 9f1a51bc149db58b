//! The file of a layer: how a tenant comes to it, how it is opened for writing, and what the disk moved for it.

#![allow(unsafe_code)]

use std::ffi::CString;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use catamaran_worker::file::{self, LayerFile};
use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountFlags, mount};

/// Opens the file under the number by which the program that comes finds it: for reading, as to open it for writing is to have
/// it copied up. An overlay is mounted in the process's own namespace, and goes with it.
pub(crate) fn hand_over(layer: &LayerFile) -> Result<(), String> {
    let path = match &layer.above {
        Some(above) => mount_over(&layer.path, above)?,
        None => layer.path.clone(),
    };
    open_as_cached(&path, OFlags::RDONLY)
}

fn open_as_cached(path: &Path, way: OFlags) -> Result<(), String> {
    let opened = rustix::fs::open(path, way | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| format!("cannot open {}: {error}", path.display()))?;
    // SAFETY: of that number nobody in this process has anything but the file of the layer.
    if unsafe { libc::dup2(opened.as_raw_fd(), file::CACHED) } < 0 {
        let error = std::io::Error::last_os_error();
        return Err(format!("cannot open {} as number {}: {error}", path.display(), file::CACHED));
    }
    Ok(())
}

/// Mounts an overlay over the folder of a file; the file in it.
fn mount_over(path: &Path, above: &Path) -> Result<PathBuf, String> {
    let (Some(beneath), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(format!("{} is no file in a folder", path.display()));
    };
    let options = [
        ("lowerdir", beneath.to_owned()),
        ("upperdir", above.join("upper")),
        ("workdir", above.join("work")),
    ];
    let options: Vec<Vec<u8>> = options.into_iter().map(|(key, path)| option(key, &path)).collect();
    let options = CString::new(options.join(&b',')).map_err(|error| format!("a path with NUL: {error}"))?;
    let merged = above.join("merged");
    mount(c"overlay", &merged, c"overlay", MountFlags::NOSUID | MountFlags::NODEV, Some(options.as_c_str()))
        .map_err(|error| format!("cannot mount an overlay at {}: {error}", merged.display()))?;
    Ok(merged.join(name))
}

/// `key=path`, with a backslash before what means something else in options.
pub(crate) fn option(key: &str, path: &Path) -> Vec<u8> {
    let mut text = format!("{key}=").into_bytes();
    for &byte in path.as_os_str().as_bytes() {
        if matches!(byte, b'\\' | b':' | b',') {
            text.push(b'\\');
        }
        text.push(byte);
    }
    text
}

/// Has the file open for writing: the first thread that asks has it copied up, where it is seen by an overlay, and the others
/// wait.
pub(crate) fn open_for_writing() -> Result<(), String> {
    static OPENED: OnceLock<Result<(), String>> = OnceLock::new();
    let open = || open_as_cached(Path::new(&format!("/proc/self/fd/{}", file::CACHED)), OFlags::RDWR);
    OPENED.get_or_init(open).clone()
}

/// What the kernel has had the disk move for this process so far (bytes); none where it does not count.
pub(crate) fn moved_bytes() -> Option<u64> {
    moved(&std::fs::read_to_string("/proc/self/io").ok()?)
}

/// Of the text of `/proc/PID/io` (`Documentation/filesystems/proc.rst`).
fn moved(text: &str) -> Option<u64> {
    let count = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.trim().parse::<u64>().ok());
    Some(count("read_bytes:")? + count("write_bytes:")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_options_is_escaped() {
        assert_eq!(option("lowerdir", Path::new("/a,b:c\\d e")), b"lowerdir=/a\\,b\\:c\\\\d e");
    }

    #[test]
    fn what_the_disk_moved_is_read_and_written_bytes() {
        let text = "rchar: 9\nwchar: 9\nsyscr: 1\nsyscw: 1\nread_bytes: 8192\nwrite_bytes: 4096\ncancelled_write_bytes: 1\n";
        assert_eq!((moved(text), moved("rchar: 9\n")), (Some(12_288), None));
    }
}
