//! A socket in the file system to which a runtime sends descriptors: the console's terminal, seccomp's listener.

use std::io::{IoSliceMut, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, recvmsg};

use crate::bed::PATIENCE;
use crate::call::wait_for;
use crate::check::{Verdict, wrong};

/// A listener that nobody has to be connected to yet.
pub(crate) struct Socket(UnixListener);

/// What came with one message.
pub(crate) struct Message {
    pub(crate) text: String,
    pub(crate) descriptors: Vec<OwnedFd>,
}

impl Socket {
    /// Listens at that place.
    ///
    /// # Errors
    /// Where the file can't be made.
    pub(crate) fn at(place: &Path) -> Verdict<Self> {
        let listener = UnixListener::bind(place)?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// The first message of the first connection.
    ///
    /// # Errors
    /// Where none comes in time.
    pub(crate) fn message(&self) -> Verdict<Message> {
        let Some(stream) = wait_for(PATIENCE, || self.0.accept().ok()) else {
            return wrong("nobody connected to the socket");
        };
        receive(stream.0)
    }
}

fn receive(mut stream: UnixStream) -> Verdict<Message> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut bytes = vec![0; 1 << 16];
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received =
        recvmsg(&stream, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)
            .map_err(std::io::Error::from)?;
    if received.flags.contains(ReturnFlags::CTRUNC) {
        return wrong("more descriptors than there was room for");
    }
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    bytes.truncate(received.bytes);
    let mut rest = Vec::new();
    stream.set_read_timeout(Some(std::time::Duration::from_millis(200)))?;
    // A stream has no messages: a long text may come in parts. Whoever keeps it open has said all by now.
    let _ = stream.read_to_end(&mut rest);
    bytes.extend(rest);
    Ok(Message { text: String::from_utf8_lossy(&bytes).into_owned(), descriptors })
}
