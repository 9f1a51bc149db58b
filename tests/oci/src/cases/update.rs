//! update: one limit after another, as the kernel's files then say it, in either version of control groups.

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::check::{Verdict, equal, holds};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "update", cases: CASES };

const MEBIBYTE: u64 = 1 << 20;

/// What a file must say: controller, its name in version 1 and in version 2, and what is accepted.
type Wanted<'a> = (&'a str, [&'a str; 2], &'a [&'a str]);

fn say(bed: &mut Bed, all: &[Wanted]) -> Verdict {
    for (controller, [v1, v2], accepted) in all {
        let file = if bed.host.is_v2() { v2 } else { v1 };
        let said = bed.limit(controller, file)?;
        holds(&format!("{file}: {said:?} is one of {accepted:?}"), accepted.contains(&said.as_str()))?;
    }
    Ok(())
}

/// A container with these limits, running.
fn limited(bed: &mut Bed, resources: &Value) -> Verdict {
    bed.set(json!({ "linux": { "resources": resources } }));
    bed.up()
}

fn update(bed: &mut Bed, options: &[&str]) -> Verdict {
    let id = bed.id.clone();
    bed.must(&[&["update"], options, &[&id]].concat()).map(drop)
}

const QUOTA: [&str; 2] = ["cpu.cfs_quota_us", "cpu.max"];
const PERIOD: [&str; 2] = ["cpu.cfs_period_us", "cpu.max"];
const LIMIT: [&str; 2] = ["memory.limit_in_bytes", "memory.max"];
const SWAP: [&str; 2] = ["memory.memsw.limit_in_bytes", "memory.swap.max"];
const NO_LIMIT: &[&str] = &["9223372036854771712", "max"];

const CASES: &[Case] = &[
    case("more_memory_and_less", "runc#update: --memory (bytes), above and below what there was", |bed| {
        limited(bed, &json!({ "memory": { "limit": 64 * MEBIBYTE } }))?;
        for (bytes, text) in [(96 * MEBIBYTE, "100663296"), (48 * MEBIBYTE, "50331648")] {
            update(bed, &["--memory", &bytes.to_string()])?;
            say(bed, &[("memory", LIMIT, &[text])])?;
        }
        Ok(())
    }),
    case("memory_and_swap_at_once", "runc#update: --memory-swap is both together", |bed| {
        limited(bed, &json!({ "memory": { "limit": 64 * MEBIBYTE, "swap": 64 * MEBIBYTE } }))?;
        update(bed, &["--memory", "100663296", "--memory-swap", "134217728"])?;
        say(bed, &[("memory", LIMIT, &["100663296"]), ("memory", SWAP, &["134217728", "33554432"])])
    }),
    case("no_limit_of_memory_any_more", "runc#update: -1 is unlimited", |bed| {
        limited(bed, &json!({ "memory": { "limit": 64 * MEBIBYTE } }))?;
        update(bed, &["--memory", "-1", "--memory-swap", "-1"])?;
        say(bed, &[("memory", LIMIT, NO_LIMIT)])
    }),
    case("a_reservation", "runc#update: --memory-reservation (bytes)", |bed| {
        bed.up()?;
        update(bed, &["--memory-reservation", "33554432"])?;
        say(bed, &[("memory", ["memory.soft_limit_in_bytes", "memory.low"], &["33554432"])])
    }),
    case("no_quota_any_more", "runc#update: --cpu-quota -1 is none", |bed| {
        limited(bed, &json!({ "cpu": { "quota": 20_000, "period": 100_000 } }))?;
        update(bed, &["--cpu-quota", "-1"])?;
        say(bed, &[("cpu", QUOTA, &["-1", "max 100000"])])
    }),
    case("another_period_for_the_same_quota", "runc#update: --cpu-period alone; other limits stay", |bed| {
        limited(bed, &json!({ "cpu": { "quota": 20_000, "period": 100_000 } }))?;
        update(bed, &["--cpu-period", "50000"])?;
        say(bed, &[("cpu", QUOTA, &["20000", "20000 50000"]), ("cpu", PERIOD, &["50000", "20000 50000"])])
    }),
    case("no_limit_of_processes_any_more", "runc#update: --pids-limit -1 is none", |bed| {
        limited(bed, &json!({ "pids": { "limit": 30 } }))?;
        update(bed, &["--pids-limit", "-1"])?;
        say(bed, &[("pids", ["pids.max", "pids.max"], &["max"])])
    }),
    case("files_by_their_names", "runc#update: --resources with unified", |bed| {
        bed.up()?;
        let resources = json!({ "unified": { "memory.high": "33554432", "pids.max": "21" } });
        std::fs::write(bed.file("resources.json"), resources.to_string())?;
        let file = bed.place("resources.json");
        update(bed, &["--resources", &file])?;
        equal("memory.high", bed.limit("", "memory.high")?, "33554432")?;
        equal("pids.max", bed.limit("", "pids.max")?, "21")
    })
    .of_v2(),
    case("what_is_only_created", "runc#update: of a created container, too", |bed| {
        bed.create()?;
        update(bed, &["--pids-limit", "33"])?;
        say(bed, &[("pids", ["pids.max", "pids.max"], &["33"])])?;
        bed.start()
    }),
    case("what_is_paused", "runc#update: of a paused container, which stays paused", |bed| {
        bed.up()?;
        let id = bed.id.clone();
        bed.must(&["pause", &id])?;
        update(bed, &["--pids-limit", "33"])?;
        say(bed, &[("pids", ["pids.max", "pids.max"], &["33"])])?;
        equal("status", bed.state()?["status"].take(), "paused")?;
        bed.must(&["resume", &id]).map(drop)
    }),
    case("what_has_stopped", "runc#update: what does not run is an error", |bed| {
        bed.up()?;
        bed.stop()?;
        let id = bed.id.clone();
        bed.must_not(&["update", "--pids-limit", "33", &id]).map(drop)
    }),
    case("what_the_kernel_refuses", "runc#update: what can't be set is an error, other limits stay", |bed| {
        limited(bed, &json!({ "cpu": { "quota": 20_000, "period": 100_000 } }))?;
        let id = bed.id.clone();
        bed.must_not(&["update", "--cpu-quota", "5", &id])?;
        say(bed, &[("cpu", QUOTA, &["20000", "20000 100000"])])
    }),
    case("devices_stay_guarded", "config-linux.md#allowed-device-list: whatever else is updated", |bed| {
        bed.set(json!({ "linux": { "resources": { "devices": [{ "allow": false, "access": "rwm" },
            { "allow": true, "type": "c", "major": 1, "minor": 11, "access": "w" }] } } }));
        bed.up()?;
        update(bed, &["--pids-limit", "40"])?;
        let answers = bed.exec(
            &[],
            &[
                "mknod /tmp/kmsg 1 11",
                "open r /tmp/kmsg",
                "open w /tmp/kmsg",
                "mknod /tmp/mem 1 1",
                "open r /tmp/mem",
                "open rw /dev/null",
            ],
        )?;
        equal("opening them", answers, json!([null, 1, null, null, 1, null]))
    }),
];
