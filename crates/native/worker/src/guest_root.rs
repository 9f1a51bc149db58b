//! The root of a tenant in its guest, where that is a program of the user's own: what it would be in a container on the machine, with the
//! machine's folders from the file system that the runner shares with the guest. The tenant is confined in it as there: process 1 with the
//! tape and the serial port is out of its reach, and it has no more privileges in its guest than a container's program on its machine.

use std::fs;
use std::path::{Path, PathBuf};

use catamaran_worker::port::{ROOT, SHARE, SHARE_AT, SHOWN};
use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountFlags, mount};

use crate::confine::confine;
use crate::network;
use crate::rootfs::{self, Below, Devices};

/// Makes it, if the tenant is to have one; whether it is.
pub(crate) fn make() -> Result<bool, String> {
    let Ok(shown) = fs::read_to_string(SHOWN) else { return Ok(false) };
    let shown: Vec<PathBuf> = shown.lines().map(PathBuf::from).collect();
    // The tenant may not do it.
    network::loopback_up()?;
    for place in [SHARE_AT, ROOT] {
        rustix::fs::mkdir(place, Mode::from_raw_mode(0o755))
            .map_err(|error| format!("cannot make the folder {place}: {error}"))?;
    }
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    mount(SHARE, SHARE_AT, c"virtiofs", flags, None::<&std::ffi::CStr>)
        .map_err(|error| format!("cannot mount the machine's programs: {error}"))?;
    let own = rustix::fs::open(c"/init", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| format!("cannot open /init: {error}"))?;
    rootfs::mount_at(Path::new(ROOT), None, false)?;
    rootfs::furnish(&own, Devices::Made, false)?;
    rootfs::show_from(Path::new(SHARE_AT), &shown, Below::Hidden)?;
    rustix::process::chdir(c"/").map_err(|error| format!("cannot go to /: {error}"))?;
    Ok(true)
}

/// Goes there for good, between fork and exec of the tenant.
pub(crate) fn enter() -> Result<(), String> {
    rootfs::chroot_to(Path::new(ROOT))?;
    rootfs::mask()?;
    confine()
}
