//! What the runtime and the process of a container say to each other over their socket: messages with their length before
//! them; descriptors come with the order.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What the process says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The container's process is there: its number where the first stage is. Can be overtaken by what that process says.
    Cloned(i32),
    /// It could not be born into its control group of version 2, and waits to be put there.
    NeedsGroup,
    /// It waits for the maps of its user namespace.
    NeedsMaps,
    /// It waits for network devices.
    NeedsDevices,
    /// Everything is mounted: it waits for the hooks of the runtime.
    Mounted,
    /// Nothing but the start is left.
    Created,
    /// Something was not possible that may be missing.
    Warning(String),
    /// It gave up.
    Failed(String),
}

/// What the runtime says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Word {
    /// It is in its control group.
    Entered,
    /// The maps of the user namespace are written.
    Mapped,
    /// The network devices are in its namespace.
    Given,
    /// The hooks of the runtime are over.
    Proceed(States),
    /// The container's program shall run.
    Start,
}

/// The container's state as hooks inside get it, in JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct States {
    /// While it is created (createContainer).
    pub creating: String,
    /// While it is started (startContainer).
    pub created: String,
    /// What goes to the agent of a seccomp listener (config-linux.md, "The Container Process State").
    pub agent: String,
}

/// Descriptors in one message at most; the kernel's limit is 253.
pub const DESCRIPTORS_MAX: usize = 64;
/// Longest message (bytes): arguments and environment are bounded by 2 MiB, a filter by 32 KiB.
const MESSAGE_MAX: usize = 64 << 20;

/// Sends a message and descriptors.
///
/// # Errors
/// What sendmsg(2) answers; `MSGSIZE` for a message that is too long.
pub fn send<T: Serialize>(socket: impl AsFd, message: &T, with: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    let mut bytes = vec![0; 4];
    bytes = postcard::to_extend(message, bytes).map_err(|_| Errno::MSGSIZE)?;
    let length = bytes.len() - 4;
    if length > MESSAGE_MAX || with.len() > DESCRIPTORS_MAX {
        return Err(Errno::MSGSIZE);
    }
    if let Some(head) = bytes.first_chunk_mut::<4>() {
        *head = (length as u32).to_le_bytes();
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !with.is_empty() && !control.push(SendAncillaryMessage::ScmRights(with)) {
        return Err(Errno::MSGSIZE);
    }
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        match sendmsg(&socket, &[IoSlice::new(rest)], &mut control, SendFlags::NOSIGNAL) {
            Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error),
        }
        control.clear();
    }
    Ok(())
}

/// Waits for a message; the descriptors that came along. `None`: the other side has hung up.
///
/// # Errors
/// What recvmsg(2) answers; `BADMSG` for what is no such message.
pub fn receive<T: DeserializeOwned>(socket: impl AsFd) -> Result<Option<(T, Vec<OwnedFd>)>, Errno> {
    let mut descriptors = Vec::new();
    let mut head = [0; 4];
    if !fill(&socket, &mut head, &mut descriptors)? {
        return Ok(None);
    }
    let length = u32::from_le_bytes(head) as usize;
    if length > MESSAGE_MAX {
        return Err(Errno::BADMSG);
    }
    let mut bytes = vec![0; length];
    if !fill(&socket, &mut bytes, &mut descriptors)? {
        return Ok(None);
    }
    let message = postcard::from_bytes(&bytes).map_err(|_| Errno::BADMSG)?;
    Ok(Some((message, descriptors)))
}

/// Reads until `buffer` is full; whether it came to that.
fn fill(socket: &impl AsFd, buffer: &mut [u8], descriptors: &mut Vec<OwnedFd>) -> Result<bool, Errno> {
    let mut rest = buffer;
    while !rest.is_empty() {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = recvmsg(socket, &mut [IoSliceMut::new(rest)], &mut control, RecvFlags::CMSG_CLOEXEC);
        let length = match received {
            Ok(received) => received.bytes,
            Err(Errno::INTR) => continue,
            // The other side ended with something unread.
            Err(Errno::CONNRESET) => 0,
            Err(error) => return Err(error),
        };
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(came) = message {
                descriptors.extend(came);
            }
        }
        if length == 0 {
            return Ok(false);
        }
        rest = rest.get_mut(length..).unwrap_or_default();
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    fn pair() -> (OwnedFd, OwnedFd) {
        socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap()
    }

    #[test]
    fn messages_arrive_with_their_descriptors() {
        let (ours, theirs) = pair();
        let long = Event::Warning("x".repeat(100_000));
        send(&ours, &Event::Cloned(7), &[theirs.as_fd(), ours.as_fd()]).unwrap();
        send(&ours, &long, &[]).unwrap();
        let (first, descriptors): (Event, _) = receive(&theirs).unwrap().unwrap();
        assert_eq!((first, descriptors.len()), (Event::Cloned(7), 2));
        let (second, descriptors): (Event, _) = receive(&theirs).unwrap().unwrap();
        assert_eq!((second, descriptors.len()), (long, 0));
        drop(ours);
        drop(descriptors);
    }

    #[test]
    fn the_end_and_what_is_no_message_are_told_apart() {
        let (ours, theirs) = pair();
        rustix::io::write(&ours, &[1, 0, 0, 0, 255]).unwrap();
        assert_eq!(receive::<Event>(&theirs).unwrap_err(), Errno::BADMSG);
        rustix::io::write(&ours, &u32::MAX.to_le_bytes()).unwrap();
        assert_eq!(receive::<Event>(&theirs).unwrap_err(), Errno::BADMSG);
        rustix::io::write(&ours, &[9, 0]).unwrap();
        drop(ours);
        assert!(receive::<Event>(&theirs).unwrap().is_none());
    }
}
