//! System calls that no library has, behind safe functions.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char};
use std::os::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd};

use catamaran_oci_init::filter::Instruction;
use catamaran_oci_init::order::{MemoryPolicy, Scheduling};
use rustix::io::Errno;

/// `struct clone_args` of linux/sched.h, up to `cgroup`.
#[repr(C)]
#[derive(Default)]
struct CloneArguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// `struct mount_attr` of linux/mount.h.
#[repr(C)]
#[derive(Default)]
pub(crate) struct MountAttributes {
    pub(crate) set: u64,
    pub(crate) clear: u64,
    pub(crate) propagation: u64,
    pub(crate) user_namespace: u64,
}

/// `struct sched_attr` of linux/sched/types.h, version 0.
#[repr(C)]
struct SchedulingAttributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

/// `CLONE_INTO_CGROUP` (linux/sched.h).
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

fn answer(value: libc::c_long) -> Result<libc::c_long, Errno> {
    if value == -1 {
        return Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO));
    }
    Ok(value)
}

/// Makes a process that is a copy of this one, in new namespaces, as a child of this one's parent; 0 in the copy.
pub(crate) fn clone_sibling(flags: u32, group: Option<&OwnedFd>) -> Result<i32, Errno> {
    let mut arguments =
        CloneArguments { flags: u64::from(flags) | libc::CLONE_PARENT as u64, ..CloneArguments::default() };
    if let Some(group) = group {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = group.as_raw_fd() as u64;
    }
    // SAFETY: without a stack of its own and CLONE_VM the copy goes on as after fork(2). This program has one thread, so no lock
    // is held by somebody that the copy does not have.
    let pid = unsafe {
        libc::syscall(libc::SYS_clone3, std::ptr::from_ref(&arguments), size_of::<CloneArguments>())
    };
    answer(pid).map(|pid| pid as i32)
}

/// Enters a namespace, or several of a process (setns(2)).
pub(crate) fn setns(what: impl AsFd, kinds: u32) -> Result<(), Errno> {
    // SAFETY: takes a descriptor and a number.
    answer(unsafe { libc::syscall(libc::SYS_setns, what.as_fd().as_raw_fd(), kinds) }).map(drop)
}

/// Leaves namespaces for new ones (unshare(2)).
pub(crate) fn unshare(kinds: u32) -> Result<(), Errno> {
    // SAFETY: takes a number; none that shares memory is asked for here.
    answer(unsafe { libc::syscall(libc::SYS_unshare, kinds) }).map(drop)
}

/// Changes a mount, or with `recursive` all of its tree.
pub(crate) fn mount_setattr(
    tree: impl AsFd,
    attributes: &MountAttributes,
    recursive: bool,
) -> Result<(), Errno> {
    const AT_RECURSIVE: libc::c_int = 0x8000;
    let flags = libc::AT_EMPTY_PATH | if recursive { AT_RECURSIVE } else { 0 };
    // SAFETY: the attributes live until the call is over.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_fd().as_raw_fd(),
            c"".as_ptr(),
            flags,
            std::ptr::from_ref(attributes),
            size_of::<MountAttributes>(),
        )
    };
    answer(done).map(drop)
}

/// Marks every descriptor from `first` on for closing at exec.
pub(crate) fn close_on_exec_from(first: u32) -> Result<(), Errno> {
    const CLOSE_RANGE_CLOEXEC: u32 = 4;
    // SAFETY: takes numbers and closes nothing now.
    answer(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, CLOSE_RANGE_CLOEXEC) }).map(drop)
}

/// The program: becomes it, or says why not.
pub(crate) fn exec(path: &CStr, arguments: &[*const c_char], environment: &[*const c_char]) -> Errno {
    // SAFETY: the callers' lists end with a null pointer and point to strings that live until the call is over.
    let done = unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    answer(done.into()).err().unwrap_or(Errno::IO)
}

/// Loads a filter; the number of its listener's descriptor where it has one.
pub(crate) fn seccomp(program: &[Instruction], flags: u64) -> Result<Option<i32>, Errno> {
    let mut filter: Vec<libc::sock_filter> = program
        .iter()
        .map(|one| libc::sock_filter { code: one.code, jt: one.jt, jf: one.jf, k: one.k })
        .collect();
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the program and the instructions that it points to live until the call is over; the kernel copies them.
    let done = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags as libc::c_ulong,
            std::ptr::from_ref(&program),
        )
    };
    let number = answer(done)?;
    let has_listener = flags & libc::SECCOMP_FILTER_FLAG_NEW_LISTENER != 0;
    Ok(has_listener.then_some(number as i32))
}

/// A descriptor that somebody in this process was given and does not keep.
pub(crate) fn own_descriptor(number: i32) -> Option<OwnedFd> {
    // SAFETY: the one caller has the number from `seccomp`, which nobody else has closed or will.
    (number >= 0).then(|| unsafe { OwnedFd::from_raw_fd(number) })
}

/// I/O class and priority of this process.
pub(crate) fn set_io_priority(value: i32) -> Result<(), Errno> {
    const IOPRIO_WHO_PROCESS: libc::c_int = 1;
    // SAFETY: takes numbers.
    answer(unsafe { libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, value) }).map(drop)
}

/// Scheduling of this thread.
pub(crate) fn set_scheduling(how: &Scheduling) -> Result<(), Errno> {
    let attributes = SchedulingAttributes {
        size: size_of::<SchedulingAttributes>() as u32,
        policy: how.policy,
        flags: how.flags,
        nice: how.nice,
        priority: how.priority,
        runtime: how.runtime_ns,
        deadline: how.deadline_ns,
        period: how.period_ns,
    };
    // SAFETY: the attributes live until the call is over.
    answer(unsafe { libc::syscall(libc::SYS_sched_setattr, 0, std::ptr::from_ref(&attributes), 0) }).map(drop)
}

/// CPUs of this thread.
pub(crate) fn set_affinity(cpus: &[u64]) -> Result<(), Errno> {
    // SAFETY: the words live until the call is over, and their length goes along.
    answer(unsafe { libc::syscall(libc::SYS_sched_setaffinity, 0, size_of_val(cpus), cpus.as_ptr()) })
        .map(drop)
}

/// NUMA memory policy of this thread.
pub(crate) fn set_memory_policy(policy: &MemoryPolicy) -> Result<(), Errno> {
    let nodes = if policy.nodes.is_empty() { std::ptr::null() } else { policy.nodes.as_ptr() };
    // The kernel reads one bit less than it is told (set_mempolicy(2), "maxnode").
    let bits = policy.nodes.len() * 64 + 1;
    // SAFETY: the words live until the call is over, and their length goes along.
    answer(unsafe { libc::syscall(libc::SYS_set_mempolicy, policy.mode, nodes, bits) }).map(drop)
}

/// Execution domain of this process.
pub(crate) fn set_personality(persona: u32) -> Result<(), Errno> {
    // SAFETY: takes a number.
    answer(unsafe { libc::syscall(libc::SYS_personality, persona) }).map(drop)
}

/// A new session keyring of that name.
pub(crate) fn join_session_keyring(name: &CStr) -> Result<(), Errno> {
    const KEYCTL_JOIN_SESSION_KEYRING: libc::c_int = 1;
    // SAFETY: the name lives until the call is over.
    answer(unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name.as_ptr()) }).map(drop)
}

/// A resource limit of this process.
pub(crate) fn set_rlimit(resource: u32, soft: u64, hard: u64) -> Result<(), Errno> {
    let limit = libc::rlimit64 { rlim_cur: soft, rlim_max: hard };
    let none = std::ptr::null::<libc::rlimit64>();
    // SAFETY: the limit lives until the call is over.
    answer(unsafe { libc::syscall(libc::SYS_prlimit64, 0, resource, std::ptr::from_ref(&limit), none) })
        .map(drop)
}

/// The hard limit of a resource, and the soft one.
pub(crate) fn rlimit(resource: u32) -> Result<(u64, u64), Errno> {
    let mut limit = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
    let none = std::ptr::null::<libc::rlimit64>();
    // SAFETY: the place for the answer lives until the call is over.
    answer(unsafe { libc::syscall(libc::SYS_prlimit64, 0, resource, none, std::ptr::from_mut(&mut limit)) })?;
    Ok((limit.rlim_max, limit.rlim_cur))
}

/// Brings the loopback device of this network namespace up.
pub(crate) fn loopback_up(socket: &OwnedFd) -> Result<(), Errno> {
    let mut name: [c_char; libc::IFNAMSIZ] = [0; libc::IFNAMSIZ];
    for (place, byte) in name.iter_mut().zip(b"lo") {
        *place = byte.cast_signed();
    }
    let flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    let request =
        libc::ifreq { ifr_name: name, ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_flags: flags } };
    // SAFETY: the request is what this ioctl takes, and lives until the call is over.
    let done = unsafe {
        libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as libc::Ioctl, std::ptr::from_ref(&request))
    };
    answer(done.into()).map(drop)
}

/// Makes standard input the controlling terminal of this session.
pub(crate) fn set_controlling_terminal(terminal: impl AsFd) -> Result<(), Errno> {
    rustix::process::ioctl_tiocsctty(terminal)
}

/// Sets user ids without the C library, which would look for other threads.
pub(crate) fn set_user(uid: u32) -> Result<(), Errno> {
    // SAFETY: takes numbers.
    answer(unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) }).map(drop)
}

/// Sets group ids.
pub(crate) fn set_group(gid: u32) -> Result<(), Errno> {
    // SAFETY: takes numbers.
    answer(unsafe { libc::syscall(libc::SYS_setresgid, gid, gid, gid) }).map(drop)
}

/// Sets the additional groups.
pub(crate) fn set_groups(groups: &[u32]) -> Result<(), Errno> {
    // SAFETY: the groups live until the call is over, and their number goes along.
    answer(unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) }).map(drop)
}

/// Every signal as it was made, and none blocked: what this program and the runtime ignore is none of the container's business.
/// Without the C library, which keeps some signals to itself.
pub(crate) fn reset_signals() -> Result<(), Errno> {
    /// `struct sigaction` of the kernel, which is all zero for the default action; a set of signals is its last word.
    const DEFAULT: [u64; 4] = [0; 4];
    const SET_BYTES: usize = size_of::<u64>();
    let (default, none) = (std::ptr::from_ref(&DEFAULT), std::ptr::null::<u64>());
    for signal in 1..=64 {
        // SAFETY: the action lives until the call is over. KILL and STOP are refused, as they can't be changed.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, default, none, SET_BYTES) };
    }
    let empty = std::ptr::from_ref(&DEFAULT);
    // SAFETY: the set lives until the call is over.
    let done = unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, empty, none, SET_BYTES) };
    answer(done).map(drop)
}

/// A list as execve(2) takes it: it ends with a null pointer.
pub(crate) fn pointers(words: &[CString]) -> Vec<*const c_char> {
    words.iter().map(|word| word.as_ptr()).chain([std::ptr::null()]).collect()
}

/// The socket to the runtime. Every other descriptor but the standard streams and the `preserved` ones after them is closed:
/// what the caller left open must not get into the container.
pub(crate) fn take_socket(socket: u32, preserved: u32) -> Option<OwnedFd> {
    let first = 3_u32.checked_add(preserved)?;
    if socket < first {
        return None;
    }
    // SAFETY: nothing has been opened yet, so these descriptors are nobody's; a bad number shows in the call after it.
    unsafe {
        if socket > first {
            libc::syscall(libc::SYS_close_range, first, socket - 1, 0);
        }
        libc::syscall(libc::SYS_close_range, socket.checked_add(1)?, u32::MAX, 0);
        let number = i32::try_from(socket).ok()?;
        if libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) != 0 {
            return None;
        }
        Some(OwnedFd::from_raw_fd(number))
    }
}

/// Number of a descriptor, as a kernel structure holds it.
pub(crate) fn number_of(descriptor: &OwnedFd) -> u64 {
    descriptor.as_raw_fd() as u64
}

/// A user namespace with these maps, by a process that is in it just so long.
pub(crate) fn user_namespace(users: &str, groups: &str) -> Result<OwnedFd, Errno> {
    let arguments = CloneArguments {
        flags: libc::CLONE_NEWUSER as u64,
        exit_signal: libc::SIGCHLD as u64,
        ..CloneArguments::default()
    };
    // SAFETY: as in `clone_sibling`; the copy only waits for its end.
    let pid = unsafe {
        libc::syscall(libc::SYS_clone3, std::ptr::from_ref(&arguments), size_of::<CloneArguments>())
    };
    let pid = answer(pid)?;
    if pid == 0 {
        loop {
            // SAFETY: takes nothing.
            unsafe { libc::pause() };
        }
    }
    let write = |name: &str, map: &str| {
        std::fs::write(format!("/proc/{pid}/{name}"), map)
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
    };
    let open = || {
        write("uid_map", users)?;
        write("gid_map", groups)?;
        let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC;
        rustix::fs::open(format!("/proc/{pid}/ns/user"), flags, rustix::fs::Mode::empty())
    };
    let namespace = open();
    // SAFETY: takes numbers; the process is ours and not waited for yet.
    unsafe {
        libc::kill(pid as i32, libc::SIGKILL);
        libc::waitpid(pid as i32, std::ptr::null_mut(), 0);
    }
    namespace
}
