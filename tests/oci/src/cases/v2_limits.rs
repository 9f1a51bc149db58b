//! Limits in the words of control groups version 2: what version 1 counts otherwise, and what it has not got.

use serde_json::{Value, json};

use super::cgroups::refused;
use crate::bed::Bed;
use crate::check::{Verdict, equal, holds};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "v2_limits", cases: CASES };

const MEBIBYTE: u64 = 1 << 20;

/// With these resources the files say that, each one of these.
fn gives(bed: &mut Bed, resources: &Value, expected: &[(&str, &[&str])]) -> Verdict {
    bed.set(json!({ "linux": { "resources": resources } }));
    bed.create()?;
    for (file, accepted) in expected {
        let said = bed.limit("", file)?;
        holds(&format!("{file}: {said:?} is one of {accepted:?}"), accepted.contains(&said.as_str()))?;
    }
    Ok(())
}

const CASES: &[Case] = &[
    case("no_swap", "config-linux.md#memory: swap is memory and swap together: as much as memory is none", |bed| {
        let resources = json!({ "memory": { "limit": 64 * MEBIBYTE, "swap": 64 * MEBIBYTE } });
        gives(bed, &resources, &[("memory.max", &["67108864"]), ("memory.swap.max", &["0"])])
    })
    .of_v2(),
    case("swap_without_limit", "config-linux.md#memory: -1 is unlimited", |bed| {
        let resources = json!({ "memory": { "limit": 64 * MEBIBYTE, "swap": -1 } });
        gives(bed, &resources, &[("memory.max", &["67108864"]), ("memory.swap.max", &["max"])])
    })
    .of_v2(),
    case("neither_memory_nor_swap_is_limited", "config-linux.md#memory: -1 is unlimited", |bed| {
        let resources = json!({ "memory": { "limit": -1, "swap": -1 } });
        gives(bed, &resources, &[("memory.max", &["max"]), ("memory.swap.max", &["max"])])
    })
    .of_v2(),
    case(
        "swap_needs_a_limit_of_memory",
        "config-linux.md#memory: memory and swap together; without memory's part there is none of swap",
        |bed| refused(bed, &json!({ "memory": { "swap": 64 * MEBIBYTE } })),
    )
    .of_v2(),
    case("the_fewest_shares", "config-linux.md#cpu: shares: 2 to 262144 are cpu.weight 1 to 10000", |bed| {
        gives(bed, &json!({ "cpu": { "shares": 2 } }), &[("cpu.weight", &["1"])])
    })
    .of_v2(),
    case("the_most_shares", "config-linux.md#cpu: shares: 2 to 262144 are cpu.weight 1 to 10000", |bed| {
        gives(bed, &json!({ "cpu": { "shares": 262_144 } }), &[("cpu.weight", &["10000"])])
    })
    .of_v2(),
    case("the_default_shares", "config-linux.md#cpu: shares: 1024 is what everybody has", |bed| {
        // By the line through both ends, or by the newer curve on which it is the default of version 2, too.
        gives(bed, &json!({ "cpu": { "shares": 1024 } }), &[("cpu.weight", &["39", "100"])])
    })
    .of_v2(),
    case("a_period_alone", "config-linux.md#cpu: period in microseconds, the quota as it was", |bed| {
        gives(bed, &json!({ "cpu": { "period": 50_000 } }), &[("cpu.max", &["max 50000"])])
    })
    .of_v2(),
    case("real_time", "config-linux.md#cpu: realtimeRuntime: what can't be converted is an error", |bed| {
        refused(bed, &json!({ "cpu": { "realtimeRuntime": 1000, "realtimePeriod": 100_000 } }))
    })
    .of_v2(),
    case("several_files", "config-linux.md#unified: keys are files of the group, values what they get", |bed| {
        let files = json!({
            "memory.high": "33554432", "memory.oom.group": "1", "pids.max": "33", "cpu.weight": "77",
            "cgroup.max.descendants": "9", "cpu.max": "20000 50000"
        });
        gives(
            bed,
            &json!({ "unified": files }),
            &[
                ("memory.high", &["33554432"]),
                ("memory.oom.group", &["1"]),
                ("pids.max", &["33"]),
                ("cpu.weight", &["77"]),
                ("cgroup.max.descendants", &["9"]),
                ("cpu.max", &["20000 50000"]),
            ],
        )
    })
    .of_v2(),
    case("files_by_their_names_come_last", "runc#unified: after all other resources", |bed| {
        let resources = json!({ "pids": { "limit": 10 }, "memory": { "limit": 64 * MEBIBYTE },
            "unified": { "pids.max": "20", "memory.max": "33554432" } });
        gives(bed, &resources, &[("pids.max", &["20"]), ("memory.max", &["33554432"])])
    })
    .of_v2(),
    case("no_such_file", "config-linux.md#unified: must be written to the file; there is none", |bed| {
        refused(bed, &json!({ "unified": { "memory.nothing": "1" } }))
    })
    .of_v2(),
    case("no_such_value", "config-linux.md#unified: must be written to the file; the kernel refuses it", |bed| {
        refused(bed, &json!({ "unified": { "pids.max": "many" } }))
    })
    .of_v2(),
    case("no_way_out_of_the_group", "config-linux.md#unified: keys are files of the container's group", |bed| {
        refused(bed, &json!({ "unified": { "../memory.high": "33554432" } }))
    })
    .of_v2(),
    case("a_container_that_is_killed_as_a_whole", "config-linux.md#unified: memory.oom.group", |bed| {
        bed.set(json!({ "linux": { "resources": { "memory": { "limit": 48 * MEBIBYTE, "swap": 48 * MEBIBYTE },
            "unified": { "memory.oom.group": "1" } } } }));
        bed.deeds(&["child touch-memory 209715200"]);
        let said = bed.run()?;
        equal("exit status of the whole", said.code, 128 + 9)
    })
    .of_v2(),
    case("controllers_come_down_any_depth", "config-linux.md#unified: needed controllers must be enabled", |bed| {
        let path = format!("/{}-group/a/b/c", bed.id);
        bed.set(json!({ "linux": { "cgroupsPath": path, "resources": {
            "pids": { "limit": 44 }, "memory": { "limit": 64 * MEBIBYTE }, "cpu": { "shares": 262_144 } } } }));
        let kept = bed.create().and_then(|()| {
            for (file, value) in [("pids.max", "44"), ("memory.max", "67108864"), ("cpu.weight", "10000")] {
                equal(file, bed.limit("", file)?, value)?;
            }
            Ok(())
        });
        let id = bed.id.clone();
        let gone = bed.call(&["delete", "--force", &id]).map(drop);
        // Folders on the way are for whoever cares for them.
        for group in bed.host.groups_called(&format!("{id}-group")) {
            for inner in ["a/b", "a", ""] {
                let _ = std::fs::remove_dir(group.join(inner));
            }
        }
        kept.and(gone)
    })
    .of_v2(),
];
