//! Beside the monitor of a guest, a daemon that shows the guest what a container's root shows of the machine: in a mount namespace of its
//! own, read-only, as a child of the monitor's that ends with it, in its groups.
//!
//! **What it can't reach.** The daemon makes what it shows its root, in namespaces of its own besides, filters its system calls and
//! gives up all capabilities (`docs/tools/virtiofsd.rst` of QEMU, "Sandboxing"): not even a guest that has come to rule it reads what
//! a container's program could not.

#![allow(unsafe_code)]

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use catamaran_worker::share::Share;
use rustix::mount::{MountFlags, mount_remount};
use rustix::process::{Pid, Resource, Rlimit};

use crate::launch::say;
use crate::rootfs::{self, Below};
use crate::start::die_with_parent;

/// Starts it, and lets it be.
pub(crate) fn start(share: &Share, shown: &[PathBuf]) -> Result<(), String> {
    // Whoever connects waits until the daemon listens.
    let socket = UnixListener::bind(&share.socket)
        .map_err(|error| format!("cannot make {}: {error}", share.socket.display()))?;
    let monitor = rustix::process::getpid();
    // SAFETY: this process has one thread, so the copy may go on with whatever it likes.
    match unsafe { libc::fork() } {
        0 => {
            let failed = become_it(share, shown, &socket, monitor);
            if let Ok(errors) = File::create(share.errors()) {
                say(std::os::fd::AsFd::as_fd(&errors), &failed);
            }
            std::process::exit(1)
        }
        child if child > 0 => Ok(()),
        _ => Err(format!("cannot start {}: {}", share.daemon.display(), std::io::Error::last_os_error())),
    }
}

/// Becomes the daemon; comes back only with what failed.
fn become_it(share: &Share, shown: &[PathBuf], socket: &UnixListener, monitor: Pid) -> String {
    let command = || -> Result<Command, String> {
        die_with_parent()?;
        if rustix::process::getppid() != Some(monitor) {
            return Err("the monitor is gone".to_owned());
        }
        let folder = show(share, shown)?;
        let errors = File::create(share.errors())
            .map_err(|error| format!("cannot make {}: {error}", share.errors().display()))?;
        // Each file that the guest knows is open in the daemon: as many as this process may have.
        let most = rustix::process::getrlimit(Resource::Nofile).maximum;
        rustix::process::setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })
            .map_err(|error| format!("RLIMIT_NOFILE: {error}"))?;
        rustix::io::fcntl_setfd(socket, rustix::io::FdFlags::empty())
            .map_err(|error| format!("cannot hand over its socket: {error}"))?;
        let mut command = Command::new(&share.daemon);
        command.arg(format!("--fd={}", socket.as_raw_fd())).arg("--rlimit-nofile=0");
        command.args(Share::options(&folder));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        Ok(command)
    };
    match command() {
        Ok(mut command) => format!("cannot exec {}: {}", share.daemon.display(), command.exec()),
        Err(failed) => failed,
    }
}

/// The folder in which all is that is shown, where nobody else sees it.
fn show(share: &Share, shown: &[PathBuf]) -> Result<PathBuf, String> {
    // SAFETY: this process has one thread and shares no memory with another one.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWNS) }
        .map_err(|error| format!("cannot make a mount namespace: {error}"))?;
    rootfs::keep_mounts_private()?;
    let folder = share.folder();
    rootfs::mount_at(&folder, None, false)?;
    rootfs::show(shown, Below::Hidden)?;
    let flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    mount_remount(&folder, flags, c"")
        .map_err(|error| format!("cannot make {} read-only: {error}", folder.display()))?;
    rustix::process::chdir(c"/").map_err(|error| format!("cannot go to /: {error}"))?;
    Ok(folder)
}
