//! The terminal of a container: made in its own devpts, its master handed to whoever asked for it (runc's terminals.md).

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags, fstatfs, openat2};
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::Stage;
use super::mounts::attach;
use super::sources::copy_of;
use crate::failure::{Done, During as _, Failure};
use crate::inside::{self, Make};
use crate::sys;

/// `DEVPTS_SUPER_MAGIC` (linux/magic.h).
const DEVPTS: i64 = 0x1cd1;

/// Opens a terminal, gives its master away, and makes the other end the process's own.
pub(crate) fn open(stage: &mut Stage<'_>, root: BorrowedFd<'_>) -> Done {
    let process = &stage.order.process;
    let receiver = stage.handed.console.take().ok_or_else(|| {
        Failure("process.terminal: nobody takes the terminal; give --console-socket".to_owned())
    })?;
    let (master, ours) = pair(root).during(|| {
        "process.terminal: open /dev/pts/ptmx in the container (takes a mount of type devpts on /dev/pts)"
            .to_owned()
    })?;
    if let Some((rows, columns)) = process.console_size {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&ours, size).during(|| "process.consoleSize: set it".to_owned())?;
    }
    // The name is only for people.
    send_descriptor(&receiver, master.as_fd(), b"/dev/ptmx")
        .during(|| "process.terminal: send it to the console socket".to_owned())?;
    if stage.order.root.is_some() {
        let on_console = || -> Result<(), Errno> {
            let place = inside::make(root, "/dev/console", Make::File)?;
            attach(copy_of(&ours)?, place)
        };
        on_console().during(|| "process.terminal: bind it to /dev/console".to_owned())?;
    }
    let take = || -> Result<(), Errno> {
        sys::set_controlling_terminal(&ours)?;
        rustix::stdio::dup2_stdin(&ours)?;
        rustix::stdio::dup2_stdout(&ours)?;
        rustix::stdio::dup2_stderr(&ours)
    };
    take().during(|| "process.terminal: make it the process's own".to_owned())
}

/// Both ends. The first is opened only in a file system of terminals, in which nobody makes a file of another kind that opening might
/// do something to or wait for; the second is opened through the first, so that nothing in the container can stand in for it
/// (CVE-2025-52565).
fn pair(root: BorrowedFd<'_>) -> Result<(OwnedFd, OwnedFd), Errno> {
    let folder = inside::look(root, "/dev/pts")?;
    if fstatfs(&folder)?.f_type != DEVPTS {
        return Err(Errno::NOTTY);
    }
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let master = openat2(&folder, c"ptmx", flags, Mode::empty(), how)?;
    unlockpt(&master)?;
    let ours = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    Ok((master, ours))
}

/// Sends one descriptor, with some words.
pub(crate) fn send_descriptor(
    receiver: &OwnedFd,
    descriptor: BorrowedFd<'_>,
    words: &[u8],
) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor];
    if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(Errno::MSGSIZE);
    }
    sendmsg(receiver, &[IoSlice::new(words)], &mut control, SendFlags::NOSIGNAL).map(drop)
}
