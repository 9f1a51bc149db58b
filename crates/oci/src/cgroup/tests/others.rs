//! Disks, devices and what few ask for; controllers that are not there.

use super::*;

#[test]
fn disks_are_weighed_and_throttled() {
    let throttle = json!([{ "major": 8, "minor": 0, "rate": 600 }]);
    let io = json!({ "blockIO": { "weight": 100, "throttleReadBpsDevice": throttle } });
    let rate = "blkio.throttle.read_bps_device";
    let table = [
        (v1("blkio", &[("blkio.weight", ""), (rate, "")]), vec![("blkio.weight", "100"), (rate, "8:0 600")]),
        (
            v1("blkio", &[("blkio.bfq.weight", ""), (rate, "")]),
            vec![("blkio.bfq.weight", "100"), (rate, "8:0 600")],
        ),
        (
            v2("io", &[("io.weight", ""), ("io.max", "")]),
            vec![("io.weight", "910"), ("io.max", "8:0 rbps=600")],
        ),
        (
            v2("io", &[("io.bfq.weight", ""), ("io.max", "")]),
            vec![("io.bfq.weight", "100"), ("io.max", "8:0 rbps=600")],
        ),
    ];
    for (kernel, expected) in table {
        assert_eq!(kernel.limited(io.clone()), written(&expected));
    }
    let lifted = json!({ "blockIO": { "throttleWriteIOPSDevice": [{ "major": 8, "minor": 1, "rate": 0 }] } });
    assert_eq!(v2("io", &[("io.max", "")]).limited(lifted), written(&[("io.max", "8:1 wiops=max")]));
    let by_device = json!({ "blockIO": { "weightDevice": [{ "major": 8, "minor": 0, "weight": 500, "leafWeight": 300 }] } });
    let files = [("blkio.weight_device", ""), ("blkio.leaf_weight_device", "")];
    let expected = [("blkio.weight_device", "8:0 500"), ("blkio.leaf_weight_device", "8:0 300")];
    assert_eq!(v1("blkio", &files).limited(by_device), written(&expected));
    for (io, expected) in [
        (json!({ "weight": 9 }), "blockIO.weight: 9; 10 to 1000"),
        (json!({ "weightDevice": [{ "major": 8, "minor": 0 }] }), "8:0 has no weight"),
        (json!({ "leafWeight": 300 }), "leafWeight 300; control groups version 2"),
    ] {
        let problem = v2("io", &[("io.weight", "")]).limited(json!({ "blockIO": io })).unwrap_err();
        assert!(problem.contains(expected), "{problem}");
    }
}

#[test]
fn the_rest_of_the_resources() {
    let pages = json!({ "hugepageLimits": [{ "pageSize": "2MB", "limit": 4_194_304 }] });
    let (limit, reserved) = ("hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.rsvd.limit_in_bytes");
    let kernel = v1("hugetlb", &[(limit, ""), (reserved, "")]);
    assert_eq!(kernel.limited(pages.clone()), written(&[(limit, "4194304"), (reserved, "4194304")]));
    let kernel = v2("hugetlb", &[("hugetlb.2MB.max", "")]);
    assert_eq!(kernel.limited(pages), written(&[("hugetlb.2MB.max", "4194304")]));
    let network =
        json!({ "network": { "classID": 1_048_577, "priorities": [{ "name": "lo", "priority": 5 }] } });
    let kernel = v1("net_cls,net_prio", &[("net_cls.classid", ""), ("net_prio.ifpriomap", "")]);
    let expected = [("net_cls.classid", "1048577"), ("net_prio.ifpriomap", "lo 5")];
    assert_eq!(kernel.limited(network.clone()), written(&expected));
    let problem = v2("cpu", &[]).limited(network).unwrap_err();
    assert!(problem.contains("network.classID: 1048577; control groups version 2"), "{problem}");
    let rdma = json!({ "rdma": { "mlx5_1": { "hcaHandles": 3, "hcaObjects": 10_000 } } });
    let expected = written(&[("rdma.max", "mlx5_1 hca_handle=3 hca_object=10000")]);
    assert_eq!(v1("rdma", &[("rdma.max", "")]).limited(rdma.clone()), expected);
    assert_eq!(v2("rdma", &[("rdma.max", "")]).limited(rdma), expected);
}

#[test]
fn any_file_of_version_2_can_be_named() {
    let kernel = || v2("memory", &[("memory.high", ""), ("cgroup.max.depth", "")]);
    let unified = json!({ "unified": { "memory.high": "500", "cgroup.max.depth": "9" } });
    assert_eq!(
        kernel().limited(unified.clone()),
        written(&[("memory.high", "500"), ("cgroup.max.depth", "9")])
    );
    let problem = v1("memory", &[("memory.high", "")]).limited(unified).unwrap_err();
    assert!(problem.contains("version 2 only"), "{problem}");
    for (file, expected) in [
        ("../memory.high", "the name of a file in a control group"),
        ("cgroup.procs", "a file that sets something"),
        ("memory.none", "this kernel has no such file"),
        ("hugetlb.2MB.max", "have no controller hugetlb"),
    ] {
        let problem = kernel().limited(json!({ "unified": { file: "1" } })).unwrap_err();
        assert!(problem.contains(expected), "{file}: {problem}");
    }
}

#[test]
fn a_controller_is_missed_by_whoever_asks_for_it() {
    let kernel = v1("cpu", &[]);
    assert_eq!(
        kernel.limited(json!({ "memory": {}, "pids": { "limit": 0 }, "blockIO": {}, "network": {} })),
        written(&[])
    );
    for resources in [
        json!({ "memory": { "limit": 9 } }),
        json!({ "pids": { "limit": 9 } }),
        json!({ "cpu": { "cpus": "0" } }),
        json!({ "blockIO": { "weight": 100 } }),
        json!({ "hugepageLimits": [{ "pageSize": "2MB", "limit": 0 }] }),
        json!({ "rdma": { "x": { "hcaHandles": 1 } } }),
    ] {
        let problem = kernel.limited(resources).unwrap_err();
        assert!(problem.contains("apply linux.resources.") && problem.contains("no controller"), "{problem}");
    }
}

#[test]
fn on_a_machine_with_both_versions_each_controller_has_its_words() {
    let kernel = v1("memory", &[("memory.limit_in_bytes", "")]).with(
        Version::V2,
        "hugetlb",
        &[("hugetlb.2MB.max", "")],
    );
    let resources =
        json!({ "memory": { "limit": 9 }, "hugepageLimits": [{ "pageSize": "2MB", "limit": 0 }] });
    let expected = [("memory.limit_in_bytes", "9"), ("hugetlb.2MB.max", "0")];
    assert_eq!(kernel.limited(resources), written(&expected));
}

#[test]
fn devices_of_version_1_are_listed() {
    let kernel =
        v1("devices", &[("devices.list", "a *:* rwm\n"), ("devices.allow", ""), ("devices.deny", "")]);
    kernel.manager().apply(&LinuxResources::default()).unwrap();
    let files = kernel.files();
    assert_eq!((files["devices.deny"].as_str(), files["devices.allow"].as_str()), ("a", "c 136:* rwm"));
    let fifo = json!({ "devices": [{ "allow": true, "type": "p" }] });
    assert!(kernel.limited(fifo).unwrap_err().contains("linux.resources.devices[0].type: p; a, b or c"));
    let number = json!({ "devices": [{ "allow": true, "type": "c", "major": 1_i64 << 32 }] });
    assert!(kernel.limited(number).unwrap_err().contains("devices[0].major"));
    let access = json!({ "devices": [{ "allow": true, "access": "x" }] });
    assert!(kernel.limited(access).unwrap_err().contains("letters of r, w and m"));
    let unguarded = v1("cpu", &[]).manager().apply(&LinuxResources::default()).unwrap_err();
    assert!(unguarded.to_string().contains("no control group can guard them"), "{unguarded}");
}

/// Numbers at the ends of what a configuration can hold.
fn odd() -> impl proptest::strategy::Strategy<Value = i64> {
    use proptest::prelude::*;
    prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(-2), Just(-1), Just(0), Just(1), any::<i64>()]
}

proptest::proptest! {
    /// Whatever a configuration holds is applied or refused.
    #[test]
    fn no_number_is_too_odd(first in odd(), second in odd(), third in odd(), list in ".{0,9}") {
        let natural = third.unsigned_abs();
        let resources = json!({
            "cpu": { "shares": natural, "quota": first, "period": natural, "burst": natural, "idle": second,
                     "realtimeRuntime": first, "realtimePeriod": natural, "cpus": list, "mems": list },
            "memory": { "limit": first, "swap": second, "reservation": third, "kernel": first,
                        "kernelTCP": second, "swappiness": natural, "checkBeforeUpdate": true },
            "pids": { "limit": first },
            "hugepageLimits": [{ "pageSize": list, "limit": first }],
            "devices": [{ "allow": true, "type": "c", "major": first, "minor": second, "access": list }],
            "rdma": { (list.as_str()): { "hcaHandles": 1 } },
            "blockIO": { "weight": natural as u16, "throttleReadBpsDevice":
                         [{ "major": first, "minor": second, "rate": natural }] },
            "unified": { (list.as_str()): list }
        });
        for kernel in [
            v1("cpu,cpuset,memory,pids,hugetlb,devices,rdma,blkio", &[("memory.limit_in_bytes", "7")]),
            v2("cpu cpuset memory pids hugetlb rdma io", &[("memory.max", "7"), ("memory.current", "9")]),
        ] {
            for (key, value) in resources.as_object().unwrap() {
                let one = json!({ (key.as_str()): value });
                let Ok(one) = serde_json::from_value::<LinuxResources>(one) else { continue };
                let _ = kernel.manager().update(&one);
            }
        }
    }
}
