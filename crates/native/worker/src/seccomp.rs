//! The filter of system calls in a container: what only the machine's administrator needs is refused, and so is every
//! call that the kernel got after this list was written.
//!
//! **Law.** A call passes unless it is in [`REFUSED`] (EPERM), is `clone` with a new namespace (EPERM), is `personality`
//! with a change that weakens address-space randomisation (EPERM), is `clone3`, whose flags a filter can't see (ENOSYS:
//! C libraries then take `clone`), or is unknown (ENOSYS). Calls of another architecture kill the process.
//! **Source.** The default profile of containers/common and moby (`profiles/seccomp/default.json`): refused is what that
//! profile grants only with a capability which a container here has not got, or never.
//! **Judge.** The tests run the filter on an interpreter of its instructions; `catamaran probe` tries it on the kernel.

use libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, c_long, sock_filter,
};

/// Refused calls by name, in the order of the alphabet.
pub const REFUSED: [(&str, c_long); 59] = [
    ("_sysctl", libc::SYS__sysctl),
    ("acct", libc::SYS_acct),
    ("add_key", libc::SYS_add_key),
    ("bpf", libc::SYS_bpf),
    ("clock_adjtime", libc::SYS_clock_adjtime),
    ("clock_settime", libc::SYS_clock_settime),
    ("delete_module", libc::SYS_delete_module),
    ("fanotify_init", libc::SYS_fanotify_init),
    ("finit_module", libc::SYS_finit_module),
    ("fsconfig", libc::SYS_fsconfig),
    ("fsmount", libc::SYS_fsmount),
    ("fsopen", libc::SYS_fsopen),
    ("fspick", libc::SYS_fspick),
    ("get_mempolicy", libc::SYS_get_mempolicy),
    ("init_module", libc::SYS_init_module),
    ("io_uring_enter", libc::SYS_io_uring_enter),
    ("io_uring_register", libc::SYS_io_uring_register),
    ("io_uring_setup", libc::SYS_io_uring_setup),
    ("ioperm", libc::SYS_ioperm),
    ("iopl", libc::SYS_iopl),
    ("kcmp", libc::SYS_kcmp),
    ("kexec_file_load", libc::SYS_kexec_file_load),
    ("kexec_load", libc::SYS_kexec_load),
    ("keyctl", libc::SYS_keyctl),
    ("lookup_dcookie", libc::SYS_lookup_dcookie),
    ("mbind", libc::SYS_mbind),
    ("migrate_pages", libc::SYS_migrate_pages),
    ("mount", libc::SYS_mount),
    ("mount_setattr", libc::SYS_mount_setattr),
    ("move_mount", libc::SYS_move_mount),
    ("move_pages", libc::SYS_move_pages),
    ("nfsservctl", libc::SYS_nfsservctl),
    ("open_by_handle_at", libc::SYS_open_by_handle_at),
    ("open_tree", libc::SYS_open_tree),
    ("perf_event_open", libc::SYS_perf_event_open),
    ("pidfd_getfd", libc::SYS_pidfd_getfd),
    ("pivot_root", libc::SYS_pivot_root),
    ("process_madvise", libc::SYS_process_madvise),
    ("process_vm_readv", libc::SYS_process_vm_readv),
    ("process_vm_writev", libc::SYS_process_vm_writev),
    ("ptrace", libc::SYS_ptrace),
    ("quotactl", libc::SYS_quotactl),
    ("quotactl_fd", libc::SYS_quotactl_fd),
    ("reboot", libc::SYS_reboot),
    ("request_key", libc::SYS_request_key),
    ("set_mempolicy", libc::SYS_set_mempolicy),
    ("setns", libc::SYS_setns),
    ("settimeofday", libc::SYS_settimeofday),
    ("swapoff", libc::SYS_swapoff),
    ("swapon", libc::SYS_swapon),
    ("sysfs", libc::SYS_sysfs),
    ("syslog", libc::SYS_syslog),
    ("umount2", libc::SYS_umount2),
    ("unshare", libc::SYS_unshare),
    ("uselib", libc::SYS_uselib),
    ("userfaultfd", libc::SYS_userfaultfd),
    ("ustat", libc::SYS_ustat),
    ("vhangup", libc::SYS_vhangup),
    ("vserver", libc::SYS_vserver),
];

/// The last call of x86-64 that this list knows: `mseal` of Linux 6.10 (`arch/x86/entry/syscalls/syscall_64.tbl`).
const LAST_KNOWN: u32 = 462;

/// All `CLONE_NEW…` flags that `clone` takes (`include/uapi/linux/sched.h`).
pub const NEW_NAMESPACES: u32 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u32;

/// Values of `personality` that change nothing of importance: Linux, with or without 32-bit uname, and the question.
const HARMLESS_PERSONALITIES: [u32; 5] = [0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// `AUDIT_ARCH_X86_64` (`include/uapi/linux/audit.h`).
const ARCHITECTURE: u32 = 0xC000_003E;

// Offsets in `struct seccomp_data` (`include/uapi/linux/seccomp.h`), bytes.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const FIRST_ARGUMENT: u32 = 16;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const NOT_PERMITTED: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
const NOT_THERE: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

/// The filter's instructions.
#[must_use]
pub fn filter() -> Vec<sock_filter> {
    let mut code = vec![
        load(ARCH),
        jump_if(BPF_JEQ, ARCHITECTURE, 1, 0),
        answer(libc::SECCOMP_RET_KILL_PROCESS),
        load(NUMBER),
    ];
    // Beyond the last known call; the numbers of the x32 ABI are there, too.
    code.extend([jump_if(BPF_JGE, LAST_KNOWN + 1, 0, 1), answer(NOT_THERE)]);
    code.extend([jump_if(BPF_JEQ, libc::SYS_clone3 as u32, 0, 1), answer(NOT_THERE)]);
    let with_namespaces = [
        load(FIRST_ARGUMENT),
        and(NEW_NAMESPACES),
        jump_if(BPF_JEQ, 0, 0, 1),
        answer(ALLOW),
        answer(NOT_PERMITTED),
    ];
    only_for(libc::SYS_clone, &with_namespaces, &mut code);
    let mut personality = vec![load(FIRST_ARGUMENT)];
    for value in HARMLESS_PERSONALITIES {
        personality.extend([jump_if(BPF_JEQ, value, 0, 1), answer(ALLOW)]);
    }
    personality.push(answer(NOT_PERMITTED));
    only_for(libc::SYS_personality, &personality, &mut code);
    for (_, number) in REFUSED {
        code.extend([jump_if(BPF_JEQ, number as u32, 0, 1), answer(NOT_PERMITTED)]);
    }
    code.push(answer(ALLOW));
    code
}

/// Adds `body`, which ends with an answer, for one call.
fn only_for(number: c_long, body: &[sock_filter], code: &mut Vec<sock_filter>) {
    code.push(jump_if(BPF_JEQ, number as u32, 0, body.len() as u8));
    code.extend_from_slice(body);
}

fn load(offset: u32) -> sock_filter {
    instruction(BPF_LD | BPF_W | BPF_ABS, offset)
}

fn and(mask: u32) -> sock_filter {
    instruction(BPF_ALU | BPF_AND | BPF_K, mask)
}

fn answer(value: u32) -> sock_filter {
    instruction(BPF_RET | BPF_K, value)
}

const fn instruction(code: u32, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

const fn jump_if(condition: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: (BPF_JMP | condition | BPF_K) as u16, jt, jf, k }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel would answer: classic BPF, as far as the filter uses it.
    fn run(arch: u32, number: u32, first_argument: u32) -> u32 {
        let code = filter();
        let (mut at, mut accumulator) = (0, 0);
        loop {
            let one = code[at];
            at += 1;
            match u32::from(one.code) {
                c if c == BPF_LD | BPF_W | BPF_ABS => {
                    accumulator = match one.k {
                        NUMBER => number,
                        ARCH => arch,
                        FIRST_ARGUMENT => first_argument,
                        other => panic!("offset {other}"),
                    };
                }
                c if c == BPF_ALU | BPF_AND | BPF_K => accumulator &= one.k,
                c if c == BPF_JMP | BPF_JEQ | BPF_K => {
                    at += usize::from(if accumulator == one.k { one.jt } else { one.jf });
                }
                c if c == BPF_JMP | BPF_JGE | BPF_K => {
                    at += usize::from(if accumulator >= one.k { one.jt } else { one.jf });
                }
                c if c == BPF_RET | BPF_K => return one.k,
                other => panic!("instruction {other:#x}"),
            }
        }
    }

    #[test]
    fn calls_pass_or_are_refused_as_the_law_says() {
        let threads = (libc::CLONE_VM | libc::CLONE_THREAD | libc::CLONE_SIGHAND) as u32;
        let table = [
            (libc::SYS_read, 0, ALLOW),
            (libc::SYS_futex, 0, ALLOW),
            (libc::SYS_execve, 0, ALLOW),
            (libc::SYS_mseal, 0, ALLOW),
            (libc::SYS_mseal + 1, 0, NOT_THERE),
            (0x4000_0000, 0, NOT_THERE),
            (libc::SYS_clone, threads, ALLOW),
            (libc::SYS_clone, threads | libc::CLONE_NEWUSER as u32, NOT_PERMITTED),
            (libc::SYS_clone, libc::CLONE_NEWNET as u32, NOT_PERMITTED),
            (libc::SYS_clone3, 0, NOT_THERE),
            (libc::SYS_personality, 0xffff_ffff, ALLOW),
            (libc::SYS_personality, libc::ADDR_NO_RANDOMIZE as u32, NOT_PERMITTED),
            (libc::SYS_mount, 0, NOT_PERMITTED),
            (libc::SYS_vserver, 0, NOT_PERMITTED),
        ];
        for (number, first_argument, expected) in table {
            let seen = run(ARCHITECTURE, number as u32, first_argument);
            assert_eq!(seen, expected, "call {number} with {first_argument:#x}");
        }
        assert_eq!(run(0x4000_0003, libc::SYS_read as u32, 0), libc::SECCOMP_RET_KILL_PROCESS, "32-bit");
    }

    #[test]
    fn every_refused_call_is_known_and_refused_and_named_once() {
        for ((name, number), next) in REFUSED.iter().zip(REFUSED.iter().skip(1).chain([&("~", 0)])) {
            assert!(*name < next.0, "{name} is out of order or twice");
            assert!(*number as u32 <= LAST_KNOWN, "{name}");
            assert_eq!(run(ARCHITECTURE, *number as u32, 0), NOT_PERMITTED, "{name}");
        }
    }
}
