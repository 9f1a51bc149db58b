//! Resource limits of the process (setrlimit(2)).

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::check::{Verdict, equal};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "limits", cases: CASES };

fn limit(bed: &mut Bed, kind: &str, soft: u64, hard: u64) {
    bed.set(json!({ "process": { "rlimits": [{ "type": kind, "soft": soft, "hard": hard }] } }));
}

fn is(bed: &mut Bed, kind: &str, name: &str, soft: u64, hard: u64) -> Verdict {
    limit(bed, kind, soft, hard);
    equal(name, &bed.seen()?["limits"][name], &json!([soft.to_string(), hard.to_string()]))
}

const CASES: &[Case] = &[
    case("open_files", "config.md#posix-process: rlimits: soft and hard are what getrlimit says", |bed| {
        // Runtimes in Go of some years raise the soft limit to the hard one.
        is(bed, "RLIMIT_NOFILE", "Max open files", 1024, 1024)
    }),
    case("size_of_core_files", "config.md#posix-process: rlimits: a limit may be 0", |bed| {
        is(bed, "RLIMIT_CORE", "Max core file size", 0, 0)
    }),
    case("processor_time", "config.md#posix-process: rlimits: RLIMIT_CPU", |bed| {
        is(bed, "RLIMIT_CPU", "Max cpu time", 100, 200)
    }),
    case("size_of_files", "config.md#posix-process: rlimits: RLIMIT_FSIZE", |bed| {
        is(bed, "RLIMIT_FSIZE", "Max file size", 1 << 20, 1 << 21)
    }),
    case("size_of_data", "config.md#posix-process: rlimits: RLIMIT_DATA", |bed| {
        is(bed, "RLIMIT_DATA", "Max data size", 1 << 30, 1 << 31)
    }),
    case("size_of_the_stack", "config.md#posix-process: rlimits: RLIMIT_STACK", |bed| {
        is(bed, "RLIMIT_STACK", "Max stack size", 4 << 20, 8 << 20)
    }),
    case("processes", "config.md#posix-process: rlimits: RLIMIT_NPROC", |bed| {
        is(bed, "RLIMIT_NPROC", "Max processes", 4000, 5000)
    }),
    case("locked_memory", "config.md#posix-process: rlimits: RLIMIT_MEMLOCK", |bed| {
        is(bed, "RLIMIT_MEMLOCK", "Max locked memory", 65536, 65536)
    }),
    case("address_space", "config.md#posix-process: rlimits: RLIMIT_AS", |bed| {
        is(bed, "RLIMIT_AS", "Max address space", 1 << 33, 1 << 34)
    }),
    case(
        "nice_values_and_priorities",
        "config.md#posix-process: rlimits: RLIMIT_NICE and RLIMIT_RTPRIO",
        |bed| {
            bed.set(json!({ "process": { "rlimits": [
            { "type": "RLIMIT_NICE", "soft": 0, "hard": 0 }, { "type": "RLIMIT_RTPRIO", "soft": 0, "hard": 0 },
            { "type": "RLIMIT_SIGPENDING", "soft": 100, "hard": 200 }, { "type": "RLIMIT_LOCKS", "soft": 7, "hard": 8 },
            { "type": "RLIMIT_MSGQUEUE", "soft": 4096, "hard": 8192 }
        ] } }));
            let seen = bed.seen()?;
            for (name, expected) in [
                ("Max nice priority", ["0", "0"]),
                ("Max realtime priority", ["0", "0"]),
                ("Max pending signals", ["100", "200"]),
                ("Max file locks", ["7", "8"]),
                ("Max msgqueue size", ["4096", "8192"]),
            ] {
                equal(name, &seen["limits"][name], &json!(expected))?;
            }
            Ok(())
        },
    ),
    case(
        "without_limits_they_are_the_runtime_s",
        "config.md#posix-process: rlimits allows to set; what is not set is not changed",
        |bed| {
            let text = std::fs::read_to_string("/proc/self/limits")?;
            let own = text.lines().find_map(|line| line.strip_prefix("Max processes")).unwrap_or_default();
            let own: Vec<Value> = own.split_whitespace().take(2).map(Value::from).collect();
            equal("Max processes", &bed.seen()?["limits"]["Max processes"], &Value::Array(own))
        },
    ),
    case("a_kind_is_given_once", "config.md#posix-process: two rlimits of one type must be refused", |bed| {
        bed.set(json!({ "process": { "rlimits": [
            { "type": "RLIMIT_NOFILE", "soft": 600, "hard": 600 }, { "type": "RLIMIT_NOFILE", "soft": 512, "hard": 512 }
        ] } }));
        bed.refused()
    }),
    case(
        "no_such_kind",
        "config.md#posix-process: a type that the kernel has not got must be refused",
        |bed| {
            limit(bed, "RLIMIT_HAPPINESS", 1, 1);
            bed.refused()
        },
    ),
    case(
        "soft_above_hard",
        "config.md#posix-process: getrlimit must say what is configured, or it is an error",
        |bed| {
            limit(bed, "RLIMIT_NOFILE", 200, 100);
            bed.refused_or_not_started()
        },
    ),
];
