//! Waiting to be started: by the runtime that made the container (`run`, `exec`), or, after it is gone (`create`), by another
//! one, which connects to a socket in the container's state folder (`start`).

use std::os::fd::OwnedFd;

use catamaran_oci_init::wire::{Event, Word, send};
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with};

use super::{hear, say};
use crate::failure::{Done, During as _, Failure};

/// Who started the process, and hears why its program could not be run.
pub(crate) enum Start {
    Runtime,
    Other(OwnedFd),
}

pub(crate) fn wait(runtime: &OwnedFd, door: Option<OwnedFd>) -> Done<Start> {
    say(runtime, &Event::Created)?;
    let Some(door) = door else {
        return match hear(runtime)? {
            Word::Start => Ok(Start::Runtime),
            other => Err(Failure::new("expected the start", format!("{other:?}"))),
        };
    };
    loop {
        match accept_with(&door, SocketFlags::CLOEXEC) {
            Ok(starter) => return Ok(Start::Other(starter)),
            Err(Errno::INTR | Errno::CONNABORTED) => {}
            Err(error) => return Err(error).during(|| "wait for the start".to_owned()),
        }
    }
}

impl Start {
    /// Says why it did not come to the program.
    pub(crate) fn failed(self, failure: Failure) -> Done {
        match self {
            Self::Runtime => Err(failure),
            Self::Other(starter) => {
                // Where the starter is gone nobody is left to tell.
                let _ = send(&starter, &Event::Failed(failure.0.clone()), &[]);
                Err(failure)
            }
        }
    }
}
