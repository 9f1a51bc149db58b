//! Where and when a process runs and where its memory comes from: policies, processors, priorities, clocks.

use std::process::Command;

use serde_json::{Value, json};

use crate::bed::{Bed, answers};
use crate::check::{Verdict, equal, holds, skip};
use crate::host::linux;
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "placement", cases: CASES };

/// The policy of the program's memory as the kernel tells it for the first of its areas.
fn policy(bed: &mut Bed, wanted: &Value) -> Verdict<String> {
    if !std::path::Path::new("/proc/self/numa_maps").exists() {
        return skip("this kernel has no NUMA");
    }
    bed.set(json!({ "linux": { "memoryPolicy": wanted } }));
    let answers = bed.ask(&["read /proc/self/numa_maps"])?;
    let text = answers[0].as_str().unwrap_or_default();
    Ok(text.lines().next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned())
}

/// The policy is that, or one of them: kernels write one more flag.
fn is(bed: &mut Bed, wanted: &Value, expected: &[&str]) -> Verdict {
    let found = policy(bed, wanted)?;
    holds(&format!("{found:?} is one of {expected:?}"), expected.contains(&found.as_str()))
}

/// What is refused at the latest by the kernel.
fn no_policy(bed: &mut Bed, wanted: &Value) -> Verdict {
    if !std::path::Path::new("/proc/self/numa_maps").exists() {
        return skip("this kernel has no NUMA");
    }
    bed.set(json!({ "linux": { "memoryPolicy": wanted } }));
    bed.refused_or_not_started()
}

/// `chrt` or `ionice` about the container's process.
fn asked_of(bed: &mut Bed, program: &str, options: &[&str]) -> Verdict<String> {
    bed.up()?;
    let pid = bed.pid()?.to_string();
    let Ok(said) = Command::new(program).args(options).arg(pid).output() else {
        return skip(format!("there is no {program} (of util-linux) to ask"));
    };
    Ok(String::from_utf8_lossy(&said.stdout).into_owned())
}

/// A further process with these fields changed; what it sees.
fn further(bed: &mut Bed, fields: Value) -> Verdict<Value> {
    let mut process = bed.config["process"].clone();
    process["args"] = json!(["/probe", "see"]);
    crate::check::merge(&mut process, fields);
    std::fs::write(bed.file("process.json"), process.to_string())?;
    let (id, file) = (bed.id.clone(), bed.place("process.json"));
    let said = bed.must(&["exec", "--process", &file, &id])?;
    Ok(answers(&said.out)?[0].take())
}

/// A part of the processors' time for real-time policies, where the kernel gives groups of version 1 none by themselves.
fn real_time(bed: &mut Bed) {
    if std::path::Path::new("/sys/fs/cgroup/cpu/cpu.rt_runtime_us").exists() {
        bed.set(json!({ "linux": { "resources": { "cpu": { "realtimeRuntime": 10_000 } } } }));
    }
}

/// Runs a container whose scheduler is that; nice value, priority and policy of its program.
fn scheduled(bed: &mut Bed, scheduler: &Value) -> Verdict<Value> {
    bed.set(json!({ "process": { "scheduler": scheduler } }));
    Ok(bed.seen()?["scheduling"].take())
}

const CASES: &[Case] = &[
    case("memory_of_given_nodes", "config-linux.md#memory-policy: MPOL_BIND and its nodes", |bed| {
        is(bed, &json!({ "mode": "MPOL_BIND", "nodes": "0" }), &["bind:0"])
    })
    .since("1.3.0"),
    case("memory_by_turns", "config-linux.md#memory-policy: MPOL_INTERLEAVE and its nodes", |bed| {
        is(bed, &json!({ "mode": "MPOL_INTERLEAVE", "nodes": "0" }), &["interleave:0"])
    })
    .since("1.3.0"),
    case("memory_by_weights", "config-linux.md#memory-policy: MPOL_WEIGHTED_INTERLEAVE", |bed| {
        if linux()? < (6, 9) {
            return skip("Linux has it since 6.9");
        }
        is(bed, &json!({ "mode": "MPOL_WEIGHTED_INTERLEAVE", "nodes": "0" }), &["weighted interleave:0"])
            .or_else(|_| is(bed, &json!({ "mode": "MPOL_WEIGHTED_INTERLEAVE", "nodes": "0" }), &["weighted"]))
    })
    .since("1.3.0"),
    case("memory_of_a_node_first", "config-linux.md#memory-policy: MPOL_PREFERRED", |bed| {
        is(bed, &json!({ "mode": "MPOL_PREFERRED", "nodes": "0" }), &["prefer:0"])
    })
    .since("1.3.0"),
    case("memory_of_some_nodes_first", "config-linux.md#memory-policy: MPOL_PREFERRED_MANY", |bed| {
        is(bed, &json!({ "mode": "MPOL_PREFERRED_MANY", "nodes": "0" }), &["prefer (many):0", "prefer"])
    })
    .since("1.3.0"),
    case("memory_of_the_own_node", "config-linux.md#memory-policy: MPOL_LOCAL takes no nodes", |bed| {
        is(bed, &json!({ "mode": "MPOL_LOCAL" }), &["local"])
    })
    .since("1.3.0"),
    case("memory_as_ever", "config-linux.md#memory-policy: MPOL_DEFAULT takes no nodes", |bed| {
        is(bed, &json!({ "mode": "MPOL_DEFAULT" }), &["default"])
    })
    .since("1.3.0"),
    case("flags_of_a_memory_policy", "config-linux.md#memory-policy: flags go with the mode", |bed| {
        let wanted = |flag: &str| json!({ "mode": "MPOL_BIND", "nodes": "0", "flags": [flag] });
        is(bed, &wanted("MPOL_F_STATIC_NODES"), &["bind=static:0"])?;
        is(bed, &wanted("MPOL_F_RELATIVE_NODES"), &["bind=relative:0"])?;
        is(bed, &wanted("MPOL_F_NUMA_BALANCING"), &["bind=balancing:0", "bind:0"])
    })
    .since("1.3.0"),
    case("a_node_that_is_not_there", "config-linux.md#memory-policy: set_mempolicy(2) refuses it", |bed| {
        no_policy(bed, &json!({ "mode": "MPOL_BIND", "nodes": "999" }))
    })
    .since("1.3.0"),
    case("no_nodes", "config-linux.md#memory-policy: MPOL_BIND takes at least one node", |bed| {
        no_policy(bed, &json!({ "mode": "MPOL_BIND" }))
    })
    .since("1.3.0"),
    case("nodes_of_none", "config-linux.md#memory-policy: MPOL_DEFAULT takes no nodes", |bed| {
        no_policy(bed, &json!({ "mode": "MPOL_DEFAULT", "nodes": "0" }))
    })
    .since("1.3.0"),
    case("no_such_mode", "config-linux.md#memory-policy: mode is one of the list", |bed| {
        no_policy(bed, &json!({ "mode": "MPOL_ELSEWHERE", "nodes": "0" }))
    })
    .since("1.3.0"),
    case("no_such_flag", "config-linux.md#memory-policy: flags are of the list", |bed| {
        no_policy(bed, &json!({ "mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STRICT"] }))
    })
    .since("1.3.0"),
    case(
        "processors_of_exec_alone",
        "config.md#linux-process: execCPUAffinity is not applicable to the container's first process",
        |bed| {
            let before = std::fs::read_to_string("/proc/self/status")?;
            let line = before.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
            let own = line.unwrap_or_default().trim().to_owned();
            if own == "0" {
                return skip("this machine has one processor");
            }
            bed.set(json!({ "process": { "execCPUAffinity": { "initial": "0", "final": "0" } } }));
            equal("Cpus_allowed_list", &bed.seen()?["status"]["Cpus_allowed_list"], own.as_str())
        },
    )
    .since("1.2.1"),
    case(
        "processors_before_the_control_group",
        "config.md#linux-process: without final the kernel decides what the program has",
        |bed| {
            bed.up()?;
            // A group of cpuset that it comes to may give it all of its own.
            let all = further(bed, json!({}))?["status"]["Cpus_allowed_list"].take();
            let seen = further(bed, json!({ "execCPUAffinity": { "initial": "0" } }))?;
            let found = &seen["status"]["Cpus_allowed_list"];
            holds(&format!("{found} is 0 or {all}"), found == "0" || (bed.host.is_v2() && *found == all))
        },
    )
    .since("1.2.1"),
    case("a_processor_that_is_not_there", "config.md#linux-process: execCPUAffinity: CPUs of the machine", |bed| {
        bed.up()?;
        let mut process = bed.config["process"].clone();
        process["args"] = json!(["/probe", "exit", "0"]);
        process["execCPUAffinity"] = json!({ "initial": "4000" });
        std::fs::write(bed.file("process.json"), process.to_string())?;
        let (id, file) = (bed.id.clone(), bed.place("process.json"));
        bed.must_not(&["exec", "--process", &file, &id]).map(drop)
    })
    .since("1.2.1"),
    case("a_real_time_policy", "config.md#linux-process: scheduler: SCHED_FIFO and its priority", |bed| {
        real_time(bed);
        let found = scheduled(bed, &json!({ "policy": "SCHED_FIFO", "priority": 7 }))?;
        equal("policy (SCHED_FIFO is 1) and priority", (&found["policy"], &found["priority"]), (&json!(1), &json!(7)))
    })
    .since("1.1.0"),
    case("flags_of_a_policy", "config.md#linux-process: scheduler: flags go to sched_setattr", |bed| {
        real_time(bed);
        let flags = json!(["SCHED_FLAG_RESET_ON_FORK"]);
        bed.set(json!({ "process": { "scheduler": { "policy": "SCHED_RR", "priority": 3, "flags": flags } } }));
        let said = asked_of(bed, "chrt", &["--pid"])?;
        holds(&format!("SCHED_RR, reset on fork, 3: {said:?}"), said.contains("SCHED_RR|SCHED_RESET_ON_FORK") && said.contains(": 3"))
    })
    .since("1.1.0"),
    case("a_deadline", "config.md#linux-process: scheduler: SCHED_DEADLINE, runtime, deadline and period", |bed| {
        let times = json!({ "policy": "SCHED_DEADLINE", "runtime": 1_000_000, "deadline": 10_000_000, "period": 20_000_000 });
        bed.set(json!({ "process": { "scheduler": times } }));
        let said = asked_of(bed, "chrt", &["--pid"])?;
        holds(&format!("its times: {said:?}"), said.contains("SCHED_DEADLINE") && said.contains("1000000/10000000/20000000"))
    })
    .since("1.1.0"),
    case("a_priority_out_of_range", "config.md#linux-process: scheduler: what sched_setattr refuses", |bed| {
        bed.set(json!({ "process": { "scheduler": { "policy": "SCHED_FIFO", "priority": 100 } } }));
        bed.refused_or_not_started()
    })
    .since("1.1.0"),
    case("a_class_of_input_and_output", "config.md#linux-process: ioPriority: best effort and its level", |bed| {
        bed.set(json!({ "process": { "ioPriority": { "class": "IOPRIO_CLASS_BE", "priority": 6 } } }));
        let said = asked_of(bed, "ionice", &["-p"])?;
        equal("ionice", said.trim(), "best-effort: prio 6")
    })
    .since("1.1.0"),
    case("flags_of_a_personality", "config-linux.md#personality: no flags are supported", |bed| {
        bed.set(json!({ "linux": { "personality": { "domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"] } } }));
        bed.refused_or_not_started()
    })
    .since("1.1.0"),
    case("clocks_without_a_namespace", "config-linux.md#offset-for-time-namespace: of a new time namespace", |bed| {
        bed.set(json!({ "linux": { "timeOffsets": { "boottime": { "secs": 1000 } } } }));
        bed.refused_or_not_started()
    })
    .since("1.1.0"),
    case("no_such_clock", "config-linux.md#offset-for-time-namespace: the name of a clock is the key", |bed| {
        bed.namespace(json!({ "type": "time" }));
        bed.set(json!({ "linux": { "timeOffsets": { "sundial": { "secs": 1000 } } } }));
        bed.refused_or_not_started()
    })
    .since("1.1.0"),
    case("clocks_move", "config-linux.md#offset-for-time-namespace: the clock itself is shifted", |bed| {
        if !std::path::Path::new("/proc/self/ns/time").exists() {
            return skip("this kernel has no time namespaces");
        }
        bed.namespace(json!({ "type": "time" }));
        bed.set(json!({ "linux": { "timeOffsets": { "boottime": { "secs": 500_000_000 } } } }));
        let answers = bed.ask(&["read /proc/uptime"])?;
        let text = answers[0].as_str().unwrap_or_default();
        let up: f64 = text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or_default();
        holds(&format!("{up} s are more than 500000000"), up > 5e8)
    })
    .since("1.1.0"),
];
