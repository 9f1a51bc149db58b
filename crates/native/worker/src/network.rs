//! Network devices: the one of a new namespace, which is born down, and a guest's card; and the way into a namespace that is there.

#![allow(unsafe_code)]

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::path::Path;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

/// Brings the loopback up; the kernel then gives it its addresses (`netdevice(7)`, SIOCSIFFLAGS).
pub(crate) fn loopback_up() -> Result<(), String> {
    Device::of("lo").and_then(Device::up).map_err(|error| format!("cannot bring the loopback up: {error}"))
}

/// Gives a device an address, as `10.87.0.1/16`, and brings it up.
pub(crate) fn take_address(device: &str, text: &str) -> Result<(), String> {
    let parsed =
        text.split_once('/').and_then(|(ip, bits)| Some((ip.parse().ok()?, bits.parse::<u32>().ok()?)));
    let (ip, bits): (Ipv4Addr, u32) = parsed.ok_or_else(|| format!("not an address: {text:?}"))?;
    let mask = Ipv4Addr::from_bits(u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or(0));
    Device::of(device)
        .and_then(|card| {
            card.address(libc::SIOCSIFADDR as _, ip)?.address(libc::SIOCSIFNETMASK as _, mask)?.up()
        })
        .map_err(|error| format!("cannot give {device} the address {text}: {error}"))
}

/// A network device, to be changed by calls on some socket.
struct Device {
    socket: OwnedFd,
    request: libc::ifreq,
}

impl Device {
    fn of(name: &str) -> io::Result<Self> {
        let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
        // SAFETY: all-zero bytes are a valid `ifreq`.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        // The last byte stays a zero.
        let room = request.ifr_name.len() - 1;
        for (place, byte) in request.ifr_name.iter_mut().take(room).zip(name.bytes()) {
            *place = byte as libc::c_char;
        }
        Ok(Self { socket, request })
    }

    fn up(mut self) -> io::Result<()> {
        self.request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        self.call(libc::SIOCSIFFLAGS as _)
    }

    /// Sets one of its addresses: a `sockaddr_in`, whose first two bytes of data are a port.
    fn address(mut self, what: libc::Ioctl, ip: Ipv4Addr) -> io::Result<Self> {
        let mut data = [0; 14];
        for (place, byte) in data.iter_mut().skip(2).zip(ip.octets()) {
            *place = byte as libc::c_char;
        }
        self.request.ifr_ifru.ifru_addr =
            libc::sockaddr { sa_family: libc::AF_INET as libc::sa_family_t, sa_data: data };
        self.call(what).map(|()| self)
    }

    fn call(&self, what: libc::Ioctl) -> io::Result<()> {
        // SAFETY: such calls read an `ifreq`, which lives until the call is over.
        let answer = unsafe { libc::ioctl(self.socket.as_raw_fd(), what, std::ptr::from_ref(&self.request)) };
        if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

/// Enters the network namespace of this file.
pub(crate) fn enter(file: &Path) -> Result<(), String> {
    use rustix::fs::OFlags;
    use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
    rustix::fs::open(file, OFlags::RDONLY | OFlags::CLOEXEC, 0.into())
        .and_then(|file| move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)))
        .map_err(|error| format!("cannot enter the run's network namespace {}: {error}", file.display()))
}
