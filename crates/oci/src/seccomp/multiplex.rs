//! Calls of 32-bit x86 that stand for several: the first argument says for which.
//!
//! **Source.** `include/uapi/linux/net.h` (`SYS_SOCKET`…), `include/uapi/linux/ipc.h` (`SEMOP`…), Linux `ipc/syscall.c`;
//! libseccomp `src/arch-x86.c`.
//! **Law.** A rule for `socket` without conditions holds for `socketcall` with that number too, and so on: programs of both ways
//! get the same answer. What a rule with conditions looks at lies behind a pointer there, which no filter sees: such a rule says
//! nothing of it.

use oci_spec::runtime::LinuxSeccompOperator;

use super::architecture::Table;
use super::rules::Condition;

/// By their numbers from 1 on.
const SOCKETS: [&str; 20] = [
    "socket",
    "bind",
    "connect",
    "listen",
    "accept",
    "getsockname",
    "getpeername",
    "socketpair",
    "send",
    "recv",
    "sendto",
    "recvfrom",
    "shutdown",
    "setsockopt",
    "getsockopt",
    "sendmsg",
    "recvmsg",
    "accept4",
    "recvmmsg",
    "sendmmsg",
];
const IPC: [(&str, u64); 12] = [
    ("semop", 1),
    ("semget", 2),
    ("semctl", 3),
    ("semtimedop", 4),
    ("msgsnd", 11),
    ("msgrcv", 12),
    ("msgget", 13),
    ("msgctl", 14),
    ("shmat", 21),
    ("shmdt", 22),
    ("shmget", 23),
    ("shmctl", 24),
];

/// The number of the call that may stand for `name`, and when it does.
pub(super) fn of(table: Table, name: &str) -> Option<(u32, Condition)> {
    if table != Table::X86 {
        return None;
    }
    if let Some(place) = SOCKETS.iter().position(|one| *one == name) {
        return Some((table.number("socketcall")?, first_is(place as u64 + 1, u64::from(u32::MAX))));
    }
    let (_, value) = IPC.iter().find(|(one, _)| *one == name)?;
    // The upper half is a version, which is nobody's business here: with any the call is made.
    Some((table.number("ipc")?, first_is(*value, 0xffff)))
}

fn first_is(value: u64, mask: u64) -> Condition {
    Condition { argument: 0, operator: LinuxSeccompOperator::ScmpCmpMaskedEq, value, mask }
}
