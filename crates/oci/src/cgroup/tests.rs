//! What is written where, in folders that stand for the kernel's.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use oci_spec::runtime::LinuxResources;
use serde_json::{Value, json};

use super::*;

/// A hierarchy in a folder, with the container's group `box` and files in it.
struct Kernel {
    root: tempfile::TempDir,
    hierarchies: Vec<Hierarchy>,
}

impl Kernel {
    fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap(), hierarchies: Vec::new() }
    }

    /// With one more hierarchy; the names of its controllers are joined by commas.
    fn with(mut self, version: Version, controllers: &str, files: &[(&str, &str)]) -> Self {
        let mount = self.root.path().join(format!("{}{controllers}", self.hierarchies.len()));
        let group = mount.join("box");
        fs::create_dir_all(&group).unwrap();
        fs::write(group.join("cgroup.procs"), "").unwrap();
        for (name, text) in files {
            fs::write(group.join(name), text).unwrap();
        }
        let controllers = match version {
            Version::V1 => controllers.split(',').map(str::to_owned).collect(),
            Version::V2 => {
                fs::write(group.join("cgroup.controllers"), controllers.replace(',', " ")).unwrap();
                Vec::new()
            }
        };
        self.hierarchies.push(Hierarchy { version, controllers, mount, own: PathBuf::new() });
        self
    }

    fn place(&self) -> Place {
        let hierarchies = self.hierarchies.clone();
        Place { path: None, id: "box".to_owned(), rootless: false, hierarchies }
    }

    fn manager(&self) -> Manager {
        let mut manager = Manager::new(&self.place()).unwrap();
        manager.create().unwrap();
        manager
    }

    /// Limits as `update` sets them; the files that are other than before, or the problem.
    fn limited(&self, resources: Value) -> Result<BTreeMap<String, String>, String> {
        let resources: LinuxResources = serde_json::from_value(resources).unwrap();
        let before = self.files();
        self.manager().update(&resources).map_err(|problem| problem.to_string())?;
        let after = self.files();
        Ok(after.into_iter().filter(|(name, text)| before.get(name) != Some(text)).collect())
    }

    fn files(&self) -> BTreeMap<String, String> {
        let groups = self.hierarchies.iter().map(|hierarchy| hierarchy.mount.join("box"));
        let entries =
            groups.flat_map(|group| fs::read_dir(group).unwrap()).map(|entry| entry.unwrap().path());
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        entries.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
    }
}

fn written(pairs: &[(&str, &str)]) -> Result<BTreeMap<String, String>, String> {
    Ok(pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

fn v1(controllers: &str, files: &[(&str, &str)]) -> Kernel {
    Kernel::new().with(Version::V1, controllers, files)
}

fn v2(controllers: &str, files: &[(&str, &str)]) -> Kernel {
    Kernel::new().with(Version::V2, controllers, files)
}

#[test]
fn cpu_in_the_words_of_version_1() {
    let files = [
        "cpu.shares",
        "cpu.cfs_quota_us",
        "cpu.cfs_period_us",
        "cpu.cfs_burst_us",
        "cpu.idle",
        "cpu.rt_runtime_us",
        "cpu.rt_period_us",
        "cpuset.cpus",
        "cpuset.mems",
    ]
    .map(|file| (file, ""));
    let kernel = || v1("cpu,cpuset", &files);
    let table = [
        (json!({}), vec![]),
        (json!({ "shares": 0, "quota": 0, "period": 0, "cpus": "", "mems": "" }), vec![]),
        (
            json!({ "shares": 512, "quota": 20_000, "period": 50_000, "burst": 1000 }),
            vec![
                ("cpu.shares", "512"),
                ("cpu.cfs_quota_us", "20000"),
                ("cpu.cfs_period_us", "50000"),
                ("cpu.cfs_burst_us", "1000"),
            ],
        ),
        (json!({ "quota": -1 }), vec![("cpu.cfs_quota_us", "-1")]),
        (json!({ "idle": 1 }), vec![("cpu.idle", "1")]),
        (json!({ "cpus": "0-1", "mems": "0" }), vec![("cpuset.cpus", "0-1"), ("cpuset.mems", "0")]),
        (
            json!({ "realtimeRuntime": 5, "realtimePeriod": 10 }),
            vec![("cpu.rt_runtime_us", "5"), ("cpu.rt_period_us", "10")],
        ),
    ];
    for (cpu, expected) in table {
        assert_eq!(kernel().limited(json!({ "cpu": cpu })), written(&expected), "{cpu}");
    }
}

#[test]
fn cpu_in_the_words_of_version_2() {
    let files = [
        ("cpu.weight", ""),
        ("cpu.max", "20000 100000\n"),
        ("cpu.max.burst", ""),
        ("cpu.idle", ""),
        ("cpuset.cpus", ""),
        ("cpuset.mems", ""),
    ];
    let kernel = || v2("cpu,cpuset", &files);
    let table = [
        (json!({ "shares": 1024 }), vec![("cpu.weight", "100")]),
        (json!({ "quota": 5000, "period": 50_000 }), vec![("cpu.max", "5000 50000")]),
        (json!({ "quota": 5000 }), vec![("cpu.max", "5000")]),
        (json!({ "period": 50_000 }), vec![("cpu.max", "20000 50000")]),
        (json!({ "quota": -1 }), vec![("cpu.max", "max")]),
        (json!({ "burst": 7 }), vec![("cpu.max.burst", "7")]),
        (json!({ "idle": 1, "mems": "0" }), vec![("cpu.idle", "1"), ("cpuset.mems", "0")]),
    ];
    for (cpu, expected) in table {
        assert_eq!(kernel().limited(json!({ "cpu": cpu })), written(&expected), "{cpu}");
    }
    let problem = kernel().limited(json!({ "cpu": { "realtimeRuntime": 5 } })).unwrap_err();
    assert!(problem.contains("linux.resources.cpu.realtimeRuntime: 5; "), "{problem}");
    let problem = kernel().limited(json!({ "cpu": { "quota": 5, "burst": 6 } })).unwrap_err();
    assert!(problem.contains("linux.resources.cpu.burst: 6; at most the quota, 5"), "{problem}");
}

#[test]
fn shares_become_weights_as_kubernetes_has_them() {
    let table = [
        (1, 1),
        (2, 1),
        (10, 4),
        (102, 17),
        (256, 35),
        (512, 59),
        (1024, 100),
        (2048, 174),
        (8192, 532),
        (65_536, 3023),
        (262_144, 10_000),
        (u64::MAX, 10_000),
    ];
    for (shares, expected) in table {
        let changed = v2("cpu", &[("cpu.weight", "")]).limited(json!({ "cpu": { "shares": shares } }));
        assert_eq!(changed, written(&[("cpu.weight", &expected.to_string())]), "{shares}");
    }
}

#[test]
fn memory_in_the_words_of_version_1() {
    let files = [
        "memory.limit_in_bytes",
        "memory.memsw.limit_in_bytes",
        "memory.soft_limit_in_bytes",
        "memory.kmem.limit_in_bytes",
        "memory.kmem.tcp.limit_in_bytes",
        "memory.swappiness",
        "memory.oom_control",
        "memory.use_hierarchy",
    ]
    .map(|file| (file, ""));
    let kernel = || v1("memory", &files);
    let table = [
        (json!({ "limit": 0, "swap": 0, "disableOOMKiller": false, "useHierarchy": false }), vec![]),
        (
            json!({ "limit": 100, "swap": 150, "reservation": 50 }),
            vec![
                ("memory.limit_in_bytes", "100"),
                ("memory.memsw.limit_in_bytes", "150"),
                ("memory.soft_limit_in_bytes", "50"),
            ],
        ),
        (
            json!({ "limit": -1 }),
            vec![("memory.limit_in_bytes", "-1"), ("memory.memsw.limit_in_bytes", "-1")],
        ),
        (
            json!({ "swappiness": 0, "disableOOMKiller": true, "useHierarchy": true }),
            vec![("memory.swappiness", "0"), ("memory.oom_control", "1"), ("memory.use_hierarchy", "1")],
        ),
        (
            json!({ "kernel": 9, "kernelTCP": 8 }),
            vec![("memory.kmem.limit_in_bytes", "9"), ("memory.kmem.tcp.limit_in_bytes", "8")],
        ),
    ];
    for (memory, expected) in table {
        assert_eq!(kernel().limited(json!({ "memory": memory })), written(&expected), "{memory}");
    }
    let table = [
        (json!({ "limit": -2 }), "memory.limit: -2; a number of bytes"),
        (json!({ "limit": 100, "swap": 99 }), "memory.swap: 99; memory and swap together"),
        (json!({ "limit": -1, "swap": 99 }), "memory.swap: 99; memory and swap together"),
        (json!({ "swappiness": 101 }), "memory.swappiness: 101; 0 to 100"),
    ];
    for (memory, expected) in table {
        let problem = kernel().limited(json!({ "memory": memory })).unwrap_err();
        assert!(problem.contains(expected), "{problem}");
    }
}

#[test]
fn memory_in_the_words_of_version_2() {
    let files =
        [("memory.max", "80\n"), ("memory.swap.max", ""), ("memory.low", ""), ("memory.current", "60\n")];
    let kernel = || v2("memory", &files);
    let table = [
        (
            json!({ "limit": 100, "swap": 150, "reservation": 50 }),
            vec![("memory.max", "100"), ("memory.swap.max", "50"), ("memory.low", "50")],
        ),
        (json!({ "limit": 100, "swap": 100 }), vec![("memory.max", "100"), ("memory.swap.max", "0")]),
        (json!({ "limit": 100, "swap": -1 }), vec![("memory.max", "100"), ("memory.swap.max", "max")]),
        (json!({ "limit": -1 }), vec![("memory.max", "max"), ("memory.swap.max", "max")]),
        (json!({ "swap": 100 }), vec![("memory.swap.max", "20")]),
        (json!({ "limit": 61, "checkBeforeUpdate": true }), vec![("memory.max", "61")]),
        (
            json!({ "kernel": -1, "kernelTCP": -1, "disableOOMKiller": false, "limit": 7 }),
            vec![("memory.max", "7")],
        ),
    ];
    for (memory, expected) in table {
        assert_eq!(kernel().limited(json!({ "memory": memory })), written(&expected), "{memory}");
    }
    let table = [
        (json!({ "swap": 79 }), "memory.swap: 79; at least the limit of memory (80)"),
        (
            json!({ "limit": 59, "checkBeforeUpdate": true }),
            "memory.limit: 59; at least what the container uses",
        ),
        (json!({ "kernel": 9 }), "memory.kernel: 9; control groups version 2 have nothing"),
        (json!({ "swappiness": 9 }), "memory.swappiness: 9; control groups version 2 have nothing"),
        (json!({ "disableOOMKiller": true }), "memory.disableOOMKiller: true; control groups version 2"),
    ];
    for (memory, expected) in table {
        let problem = kernel().limited(json!({ "memory": memory })).unwrap_err();
        assert!(problem.contains(expected), "{problem}");
    }
    let without_swap = v2("memory", &[("memory.max", "")]);
    let changed = without_swap.limited(json!({ "memory": { "limit": 9, "swap": 9 } }));
    assert_eq!(changed, written(&[("memory.max", "9")]), "there is no swap to be bounded");
}

#[test]
fn processes_are_bounded_but_by_0() {
    for (limit, expected) in [(7, &[("pids.max", "7")][..]), (-1, &[("pids.max", "max")]), (0, &[])] {
        for kernel in [v1("pids", &[("pids.max", "")]), v2("pids", &[("pids.max", "")])] {
            assert_eq!(kernel.limited(json!({ "pids": { "limit": limit } })), written(expected), "{limit}");
        }
    }
}

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

#[test]
fn a_group_in_use_is_refused_and_left() {
    let kernel = v1("pids", &[]);
    let group = kernel.hierarchies[0].mount.join("box");
    fs::create_dir(group.join("inner")).unwrap();
    fs::write(group.join("inner/cgroup.procs"), "7\n8\n").unwrap();
    let problem = Manager::new(&kernel.place()).unwrap().create().unwrap_err().to_string();
    assert!(problem.contains("is not empty: 2 process(es) found"), "{problem}");
    assert!(group.join("inner").exists());
    let kernel = v1("freezer", &[("freezer.state", "FROZEN\n")]);
    let problem = Manager::new(&kernel.place()).unwrap().create().unwrap_err().to_string();
    assert!(problem.contains("is frozen"), "{problem}");
}

#[test]
fn only_groups_that_were_made_are_removed() {
    let kernel = v1("pids", &[]);
    kernel.manager().remove().unwrap();
    assert!(kernel.hierarchies[0].mount.join("box").exists(), "it was there before");
    let place = Place { path: Some("/outer/../a/b".into()), ..kernel.place() };
    let mut manager = Manager::new(&place).unwrap();
    manager.create().unwrap();
    let group = kernel.hierarchies[0].mount.join("a/b");
    assert_eq!(manager.paths(), BTreeMap::from([("pids".to_owned(), group.clone())]));
    fs::create_dir_all(group.join("c/d")).unwrap();
    let told: Manager = serde_json::from_str(&serde_json::to_string(&manager).unwrap()).unwrap();
    assert_eq!(told, manager);
    // Made while the group is there: it has another number.
    let other = kernel.hierarchies[0].mount.join("other");
    fs::create_dir(&other).unwrap();
    told.remove().unwrap();
    assert!(!group.exists());
    told.remove().unwrap();
    // Another of the same name is not the container's.
    fs::rename(&other, &group).unwrap();
    told.remove().unwrap();
    assert!(group.exists());
    assert!(manager.statistics().unwrap_err().to_string().contains("no control group any longer"));
}

#[test]
fn what_was_made_goes_where_not_all_can_be_made() {
    let kernel = v1("cpu", &[]).with(Version::V1, "memory", &[]);
    let target = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(target.path(), kernel.hierarchies[1].mount.join("a")).unwrap();
    let place = Place { path: Some("/a/b".into()), ..kernel.place() };
    let problem = Manager::new(&place).unwrap().create().unwrap_err().to_string();
    assert!(problem.contains("make the control group"), "{problem}");
    assert!(!kernel.hierarchies[0].mount.join("a").exists());
    assert_eq!(fs::read_dir(target.path()).unwrap().count(), 0, "a symbolic link leads nowhere");
}

#[test]
fn groups_above_hand_controllers_down() {
    let kernel = v2("", &[]);
    let mount = &kernel.hierarchies[0].mount;
    fs::write(mount.join("cgroup.controllers"), "cpu memory pids\n").unwrap();
    fs::write(mount.join("cgroup.subtree_control"), "cpu\n").unwrap();
    kernel.manager();
    assert_eq!(fs::read_to_string(mount.join("cgroup.subtree_control")).unwrap(), "+memory +pids");
    fs::write(mount.join("box/cgroup.type"), "domain invalid\n").unwrap();
    let problem = Manager::new(&kernel.place()).unwrap().create().unwrap_err().to_string();
    assert!(problem.contains("cannot hold processes"), "{problem}");
}

#[test]
fn processes_of_all_groups_are_told_once() {
    let kernel = v1("pids", &[]).with(Version::V1, "cpu", &[]);
    let manager = kernel.manager();
    fs::write(kernel.hierarchies[0].mount.join("box/cgroup.procs"), "9\n7\n0\n").unwrap();
    fs::create_dir(kernel.hierarchies[1].mount.join("box/inner")).unwrap();
    fs::write(kernel.hierarchies[1].mount.join("box/inner/cgroup.procs"), "8\n7\n").unwrap();
    assert_eq!(manager.processes().unwrap(), [7, 8, 9]);
}

#[test]
fn either_freezer_is_used() {
    let kernel = v1("freezer", &[("freezer.state", "THAWED\n")]);
    let manager = kernel.manager();
    assert!(!manager.is_frozen());
    manager.freeze().unwrap();
    assert!(manager.is_frozen());
    manager.thaw().unwrap();
    assert!(!manager.is_frozen());
    let kernel = v2("", &[("cgroup.freeze", "0\n"), ("cgroup.events", "populated 1\nfrozen 1\n")]);
    let manager = kernel.manager();
    manager.freeze().unwrap();
    assert!(manager.is_frozen());
    let none = v1("cpu", &[]).manager();
    assert!(none.freeze().unwrap_err().to_string().contains("no freezer control group"));
    assert!(!none.is_frozen());
}

#[test]
fn without_control_groups_only_a_rootless_container_can_be() {
    let place = |rootless, path: Option<&str>| Place {
        path: path.map(PathBuf::from),
        id: "box".to_owned(),
        rootless,
        hierarchies: Vec::new(),
    };
    let manager = Manager::new(&place(true, None)).unwrap();
    manager.apply(&LinuxResources::default()).unwrap();
    let limit: LinuxResources = serde_json::from_value(json!({ "memory": { "limit": 9 } })).unwrap();
    assert!(manager.apply(&limit).unwrap_err().to_string().contains("linux.resources.memory.limit"));
    assert!(Manager::new(&place(false, None)).is_err());
    assert!(Manager::new(&place(true, Some("/a"))).is_err());
}
