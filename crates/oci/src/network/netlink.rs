//! An rtnetlink socket (rtnetlink(7)), which belongs to one network namespace, whichever the one who uses it is in.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_MULTIPART, NLM_F_REQUEST, NetlinkHeader,
    NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Bytes of one answer at most: what the kernel puts into one message of a list (`NLMSG_GOODSIZE`), and more.
const ANSWER_MAX: usize = 1 << 16;

/// A socket to the kernel's side of one network namespace.
#[derive(Debug)]
pub(super) struct Netlink(OwnedFd);

impl Netlink {
    /// One to the namespace that the runtime itself is in.
    pub(super) fn here() -> io::Result<Self> {
        // Protocol 0 is NETLINK_ROUTE.
        Ok(Self(socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?))
    }

    /// One to the namespace of that handle: made by a thread that enters it and ends.
    pub(super) fn open_in(namespace: BorrowedFd<'_>) -> io::Result<Self> {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().spawn_scoped(scope, || {
                move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network))?;
                Self::here()
            })?;
            thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread died")))
        })
    }

    /// Has the kernel change something.
    pub(super) fn change(&self, what: RouteNetlinkMessage) -> io::Result<()> {
        self.send(what, NLM_F_ACK)?;
        self.answers().map(drop)
    }

    /// Has the kernel add something that is not there yet.
    pub(super) fn add(&self, what: RouteNetlinkMessage) -> io::Result<()> {
        self.send(what, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL)?;
        self.answers().map(drop)
    }

    /// What the kernel knows of one thing.
    pub(super) fn look(&self, what: RouteNetlinkMessage) -> io::Result<Option<RouteNetlinkMessage>> {
        self.send(what, 0)?;
        Ok(self.answers()?.pop())
    }

    /// What the kernel knows of all things of a kind.
    pub(super) fn list(&self, what: RouteNetlinkMessage) -> io::Result<Vec<RouteNetlinkMessage>> {
        self.send(what, NLM_F_DUMP)?;
        self.answers()
    }

    fn send(&self, what: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(what));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        send(&self.0, &bytes, SendFlags::empty()).map(drop).map_err(io::Error::from)
    }

    /// All messages of one answer: up to the end of a list, or one.
    fn answers(&self) -> io::Result<Vec<RouteNetlinkMessage>> {
        let mut buffer = vec![0; ANSWER_MAX];
        let mut found = Vec::new();
        loop {
            let (_, length) = recv(&self.0, buffer.as_mut_slice(), RecvFlags::empty())?;
            let mut rest = buffer.get(..length).unwrap_or_default();
            let mut of_a_list = false;
            while !rest.is_empty() {
                let message =
                    NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest).map_err(io::Error::other)?;
                of_a_list |= message.header.flags & NLM_F_MULTIPART != 0;
                // Messages begin at multiples of four bytes (netlink(7), NLMSG_ALIGN).
                let taken = (message.header.length as usize).next_multiple_of(4).max(4);
                rest = rest.get(taken..).unwrap_or_default();
                match message.payload {
                    NetlinkPayload::InnerMessage(one) => found.push(one),
                    NetlinkPayload::Error(error) if error.code.is_some() => return Err(error.to_io()),
                    NetlinkPayload::Error(_) | NetlinkPayload::Done(_) => return Ok(found),
                    _ => {}
                }
            }
            if !of_a_list {
                return Ok(found);
            }
        }
    }
}
