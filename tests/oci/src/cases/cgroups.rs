//! Control groups: place and every resource, as the kernel's files then say it.

use std::fs;

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::check::{Verdict, equal, holds, skip};
use crate::host::said_in;
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "cgroups", cases: CASES };

/// A file of a controller, in version 1 and in version 2; none: that version has nothing like it.
struct Place {
    controller: &'static str,
    v1: Option<&'static str>,
    v2: Option<&'static str>,
}

const fn place(controller: &'static str, v1: &'static str, v2: &'static str) -> Place {
    Place { controller, v1: Some(v1), v2: Some(v2) }
}

const fn only_v1(controller: &'static str, v1: &'static str) -> Place {
    Place { controller, v1: Some(v1), v2: None }
}

/// What a created container's group says there.
fn says(bed: &mut Bed, place: &Place) -> Verdict<String> {
    match if bed.host.is_v2() { place.v2 } else { place.v1 } {
        Some(file) => bed.limit(place.controller, file),
        None => skip(format!("cgroup v2 has nothing like {}", place.v1.unwrap_or_default())),
    }
}

/// With these resources the file says one of these.
fn gives(bed: &mut Bed, resources: &Value, place: &Place, expected: &[&str]) -> Verdict {
    // Whether the kernel has the file is seen in a group without limits.
    bed.create()?;
    says(bed, place)?;
    let id = bed.id.clone();
    bed.must(&["delete", "--force", &id])?;
    bed.set(json!({ "linux": { "resources": resources } }));
    bed.create()?;
    let said = says(bed, place)?;
    holds(&format!("{said:?} is one of {expected:?}"), expected.contains(&said.as_str()))
}

/// Resources that can't be had.
pub(super) fn refused(bed: &mut Bed, resources: &Value) -> Verdict {
    bed.set(json!({ "linux": { "resources": resources } }));
    bed.refused()
}

/// As [`gives`] where version 1 has it; version 2 has nothing like it, and what can't be converted is an error.
fn gives_or_is_refused(bed: &mut Bed, resources: &Value, place: &Place, expected: &[&str]) -> Verdict {
    if bed.host.is_v2() { refused(bed, resources) } else { gives(bed, resources, place, expected) }
}

/// The number `MAJOR:MINOR` of a disk of this machine.
pub(super) fn disk() -> Verdict<(u64, u64)> {
    for entry in fs::read_dir("/sys/block")?.flatten() {
        let text = said_in(&entry.path().join("dev"))?;
        if let Some((major, minor)) = text.split_once(':')
            && let (Ok(major), Ok(minor)) = (major.parse(), minor.parse())
        {
            return Ok((major, minor));
        }
    }
    skip("this machine has no disk")
}

fn throttled(bed: &mut Bed, property: &str, v1: &'static str, key: &str) -> Verdict {
    let (major, minor) = disk()?;
    let place = place("blkio", v1, "io.max");
    bed.create()?;
    says(bed, &place)?;
    let id = bed.id.clone();
    bed.must(&["delete", "--force", &id])?;
    let entry = json!({ "major": major, "minor": minor, "rate": 1_048_576 });
    bed.set(json!({ "linux": { "resources": { "blockIO": { property: [entry] } } } }));
    bed.create()?;
    let said = says(bed, &place)?;
    let wanted = if bed.host.is_v2() { format!("{key}=1048576") } else { format!("{major}:{minor} 1048576") };
    holds(&format!("{said:?} has {wanted:?}"), said.contains(&wanted))
}

const MEBIBYTE: u64 = 1 << 20;

const MEMORY: Place = place("memory", "memory.limit_in_bytes", "memory.max");
const PIDS: Place = place("pids", "pids.max", "pids.max");

const CASES: &[Case] = &[
    case("memory_limit", "config-linux.md#memory: limit is the most memory (bytes)", |bed| {
        gives(bed, &json!({ "memory": { "limit": 64 * MEBIBYTE } }), &MEMORY, &["67108864"])
    }),
    case("memory_without_limit", "config-linux.md#memory: -1 is unlimited", |bed| {
        gives(bed, &json!({ "memory": { "limit": -1 } }), &MEMORY, &["9223372036854771712", "max"])
    }),
    case("memory_limit_is_enforced", "config-linux.md#memory: limit is the most memory", |bed| {
        bed.set(json!({ "linux": { "resources": { "memory": { "limit": 48 * MEBIBYTE } } } }));
        let answers = bed.ask(&["child touch-memory 209715200"])?;
        equal("signal", &answers[0]["signal"], 9)
    }),
    case("memory_reservation", "config-linux.md#memory: reservation is the soft limit", |bed| {
        let place = place("memory", "memory.soft_limit_in_bytes", "memory.low");
        gives(
            bed,
            &json!({ "memory": { "limit": 64 * MEBIBYTE, "reservation": 32 * MEBIBYTE } }),
            &place,
            &["33554432"],
        )
    }),
    case("memory_and_swap", "config-linux.md#memory: swap is the limit of memory and swap together", |bed| {
        let place = place("memory", "memory.memsw.limit_in_bytes", "memory.swap.max");
        // Version 2 counts swap alone.
        gives(
            bed,
            &json!({ "memory": { "limit": 64 * MEBIBYTE, "swap": 96 * MEBIBYTE } }),
            &place,
            &["100663296", "33554432"],
        )
    }),
    case("swappiness", "config-linux.md#memory: swappiness; version 2 has none, which is an error", |bed| {
        gives_or_is_refused(
            bed,
            &json!({ "memory": { "limit": 64 * MEBIBYTE, "swappiness": 17 } }),
            &only_v1("memory", "memory.swappiness"),
            &["17"],
        )
    }),
    case(
        "oom_killer_disabled",
        "config-linux.md#memory: disableOOMKiller; version 2 can't, which is an error",
        |bed| {
            let place = only_v1("memory", "memory.oom_control");
            let resources = json!({ "memory": { "limit": 64 * MEBIBYTE, "disableOOMKiller": true } });
            if bed.host.is_v2() {
                return refused(bed, &resources);
            }
            bed.create()?;
            says(bed, &place)?;
            let id = bed.id.clone();
            bed.must(&["delete", "--force", &id])?;
            bed.set(json!({ "linux": { "resources": resources } }));
            bed.create()?;
            holds("oom_kill_disable is 1", says(bed, &place)?.contains("oom_kill_disable 1"))
        },
    ),
    case("cpu_shares", "config-linux.md#cpu: shares is the relative share", |bed| {
        // Version 2 has weights: by a line through both ends of the range, or by the newer curve of three points.
        gives(
            bed,
            &json!({ "cpu": { "shares": 512 } }),
            &place("cpu", "cpu.shares", "cpu.weight"),
            &["512", "20", "59"],
        )
    }),
    case("cpu_quota", "config-linux.md#cpu: quota in microseconds in each period", |bed| {
        let place = place("cpu", "cpu.cfs_quota_us", "cpu.max");
        gives(
            bed,
            &json!({ "cpu": { "quota": 50_000, "period": 200_000 } }),
            &place,
            &["50000", "50000 200000"],
        )
    }),
    case("cpu_period", "config-linux.md#cpu: period in microseconds", |bed| {
        let place = place("cpu", "cpu.cfs_period_us", "cpu.max");
        gives(
            bed,
            &json!({ "cpu": { "quota": 50_000, "period": 200_000 } }),
            &place,
            &["200000", "50000 200000"],
        )
    }),
    case(
        "cpu_quota_without_period",
        "config-linux.md#cpu: period is optional, the kernel's is 100 ms",
        |bed| {
            let place = place("cpu", "cpu.cfs_quota_us", "cpu.max");
            gives(bed, &json!({ "cpu": { "quota": 30_000 } }), &place, &["30000", "30000 100000"])
        },
    ),
    case("cpu_without_quota", "config-linux.md#cpu: a quota that is not positive is none", |bed| {
        let place = place("cpu", "cpu.cfs_quota_us", "cpu.max");
        gives(bed, &json!({ "cpu": { "quota": -1, "period": 100_000 } }), &place, &["-1", "max 100000"])
    }),
    case("cpu_burst", "config-linux.md#cpu: burst in microseconds", |bed| {
        let place = place("cpu", "cpu.cfs_burst_us", "cpu.max.burst");
        gives(
            bed,
            &json!({ "cpu": { "quota": 50_000, "period": 100_000, "burst": 10_000 } }),
            &place,
            &["10000"],
        )
    })
    .since("1.1.0"),
    case("cpu_idle", "config-linux.md#cpu: idle: 1 is SCHED_IDLE", |bed| {
        gives(bed, &json!({ "cpu": { "idle": 1 } }), &place("cpu", "cpu.idle", "cpu.idle"), &["1"])
    })
    .since("1.1.0"),
    case("cpus", "config-linux.md#cpu: cpus is the list of processors", |bed| {
        gives(bed, &json!({ "cpu": { "cpus": "0" } }), &place("cpuset", "cpuset.cpus", "cpuset.cpus"), &["0"])
    }),
    case(
        "cpus_are_the_program_s",
        "config-linux.md#cpu: cpus is the list that the container runs on",
        |bed| {
            bed.create()?;
            bed.limit("cpuset", "cpuset.cpus")?;
            let id = bed.id.clone();
            bed.must(&["delete", "--force", &id])?;
            bed.set(json!({ "linux": { "resources": { "cpu": { "cpus": "1" } } } }));
            equal("Cpus_allowed_list", &bed.seen()?["status"]["Cpus_allowed_list"], "1")
        },
    ),
    case("mems", "config-linux.md#cpu: mems is the list of memory nodes", |bed| {
        gives(
            bed,
            &json!({ "cpu": { "cpus": "0", "mems": "0" } }),
            &place("cpuset", "cpuset.mems", "cpuset.mems"),
            &["0"],
        )
    }),
    case("pids_limit", "config-linux.md#pids: limit is the most tasks", |bed| {
        gives(bed, &json!({ "pids": { "limit": 77 } }), &PIDS, &["77"])
    }),
    case("pids_without_limit", "config-linux.md#pids: -1 is unlimited", |bed| {
        gives(bed, &json!({ "pids": { "limit": -1 } }), &PIDS, &["max"])
    }),
    case("pids_limit_is_enforced", "config-linux.md#pids: limit is the most tasks", |bed| {
        bed.set(json!({ "linux": { "resources": { "pids": { "limit": 6 } } } }));
        // EAGAIN is what fork says.
        equal("starting 10", &bed.ask(&["leave 10"])?[0], 11)
    }),
    case("block_io_weight", "config-linux.md#block-io: weight of the group", |bed| {
        bed.create()?;
        let has_bfq = bed.host.is_v2() && bed.host.group(bed.pid()?, "")?.join("io.bfq.weight").exists();
        let id = bed.id.clone();
        bed.must(&["delete", "--force", &id])?;
        // Whatever weighs without that scheduler counts from 1 to 10 000.
        let (v2, weight) =
            if has_bfq { ("io.bfq.weight", "default 300") } else { ("io.weight", "default 2930") };
        let place = place("blkio", "blkio.bfq.weight", v2);
        gives(bed, &json!({ "blockIO": { "weight": 300 } }), &place, &["300", weight])
    }),
    case("block_io_all_rates_of_a_disk", "config-linux.md#block-io: each kind of rate by itself", |bed| {
        let (major, minor) = disk()?;
        let rate = |rate: u64| json!([{ "major": major, "minor": minor, "rate": rate }]);
        bed.set(json!({ "linux": { "resources": { "blockIO": {
            "throttleReadBpsDevice": rate(1 << 20), "throttleWriteBpsDevice": rate(1 << 21),
            "throttleReadIOPSDevice": rate(100), "throttleWriteIOPSDevice": rate(200) } } } }));
        bed.create()?;
        if bed.host.is_v2() {
            let expected = format!("{major}:{minor} rbps=1048576 wbps=2097152 riops=100 wiops=200");
            return equal("io.max", bed.limit("io", "io.max")?, expected);
        }
        for (file, rate) in
            [("read_bps", 1 << 20), ("write_bps", 1 << 21), ("read_iops", 100), ("write_iops", 200)]
        {
            let said = bed.limit("blkio", &format!("blkio.throttle.{file}_device"))?;
            equal(file, said, format!("{major}:{minor} {rate}"))?;
        }
        Ok(())
    }),
    case("block_io_read_bytes", "config-linux.md#block-io: throttleReadBpsDevice", |bed| {
        throttled(bed, "throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps")
    }),
    case("block_io_written_bytes", "config-linux.md#block-io: throttleWriteBpsDevice", |bed| {
        throttled(bed, "throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps")
    }),
    case("block_io_reads", "config-linux.md#block-io: throttleReadIOPSDevice", |bed| {
        throttled(bed, "throttleReadIOPSDevice", "blkio.throttle.read_iops_device", "riops")
    }),
    case("block_io_writes", "config-linux.md#block-io: throttleWriteIOPSDevice", |bed| {
        throttled(bed, "throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops")
    }),
    case("huge_pages", "config-linux.md#huge-page-limits: limit in bytes, by size of pages", |bed| {
        let place = place("hugetlb", "hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.max");
        gives(
            bed,
            &json!({ "hugepageLimits": [{ "pageSize": "2MB", "limit": 4 * MEBIBYTE }] }),
            &place,
            &["4194304"],
        )
    }),
    case("network_class", "config-linux.md#network: classID; version 2 has none, which is an error", |bed| {
        gives_or_is_refused(
            bed,
            &json!({ "network": { "classID": 1_048_577 } }),
            &only_v1("net_cls", "net_cls.classid"),
            &["1048577"],
        )
    }),
    case("files_by_their_names", "config-linux.md#unified: keys are files of the group", |bed| {
        if !bed.host.is_v2() {
            return skip("unified is of cgroup v2");
        }
        let place = Place { controller: "memory", v1: None, v2: Some("memory.high") };
        gives(bed, &json!({ "unified": { "memory.high": "33554432" } }), &place, &["33554432"])
    }),
    case(
        "no_such_controller",
        "config-linux.md#unified: a controller that is not there must be refused",
        |bed| refused(bed, &json!({ "unified": { "nothing.max": "1" } })),
    ),
    case("an_absolute_path", "config-linux.md#cgroups-path: absolute is from the mount point", |bed| {
        let path = format!("/{}-group/inner", bed.id);
        bed.set(json!({ "linux": { "cgroupsPath": path } }));
        bed.up()?;
        let pid = bed.pid()?;
        let group = bed.host.group(pid, "pids")?;
        holds(&format!("{} ends with {path}", group.display()), group.to_string_lossy().ends_with(&path))?;
        let id = bed.id.clone();
        bed.must(&["delete", "--force", &id])?;
        holds("the group is gone", !group.exists())?;
        // Folders on the way were there for others too: they are for whoever cares for them.
        for parent in bed.host.groups_called(&format!("{id}-group")) {
            fs::remove_dir(parent)?;
        }
        Ok(())
    }),
    case(
        "a_relative_path",
        "config-linux.md#cgroups-path: relative is from a place of the runtime's choice",
        |bed| {
            let path = bed.id.clone();
            bed.set(json!({ "linux": { "cgroupsPath": path } }));
            bed.up()?;
            let pid = bed.pid()?;
            let group = bed.host.group(pid, "pids")?;
            holds(&format!("{} ends with {path}", group.display()), group.to_string_lossy().ends_with(&path))
        },
    ),
    case("no_path", "config-linux.md#cgroups-path: without it the runtime may choose", |bed| {
        bed.set(json!({ "linux": { "cgroupsPath": null } }));
        bed.up()
    }),
    case(
        "every_process_is_in_the_group",
        "config-linux.md#control-groups: they restrict the container",
        |bed| {
            bed.up()?;
            let pid = bed.pid()?;
            let procs = said_in(&bed.host.group(pid, "pids")?.join("cgroup.procs"))?;
            equal("processes", procs, pid.to_string())
        },
    ),
    case(
        "the_same_group_in_every_tree",
        "config-linux.md#cgroups-path: the same place for every controller",
        |bed| {
            bed.up()?;
            let pid = bed.pid()?;
            for controller in ["cpu", "memory", "pids", "freezer", "devices", "cpuset", "blkio"] {
                if bed.host.is_v2() {
                    break;
                }
                let group = bed.host.group(pid, controller)?;
                holds(
                    &format!("{} is of the container", group.display()),
                    group.to_string_lossy().ends_with(&bed.id),
                )?;
            }
            Ok(())
        },
    ),
    case("a_quota_that_the_kernel_refuses", "runtime.md#create: what can't be made is an error", |bed| {
        refused(bed, &json!({ "cpu": { "quota": 5, "period": 100_000 } }))
    }),
    case("processors_that_are_not_there", "runtime.md#create: what can't be made is an error", |bed| {
        refused(bed, &json!({ "cpu": { "cpus": "4000" } }))
    }),
    case("a_list_of_processors_that_is_none", "runtime.md#create: what can't be made is an error", |bed| {
        refused(bed, &json!({ "cpu": { "cpus": "first" } }))
    }),
];
