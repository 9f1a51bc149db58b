//! The worker in a container that an engine has started: it inherits nothing of the runner's, and finds it by a socket in its root.

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use catamaran_worker::script::word;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketAddrUnix, SocketFlags,
    SocketType, connect, recvmsg, socket_with,
};

use crate::launch::say;

/// Connects to the runner, which then hands over the tape: these become standard input and output, as for every worker.
pub(crate) fn report_at(path: &str) -> Result<(), String> {
    let failed = |error: Errno| format!("cannot connect to the runner at {path}: {error}");
    let control = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .map_err(failed)?;
    connect(&control, &SocketAddrUnix::new(path).map_err(failed)?).map_err(failed)?;
    let tape = take_tape(&control).map_err(failed)?.ok_or("the runner hands over no tape")?;
    let duplicate = rustix::stdio::dup2_stdin(&control).and_then(|()| rustix::stdio::dup2_stdout(&tape));
    duplicate.map_err(|error| format!("cannot put the tape in its place: {error}"))
}

/// Stays until the runner hangs up: an engine removes the group of a container that is gone, and what it counted.
pub(crate) fn stay_until_looked_at() {
    say(rustix::stdio::stdin(), word::PROBED);
    let mut byte = [0_u8];
    while rustix::io::read(rustix::stdio::stdin(), &mut byte) == Err(Errno::INTR) {}
}

/// The descriptor that comes with the runner's first message.
fn take_tape(control: &OwnedFd) -> rustix::io::Result<Option<OwnedFd>> {
    let mut byte = [0_u8];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    recvmsg(control, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    Ok(ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    }))
}
