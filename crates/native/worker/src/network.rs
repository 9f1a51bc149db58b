//! Network namespaces: the one device of a new one, which is born down, and the way into one that is there.

#![allow(unsafe_code)]

use std::os::fd::{AsFd as _, AsRawFd as _};
use std::path::Path;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

/// Brings the loopback up; the kernel then gives it its addresses (`netdevice(7)`, SIOCSIFFLAGS).
pub(crate) fn loopback_up() -> Result<(), String> {
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
        .map_err(|error| format!("cannot bring the loopback up: socket: {error}"))?;
    // SAFETY: all-zero bytes are a valid `ifreq`.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(b"lo") {
        *place = *byte as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: SIOCSIFFLAGS reads an `ifreq`, which lives until the call is over.
    let answer =
        unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, std::ptr::from_ref(&request)) };
    if answer == 0 {
        return Ok(());
    }
    Err(format!("cannot bring the loopback up: {}", std::io::Error::last_os_error()))
}

/// Enters the network namespace of this file.
pub(crate) fn enter(file: &Path) -> Result<(), String> {
    use rustix::fs::OFlags;
    use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
    rustix::fs::open(file, OFlags::RDONLY | OFlags::CLOEXEC, 0.into())
        .and_then(|file| move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)))
        .map_err(|error| format!("cannot enter the run's network namespace {}: {error}", file.display()))
}
