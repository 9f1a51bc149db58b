//! Real control groups of version 2. `cargo xtask test --only native-v2` runs this in a guest whose kernel has all controllers in
//! version 2; what takes none is tried wherever version 2 is mounted.

#![allow(clippy::expect_used, clippy::panic)]

mod common;

use std::fs;

use catamaran_oci::cgroup::{Manager, Place, Version};
use serde_json::json;

use common::{Groups, Shell, nobody_is_told_what_cannot_be, place, resources_of};

/// Whether this is root on a machine with version 2, and with its controllers there where `controllers`; else says why the test
/// `name` is skipped. In the guest nothing is skipped.
fn on_v2(name: &str, controllers: bool) -> bool {
    let hierarchies = place(name).hierarchies;
    let why = if !rustix::process::geteuid().is_root() {
        "groups are made by root"
    } else if !hierarchies.iter().any(|found| found.version == Version::V2) {
        "version 2 is not mounted"
    } else if controllers && hierarchies.len() > 1 {
        "the controllers of this machine are mounted as version 1"
    } else {
        return true;
    };
    assert!(std::env::var_os("CATAMARAN_CGROUP").is_none(), "cgroup v2 was promised: {why}");
    println!("skipped: {name}: {why}");
    false
}

/// Groups of version 2 only.
fn made(name: &str) -> Groups {
    Groups::made(name, |hierarchy| hierarchy.version == Version::V2)
}

#[test]
fn v2_limits_are_what_the_kernel_says() {
    if !on_v2("v2_limits_are_what_the_kernel_says", true) {
        return;
    }
    let groups = made("limits");
    let mut shell = Shell::waiting();
    groups.manager.enter(shell.pid(), None).expect("a process enters");
    groups.update(json!({
        "cpu": { "shares": 512, "quota": 50_000, "period": 100_000, "burst": 1000, "cpus": "0" },
        "memory": { "limit": 64 << 20, "swap": 96 << 20, "reservation": 32 << 20 },
        "pids": { "limit": 20 },
        "hugepageLimits": [{ "pageSize": "2MB", "limit": 4 << 20 }],
        "unified": { "memory.high": "60000000", "cgroup.max.depth": "5" }
    }));
    let table = [
        ("cpu.weight", "59"),
        ("cpu.max", "50000 100000"),
        ("cpu.max.burst", "1000"),
        ("cpuset.cpus", "0"),
        ("memory.max", "67108864"),
        ("memory.low", "33554432"),
        ("memory.high", "59998208"),
        ("cgroup.max.depth", "5"),
        ("hugetlb.2MB.max", "4194304"),
        ("hugetlb.2MB.rsvd.max", "4194304"),
        ("pids.max", "20"),
    ];
    for (file, expected) in table {
        assert_eq!(groups.read("", file), expected, "{file}");
    }
    if groups.path("").join("memory.swap.max").exists() {
        assert_eq!(groups.read("", "memory.swap.max"), "33554432");
    }
    groups.update(json!({ "cpu": { "period": 50_000 } }));
    assert_eq!(groups.read("", "cpu.max"), "50000 50000", "the quota stays");
    // Less than what may be saved up, which becomes less first.
    groups.update(json!({ "cpu": { "quota": 2000, "burst": 0 } }));
    assert_eq!(groups.read("", "cpu.max"), "2000 50000");
    // What it held before it entered stays charged elsewhere.
    assert_eq!(shell.does("sleep 60 & echo started"), "started");
    let statistics = groups.manager.statistics().expect("statistics");
    assert_eq!((statistics.pids.current, statistics.pids.limit), (2, 20));
    assert_eq!(statistics.memory.usage.limit, 64 << 20);
    assert!(statistics.cpu.usage.total > 0 && statistics.memory.usage.usage > 0);
    let less = json!({ "memory": { "limit": 4096, "checkBeforeUpdate": true } });
    let problem = groups.manager.update(&resources_of(less)).expect_err("it is used").to_string();
    assert!(problem.contains("at least what the container uses now"), "{problem}");
    groups.manager.kill().expect("killed");
    assert_eq!(groups.read("", "cpu.max"), "max 50000", "they end at full speed");
    assert_eq!(shell.ended(), Some(9));
}

#[test]
fn v2_what_has_no_counterpart_is_an_error() {
    if !on_v2("v2_what_has_no_counterpart_is_an_error", true) {
        return;
    }
    let groups = made("counterpart");
    for (resources, expected) in [
        (json!({ "memory": { "swappiness": 9 } }), "linux.resources.memory.swappiness"),
        (json!({ "cpu": { "realtimeRuntime": 9 } }), "linux.resources.cpu.realtimeRuntime"),
        (json!({ "network": { "classID": 9 } }), "linux.resources.network.classID"),
        (json!({ "unified": { "../cpu.max": "9" } }), "linux.resources.unified"),
        (json!({ "unified": { "nonsense.max": "9" } }), "no controller nonsense"),
    ] {
        let problem = groups.manager.update(&resources_of(resources)).expect_err(expected).to_string();
        assert!(problem.contains(expected), "{problem}");
    }
}

#[test]
fn v2_devices_are_guarded_by_one_program() {
    if !on_v2("v2_devices_are_guarded_by_one_program", false) {
        return;
    }
    let groups = made("devices");
    let mut shell = Shell::waiting();
    assert!(shell.opens("/dev/kmsg"), "before, it is root's to open");
    groups.manager.apply(&resources_of(json!({}))).expect("default devices");
    groups.manager.enter(shell.pid(), None).expect("a process enters");
    assert!(!shell.opens("/dev/kmsg"));
    assert!(shell.opens("/dev/null") && shell.opens("/dev/zero"));
    // Each program has to allow: were the old one still there, nothing more would be allowed.
    groups.update(
        json!({ "devices": [{ "allow": true, "type": "c", "major": 1, "minor": 11, "access": "rw" }] }),
    );
    assert!(shell.opens("/dev/kmsg"));
    groups.update(json!({ "pids": {} }));
    assert!(shell.opens("/dev/kmsg"), "an update without rules leaves them");
    groups.update(
        json!({ "devices": [{ "allow": true }, { "allow": false, "type": "c", "major": 1, "minor": 11 }] }),
    );
    assert!(!shell.opens("/dev/kmsg") && shell.opens("/dev/null"));
    groups.update(json!({ "devices": [{ "allow": true }] }));
    assert!(shell.opens("/dev/kmsg"));
}

#[test]
fn v2_devices_are_guarded_while_rules_change() {
    if !on_v2("v2_devices_are_guarded_while_rules_change", false) {
        return;
    }
    let groups = made("rules");
    let mut shell = Shell::waiting();
    groups.manager.apply(&resources_of(json!({}))).expect("default devices");
    groups.manager.enter(shell.pid(), None).expect("a process enters");
    let told = tempfile::NamedTempFile::new().expect("a file");
    // Whatever goes on in its folder, the loop tries again and again, and writes down when it succeeds.
    let tries = "while :; do if true < /dev/kmsg; then echo opened; fi; done";
    assert_eq!(shell.does(&format!("( {tries} ) > {} & echo started", told.path().display())), "started");
    for number in 0..400 {
        let other = 100 + number % 2;
        groups.update(json!({ "devices": [{ "allow": true, "type": "c", "major": 10, "minor": other }] }));
    }
    let times = fs::read_to_string(told.path()).expect("what it wrote").lines().count();
    assert_eq!(times, 0, "so often it was opened");
    groups.update(json!({ "devices": [{ "allow": true }] }));
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while fs::read_to_string(told.path()).expect("what it wrote").is_empty() {
        assert!(std::time::Instant::now() < until, "it tried all the time");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    groups.manager.kill().expect("killed");
}

#[test]
fn v2_frozen_processes_are_killed_all_at_once() {
    if !on_v2("v2_frozen_processes_are_killed_all_at_once", false) {
        return;
    }
    let groups = made("frozen");
    let mut shell = Shell::waiting();
    groups.manager.enter(shell.pid(), None).expect("a process enters");
    groups.manager.freeze().expect("frozen");
    assert!(groups.manager.is_frozen());
    assert!(groups.read("", "cgroup.events").contains("frozen 1"));
    groups.manager.thaw().expect("thawed");
    assert!(!groups.manager.is_frozen());
    assert_eq!(shell.does("sleep 60 & sleep 60 & echo started"), "started");
    let path = groups.path("");
    fs::create_dir_all(path.join("inner/most")).expect("a container may make groups");
    groups.manager.kill().expect("killed");
    assert_eq!(shell.ended(), Some(9));
    groups.manager.remove().expect("all are gone");
    assert!(!path.exists());
}

#[test]
fn v2_a_process_is_born_or_put_where_processes_may_be() {
    if !on_v2("v2_a_process_is_born_or_put_where_processes_may_be", true) {
        return;
    }
    let groups = made("born");
    assert!(groups.manager.directory().is_some(), "nothing but version 2");
    let path = groups.path("");
    let group_of = |shell: &Shell| {
        let text = fs::read_to_string(format!("/proc/{}/cgroup", shell.pid())).expect("a process");
        text.trim().rsplit('/').next().unwrap_or_default().to_owned()
    };
    let [first, second, third, fourth] = [(); 4].map(|()| Shell::waiting());
    // The container's first process in the midst of others, whichever of them a walk meets first.
    let (one, other, another) = (Shell::waiting(), Shell::waiting(), Shell::waiting());
    for (name, shell) in [("a", &one), ("b", &other), ("init", &first), ("z", &another)] {
        fs::create_dir(path.join(name)).expect("a container may make groups");
        fs::write(path.join(name).join("cgroup.procs"), shell.pid().to_string()).expect("and move there");
    }
    fs::write(path.join("cgroup.subtree_control"), "+memory").expect("and controllers are handed down");
    groups.manager.enter(second.pid(), Some(first.pid())).expect("exec finds the group of the first");
    assert_eq!(group_of(&second), "init");
    groups.manager.enter(third.pid(), Some(std::process::id())).expect("without it any that holds some");
    assert!(["a", "b", "init", "z"].contains(&group_of(&third).as_str()), "{}", group_of(&third));
    fs::write(path.join("init/cgroup.freeze"), "1").expect("a container may stop whom it wants");
    let problem =
        groups.manager.enter(fourth.pid(), Some(first.pid())).expect_err("nobody is stopped with it");
    assert!(problem.to_string().contains("is frozen"), "{problem}");
    assert_ne!(group_of(&fourth), "init");
    fs::write(path.join("init/cgroup.freeze"), "0").expect("and let go on");
    let mut expected = [&first, &second, &third, &one, &other, &another].map(Shell::pid);
    expected.sort_unstable();
    assert_eq!(groups.manager.processes().expect("processes"), expected);
}

#[test]
fn v2_a_group_in_use_is_left_alone() {
    if !on_v2("v2_a_group_in_use_is_left_alone", false) {
        return;
    }
    let groups = made("used");
    let shell = Shell::waiting();
    groups.manager.enter(shell.pid(), None).expect("a process enters");
    let mut second = Manager::new(&groups.place).expect("a place");
    let problem = second.create().expect_err("it is in use").to_string();
    assert!(problem.contains("is not empty: 1 process(es) found"), "{problem}");
    second.remove().expect("nothing of its own");
    assert_eq!(groups.manager.processes().expect("processes"), [shell.pid()]);
}

#[test]
fn v2_nobody_is_told_what_cannot_be() {
    if on_v2("v2_nobody_is_told_what_cannot_be", true) {
        nobody_is_told_what_cannot_be("nobody");
    }
}

#[test]
fn v2_named_groups_are_made_from_the_mount_on() {
    if !on_v2("v2_named_groups_are_made_from_the_mount_on", true) {
        return;
    }
    let place = place("named");
    let path = Some(format!("/../{}/inner", place.id).into());
    let mut manager = Manager::new(&Place { path, ..place.clone() }).expect("a place");
    manager.create().expect("groups");
    let mount = &place.hierarchies.first().expect("version 2").mount;
    let outer = mount.join(&place.id);
    let handed = fs::read_to_string(outer.join("cgroup.subtree_control")).expect("the group");
    assert!(handed.contains("memory") && handed.contains("pids"), "{handed}");
    assert_eq!(manager.paths().get(""), Some(&outer.join("inner")));
    manager.remove().expect("removed");
    fs::remove_dir(&outer).expect("it was made for this test and is empty");
}

#[test]
fn v2_a_group_can_be_handed_to_a_user() {
    use std::os::unix::fs::MetadataExt as _;
    if !on_v2("v2_a_group_can_be_handed_to_a_user", false) {
        return;
    }
    let groups = made("owner");
    groups.manager.hand_over(65534).expect("root may");
    let owner = |file: &str| fs::metadata(groups.path("").join(file)).expect("a file").uid();
    assert_eq!([owner(""), owner("cgroup.procs"), owner("cgroup.subtree_control")], [65534; 3]);
    assert_eq!([owner("cgroup.freeze"), owner("cgroup.max.depth")], [0; 2], "these bound the container");
}

#[test]
fn v2_disks_are_throttled() {
    const NAME: &str = "v2_disks_are_throttled";
    if !on_v2(NAME, true) {
        return;
    }
    let Some(disk) = common::disk(NAME) else { return };
    let groups = made("disk");
    groups.update(common::rates(&disk));
    let bounds =
        format!("{disk} rbps={} wbps={} riops={} wiops={}", 1_u64 << 40, 1_u64 << 41, 1 << 24, 1 << 25);
    assert_eq!(groups.read("", "io.max"), bounds);
    groups.update(json!({ "blockIO": { "weight": 500 } }));
    let bfq = groups.path("").join("io.bfq.weight").exists();
    let (file, weight) = if bfq { ("io.bfq.weight", "default 500") } else { ("io.weight", "default 4950") };
    assert_eq!(groups.read("", file), weight);
}
