//! What is accepted, at the edges, and with which warnings.

use serde_json::{Value, json};

use super::{everything, facts, told, with};

#[test]
fn the_edges_are_inside() {
    let cases = [
        ("/ociVersion", json!("1.0.2-dev")),
        ("/ociVersion", json!("1.0.0")),
        ("/ociVersion", json!("1.2.0+build.5")),
        ("/root/path", json!("/absolute")),
        ("/hostname", json!("h".repeat(64))),
        ("/hostname", json!(null)),
        ("/hooks", json!(null)),
        ("/mounts", json!(null)),
        ("/mounts/0/destination", json!("/../../etc")),
        ("/mounts/0", json!({"destination": "/d", "type": "bind", "source": "s"})),
        ("/mounts/0", json!({"destination": "/d", "options": ["remount", "ro"]})),
        (
            "/mounts/0",
            json!({"destination": "/d", "type": "overlay", "options": [format!("lowerdir={}", "/l:".repeat(500))]}),
        ),
        ("/process/args", json!([""])),
        ("/process/user", json!({"uid": 99, "gid": 509})),
        ("/process/env", json!(null)),
        ("/process/env/0", json!("A=b=c")),
        ("/process/oomScoreAdj", json!(-1000)),
        ("/process/scheduler", json!({"policy": "SCHED_OTHER", "nice": -20, "priority": 0, "runtime": 0})),
        ("/process/scheduler", json!({"policy": "SCHED_RR", "priority": 99})),
        ("/process/scheduler", json!({"policy": "SCHED_DEADLINE", "runtime": 1024, "deadline": 1024})),
        ("/process/rlimits/0/soft", json!(1024)),
        ("/process/rlimits", json!([{"type": "RLIMIT_NOFILE", "hard": u64::MAX, "soft": u64::MAX}])),
        ("/process/apparmorProfile", json!("")),
        ("/linux/cgroupsPath", json!("system.slice:ours:c1")),
        ("/linux/cgroupsPath", json!("relative/path")),
        ("/linux/cgroupsPath", json!("")),
        ("/linux/rootfsPropagation", json!("runbindable")),
        ("/linux/rootfsPropagation", json!("")),
        ("/linux/uidMappings/1/hostID", json!(1100)),
        ("/linux/uidMappings/1/hostID", json!(u32::MAX - 10)),
        ("/linux/timeOffsets", json!({})),
        ("/linux/sysctl", json!({"net/ipv4/conf/eth0.100/mtu": "9000"})),
        ("/linux/resources", json!(null)),
        ("/linux/resources/cpu", json!({"quota": -1, "period": 0, "burst": 5, "cpus": ""})),
        ("/linux/resources/cpu", json!({"quota": 0, "period": 1_000_000})),
        ("/linux/resources/memory", json!({"limit": 4096, "swap": -1})),
        ("/linux/resources/memory", json!({"limit": -1, "swap": -1})),
        ("/linux/resources/memory", json!({"swap": 0})),
        ("/linux/resources/blockIO/weight", json!(0)),
        ("/linux/memoryPolicy", json!({"mode": "MPOL_PREFERRED"})),
        ("/linux/memoryPolicy", json!({"mode": "MPOL_LOCAL", "nodes": ""})),
        ("/linux/netDevices", json!({})),
        ("/linux/netDevices", json!({"a": {"name": "eth%d"}, "b": {"name": "eth%d"}})),
        ("/linux/intelRdt/closID", json!("/")),
        (
            "/mounts/0",
            json!({"destination": "/d", "type": "tmpfs", "options": ["x=".to_owned() + &"y".repeat(4000)]}),
        ),
        ("/linux/personality", json!({"domain": "LINUX", "flags": []})),
        ("/linux/seccomp", json!(null)),
        ("/unknown", json!([1])),
    ];
    for (pointer, value) in cases {
        assert_eq!(
            told(&with(everything(), pointer, value.clone()), &facts()),
            Ok(vec![]),
            "{pointer} = {value}"
        );
    }
    let mut joined = with(everything(), "/linux/namespaces/5/path", json!("/proc/1/ns/user"));
    joined["process"]["user"]["uid"] = json!(70_000);
    assert_eq!(
        told(&joined, &facts()),
        Ok(vec![]),
        "in a namespace that is joined mappings are not ours to know"
    );
}

#[test]
fn the_smallest_configuration() {
    let smallest = json!({"ociVersion": "1.0.0", "root": {"path": "rootfs"},
        "process": {"user": {"uid": 0, "gid": 0}, "args": ["/true"], "cwd": "/"}});
    let warnings = told(&smallest, &super::Facts::default()).unwrap();
    // It has no mount namespace.
    assert_eq!(warnings.iter().map(|one| one.at.as_str()).collect::<Vec<_>>(), ["linux.namespaces"]);
}

#[test]
fn relative_paths_are_taken_from_the_root_on_without_a_word() {
    for (pointer, path) in [
        ("/mounts/1/destination", "tmp"),
        ("/mounts/1/destination", "../tmp"),
        ("/linux/readonlyPaths/0", "proc"),
    ] {
        let warnings = told(&with(everything(), pointer, json!(path)), &facts()).unwrap();
        assert_eq!(warnings, [], "{pointer}");
    }
}

#[test]
fn what_is_done_otherwise_is_told_with_its_place() {
    let cases: [(&str, Value, &str); 3] = [
        ("/ociVersion", json!("1.4.0"), "ociVersion"),
        (
            "/linux/devices/-",
            json!({"path": "/dev/again", "type": "c", "major": 10, "minor": 229}),
            "linux.devices[3]",
        ),
        ("/linux/intelRdt/l3CacheSchema", json!("L2:0=f"), "linux.intelRdt.l3CacheSchema"),
    ];
    for (pointer, value, place) in cases {
        let warnings = told(&with(everything(), pointer, value), &facts()).unwrap();
        assert_eq!(warnings.iter().map(|one| one.at.as_str()).collect::<Vec<_>>(), [place], "{pointer}");
    }
}
