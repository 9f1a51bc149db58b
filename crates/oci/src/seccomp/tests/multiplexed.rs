//! `socketcall` and `ipc` of 32-bit x86.

use serde_json::{Value, json};

use super::interpreter::{Call, run};
use super::{Table, compile, read};

/// What the filter answers to calls of 32-bit x86, by number and first argument.
fn answers(profile: Value, calls: &[(u32, u64)]) -> Vec<u32> {
    let (filter, _) = compile(&read(profile)).unwrap();
    let call = |&(number, first): &(u32, u64)| Call {
        number,
        architecture: Table::X86.audit(),
        arguments: [first, 0, 0, 0, 0, 0],
    };
    calls.iter().map(|one| run(&filter.instructions, &call(one))).collect()
}

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const REFUSE: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
// `arch/x86/entry/syscalls/syscall_32.tbl`
const SOCKETCALL: u32 = 102;
const IPC: u32 = 117;
const SOCKET: u32 = 359;

#[test]
fn a_refused_call_is_refused_by_the_call_that_stands_for_it() {
    let profile = json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"],
        "syscalls": [{"names": ["socket", "shmat", "semop"], "action": "SCMP_ACT_ERRNO"}]});
    let calls = [
        (SOCKET, 0),
        (SOCKETCALL, 1),
        (SOCKETCALL, 2),
        (IPC, 21),
        (IPC, (1 << 16) | 21),
        (IPC, 1),
        (IPC, 22),
    ];
    assert_eq!(answers(profile, &calls), [REFUSE, REFUSE, ALLOW, REFUSE, REFUSE, REFUSE, ALLOW]);
}

#[test]
fn what_lies_behind_a_pointer_is_nothing_to_go_by() {
    let not_40 = json!([{"index": 0, "value": 40, "op": "SCMP_CMP_NE"}]);
    let profile = |args: Value| {
        json!({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86"],
            "syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": args}]})
    };
    let calls = [(SOCKET, 2), (SOCKET, 40), (SOCKETCALL, 1)];
    assert_eq!(answers(profile(not_40), &calls), [ALLOW, REFUSE, REFUSE]);
    assert_eq!(answers(profile(json!([])), &calls), [ALLOW, ALLOW, ALLOW]);
}

#[test]
fn a_rule_for_the_call_itself_outranks() {
    let profile = json!({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86"], "syscalls": [
        {"names": ["socket"], "action": "SCMP_ACT_KILL_PROCESS"}, {"names": ["socketcall"], "action": "SCMP_ACT_ALLOW"}]});
    assert_eq!(answers(profile, &[(SOCKETCALL, 1), (SOCKET, 0)]), [ALLOW, libc::SECCOMP_RET_KILL_PROCESS]);
}
