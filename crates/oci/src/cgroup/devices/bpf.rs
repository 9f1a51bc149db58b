//! Attaching the program that guards a group's devices: bpf(2), of which no library offers us what is needed here.

// The one system call of this runtime's cgroup manager without a safe wrapper.
#![allow(unsafe_code)]

use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use rustix::io::Errno;

use super::super::folder::Folder;
use super::program::Instruction;

const PROG_LOAD: libc::c_int = 5;
const PROG_ATTACH: libc::c_int = 8;
const PROG_DETACH: libc::c_int = 9;
const PROG_GET_FD_BY_ID: libc::c_int = 13;
const PROG_QUERY: libc::c_int = 16;

const PROG_TYPE_CGROUP_DEVICE: u32 = 15;
const CGROUP_DEVICE: u32 = 6;
/// Programs of groups above and below run, too: each has to allow.
const ALLOW_MULTI: u32 = 2;
const REPLACE: u32 = 4;
/// Most programs that the kernel attaches to one group (`BPF_CGROUP_MAX_PROGS`).
const MOST: usize = 64;

/// The part of `union bpf_attr` for loading.
#[repr(C)]
struct Load {
    program_type: u32,
    length: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
}

/// The part for attaching and detaching.
#[repr(C)]
struct Attach {
    target: i32,
    program: i32,
    kind: u32,
    flags: u32,
    replaced: i32,
}

/// The part for finding a program again.
#[repr(C)]
struct ById {
    id: u32,
    next: u32,
    flags: u32,
}

/// The part for asking what is attached.
#[repr(C)]
struct Query {
    target: i32,
    kind: u32,
    flags: u32,
    attach_flags: u32,
    ids: u64,
    count: u32,
    padding: u32,
}

/// Attaches a program to a group in the place of what is attached there: at every moment one of them guards it.
pub(super) fn replace(group: &Folder, program: &[Instruction]) -> Result<(), Errno> {
    let new = load(program)?;
    let old = attached(group)?.into_iter().map(by_id).collect::<Result<Vec<_>, _>>()?;
    match old.as_slice() {
        [old] => attach(group, &new, Some(old)),
        old => {
            attach(group, &new, None)?;
            old.iter().try_for_each(|old| detach(group, old))
        }
    }
}

fn load(program: &[Instruction]) -> Result<OwnedFd, Errno> {
    let mut name = [0; 16];
    name.iter_mut().zip(b"catamaran_dev").for_each(|(to, from)| *to = *from);
    let mut part = Load {
        program_type: PROG_TYPE_CGROUP_DEVICE,
        length: u32::try_from(program.len()).map_err(|_| Errno::TOOBIG)?,
        instructions: program.as_ptr() as u64,
        license: c"MIT".as_ptr() as u64,
        log_level: 0,
        log_size: 0,
        log: 0,
        kernel_version: 0,
        flags: 0,
        name,
    };
    // SAFETY: the instructions (laid out as `struct bpf_insn`) and the licence outlive the call, which reads them only.
    let descriptor = unsafe { bpf(PROG_LOAD, &mut part) }?;
    // SAFETY: the kernel has just opened it for us, close-on-exec as all of bpf(2).
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Numbers of the programs that are attached to a group.
fn attached(group: &Folder) -> Result<Vec<u32>, Errno> {
    let mut ids = vec![0_u32; MOST];
    let mut part = Query {
        target: group.as_fd().as_raw_fd(),
        kind: CGROUP_DEVICE,
        flags: 0,
        attach_flags: 0,
        ids: ids.as_mut_ptr() as u64,
        count: MOST as u32,
        padding: 0,
    };
    // SAFETY: `ids` has room for `count` numbers and outlives the call.
    unsafe { bpf(PROG_QUERY, &mut part) }?;
    ids.truncate(part.count as usize);
    Ok(ids)
}

fn by_id(id: u32) -> Result<OwnedFd, Errno> {
    // SAFETY: there is no address in this part.
    let descriptor = unsafe { bpf(PROG_GET_FD_BY_ID, &mut ById { id, next: 0, flags: 0 }) }?;
    // SAFETY: the kernel has just opened it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn attach(group: &Folder, program: &OwnedFd, replaced: Option<&OwnedFd>) -> Result<(), Errno> {
    let flags = ALLOW_MULTI | if replaced.is_some() { REPLACE } else { 0 };
    call_attach(PROG_ATTACH, group, program.as_fd(), flags, replaced.map_or(0, |old| old.as_raw_fd()))
}

fn detach(group: &Folder, program: &OwnedFd) -> Result<(), Errno> {
    call_attach(PROG_DETACH, group, program.as_fd(), 0, 0)
}

fn call_attach(
    command: libc::c_int,
    group: &Folder,
    program: BorrowedFd,
    flags: u32,
    replaced: i32,
) -> Result<(), Errno> {
    let target = group.as_fd().as_raw_fd();
    let mut part = Attach { target, program: program.as_raw_fd(), kind: CGROUP_DEVICE, flags, replaced };
    // SAFETY: there is no address in this part.
    unsafe { bpf(command, &mut part) }.map(drop)
}

/// The system call.
///
/// # Safety
/// `part` is what the command takes of `union bpf_attr`, and memory whose address it holds is valid during the call.
unsafe fn bpf<T>(command: libc::c_int, part: &mut T) -> Result<i32, Errno> {
    // SAFETY: the caller's promise; the kernel takes what `part` is shorter than the union for zeros.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(part), size_of::<T>()) };
    i32::try_from(answer)
        .ok()
        .filter(|answer| *answer >= 0)
        .ok_or_else(|| Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO))
}
