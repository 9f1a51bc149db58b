//! The filter against its slow twin, a profile of the size that engines ship, and the kernel once.

use oci_spec::runtime::LinuxSeccomp;
use serde_json::{Value, json};

use super::architecture::Table;
use super::*;

mod interpreter;
mod kernel;
mod multiplexed;
mod random;
mod twin;

use interpreter::{Call, run};

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const ERRNO: u32 = libc::SECCOMP_RET_ERRNO;
const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;
const PERMISSION: u32 = ERRNO | libc::EPERM as u32;
const NOT_THERE: u32 = ERRNO | libc::ENOSYS as u32;
const X32: u32 = 1 << 30;

fn read(profile: Value) -> LinuxSeccomp {
    serde_json::from_value(profile).unwrap()
}

fn compiled(profile: Value) -> (Filter, Vec<String>) {
    let (filter, warnings) = compile(&read(profile)).unwrap();
    (filter, warnings.iter().map(ToString::to_string).collect())
}

fn number(table: Table, name: &str) -> u32 {
    table.number(name).unwrap()
}

/// A call by its name on x86-64, with its first arguments.
fn call(name: &str, first: &[u64]) -> Call {
    let mut arguments = [0; 6];
    arguments[..first.len()].copy_from_slice(first);
    Call { number: number(Table::X86_64, name), architecture: Table::X86_64.audit(), arguments }
}

/// What `profile` answers to `call`.
fn answer(profile: Value, call: &Call) -> u32 {
    run(&compiled(profile).0.instructions, call)
}

/// A profile that allows everything but what `rules` say.
fn but(rules: &Value) -> Value {
    json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": rules})
}

#[test]
fn every_action_has_its_answer() {
    let cases = [
        ("SCMP_ACT_KILL", None, libc::SECCOMP_RET_KILL_THREAD),
        ("SCMP_ACT_KILL_THREAD", None, libc::SECCOMP_RET_KILL_THREAD),
        ("SCMP_ACT_KILL_PROCESS", None, KILL),
        ("SCMP_ACT_TRAP", None, libc::SECCOMP_RET_TRAP),
        ("SCMP_ACT_ERRNO", None, PERMISSION),
        ("SCMP_ACT_ERRNO", Some(0), ERRNO),
        ("SCMP_ACT_ERRNO", Some(4095), ERRNO | 4095),
        ("SCMP_ACT_TRACE", None, libc::SECCOMP_RET_TRACE | 1),
        ("SCMP_ACT_TRACE", Some(65_535), libc::SECCOMP_RET_TRACE | 65_535),
        ("SCMP_ACT_LOG", None, libc::SECCOMP_RET_LOG),
        ("SCMP_ACT_ALLOW", None, ALLOW),
        ("SCMP_ACT_NOTIFY", None, libc::SECCOMP_RET_USER_NOTIF),
    ];
    for (action, errno, expected) in cases {
        let mut rule = json!({"names": ["mount"], "action": action});
        let mut profile =
            json!({"defaultAction": action, "syscalls": [{"names": ["umask"], "action": "SCMP_ACT_TRAP"}]});
        if let Some(errno) = errno {
            rule["errnoRet"] = json!(errno);
            profile["defaultErrnoRet"] = json!(errno);
        }
        let mut by_rule = json!({"defaultAction": "SCMP_ACT_TRAP", "listenerPath": "/s", "syscalls": [rule]});
        by_rule["architectures"] = json!(["SCMP_ARCH_X86_64"]);
        assert_eq!(answer(by_rule, &call("mount", &[])), expected, "{action} {errno:?}");
        if action != "SCMP_ACT_NOTIFY" {
            assert_eq!(answer(profile, &call("getpid", &[])), expected, "default {action} {errno:?}");
        }
    }
}

#[test]
fn every_operator_compares_all_64_bits() {
    const FAR: u64 = 0x5_0000_0007;
    /// Operator, value, second value, arguments for which it holds, for which it does not.
    type Case = (&'static str, u64, u64, &'static [u64], &'static [u64]);
    let cases: [Case; 9] = [
        ("SCMP_CMP_EQ", FAR, 0, &[FAR], &[7, FAR - 1, FAR + (1 << 32)]),
        ("SCMP_CMP_NE", FAR, 0, &[7, FAR - 1, FAR + (1 << 32)], &[FAR]),
        ("SCMP_CMP_GT", FAR, 0, &[FAR + 1, 6 << 32, u64::MAX], &[FAR, 0xffff_ffff, (4 << 32) | 9]),
        ("SCMP_CMP_GE", FAR, 0, &[FAR, FAR + 1, 6 << 32], &[FAR - 1, 0xffff_ffff, (4 << 32) | 9]),
        ("SCMP_CMP_LT", FAR, 0, &[FAR - 1, 0xffff_ffff, (4 << 32) | 9], &[FAR, FAR + 1, 6 << 32]),
        ("SCMP_CMP_LE", FAR, 0, &[FAR, FAR - 1, 0xffff_ffff], &[FAR + 1, 6 << 32]),
        (
            "SCMP_CMP_MASKED_EQ",
            0xf0_0000_000f,
            0x50_0000_0007,
            &[0x50_0000_0007, 0x5f_1111_1117],
            &[7, 0x50_0000_0017 + 1],
        ),
        // Bits outside of the mask do not count.
        ("SCMP_CMP_MASKED_EQ", 0xff, 0x1_0003, &[3, 0x103], &[2]),
        ("SCMP_CMP_MASKED_EQ", 0, 0, &[0, u64::MAX], &[]),
    ];
    for (operator, value, second, hold, do_not) in cases {
        let profile = but(&json!([{"names": ["lseek"], "action": "SCMP_ACT_TRAP",
            "args": [{"index": 1, "value": value, "valueTwo": second, "op": operator}]}]));
        let of = |argument: u64| answer(profile.clone(), &call("lseek", &[0, argument]));
        for argument in hold {
            assert_eq!(of(*argument), libc::SECCOMP_RET_TRAP, "{argument:#x} {operator} {value:#x}");
        }
        for argument in do_not {
            assert_eq!(of(*argument), ALLOW, "{argument:#x} {operator} {value:#x}");
        }
    }
}

#[test]
fn arguments_of_a_rule_are_anded_and_rules_of_a_call_ored() {
    let test = |index: u64, value: u64| json!({"index": index, "value": value, "op": "SCMP_CMP_EQ"});
    let profile = but(&json!([
        {"names": ["socket"], "action": "SCMP_ACT_TRAP", "args": [test(0, 16), test(2, 9)]},
        {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [test(0, 40)]},
        {"names": ["bind", "socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5, "args": [test(1, 3)]},
    ]));
    let cases: [(&str, &[u64], u32); 6] = [
        ("socket", &[16, 0, 9], libc::SECCOMP_RET_TRAP),
        ("socket", &[16, 0, 8], ALLOW),
        ("socket", &[40, 0, 9], PERMISSION),
        ("socket", &[40, 3, 0], PERMISSION),
        ("socket", &[1, 3, 0], ERRNO | 5),
        ("bind", &[16, 3, 9], ERRNO | 5),
    ];
    for (name, arguments, expected) in cases {
        assert_eq!(answer(profile.clone(), &call(name, arguments)), expected, "{name} {arguments:?}");
    }
}

#[test]
fn rules_are_ranked_as_libseccomp_ranks_them() {
    let test = json!([{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]);
    // Without conditions outranks with, wherever it stands; the default's action says nothing.
    let profile = but(&json!([
        {"names": ["bind"], "action": "SCMP_ACT_TRAP", "args": test},
        {"names": ["bind"], "action": "SCMP_ACT_ERRNO"},
        {"names": ["bind"], "action": "SCMP_ACT_LOG"},
        {"names": ["listen"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["listen"], "action": "SCMP_ACT_ERRNO"},
    ]));
    assert_eq!(answer(profile.clone(), &call("bind", &[1])), PERMISSION);
    assert_eq!(answer(profile, &call("listen", &[])), PERMISSION);
    // An argument that is tested twice in one rule: each test counts by itself, and that is told.
    let twice =
        json!([{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}]);
    let (filter, warnings) =
        compiled(but(&json!([{"names": ["bind"], "action": "SCMP_ACT_ERRNO", "args": twice}])));
    assert_eq!(
        [1, 2, 3].map(|value| run(&filter.instructions, &call("bind", &[value]))),
        [PERMISSION, PERMISSION, ALLOW]
    );
    assert!(warnings[0].contains("linux.seccomp.syscalls[0].args"), "{warnings:?}");
}

#[test]
fn architectures_have_numbers_of_their_own_and_others_are_killed() {
    let profile = json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
        "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_ERRNO"}]});
    let (filter, _) = compiled(profile.clone());
    let of =
        |architecture, number| run(&filter.instructions, &Call { number, architecture, arguments: [0; 6] });
    assert_eq!(of(Table::X86_64.audit(), 165), PERMISSION);
    assert_eq!(of(Table::X86_64.audit(), 21), ALLOW);
    assert_eq!(of(Table::X86.audit(), 21), PERMISSION);
    assert_eq!(of(Table::X86.audit(), 165), ALLOW);
    assert_eq!(of(Table::Aarch64.audit(), 40), KILL);
    assert_eq!(of(0, 165), KILL);
    // x32 shares an architecture with x86-64 and is not listed.
    assert_eq!(of(Table::X86_64.audit(), X32 | 39), KILL);
    assert_eq!(of(Table::X86_64.audit(), u32::MAX), ALLOW, "a call that a tracer skips");
    let mut with_x32 = profile;
    with_x32["architectures"] = json!(["SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"]);
    with_x32["syscalls"][0]["names"] = json!(["mount", "execve"]);
    let (filter, _) = compiled(with_x32);
    let of =
        |architecture, number| run(&filter.instructions, &Call { number, architecture, arguments: [0; 6] });
    assert_eq!(of(Table::X86_64.audit(), X32 | 165), PERMISSION);
    assert_eq!(of(Table::X86_64.audit(), X32 | 520), PERMISSION, "execve has a number of its own there");
    assert_eq!(of(Table::X86_64.audit(), X32 | 59), ALLOW);
    assert_eq!(of(Table::Aarch64.audit(), 40), PERMISSION);
}

#[test]
fn calls_newer_than_the_profile_are_not_there_unless_they_would_pass() {
    let newest = number(Table::X86_64, "clone3");
    let newer = |default: &str| {
        let profile = json!({"defaultAction": default, "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [{"names": ["read", "clone3"], "action": "SCMP_ACT_TRAP"}]});
        let call = |number| Call { number, ..call("read", &[]) };
        [newest - 1, newest, newest + 1, 9999].map(|number| answer(profile.clone(), &call(number)))
    };
    const TRAP: u32 = libc::SECCOMP_RET_TRAP;
    assert_eq!(newer("SCMP_ACT_ERRNO"), [PERMISSION, TRAP, NOT_THERE, NOT_THERE]);
    assert_eq!(newer("SCMP_ACT_KILL_PROCESS"), [KILL, TRAP, NOT_THERE, NOT_THERE]);
    assert_eq!(newer("SCMP_ACT_ALLOW"), [ALLOW, TRAP, ALLOW, ALLOW]);
    assert_eq!(
        newer("SCMP_ACT_LOG"),
        [libc::SECCOMP_RET_LOG, TRAP, libc::SECCOMP_RET_LOG, libc::SECCOMP_RET_LOG]
    );
}

#[test]
fn what_cannot_be_carried_out_is_refused_by_its_place() {
    let rule = |rule: Value| json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]});
    let one = |action: &str, more: Value| {
        let mut all = json!({"names": ["bind"], "action": action});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rule(all)
    };
    let cases = [
        (json!({"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/s"}), "linux.seccomp.defaultAction"),
        (json!({"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1}), "linux.seccomp.defaultErrnoRet"),
        (
            json!({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4096}),
            "linux.seccomp.defaultErrnoRet",
        ),
        (
            json!({"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "m"}),
            "linux.seccomp.listenerMetadata",
        ),
        (rule(json!({"names": [], "action": "SCMP_ACT_ERRNO"})), "linux.seccomp.syscalls[0].names"),
        (rule(json!({"names": [""], "action": "SCMP_ACT_ERRNO"})), "linux.seccomp.syscalls[0].names"),
        (one("SCMP_ACT_KILL", json!({"errnoRet": 1})), "linux.seccomp.syscalls[0].errnoRet"),
        (one("SCMP_ACT_ERRNO", json!({"errnoRet": 0x7fff_0000})), "linux.seccomp.syscalls[0].errnoRet"),
        (one("SCMP_ACT_TRACE", json!({"errnoRet": 65_536})), "linux.seccomp.syscalls[0].errnoRet"),
        (one("SCMP_ACT_NOTIFY", json!({})), "linux.seccomp.listenerPath"),
        (
            one("SCMP_ACT_TRAP", json!({"args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]})),
            "linux.seccomp.syscalls[0].args[0].index",
        ),
    ];
    for (profile, place) in cases {
        let told = compile(&read(profile.clone())).unwrap_err().to_string();
        assert!(told.contains(&format!(": {place}: ")), "{told} for {profile}");
    }
    for (path, name, place) in [("s", "bind", "listenerPath"), ("/s", "write", "syscalls[0].names")] {
        let profile = json!({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": path,
            "syscalls": [{"names": [name], "action": "SCMP_ACT_NOTIFY"}]});
        let told = compile(&read(profile)).unwrap_err().to_string();
        assert!(told.contains(place), "{told}");
    }
}

#[test]
fn unknown_calls_and_architectures_are_left_out_and_told() {
    let profile = json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_MIPS", "SCMP_ARCH_NATIVE"],
        "syscalls": [{"names": ["no_such_call", "mount"], "action": "SCMP_ACT_ERRNO"}]});
    let (filter, warnings) = compiled(profile);
    assert_eq!(run(&filter.instructions, &call("mount", &[])), PERMISSION);
    assert!(warnings[0].contains("architectures: SCMP_ARCH_MIPS left out"), "{warnings:?}");
    assert!(warnings[1].contains("unknown calls left out: no_such_call"), "{warnings:?}");
}

#[test]
fn flags_and_the_listener_go_along() {
    let notify = json!([{"names": ["bind"], "action": "SCMP_ACT_NOTIFY"}]);
    let of = |flags: Value, rules: &Value| {
        let (filter, warnings) =
            compiled(json!({"defaultAction": "SCMP_ACT_ALLOW", "flags": flags, "syscalls": rules,
            "listenerPath": "/run/agent", "listenerMetadata": "m"}));
        (filter.flags, filter.listener, warnings.len())
    };
    let listener = Some(Listener { path: "/run/agent".into(), metadata: "m".into() });
    // TSYNC 1, LOG 2, SPEC_ALLOW 4, NEW_LISTENER 8, WAIT_KILLABLE_RECV 32.
    let wait = json!(["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]);
    assert_eq!(of(Value::Null, &json!([])), (4, None, 0));
    assert_eq!(of(json!([]), &json!([])), (0, None, 0));
    assert_eq!(of(json!(["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"]), &json!([])), (2, None, 0));
    assert_eq!(of(json!(["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]), &notify), (12, listener.clone(), 0));
    assert_eq!(of(wait.clone(), &notify), (40, listener, 0));
    assert_eq!(of(wait, &json!([])), (0, None, 1));
}

/// A profile of the shape and size that engines ship: nearly everything is allowed by name on three architectures, some by
/// their arguments, and `clone3` is said not to be there.
fn large_profile() -> Value {
    const REFUSED: [&str; 12] = [
        "add_key",
        "bpf",
        "clone",
        "clone3",
        "init_module",
        "kexec_load",
        "mount",
        "personality",
        "ptrace",
        "reboot",
        "socket",
        "swapon",
    ];
    let mut names: Vec<String> =
        Table::ALL.iter().flat_map(|table| table.names()).map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| !REFUSED.contains(&name.as_str()));
    let personality = |value: u64| json!({"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": value, "op": "SCMP_CMP_EQ"}]});
    let namespaces = json!([{"index": 0, "value": 0x7e02_0000, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]);
    let mut rules = vec![
        json!({"names": names, "action": "SCMP_ACT_ALLOW"}),
        json!({"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": namespaces}),
        json!({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}),
        json!({"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_NE"}]}),
        json!({"names": ["bpf", "mount"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}),
    ];
    rules.extend([0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff].map(personality));
    json!({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "syscalls": rules,
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]})
}

#[test]
fn a_profile_as_engines_ship_it_compiles_and_decides() {
    let (filter, warnings) = compiled(large_profile());
    assert_eq!(warnings, Vec::<String>::new());
    assert!(filter.instructions.len() < MOST / 2, "{} instructions", filter.instructions.len());
    let cases: [(&str, &[u64], u32); 9] = [
        ("read", &[], ALLOW),
        ("execve", &[], ALLOW),
        ("mount", &[], PERMISSION),
        ("clone", &[0x11], ALLOW),
        ("clone", &[0x1000_0000], PERMISSION),
        ("clone3", &[], NOT_THERE),
        ("personality", &[0xffff_ffff], ALLOW),
        ("personality", &[0x4_0000], PERMISSION),
        ("socket", &[40], PERMISSION),
    ];
    for (name, arguments, expected) in cases {
        assert_eq!(run(&filter.instructions, &call(name, arguments)), expected, "{name} {arguments:x?}");
    }
    let profile = read(large_profile());
    for table in Table::ALL {
        for number in (0..700).chain([X32 - 1, u32::MAX]) {
            for base in [0, X32] {
                let call = Call { number: base | number, architecture: table.audit(), arguments: [0; 6] };
                assert_eq!(
                    run(&filter.instructions, &call),
                    twin::judge(&profile, &call),
                    "{table:?} {call:?}"
                );
            }
        }
    }
}

#[test]
fn a_filter_that_the_kernel_would_not_take_is_refused() {
    let rules: Vec<Value> = (0..2000)
        .map(|value| json!({"names": ["bind"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": value, "op": "SCMP_CMP_EQ"}]}))
        .collect();
    let told = compile(&read(but(&json!(rules)))).unwrap_err().to_string();
    assert!(told.contains("the kernel takes 4096"), "{told}");
}

#[test]
fn each_call_may_have_an_answer_of_its_own() {
    // So many ranges that halves of the search are longer than a conditional jump reaches.
    let rule = |name: &str| {
        let errno = number(Table::X86_64, name) + 1;
        json!({"names": [name], "action": "SCMP_ACT_ERRNO", "errnoRet": errno})
    };
    let names = Table::X86_64.names();
    let profile = but(&Value::from(names.iter().map(|name| rule(name)).collect::<Vec<_>>()));
    let (filter, _) = compiled(profile);
    assert!(filter.instructions.len() > 600, "{} instructions", filter.instructions.len());
    for name in names {
        let call = call(name, &[]);
        assert_eq!(run(&filter.instructions, &call), ERRNO | (call.number + 1), "{name}");
    }
}
