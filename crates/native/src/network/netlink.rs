//! Questions to the kernel about the devices of a network namespace: an rtnetlink socket that belongs to that namespace,
//! whichever the one who uses it is in.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use rustix::fs::{OFlags, open};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};

/// Makes a network namespace, which lasts as long as somebody has this handle or is in it.
pub(super) fn make_namespace() -> io::Result<OwnedFd> {
    in_another_thread(|| {
        // SAFETY: a network namespace holds no memory or descriptors, and the thread ends here.
        unsafe { unshare_unsafe(UnshareFlags::NEWNET) }?;
        Ok(open("/proc/thread-self/ns/net", OFlags::RDONLY | OFlags::CLOEXEC, 0.into())?)
    })
}

/// Runs `work` in a network namespace; a socket that it makes belongs to it wherever it is used.
pub(crate) fn in_namespace<T: Send>(
    namespace: BorrowedFd<'_>,
    work: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    in_another_thread(|| {
        move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network))?;
        work()
    })
}

/// Runs `work` on a thread of its own: what it does to its namespaces goes with it.
fn in_another_thread<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, work)?;
        thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread died")))
    })
}

/// A socket to the kernel's side of one network namespace.
#[derive(Debug)]
pub(super) struct Netlink(OwnedFd);

impl Netlink {
    /// Opens one to the namespace of that handle.
    pub(super) fn open_in(namespace: BorrowedFd<'_>) -> io::Result<Self> {
        in_namespace(namespace, || {
            // Protocol 0 is NETLINK_ROUTE.
            Ok(Self(socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?))
        })
    }

    /// Has the kernel make or change something.
    pub(super) fn ask(&self, what: RouteNetlinkMessage) -> io::Result<()> {
        self.tell(what, 0)
    }

    /// The same, where it must not be there yet.
    pub(super) fn make(&self, what: RouteNetlinkMessage) -> io::Result<()> {
        self.tell(what, NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Number of the device of that name.
    pub(super) fn number(&self, name: &str) -> io::Result<u32> {
        Ok(rustix::net::netdevice::name_to_index(&self.0, name)?)
    }

    fn tell(&self, what: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(what));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        send(self.0.as_fd(), &bytes, SendFlags::empty())?;
        let mut answer = [0_u8; 4096];
        let (_, length) = recv(self.0.as_fd(), &mut answer, RecvFlags::empty())?;
        let answer = answer.get(..length).unwrap_or_default();
        let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(answer).map_err(io::Error::other)?;
        match answer.payload {
            NetlinkPayload::Error(error) if error.code.is_some() => Err(error.to_io()),
            _ => Ok(()),
        }
    }
}
