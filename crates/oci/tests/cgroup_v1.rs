//! Real control groups of version 1, below those of this process.

#![allow(clippy::expect_used, clippy::panic)]

mod common;

use std::fs;

use catamaran_oci::cgroup::{Manager, Place};
use serde_json::json;

use common::{Groups, Shell, nobody_is_told_what_cannot_be, place};

/// Whether this is root on a machine with version 1; else says why the test `name` is skipped.
fn on_v1(name: &str) -> bool {
    let why = if !rustix::process::geteuid().is_root() {
        "groups are made by root"
    } else if !["cpu", "memory", "pids", "cpuset", "devices", "freezer"].iter().all(|controller| {
        place(name).hierarchies.iter().any(|found| found.controllers.iter().any(|has| has == controller))
    }) {
        "this machine has not all controllers in version 1"
    } else {
        return true;
    };
    println!("skipped: {name}: {why}");
    false
}

#[test]
fn v1_limits_are_what_the_kernel_says() {
    if !on_v1("v1_limits_are_what_the_kernel_says") {
        return;
    }
    let groups = Groups::made("limits", |_| true);
    let cpus = groups.read("cpuset", "cpuset.cpus");
    assert!(!cpus.is_empty() && !groups.read("cpuset", "cpuset.mems").is_empty(), "they are inherited");
    let mut shell = Shell::waiting();
    groups.manager.enter(shell.pid(), None).expect("a process enters");
    assert_eq!(groups.manager.processes().expect("processes"), [shell.pid()]);
    groups.update(json!({
        "cpu": { "shares": 512, "quota": 50_000, "period": 100_000, "cpus": "0" },
        "memory": { "limit": 64 << 20, "reservation": 32 << 20 },
        "pids": { "limit": 20 }
    }));
    let table = [
        ("cpu", "cpu.shares", "512"),
        ("cpu", "cpu.cfs_quota_us", "50000"),
        ("cpuset", "cpuset.cpus", "0"),
        ("memory", "memory.limit_in_bytes", "67108864"),
        ("memory", "memory.soft_limit_in_bytes", "33554432"),
        ("pids", "pids.max", "20"),
    ];
    for (controller, file, expected) in table {
        assert_eq!(groups.read(controller, file), expected, "{file}");
    }
    // A shorter period is too much quota until the quota is less, too.
    groups.update(json!({ "cpu": { "quota": 2000, "period": 10_000 } }));
    assert_eq!(groups.read("cpu", "cpu.cfs_period_us"), "10000");
    let few = groups.manager.update(&common::resources_of(json!({ "cpu": { "shares": 1 } })));
    assert!(few.expect_err("too few").to_string().contains("the kernel takes 2 to 262144"));
    // What it held before it entered stays charged elsewhere.
    assert_eq!(shell.does("sleep 60 & echo started"), "started");
    let little = groups.manager.update(&common::resources_of(json!({ "memory": { "limit": 4096 } })));
    let problem = little.expect_err("a shell takes more").to_string();
    assert!(problem.contains("the container uses more and it can't be reclaimed"), "{problem}");
    let statistics = groups.manager.statistics().expect("statistics");
    assert_eq!((statistics.pids.current, statistics.pids.limit), (2, 20));
    assert!(statistics.cpu.usage.total > 0 && statistics.memory.usage.usage > 0);
    assert_eq!((statistics.memory.usage.limit, statistics.cpuset.cpus.as_slice()), (64 << 20, &[0][..]));
}

#[test]
fn v1_memory_and_swap_are_raised_and_lowered() {
    const NAME: &str = "v1_memory_and_swap_are_raised_and_lowered";
    if !on_v1(NAME) {
        return;
    }
    let groups = Groups::made("swap", |_| true);
    if !groups.path("memory").join("memory.memsw.limit_in_bytes").exists() {
        println!("skipped: {NAME}: this kernel does not count swap");
        return;
    }
    // Each would be refused in the other order.
    for (limit, swap) in [(64, 64), (128, 128), (32, 48), (256, 300), (40, 40)] {
        groups.update(json!({ "memory": { "limit": limit << 20, "swap": swap << 20 } }));
        let read = |file| groups.read("memory", file);
        assert_eq!(read("memory.limit_in_bytes"), (limit << 20).to_string());
        assert_eq!(read("memory.memsw.limit_in_bytes"), (swap << 20).to_string());
    }
    groups.update(json!({ "memory": { "limit": -1 } }));
    let free: u64 = groups.read("memory", "memory.memsw.limit_in_bytes").parse().expect("a figure");
    assert!(free > 1 << 60, "{free}");
}

#[test]
fn v1_devices_are_guarded() {
    if !on_v1("v1_devices_are_guarded") {
        return;
    }
    let groups = Groups::made("devices", |_| true);
    let mut shell = Shell::waiting();
    assert!(shell.opens("/dev/kmsg"), "before, it is root's to open");
    groups.manager.apply(&common::resources_of(json!({}))).expect("default devices");
    groups.manager.enter(shell.pid(), None).expect("a process enters");
    assert!(!shell.opens("/dev/kmsg"));
    assert!(shell.opens("/dev/null") && shell.opens("/dev/zero"));
    let list = groups.read("devices", "devices.list");
    groups.update(json!({ "memory": { "limit": 64 << 20 } }));
    assert_eq!(groups.read("devices", "devices.list"), list, "an update without rules leaves them");
    groups.update(json!({ "devices": [{ "allow": true, "type": "c", "major": 1, "minor": 11 }] }));
    assert!(shell.opens("/dev/kmsg"));
    groups.update(json!({ "devices": [{ "allow": false }] }));
    assert!(!shell.opens("/dev/kmsg") && shell.opens("/dev/null"));
    groups.update(json!({ "devices": [{ "allow": true }] }));
    assert!(shell.opens("/dev/kmsg"));
}

#[test]
fn v1_frozen_processes_are_thawed_and_killed() {
    if !on_v1("v1_frozen_processes_are_thawed_and_killed") {
        return;
    }
    let groups = Groups::made("frozen", |_| true);
    groups.update(json!({ "pids": { "limit": 30 }, "cpu": { "quota": 20_000, "period": 100_000 } }));
    let shell = Shell::waiting();
    groups.manager.enter(shell.pid(), None).expect("a process enters");
    groups.manager.freeze().expect("frozen");
    assert!(groups.manager.is_frozen());
    assert_eq!(groups.read("freezer", "freezer.state"), "FROZEN");
    groups.manager.thaw().expect("thawed");
    let mut shell = shell;
    assert_eq!(shell.does("while :; do sleep 5 & done 2>/dev/null & echo forking"), "forking");
    groups.manager.freeze().expect("frozen");
    groups.manager.kill().expect("killed");
    assert_eq!(groups.read("cpu", "cpu.cfs_quota_us"), "-1", "they end at full speed");
    assert_eq!(shell.ended(), Some(9));
    let paths = groups.manager.paths();
    for path in paths.values() {
        fs::create_dir_all(path.join("inner/most")).expect("a container may make groups");
    }
    groups.manager.remove().expect("all are gone");
    assert!(paths.values().all(|path| !path.exists()), "{paths:?}");
}

#[test]
fn v1_a_group_in_use_is_left_alone() {
    if !on_v1("v1_a_group_in_use_is_left_alone") {
        return;
    }
    let groups = Groups::made("used", |_| true);
    let second = Manager::new(&groups.place).expect("a place").create();
    assert!(second.is_ok(), "nobody is in it yet");
    let shell = Shell::waiting();
    groups.manager.enter(shell.pid(), None).expect("a process enters");
    let mut second = Manager::new(&groups.place).expect("a place");
    let problem = second.create().expect_err("it is in use").to_string();
    assert!(problem.contains("is not empty: 1 process(es) found"), "{problem}");
    second.remove().expect("nothing of its own");
    assert_eq!(groups.manager.processes().expect("processes"), [shell.pid()]);
}

#[test]
fn v1_nobody_is_told_what_cannot_be() {
    if on_v1("v1_nobody_is_told_what_cannot_be") {
        nobody_is_told_what_cannot_be("nobody");
    }
}

#[test]
fn v1_paths_lead_below_the_group_of_this_process() {
    if !on_v1("v1_paths_lead_below_the_group_of_this_process") {
        return;
    }
    let place = place("path");
    let path = Some(format!("../../{}/inner", place.id).into());
    let mut manager = Manager::new(&Place { path, ..place.clone() }).expect("a place");
    manager.create().expect("groups");
    let paths = manager.paths();
    for hierarchy in &place.hierarchies {
        let outer = hierarchy.mount.join(&hierarchy.own).join(&place.id);
        if !hierarchy.controllers.is_empty() {
            assert!(outer.join("inner").is_dir(), "{outer:?}");
        }
    }
    manager.remove().expect("removed");
    for outer in paths.values().filter_map(|path| path.parent()) {
        fs::remove_dir(outer).expect("it was made for this test and is empty");
    }
}

#[test]
fn v1_disks_are_throttled() {
    const NAME: &str = "v1_disks_are_throttled";
    if !on_v1(NAME) {
        return;
    }
    let Some(disk) = common::disk(NAME) else { return };
    let groups = Groups::made("disk", |_| true);
    groups.update(common::rates(&disk));
    for (file, rate) in
        [("read_bps", 1_u64 << 40), ("write_bps", 1 << 41), ("read_iops", 1 << 24), ("write_iops", 1 << 25)]
    {
        let bound = groups.read("blkio", &format!("blkio.throttle.{file}_device"));
        assert_eq!(bound, format!("{disk} {rate}"), "{file}");
    }
}
