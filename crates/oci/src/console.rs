//! Who gets the master of a container's terminal: the console socket, or the runtime itself where it stays in the foreground.

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketAddrUnix, SocketFlags,
    SocketType, connect, recvmsg, socket_with, socketpair,
};

use crate::Problem;

/// The way of the terminal.
#[derive(Debug)]
pub(crate) struct Console {
    /// What the process inside sends the master to, until it is handed on.
    theirs: Option<OwnedFd>,
    /// Our end, where we take it ourselves.
    ours: Option<OwnedFd>,
}

impl Console {
    /// Decides it. `stays`: whether the runtime stays and can pass on what is typed and written.
    pub(crate) fn for_process(
        terminal: bool,
        socket: Option<&Path>,
        stays: bool,
    ) -> Result<Option<Self>, Problem> {
        match (terminal, socket) {
            (false, None) => Ok(None),
            (false, Some(_)) => Err(Problem::Usage(
                "--console-socket: the process has no terminal; set process.terminal or leave the socket out".to_owned(),
            )),
            (true, Some(path)) => Ok(Some(Self { theirs: Some(to(path)?), ours: None })),
            (true, None) if stays => {
                let pair = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None);
                let (ours, theirs) =
                    pair.map_err(|error| Problem::system("make a socket for the terminal", error))?;
                Ok(Some(Self { theirs: Some(theirs), ours: Some(ours) }))
            }
            (true, None) => Err(Problem::Usage(
                "process.terminal: nobody would take the terminal; give --console-socket PATH, or set it to false"
                    .to_owned(),
            )),
        }
    }

    /// What the process inside gets.
    pub(crate) fn theirs(&mut self) -> Result<OwnedFd, Problem> {
        self.theirs
            .take()
            .ok_or_else(|| Problem::Usage("the terminal's socket was handed on already".to_owned()))
    }

    /// The master, where we take it ourselves.
    pub(crate) fn master(self) -> Result<Option<OwnedFd>, Problem> {
        let Some(ours) = self.ours else { return Ok(None) };
        receive(&ours).map(Some).map_err(|error| Problem::system("take the terminal", error))
    }
}

fn to(path: &Path) -> Result<OwnedFd, Problem> {
    connect_to(path)
        .map_err(|error| Problem::system(format!("--console-socket: connect to {}", path.display()), error))
}

/// A connection to a socket in the file system.
pub(crate) fn connect_to(path: &Path) -> Result<OwnedFd, Errno> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

fn receive(socket: &OwnedFd) -> Result<OwnedFd, Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut words = [0; 64];
    recvmsg(socket, &mut [IoSliceMut::new(&mut words)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let rights = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut came) => came.next(),
        _ => None,
    });
    rights.ok_or(Errno::BADMSG)
}
