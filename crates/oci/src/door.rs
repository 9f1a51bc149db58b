//! The socket in a container's state folder at which it waits for its start.

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::Path;

use catamaran_oci_init::wire::{Event, receive};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
};

use crate::Problem;

/// Makes it.
pub(crate) fn open(path: &Path) -> Result<OwnedFd, Problem> {
    let make = || -> Result<OwnedFd, Errno> {
        let (_folder, address) = address(path)?;
        let socket = new()?;
        bind(&socket, &address)?;
        listen(&socket, 1)?;
        Ok(socket)
    };
    make().map_err(|error| Problem::system(format!("make the socket {}", path.display()), error))
}

/// Opens it for good: comes back when the container's program runs.
pub(crate) fn pass(path: &Path) -> Result<(), Problem> {
    let failed = |error: Errno| Problem::system(format!("connect to {}", path.display()), error);
    let knock = || -> Result<OwnedFd, Errno> {
        let (_folder, address) = address(path)?;
        let socket = new()?;
        connect(&socket, &address)?;
        Ok(socket)
    };
    let socket = knock().map_err(failed)?;
    // A container is started once.
    std::fs::remove_file(path)
        .map_err(|error| Problem::system(format!("remove {}", path.display()), error))?;
    match receive(&socket).map_err(failed)? {
        Some((Event::Failed(why), _)) => Err(Problem::inside(why)),
        _ => Ok(()),
    }
}

fn new() -> Result<OwnedFd, Errno> {
    socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
}

/// By way of its folder: a path in an address has 108 bytes at most.
fn address(path: &Path) -> Result<(OwnedFd, SocketAddrUnix), Errno> {
    let folder = path.parent().ok_or(Errno::INVAL)?;
    let folder = rustix::fs::open(folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let name = path.file_name().unwrap_or_default();
    let short = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
    Ok((folder, SocketAddrUnix::new(short)?))
}
