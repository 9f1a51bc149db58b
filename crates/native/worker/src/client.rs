//! The client of a network workload: one TCP connection to a thread of another tenant, over which messages go one after
//! the other. Calls block, as most clients' do.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use catamaran_worker::clock::now_ns;
use catamaran_worker::tape::{Tape, head, phase};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_linger, set_socket_timeout, set_tcp_nodelay};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType, connect, recv, send, shutdown,
    socket_with,
};

use crate::disk::Buffer;
use crate::peer::Hello;
use crate::work::{Hand, Phase};

/// Most bytes of one system call: larger messages go in pieces of so many.
pub(crate) const PIECE_BYTES: usize = 64 << 10;
/// How long a connection may take to come about: the kernel's own patience is minutes.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// By so much at most (ns) a call that blocks goes on after the end of its phase.
const LATE_NS: u64 = 10_000_000;

/// One network phase.
pub(crate) struct Client<'a> {
    message_bytes: u64,
    stream_bytes: u64,
    peer: SocketAddrV4,
    started: &'a [AtomicU64],
    ended: &'a [AtomicU64],
    origin_ns: u64,
}

/// What keeps a message from its end.
enum Stop {
    /// The phase is over.
    Late,
    /// What failed.
    Broken(String),
}

/// A connection with the bounds of its calls.
struct Line<'a> {
    socket: &'a OwnedFd,
    end_ns: u64,
    /// When a call that blocks would return at the latest, if it began now (ns from then); 0: never.
    timeout_ns: u64,
    peer: SocketAddrV4,
}

impl<'a> Client<'a> {
    pub(crate) fn read(tape: &'a Tape, phase: Phase) -> Self {
        let get = |word| tape.get(phase.at + word);
        let [started, ended] = phase.arrays(tape);
        Self {
            message_bytes: get(phase::MESSAGE_BYTES).max(1),
            stream_bytes: get(phase::STREAM_BYTES),
            peer: SocketAddrV4::new(
                Ipv4Addr::from_bits(get(phase::ADDRESS) as u32),
                get(phase::TO_PORT) as u16,
            ),
            started,
            ended,
            origin_ns: tape.get(head::ORIGIN_NS),
        }
    }

    /// Connects, and tells the other side what comes.
    pub(crate) fn connect(&self) -> Result<OwnedFd, String> {
        let dial = || -> Result<OwnedFd, Errno> {
            let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
            set_socket_timeout(&socket, Timeout::Send, Some(CONNECT_PATIENCE))?;
            connect(&socket, &self.peer)?;
            set_socket_timeout(&socket, Timeout::Send, None)?;
            set_tcp_nodelay(&socket, true)?;
            // Whatever ends this process: no connection without an owner stays behind, which would keep its network namespace.
            set_socket_linger(&socket, Some(Duration::ZERO))?;
            let hello = Hello { message_bytes: self.message_bytes, answers: self.stream_bytes == 0 };
            match send(&socket, &hello.to_bytes(), SendFlags::NOSIGNAL)? {
                Hello::BYTES => Ok(socket),
                _ => Err(Errno::MSGSIZE),
            }
        };
        dial().map_err(|error| format!("cannot connect to {}: {}", self.peer, named(error)))
    }

    /// Sends everything, until it was answered or the clock shows `end_ns`.
    pub(crate) fn carry_out(
        &self,
        socket: &OwnedFd,
        (hand, buffer): (&mut Hand<'_>, &mut Buffer),
        end_ns: u64,
    ) -> Result<(), String> {
        let mut line = Line { socket, end_ns, timeout_ns: 0, peer: self.peer };
        let bytes = buffer.first_mut(PIECE_BYTES);
        let done = if self.stream_bytes > 0 {
            self.stream(&mut line, hand, bytes)
        } else {
            self.requests(&mut line, hand, bytes)
        };
        match done {
            Ok(()) | Err(Stop::Late) => Ok(()),
            Err(Stop::Broken(what)) => Err(what),
        }
    }

    fn stream(&self, line: &mut Line<'_>, hand: &mut Hand<'_>, bytes: &mut [u8]) -> Result<(), Stop> {
        let mut left = self.stream_bytes;
        while left > 0 {
            if now_ns() >= line.end_ns {
                return Err(Stop::Late);
            }
            let message = left.min(self.message_bytes);
            line.send(message, bytes, hand)?;
            left -= message;
        }
        shutdown(line.socket, Shutdown::Write).map_err(|error| line.broken(error))?;
        // The other side closes when it has read everything.
        match line.receive_some(bytes)? {
            0 => Ok(()),
            _ => Err(Stop::Broken(format!("{} answers a stream", self.peer))),
        }
    }

    fn requests(&self, line: &mut Line<'_>, hand: &mut Hand<'_>, bytes: &mut [u8]) -> Result<(), Stop> {
        for (started, ended) in self.started.iter().zip(self.ended) {
            let now = now_ns();
            if now >= line.end_ns {
                return Err(Stop::Late);
            }
            started.store(now - self.origin_ns + 1, Ordering::Release);
            let answered = line
                .send(self.message_bytes, bytes, hand)
                .and_then(|()| line.receive(self.message_bytes, bytes, hand));
            match answered {
                Ok(()) => ended.store(now_ns() - self.origin_ns + 1, Ordering::Release),
                Err(stop) => {
                    if matches!(stop, Stop::Broken(_)) {
                        ended.store(phase::FAILED_BROKEN, Ordering::Release);
                    }
                    return Err(stop);
                }
            }
        }
        Ok(())
    }
}

impl Line<'_> {
    fn send(&mut self, message: u64, bytes: &[u8], hand: &mut Hand<'_>) -> Result<(), Stop> {
        let mut left = message as usize;
        while left > 0 {
            self.bound()?;
            let piece = bytes.get(..left.min(bytes.len())).unwrap_or_default();
            match send(self.socket, piece, SendFlags::NOSIGNAL) {
                Ok(sent) => {
                    left -= sent;
                    hand.moved(sent);
                }
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => return Err(self.broken(error)),
            }
        }
        Ok(())
    }

    fn receive(&mut self, message: u64, bytes: &mut [u8], hand: &mut Hand<'_>) -> Result<(), Stop> {
        let mut left = message as usize;
        while left > 0 {
            let most = left.min(bytes.len());
            let got = self.receive_some(bytes.get_mut(..most).unwrap_or_default())?;
            if got == 0 {
                return Err(Stop::Broken(format!("{} closed the connection", self.peer)));
            }
            left -= got;
            hand.moved(got);
        }
        Ok(())
    }

    /// Waits for bytes; 0 at the end of the connection.
    fn receive_some(&mut self, bytes: &mut [u8]) -> Result<usize, Stop> {
        loop {
            self.bound()?;
            match recv(self.socket, &mut *bytes, RecvFlags::empty()) {
                Ok((_, got)) => return Ok(got),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => return Err(self.broken(error)),
            }
        }
    }

    /// Has calls return when the phase is over, where it has an end; asks the clock only there.
    fn bound(&mut self) -> Result<(), Stop> {
        if self.end_ns == u64::MAX {
            return Ok(());
        }
        let left_ns = self.end_ns.saturating_sub(now_ns());
        if left_ns == 0 {
            return Err(Stop::Late);
        }
        if self.timeout_ns == 0 || self.timeout_ns > left_ns + LATE_NS {
            let timeout = Some(Duration::from_nanos(left_ns).max(Duration::from_micros(1)));
            for direction in [Timeout::Send, Timeout::Recv] {
                set_socket_timeout(self.socket, direction, timeout).map_err(|error| self.broken(error))?;
            }
            self.timeout_ns = left_ns;
        }
        Ok(())
    }

    fn broken(&self, error: Errno) -> Stop {
        Stop::Broken(format!("its connection to {} failed: {}", self.peer, named(error)))
    }
}

/// With the name by which people know it.
fn named(error: Errno) -> String {
    let name = match error {
        Errno::CONNRESET => "ECONNRESET: ",
        Errno::PIPE => "EPIPE: ",
        Errno::CONNREFUSED => "ECONNREFUSED: ",
        Errno::AGAIN | Errno::INPROGRESS => "ETIMEDOUT: ",
        _ => "",
    };
    format!("{name}{error}")
}
