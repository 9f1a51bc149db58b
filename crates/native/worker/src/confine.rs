//! What a process gives up before it runs a stranger's program: its terminal, the runner's groups, capabilities, new
//! privileges, system calls.

#![allow(unsafe_code)]

use catamaran_worker::minimal::KEPT_CAPABILITIES;
use catamaran_worker::seccomp;
use rustix::io::Errno;
use rustix::thread::{CapabilitySet, CapabilitySets};

/// Gives everything up that [`KEPT_CAPABILITIES`] and [`seccomp::REFUSED`] do not leave.
pub(crate) fn confine() -> Result<(), String> {
    // Without a session of its own it could type into the runner's terminal.
    rustix::process::setsid().map_err(failed("begin a session"))?;
    match rustix::thread::set_thread_groups(&[]) {
        // A user namespace of an ordinary user keeps its groups (user_namespaces(7), /proc/PID/setgroups).
        Ok(()) | Err(Errno::PERM) => {}
        Err(error) => return Err(failed("give up the runner's groups")(error)),
    }
    give_up_capabilities(Bounding::Dropped).map_err(|(what, error)| failed(what)(error))?;
    install()
}

/// What becomes of the capabilities that programs may come by when they are executed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bounding {
    /// They are dropped.
    Dropped,
    /// They are where that is allowed (CAP_SETPCAP): without new privileges nobody comes by them.
    DroppedIfAllowed,
}

/// Gives up new privileges and every capability but [`KEPT_CAPABILITIES`]; else what failed. Nothing but calls of the kernel: it may be
/// called between fork and exec.
pub(crate) fn give_up_capabilities(bounding: Bounding) -> Result<(), (&'static str, Errno)> {
    let kept = KEPT_CAPABILITIES.iter().fold(CapabilitySet::empty(), |kept, (_, number)| kept | one(*number));
    let because = |what: &'static str| move |error: Errno| (what, error);
    rustix::thread::clear_ambient_capability_set().map_err(because("clear the ambient capabilities"))?;
    // Up to the last one that the kernel knows, which answers EINVAL to the one after.
    for capability in (0..64).map(one) {
        if kept.contains(capability) {
            continue;
        }
        match rustix::thread::remove_capability_from_bounding_set(capability) {
            Ok(()) => {}
            Err(Errno::INVAL) => break,
            Err(Errno::PERM) if bounding == Bounding::DroppedIfAllowed => break,
            Err(error) => return Err(("drop a capability from the bounding set", error)),
        }
    }
    rustix::thread::set_no_new_privs(true).map_err(because("set no_new_privs"))?;
    // What the caller has not got itself can't be kept.
    let has = rustix::thread::capabilities(None).map_err(because("read the capabilities"))?;
    let left = has.permitted & kept;
    let sets = CapabilitySets { effective: left, permitted: left, inheritable: CapabilitySet::empty() };
    rustix::thread::set_capabilities(None, sets).map_err(because("give up capabilities"))
}

fn one(number: u32) -> CapabilitySet {
    CapabilitySet::from_bits_retain(1 << number)
}

/// Has the kernel filter this thread's calls from now on, and those of whatever it becomes.
fn install() -> Result<(), String> {
    let mut filter = seccomp::filter();
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the program and the instructions that it points to live until the call is over; the kernel copies them.
    let answer = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, std::ptr::from_ref(&program))
    };
    if answer == 0 {
        return Ok(());
    }
    Err(format!("cannot install the seccomp filter: {}", std::io::Error::last_os_error()))
}

fn failed(what: &'static str) -> impl Fn(Errno) -> String {
    move |error| format!("cannot {what}: {error}")
}
