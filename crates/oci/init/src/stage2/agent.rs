//! Loading a filter whose calls somebody else may answer (config-linux.md, `listenerPath`): the descriptor of the listener goes to
//! that agent.
//!
//! From the filter's loading on every call of this thread may wait for the agent, which has no descriptor yet. So another thread,
//! which the filter does not bind, sends it; until that is done this one makes no call at all.

use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use catamaran_oci_init::filter::Filter;

use super::console::send_descriptor;
use crate::failure::{Done, During as _, Failure};
use crate::sys;

/// Nothing has happened yet.
const WAITING: i32 = -1;
/// The agent has the descriptor.
const SENT: i32 = -2;
/// It could not be sent, or there is none.
const FAILED: i32 = -3;

/// Loads the filter and hands its listener, with the words of the specification, to the agent.
pub(crate) fn load(filter: &Filter, agent: OwnedFd, words: String) -> Done {
    let place = Arc::new(AtomicI32::new(WAITING));
    let seen = Arc::clone(&place);
    let sender = move || {
        let number = loop {
            match seen.load(Ordering::Acquire) {
                WAITING => std::thread::yield_now(),
                number => break number,
            }
        };
        let sent = sys::own_descriptor(number)
            .is_some_and(|listener| send_descriptor(&agent, listener.as_fd(), words.as_bytes()).is_ok());
        seen.store(if sent { SENT } else { FAILED }, Ordering::Release);
    };
    std::thread::Builder::new()
        .spawn(sender)
        .during(|| "linux.seccomp.listenerPath: start a thread".to_owned())?;
    let loaded = sys::seccomp(&filter.instructions, filter.flags);
    let number = loaded.as_ref().ok().copied().flatten().unwrap_or(FAILED);
    place.store(number, Ordering::Release);
    loaded.during(|| "linux.seccomp: load the filter".to_owned())?;
    loop {
        match place.load(Ordering::Acquire) {
            SENT => return Ok(()),
            FAILED => {
                return Err(Failure("linux.seccomp.listenerPath: the listener could not be sent".to_owned()));
            }
            _ => std::hint::spin_loop(),
        }
    }
}
