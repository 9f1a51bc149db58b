//! Filters of system calls.

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::check::{Verdict, equal, holds, wrong};
use crate::socket::Socket;
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "seccomp", cases: CASES };

/// SIGSYS, by which the kernel ends who made a forbidden call.
const BAD_CALL: i64 = 31;

/// All is allowed but what these rules say.
fn rules(bed: &mut Bed, rules: &Value) {
    bed.set(json!({ "linux": { "seccomp": {
        "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "syscalls": rules } } }));
}

/// With this action on `sethostname`, what another probe that calls it comes to.
fn action(bed: &mut Bed, action: Value) -> Verdict<Value> {
    let mut rule = json!({ "names": ["sethostname"] });
    crate::check::merge(&mut rule, action);
    rules(bed, &json!([rule]));
    Ok(bed.ask(&["child sethostname other"])?[0].take())
}

/// With these conditions on the new mode, what `chmod` to 700 and to 755 come to.
fn conditions(bed: &mut Bed, conditions: &Value) -> Verdict<Value> {
    rules(
        bed,
        &json!([
            { "names": ["chmod"], "action": "SCMP_ACT_ERRNO", "errnoRet": 99, "args": conditions },
            { "names": ["fchmodat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 98 }
        ]),
    );
    let answers = bed.ask(&["touch /tmp/file", "chmod /tmp/file 700", "chmod /tmp/file 755"])?;
    Ok(json!([answers[1], answers[2]]))
}

fn mode(value: u64, op: &str) -> Value {
    json!([{ "index": 1, "value": value, "op": op }])
}

/// A rule that must be refused.
fn refused(bed: &mut Bed, rule: &Value) -> Verdict {
    rules(bed, &json!([rule]));
    bed.refused_or_not_started()
}

const CASES: &[Case] = &[
    case("no_filter_by_default", "config-linux.md#seccomp: it is optional", |bed| {
        equal("Seccomp", &bed.seen()?["status"]["Seccomp"], "0")
    }),
    case("a_filter_is_there", "config-linux.md#seccomp: then the process has a filter", |bed| {
        rules(bed, &json!([{ "names": ["sethostname"], "action": "SCMP_ACT_ERRNO" }]));
        equal("Seccomp (2 is a filter)", &bed.seen()?["status"]["Seccomp"], "2")
    }),
    case("errno_is_eperm_by_default", "config-linux.md#seccomp: SCMP_ACT_ERRNO returns EPERM by default", |bed| {
        rules(bed, &json!([{ "names": ["getpriority"], "action": "SCMP_ACT_ERRNO" }]));
        equal("getpriority", &bed.ask(&["getpriority"])?[0], 1)
    }),
    case("errno_as_it_is_asked_for", "config-linux.md#seccomp: errnoRet is the number that is returned", |bed| {
        rules(bed, &json!([{ "names": ["getpriority"], "action": "SCMP_ACT_ERRNO", "errnoRet": 87 }]));
        equal("getpriority", &bed.ask(&["getpriority"])?[0], 87)
    }),
    case("errno_by_default", "config-linux.md#seccomp: defaultErrnoRet is for what no rule names", |bed| {
        // All that the probe and the runtime's last steps need is allowed by exclusion of one call's neighbours.
        bed.set(json!({ "linux": { "seccomp": { "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            { "names": ["getpriority", "setpriority"], "action": "SCMP_ACT_ERRNO", "errnoRet": 55 } ] } } }));
        equal("answers", bed.ask(&["getpriority", "setpriority 3"])?, json!([55, 55]))
    }),
    case("allow", "config-linux.md#seccomp: SCMP_ACT_ALLOW lets a call through", |bed| {
        rules(bed, &json!([{ "names": ["getpriority"], "action": "SCMP_ACT_ALLOW" }]));
        equal("getpriority", &bed.ask(&["getpriority"])?[0], &json!(null))
    }),
    case("log", "config-linux.md#seccomp: SCMP_ACT_LOG lets a call through", |bed| {
        rules(bed, &json!([{ "names": ["getpriority"], "action": "SCMP_ACT_LOG" }]));
        equal("getpriority", &bed.ask(&["getpriority"])?[0], &json!(null))
    }),
    case("kill", "config-linux.md#seccomp: SCMP_ACT_KILL ends the caller", |bed| {
        equal("signal", &action(bed, json!({ "action": "SCMP_ACT_KILL" }))?["signal"], BAD_CALL)
    }),
    case("kill_thread", "config-linux.md#seccomp: SCMP_ACT_KILL_THREAD ends the caller", |bed| {
        equal("signal", &action(bed, json!({ "action": "SCMP_ACT_KILL_THREAD" }))?["signal"], BAD_CALL)
    }),
    case("kill_process", "config-linux.md#seccomp: SCMP_ACT_KILL_PROCESS ends the process", |bed| {
        equal("signal", &action(bed, json!({ "action": "SCMP_ACT_KILL_PROCESS" }))?["signal"], BAD_CALL)
    }),
    case("trap", "config-linux.md#seccomp: SCMP_ACT_TRAP sends SIGSYS", |bed| {
        equal("signal", &action(bed, json!({ "action": "SCMP_ACT_TRAP" }))?["signal"], BAD_CALL)
    }),
    case("trace_without_a_tracer", "config-linux.md#seccomp: SCMP_ACT_TRACE without a tracer is ENOSYS (seccomp(2))", |bed| {
        equal("answer", &action(bed, json!({ "action": "SCMP_ACT_TRACE" }))?["out"], &json!([38]))
    }),
    case("equal_to", "config-linux.md#seccomp: SCMP_CMP_EQ on an argument", |bed| {
        equal("chmod 700, 755", conditions(bed, &mode(0o755, "SCMP_CMP_EQ"))?, json!([null, 99]))
    }),
    case("not_equal_to", "config-linux.md#seccomp: SCMP_CMP_NE on an argument", |bed| {
        equal("chmod 700, 755", conditions(bed, &mode(0o755, "SCMP_CMP_NE"))?, json!([99, null]))
    }),
    case("less_than", "config-linux.md#seccomp: SCMP_CMP_LT on an argument", |bed| {
        equal("chmod 700, 755", conditions(bed, &mode(0o755, "SCMP_CMP_LT"))?, json!([99, null]))
    }),
    case("less_or_equal", "config-linux.md#seccomp: SCMP_CMP_LE on an argument", |bed| {
        equal("chmod 700, 755", conditions(bed, &mode(0o755, "SCMP_CMP_LE"))?, json!([99, 99]))
    }),
    case("greater_than", "config-linux.md#seccomp: SCMP_CMP_GT on an argument", |bed| {
        equal("chmod 700, 755", conditions(bed, &mode(0o700, "SCMP_CMP_GT"))?, json!([null, 99]))
    }),
    case("greater_or_equal", "config-linux.md#seccomp: SCMP_CMP_GE on an argument", |bed| {
        equal("chmod 700, 755", conditions(bed, &mode(0o700, "SCMP_CMP_GE"))?, json!([99, 99]))
    }),
    case("masked_equal", "config-linux.md#seccomp: SCMP_CMP_MASKED_EQ: value is the mask, valueTwo the value", |bed| {
        let args = json!([{ "index": 1, "value": 0o077, "valueTwo": 0o055, "op": "SCMP_CMP_MASKED_EQ" }]);
        equal("chmod 700, 755", conditions(bed, &args)?, json!([null, 99]))
    }),
    case("several_conditions", "config-linux.md#seccomp: all args of a rule must match", |bed| {
        let args = json!([{ "index": 1, "value": 0o755, "op": "SCMP_CMP_EQ" }, { "index": 0, "value": 0, "op": "SCMP_CMP_EQ" }]);
        equal("chmod 700, 755", conditions(bed, &args)?, json!([null, null]))
    }),
    case("unknown_calls_do_not_matter", "config-linux.md#seccomp: names that this machine has not got have no effect", |bed| {
        rules(bed, &json!([{ "names": ["getpriority", "no_such_call_yet"], "action": "SCMP_ACT_ERRNO", "errnoRet": 12 }]));
        equal("getpriority", &bed.ask(&["getpriority"])?[0], 12)
    }),
    case("flags", "config-linux.md#seccomp: flags are those of seccomp(2)", |bed| {
        rules(bed, &json!([{ "names": ["getpriority"], "action": "SCMP_ACT_ERRNO" }]));
        bed.set(json!({ "linux": { "seccomp": { "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"] } } }));
        equal("getpriority", &bed.ask(&["getpriority"])?[0], 1)
    })
    .since("1.1.0"),
    case("with_no_new_privileges", "config-linux.md#seccomp: with noNewPrivileges too", |bed| {
        bed.set(json!({ "process": { "noNewPrivileges": true, "user": { "uid": 1000, "gid": 1000 } } }));
        rules(bed, &json!([{ "names": ["getpriority"], "action": "SCMP_ACT_ERRNO" }]));
        let answers = bed.ask(&["getpriority", "see"])?;
        equal("getpriority", &answers[0], 1)?;
        equal("NoNewPrivs", &answers[1]["status"]["NoNewPrivs"], "1")
    }),
    case("notify", "config-linux.md#the-container-process-state: the listener gets the state and seccompFd", |bed| {
        let socket = Socket::at(&bed.file("seccomp.sock"))?;
        rules(bed, &json!([{ "names": ["sethostname"], "action": "SCMP_ACT_NOTIFY" }]));
        let place = bed.place("seccomp.sock");
        bed.set(json!({ "linux": { "seccomp": { "listenerPath": place, "listenerMetadata": "some words" } } }));
        bed.deeds(&["wait"]);
        bed.create()?;
        bed.start()?;
        let message = socket.message()?;
        let state: Value = serde_json::from_str(&message.text)?;
        equal("fds", &state["fds"], &json!(["seccompFd"]))?;
        equal("descriptors", message.descriptors.len(), 1)?;
        equal("metadata", &state["metadata"], "some words")?;
        equal("id", state["state"]["id"].as_str(), Some(bed.id.as_str()))?;
        holds("ociVersion and pid are there", state["ociVersion"].is_string() && state["pid"].as_i64().is_some())?;
        let Some(descriptor) = message.descriptors.first() else { return wrong("no descriptor") };
        let number = std::os::fd::AsRawFd::as_raw_fd(descriptor);
        let link = std::fs::read_link(format!("/proc/self/fd/{number}"))?;
        equal("what the descriptor is", link.to_string_lossy().as_ref(), "anon_inode:seccomp notify")
    })
    .since("1.1.0"),
    case("notify_before_the_start", "config-linux.md#seccomp: who answers is there before the program is", |bed| {
        let socket = Socket::at(&bed.file("seccomp.sock"))?;
        rules(bed, &json!([{ "names": ["sethostname"], "action": "SCMP_ACT_NOTIFY" }]));
        let place = bed.place("seccomp.sock");
        bed.set(json!({ "linux": { "seccomp": { "listenerPath": place } } }));
        bed.create()?;
        let state: Value = serde_json::from_str(&socket.message()?.text)?;
        equal("pid", &state["pid"], bed.pid()?)?;
        equal("status", bed.state()?["status"].take(), "created")
    })
    .since("1.1.0"),
    case("nobody_listens", "config-linux.md#seccomp: if sending to listenerPath fails it must be refused", |bed| {
        rules(bed, &json!([{ "names": ["sethostname"], "action": "SCMP_ACT_NOTIFY" }]));
        let place = bed.place("nobody.sock");
        bed.set(json!({ "linux": { "seccomp": { "listenerPath": place } } }));
        bed.refused_or_not_started()
    })
    .since("1.1.0"),
    case("a_listener_that_is_not_used", "config-linux.md#seccomp: without SCMP_ACT_NOTIFY listenerPath is ignored", |bed| {
        rules(bed, &json!([{ "names": ["getpriority"], "action": "SCMP_ACT_ERRNO" }]));
        let place = bed.place("nobody.sock");
        bed.set(json!({ "linux": { "seccomp": { "listenerPath": place } } }));
        equal("getpriority", &bed.ask(&["getpriority"])?[0], 1)
    })
    .since("1.1.0"),
    case("metadata_without_a_listener", "config-linux.md#seccomp: listenerMetadata must not be without listenerPath", |bed| {
        rules(bed, &json!([{ "names": ["getpriority"], "action": "SCMP_ACT_ERRNO" }]));
        bed.set(json!({ "linux": { "seccomp": { "listenerMetadata": "x" } } }));
        bed.refused()
    })
    .since("1.1.0"),
    case("no_such_action", "config-linux.md#seccomp: action is one of a list", |bed| {
        refused(bed, &json!({ "names": ["getpriority"], "action": "SCMP_ACT_SMILE" }))
    }),
    case("no_such_operator", "config-linux.md#seccomp: op is one of a list", |bed| {
        refused(bed, &json!({ "names": ["chmod"], "action": "SCMP_ACT_ERRNO", "args": [{ "index": 0, "value": 1, "op": "SCMP_CMP_LIKE" }] }))
    }),
    case("no_such_architecture", "config-linux.md#seccomp: architectures are of a list", |bed| {
        bed.set(json!({ "linux": { "seccomp": { "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_ABACUS"],
            "syscalls": [{ "names": ["getpriority"], "action": "SCMP_ACT_ERRNO" }] } } }));
        bed.refused_or_not_started()
    }),
    case("no_such_flag", "config-linux.md#seccomp: flags are of a list", |bed| {
        rules(bed, &json!([{ "names": ["getpriority"], "action": "SCMP_ACT_ERRNO" }]));
        bed.set(json!({ "linux": { "seccomp": { "flags": ["SECCOMP_FILTER_FLAG_NOTHING"] } } }));
        bed.refused_or_not_started()
    })
    .since("1.1.0"),
    case("no_names", "config-linux.md#seccomp: names must have at least one entry", |bed| {
        refused(bed, &json!({ "names": [], "action": "SCMP_ACT_ERRNO" }))
    }),
    case("no_such_argument", "config-linux.md#seccomp: a call has six arguments, from 0", |bed| {
        refused(bed, &json!({ "names": ["chmod"], "action": "SCMP_ACT_ERRNO", "args": [{ "index": 6, "value": 1, "op": "SCMP_CMP_EQ" }] }))
    }),
    case("an_errno_that_can_not_be_returned", "config-linux.md#seccomp: errnoRet with an action that has none must be refused", |bed| {
        refused(bed, &json!({ "names": ["getpriority"], "action": "SCMP_ACT_KILL", "errnoRet": 5 }))
    })
    .since("1.1.0"),
    case("a_default_errno_that_can_not_be_returned", "config-linux.md#seccomp: defaultErrnoRet with an action that has none must be refused", |bed| {
        rules(bed, &json!([{ "names": ["getpriority"], "action": "SCMP_ACT_ERRNO" }]));
        bed.set(json!({ "linux": { "seccomp": { "defaultErrnoRet": 5 } } }));
        bed.refused_or_not_started()
    })
    .since("1.1.0"),
];
