//! The other side of network workloads: one thread that serves the connections of all clients from one `epoll` loop, as
//! Redis or nginx do. It reads what comes, a message at most at a time, and answers where answers are wanted.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::sockopt::{set_socket_linger, set_socket_reuseaddr, set_tcp_nodelay};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType, accept_with, bind, listen, recv,
    send, shutdown, socket_with,
};

use crate::client::PIECE_BYTES;
use crate::work::Hand;

/// Connections that may wait to be taken up; the kernel lowers it to its own bound.
const BACKLOG: i32 = 1 << 16;
/// Events taken at once.
const EVENTS: usize = 64;
/// The event of a new connection; those of a connection bear its place.
const LISTENER: u64 = u64::MAX;

/// What a client says first: how long its messages are, and whether each is answered by one as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) message_bytes: u64,
    pub(crate) answers: bool,
}

impl Hello {
    pub(crate) const BYTES: usize = 16;

    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        (u128::from(self.message_bytes) | u128::from(self.answers) << 64).to_le_bytes()
    }

    fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let both = u128::from_le_bytes(bytes);
        Self { message_bytes: (both as u64).max(1), answers: both >> 64 != 0 }
    }
}

/// One client's connection.
struct Connection {
    socket: OwnedFd,
    /// The first bytes, and how many of them have come.
    hello: ([u8; Hello::BYTES], usize),
    /// What it says, once it has.
    said: Option<Hello>,
    /// Bytes until the message that comes is whole.
    to_read: u64,
    /// Bytes of the answer that are not sent yet.
    to_write: u64,
}

/// Whether a connection goes on.
#[derive(Debug, PartialEq, Eq)]
enum Then {
    Reads,
    Writes,
    Over,
}

/// The server.
pub(crate) struct Peer {
    listener: OwnedFd,
    epoll: OwnedFd,
    connections: Vec<Option<Connection>>,
    buffer: Vec<u8>,
}

impl Peer {
    /// Listens on the port, at whatever address this network namespace has or is going to have.
    pub(crate) fn listen(port: u16) -> Result<Self, String> {
        let make = || -> Result<Self, Errno> {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let listener = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
            set_socket_reuseaddr(&listener, true)?;
            bind(&listener, &SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port))?;
            listen(&listener, BACKLOG)?;
            let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
            epoll::add(&epoll, &listener, epoll::EventData::new_u64(LISTENER), epoll::EventFlags::IN)?;
            Ok(Self { listener, epoll, connections: Vec::new(), buffer: vec![1; PIECE_BYTES] })
        };
        make().map_err(|error| format!("cannot listen on TCP port {port}: {error}"))
    }

    /// Serves until so many clients came and went.
    pub(crate) fn serve(mut self, clients: u64, hand: &mut Hand<'_>) -> Result<(), String> {
        let failed = |error: Errno| format!("cannot serve its clients: {error}");
        let mut gone = 0;
        let mut events = Vec::with_capacity(EVENTS);
        while gone < clients {
            events.clear();
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), None) {
                Err(Errno::INTR) => continue,
                waited => waited.map_err(failed)?,
            };
            for event in &events {
                match event.data.u64() {
                    LISTENER => self.accept().map_err(failed)?,
                    place => gone += u64::from(self.advance(place, hand).map_err(failed)?),
                }
            }
        }
        Ok(())
    }

    fn accept(&mut self) -> Result<(), Errno> {
        let socket = match accept_with(&self.listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
            // It may have gone while it waited.
            Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => return Ok(()),
            accepted => accepted?,
        };
        set_tcp_nodelay(&socket, true)?;
        // As the client's: when this process ends, its connections are reset.
        set_socket_linger(&socket, Some(Duration::ZERO))?;
        let place = epoll::EventData::new_u64(self.connections.len() as u64);
        epoll::add(&self.epoll, &socket, place, epoll::EventFlags::IN)?;
        let hello = ([0; Hello::BYTES], 0);
        self.connections.push(Some(Connection { socket, hello, said: None, to_read: 0, to_write: 0 }));
        Ok(())
    }

    /// Does what the connection at this place is ready for; whether it is over.
    fn advance(&mut self, place: u64, hand: &mut Hand<'_>) -> Result<bool, Errno> {
        let Some(slot) = self.connections.get_mut(place as usize) else { return Ok(false) };
        let Some(connection) = slot else { return Ok(false) };
        let wrote_before = connection.to_write > 0;
        let then = connection.advance(&mut self.buffer, hand);
        let flags = match then {
            Then::Over => {
                *slot = None;
                return Ok(true);
            }
            Then::Reads => epoll::EventFlags::IN,
            Then::Writes => epoll::EventFlags::OUT,
        };
        if wrote_before != (then == Then::Writes) {
            epoll::modify(&self.epoll, &connection.socket, epoll::EventData::new_u64(place), flags)?;
        }
        Ok(false)
    }
}

impl Connection {
    fn advance(&mut self, buffer: &mut [u8], hand: &mut Hand<'_>) -> Then {
        let moved = if self.to_write > 0 { Ok(true) } else { self.read(buffer, hand) };
        match moved.and_then(|goes_on| self.write(buffer, hand).map(|()| goes_on)) {
            Ok(true) if self.to_write > 0 => Then::Writes,
            Ok(true) | Err(Errno::INTR) => Then::Reads,
            Err(Errno::AGAIN) if self.to_write > 0 => Then::Writes,
            Err(Errno::AGAIN) => Then::Reads,
            // A client that is gone, by its own will or not.
            Ok(false) | Err(_) => Then::Over,
        }
    }

    /// Takes some bytes; whether there may be more.
    fn read(&mut self, buffer: &mut [u8], hand: &mut Hand<'_>) -> Result<bool, Errno> {
        let Some(said) = self.said else { return self.hear() };
        let most = self.to_read.min(buffer.len() as u64) as usize;
        let (_, got) = recv(&self.socket, buffer.get_mut(..most).unwrap_or_default(), RecvFlags::empty())?;
        if got == 0 {
            shutdown(&self.socket, Shutdown::Write)?;
            return Ok(false);
        }
        hand.moved(got);
        self.to_read -= got as u64;
        if self.to_read == 0 {
            self.to_read = said.message_bytes;
            self.to_write = if said.answers { said.message_bytes } else { 0 };
        }
        Ok(true)
    }

    fn hear(&mut self) -> Result<bool, Errno> {
        let (bytes, come) = &mut self.hello;
        let (_, got) = recv(&self.socket, bytes.get_mut(*come..).unwrap_or_default(), RecvFlags::empty())?;
        *come += got;
        if *come == Hello::BYTES {
            let said = Hello::from_bytes(*bytes);
            self.to_read = said.message_bytes;
            self.said = Some(said);
        }
        Ok(got > 0)
    }

    /// Sends what there is to be sent, as far as there is room for it.
    fn write(&mut self, buffer: &[u8], hand: &mut Hand<'_>) -> Result<(), Errno> {
        while self.to_write > 0 {
            let most = self.to_write.min(buffer.len() as u64) as usize;
            let sent = send(&self.socket, buffer.get(..most).unwrap_or_default(), SendFlags::NOSIGNAL)?;
            hand.moved(sent);
            self.to_write -= sent as u64;
        }
        Ok(())
    }
}
