//! Each way to be refused, by its place.

use serde_json::{Value, json};

use super::{everything, facts, told, with};

/// Each pointer, set to a value, is refused at the place.
fn all(cases: &[(&str, Value, &str)]) {
    for (pointer, value, place) in cases {
        let told = told(&with(everything(), pointer, value.clone()), &facts())
            .expect_err(&format!("{pointer} = {value} was accepted"));
        assert!(told.starts_with(&format!("config.json: {place}: ")), "{pointer} = {value}: {told}");
    }
}

#[test]
fn version_root_and_annotations() {
    all(&[
        ("/ociVersion", json!(null), "ociVersion"),
        ("/ociVersion", json!("1.2"), "ociVersion"),
        ("/ociVersion", json!("v1.2.0"), "ociVersion"),
        ("/ociVersion", json!("01.2.0"), "ociVersion"),
        ("/ociVersion", json!("0.9.0"), "ociVersion"),
        ("/ociVersion", json!("2.0.0"), "ociVersion"),
        ("/root", json!(null), "root"),
        ("/root/path", json!(null), "root.path"),
        ("/root/path", json!(""), "root.path"),
        ("/root/path", json!("x".repeat(4096)), "root.path"),
        ("/annotations/", json!("value"), "annotations"),
    ]);
}

#[test]
fn the_process() {
    let long = "x".repeat(131_072);
    all(&[
        ("/process", json!(null), "process"),
        ("/process/args", json!(null), "process.args"),
        ("/process/args", json!([]), "process.args"),
        ("/process/args/1", json!(long), "process.args[1]"),
        ("/process/cwd", json!(""), "process.cwd"),
        ("/process/cwd", json!("root"), "process.cwd"),
        ("/process/cwd", json!("./"), "process.cwd"),
        ("/process/env/0", json!("PATH"), "process.env[0]"),
        ("/process/env/2", json!("=x"), "process.env[2]"),
        ("/process/env/2", json!(""), "process.env[2]"),
        ("/process/env/2", json!(format!("A={long}")), "process.env[2]"),
        ("/process/user/uid", json!(100), "process.user.uid"),
        ("/process/user/gid", json!(499), "process.user.gid"),
        ("/process/user/additionalGids", json!([5, 510]), "process.user.additionalGids"),
        ("/process/user/additionalGids", json!(vec![5; 65_537]), "process.user.additionalGids"),
        ("/process/rlimits/1/type", json!("RLIMIT_NOFILE"), "process.rlimits[1].type"),
        ("/process/rlimits/0/soft", json!(1025), "process.rlimits[0].soft"),
        ("/process/oomScoreAdj", json!(1001), "process.oomScoreAdj"),
        ("/process/oomScoreAdj", json!(-1001), "process.oomScoreAdj"),
        ("/process/ioPriority/priority", json!(8), "process.ioPriority.priority"),
        ("/process/ioPriority/priority", json!(-1), "process.ioPriority.priority"),
        ("/process/execCPUAffinity/final", json!("3-1"), "process.execCPUAffinity.final"),
    ]);
    for (pointer, value) in [
        ("/process/rlimits/0/type", json!("RLIMIT_OF_TOMORROW")),
        ("/process/ioPriority/class", json!("IOPRIO_CLASS_NONE")),
        ("/process/scheduler/policy", json!("SCHED_FAST")),
        ("/process/cwd", json!(null)),
    ] {
        let told = told(&with(everything(), pointer, value), &facts()).unwrap_err();
        assert!(told.starts_with("parser"), "{pointer}: {told}");
    }
}

#[test]
fn schedulers() {
    let policy = |policy: &str, more: Value| {
        let mut all = json!({"policy": policy});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    all(&[
        ("/process/scheduler", policy("SCHED_ISO", json!({})), "process.scheduler.policy"),
        ("/process/scheduler", policy("SCHED_OTHER", json!({"nice": 20})), "process.scheduler.nice"),
        ("/process/scheduler", policy("SCHED_OTHER", json!({"nice": -21})), "process.scheduler.nice"),
        ("/process/scheduler", policy("SCHED_OTHER", json!({"priority": 1})), "process.scheduler.priority"),
        ("/process/scheduler", policy("SCHED_RR", json!({})), "process.scheduler.priority"),
        ("/process/scheduler", policy("SCHED_FIFO", json!({"priority": 100})), "process.scheduler.priority"),
        ("/process/scheduler", policy("SCHED_BATCH", json!({"runtime": 5000})), "process.scheduler"),
        ("/process/scheduler", policy("SCHED_DEADLINE", json!({})), "process.scheduler"),
        (
            "/process/scheduler",
            policy("SCHED_DEADLINE", json!({"runtime": 9000, "deadline": 8000})),
            "process.scheduler",
        ),
        (
            "/process/scheduler",
            policy("SCHED_DEADLINE", json!({"runtime": 5000, "deadline": 9000, "period": 8000})),
            "process.scheduler",
        ),
    ]);
}

#[test]
fn hooks() {
    for kind in ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"] {
        let at = |field: &str| format!("/hooks/{kind}/0/{field}");
        let place = |field: &str| format!("hooks.{kind}[0].{field}");
        all(&[
            (&at("path"), json!("bin/hook"), &place("path")),
            (&at("path"), json!(""), &place("path")),
            (&at("timeout"), json!(0), &place("timeout")),
            (&at("timeout"), json!(-1), &place("timeout")),
            (&at("env"), json!(["A"]), &place("env[0]")),
            (&at("args"), json!(["x".repeat(131_072)]), &place("args[0]")),
        ]);
    }
}

#[test]
fn names_and_namespaces() {
    let without = |kind: &str| {
        let mut list = everything()["linux"]["namespaces"].clone();
        list.as_array_mut().unwrap().retain(|one| one["type"] != kind);
        list
    };
    const LIST: &str = "/linux/namespaces";
    all(&[
        ("/hostname", json!("h".repeat(65)), "hostname"),
        ("/domainname", json!("d".repeat(65)), "domainname"),
        (LIST, without("uts"), "hostname"),
        (LIST, without("user"), "linux.uidMappings"),
        (LIST, without("time"), "linux.timeOffsets"),
        (LIST, without("network"), "linux.sysctl.net.ipv4.ip_forward"),
        (LIST, without("ipc"), "linux.sysctl.fs.mqueue.msg_max"),
        (LIST, without("mount"), "linux.rootfsPropagation"),
        ("/linux/namespaces/-", json!({"type": "pid"}), "linux.namespaces[8].type"),
        ("/linux/namespaces/-", json!({"type": "pid", "path": "/proc/1/ns/pid"}), "linux.namespaces[8].type"),
        ("/linux/namespaces/0/path", json!("ns/pid"), "linux.namespaces[0].path"),
        ("/linux/namespaces/7/path", json!("/proc/1/ns/time"), "linux.timeOffsets"),
        ("/linux/uidMappings", json!([]), "linux.uidMappings"),
        ("/linux/gidMappings", json!(null), "linux.gidMappings"),
        ("/linux/uidMappings/0/size", json!(0), "linux.uidMappings[0].size"),
        ("/linux/uidMappings/0/size", json!(501), "linux.uidMappings[1]"),
        ("/linux/gidMappings/1/hostID", json!(1099), "linux.gidMappings[1]"),
        ("/linux/gidMappings/1/hostID", json!(u32::MAX), "linux.gidMappings[1]"),
        ("/linux/gidMappings/1/containerID", json!(u32::MAX - 9), "linux.gidMappings[1]"),
        ("/linux/uidMappings", json!(vec![json!({"size": 1}); 341]), "linux.uidMappings"),
        ("/linux/timeOffsets/realtime", json!({"secs": 1}), "linux.timeOffsets"),
        (
            "/linux/timeOffsets/monotonic/nanosecs",
            json!(1_000_000_000),
            "linux.timeOffsets.monotonic.nanosecs",
        ),
    ]);
    // Nobody in a user namespace mounts among the machine's mounts.
    let bare = with(with(everything(), LIST, without("mount")), "/linux/rootfsPropagation", json!(null));
    let why = told(&bare, &facts()).unwrap_err();
    assert!(why.starts_with("config.json: linux.namespaces: "), "{why}");
    for kind in ["uts", "domainname"] {
        // Without a host name it is the domain name's turn.
        let mut config = with(with(everything(), LIST, without("uts")), "/hostname", json!(null));
        if kind == "uts" {
            config = with(config, "/domainname", json!(null));
        }
        let place = if kind == "uts" { "linux.sysctl.kernel.domainname" } else { "domainname" };
        assert!(told(&config, &facts()).unwrap_err().contains(place), "{kind}");
    }
}

#[test]
fn parameters_of_the_kernel() {
    let name =
        |name: &str| (format!("/linux/sysctl/{}", name.replace('/', "~1")), format!("linux.sysctl.{name}"));
    let names = [
        "vm.swappiness",
        "kernel.hostname",
        "kernel.pid_max",
        "user.max_user_namespaces",
        "net/../kernel/pid_max",
        "kernel/../net/core/somaxconn",
        "net..core",
        "fs.file-max",
        "/etc/passwd",
        "..",
        "",
        "net./.x",
        "kernel.shm",
    ];
    for (pointer, place) in names.map(name) {
        all(&[(&pointer, json!("1"), &place)]);
    }
}

#[test]
fn devices_and_paths() {
    all(&[
        ("/linux/devices/0/path", json!("dev/fuse"), "linux.devices[0].path"),
        ("/linux/devices/0/path", json!(""), "linux.devices[0].path"),
        ("/linux/devices/0/type", json!("a"), "linux.devices[0].type"),
        ("/linux/devices/0/major", json!(-1), "linux.devices[0].major"),
        ("/linux/devices/0/major", json!(4096), "linux.devices[0].major"),
        ("/linux/devices/1/minor", json!(1 << 20), "linux.devices[1].minor"),
        ("/linux/devices/1/fileMode", json!(0o200_000), "linux.devices[1].fileMode"),
        ("/linux/maskedPaths/0", json!("proc/kcore"), "linux.maskedPaths[0]"),
        ("/linux/maskedPaths/0", json!(""), "linux.maskedPaths[0]"),
        ("/linux/readonlyPaths/0", json!(format!("/{}", "x".repeat(4096))), "linux.readonlyPaths[0]"),
        ("/linux/cgroupsPath", json!("../other"), "linux.cgroupsPath"),
        ("/linux/cgroupsPath", json!("/a/../../b"), "linux.cgroupsPath"),
        ("/linux/cgroupsPath", json!("x".repeat(4096)), "linux.cgroupsPath"),
        ("/linux/rootfsPropagation", json!("Slave"), "linux.rootfsPropagation"),
        ("/linux/rootfsPropagation", json!("rrslave"), "linux.rootfsPropagation"),
        ("/linux/rootfsPropagation", json!("r"), "linux.rootfsPropagation"),
        ("/linux/personality/flags", json!(["ADDR_NO_RANDOMIZE"]), "linux.personality.flags"),
        ("/linux/seccomp/syscalls/0/names", json!([]), "linux.seccomp.syscalls[0].names"),
    ]);
    for (pointer, value) in [
        ("/linux/devices/0/type", json!("x")),
        ("/linux/personality/domain", json!("BSD")),
        ("/linux/namespaces/0/type", json!("pids")),
        ("/linux/seccomp/architectures/0", json!("SCMP_ARCH_Z80")),
        ("/linux/seccomp/syscalls/0/action", json!("ALLOW")),
    ] {
        let told = told(&with(everything(), pointer, value), &facts()).unwrap_err();
        assert!(told.starts_with("parser"), "{pointer}: {told}");
    }
}

#[test]
fn mounts() {
    let long = format!("context={}", "x".repeat(4096));
    all(&[
        ("/mounts/0/destination", json!(""), "mounts[0].destination"),
        ("/mounts/0/destination", json!(format!("/{}", "x".repeat(4096))), "mounts[0].destination"),
        ("/mounts/0/type", json!(null), "mounts[0].type"),
        ("/mounts/0/type", json!(""), "mounts[0].type"),
        ("/mounts/1/options/1", json!(long), "mounts[1].options"),
        ("/mounts/2/source", json!(null), "mounts[2].source"),
        ("/mounts/2/source", json!(""), "mounts[2].source"),
        ("/mounts/3/gidMappings", json!(null), "mounts[3].uidMappings"),
        ("/mounts/3/uidMappings", json!(null), "mounts[3].gidMappings"),
        ("/mounts/3/uidMappings", json!([]), "mounts[3].uidMappings"),
        ("/mounts/3/uidMappings/0/size", json!(0), "mounts[3].uidMappings[0].size"),
        ("/mounts/1/options/1", json!("idmap"), "mounts[1]"),
    ]);
    // Without mappings of its own and without a user namespace.
    let mut config = with(everything(), "/mounts/2/options/-", json!("ridmap"));
    assert_eq!(told(&config, &facts()), Ok(vec![]));
    config["linux"]["namespaces"].as_array_mut().unwrap().retain(|one| one["type"] != "user");
    assert!(told(&config, &facts()).unwrap_err().contains("mounts[2].options: idmap"));
}

#[test]
fn resources() {
    const AT: &str = "/linux/resources";
    let at = |field: &str| format!("{AT}/{field}");
    let cases = [
        ("devices/0/type", json!("u"), "devices[0].type"),
        ("devices/1/type", json!("p"), "devices[1].type"),
        ("devices/0/access", json!("rwx"), "devices[0].access"),
        ("devices/1/major", json!(-2), "devices[1].major"),
        ("devices/1/minor", json!(1 << 20), "devices[1].minor"),
        ("memory/limit", json!(-2), "memory.limit"),
        ("memory/reservation", json!(i64::MIN), "memory.reservation"),
        ("memory/swap", json!(-5), "memory.swap"),
        ("memory/swap", json!(536_870_911), "memory.swap"),
        ("memory/limit", json!(null), "memory.swap"),
        ("memory/limit", json!(-1), "memory.swap"),
        ("memory/swappiness", json!(101), "memory.swappiness"),
        ("cpu/period", json!(999), "cpu.period"),
        ("cpu/period", json!(1_000_001), "cpu.period"),
        ("cpu/quota", json!(999), "cpu.quota"),
        ("cpu/burst", json!(100_001), "cpu.burst"),
        ("cpu/idle", json!(2), "cpu.idle"),
        ("cpu/idle", json!(-1), "cpu.idle"),
        ("cpu/cpus", json!("3-1"), "cpu.cpus"),
        ("cpu/cpus", json!("0;1"), "cpu.cpus"),
        ("cpu/mems", json!("all"), "cpu.mems"),
        ("blockIO/weight", json!(9), "blockIO.weight"),
        ("blockIO/weight", json!(1001), "blockIO.weight"),
        ("blockIO/leafWeight", json!(1), "blockIO.leafWeight"),
        ("blockIO/weightDevice/0/weight", json!(null), "blockIO.weightDevice[0]"),
        ("blockIO/weightDevice/0/weight", json!(5000), "blockIO.weightDevice[0].weight"),
        ("blockIO/weightDevice/1/major", json!(-8), "blockIO.weightDevice[1].major"),
        ("blockIO/throttleReadBpsDevice/0/major", json!(-1), "blockIO.throttleReadBpsDevice[0].major"),
        ("blockIO/throttleWriteBpsDevice/0/minor", json!(-1), "blockIO.throttleWriteBpsDevice[0].minor"),
        (
            "blockIO/throttleReadIOPSDevice/0/major",
            json!(1_i64 << 40),
            "blockIO.throttleReadIOPSDevice[0].major",
        ),
        ("blockIO/throttleWriteIOPSDevice/0/minor", json!(-1), "blockIO.throttleWriteIOPSDevice[0].minor"),
        ("hugepageLimits/0/pageSize", json!("2M"), "hugepageLimits[0].pageSize"),
        ("hugepageLimits/0/pageSize", json!("02MB"), "hugepageLimits[0].pageSize"),
        ("hugepageLimits/0/pageSize", json!("../2MB"), "hugepageLimits[0].pageSize"),
        ("hugepageLimits/0/pageSize", json!("3MB"), "hugepageLimits[0].pageSize"),
        ("hugepageLimits/0/limit", json!(-1), "hugepageLimits[0].limit"),
        ("rdma/mlx5_1", json!({}), "rdma.mlx5_1"),
        ("unified/a~1b", json!("1"), "unified"),
        ("unified/..", json!("1"), "unified"),
        ("unified/", json!("1"), "unified"),
    ];
    for (field, value, place) in cases {
        all(&[(&at(field), value, &format!("linux.resources.{place}"))]);
    }
}

#[test]
fn additions_of_1_3_and_rdt() {
    all(&[
        ("/linux/netDevices/eth1/name", json!("a/b"), "linux.netDevices.eth1"),
        ("/linux/netDevices/eth1/name", json!("a b"), "linux.netDevices.eth1"),
        ("/linux/netDevices/eth1/name", json!(".."), "linux.netDevices.eth1"),
        ("/linux/netDevices/eth1/name", json!("a%s"), "linux.netDevices.eth1"),
        ("/linux/netDevices/eth1/name", json!("%da"), "linux.netDevices.eth1"),
        ("/linux/netDevices/eth1/name", json!("%d%d"), "linux.netDevices.eth1"),
        ("/linux/netDevices/abcdefghijklmnop", json!({}), "linux.netDevices.abcdefghijklmnop"),
        ("/linux/netDevices", json!({"a": {"name": "c"}, "b": {"name": "c"}}), "linux.netDevices.b"),
        ("/linux/memoryPolicy/nodes", json!("x"), "linux.memoryPolicy.nodes"),
        ("/linux/memoryPolicy/nodes", json!(null), "linux.memoryPolicy.nodes"),
        ("/linux/memoryPolicy/mode", json!("MPOL_DEFAULT"), "linux.memoryPolicy.nodes"),
        ("/linux/memoryPolicy/mode", json!("MPOL_LOCAL"), "linux.memoryPolicy.nodes"),
        ("/linux/memoryPolicy/flags/-", json!("MPOL_F_RELATIVE_NODES"), "linux.memoryPolicy.flags"),
        (
            "/linux/memoryPolicy",
            json!({"mode": "MPOL_INTERLEAVE", "nodes": "0", "flags": ["MPOL_F_NUMA_BALANCING"]}),
            "linux.memoryPolicy.flags",
        ),
        ("/linux/intelRdt/closID", json!(".."), "linux.intelRdt.closID"),
        ("/linux/intelRdt/closID", json!("a/b"), "linux.intelRdt.closID"),
        ("/linux/intelRdt/closID", json!(""), "linux.intelRdt.closID"),
        ("/linux/intelRdt/memBwSchema", json!("L3:0=20"), "linux.intelRdt.memBwSchema"),
        ("/linux/intelRdt/memBwSchema", json!("MB:0=20\nL3:0=1"), "linux.intelRdt.memBwSchema"),
        ("/linux/intelRdt/schemata/0", json!("L3:0=1\nMB:0=1"), "linux.intelRdt.schemata[0]"),
    ]);
}

#[test]
fn what_this_machine_has_not() {
    type Change = fn(&mut super::Facts);
    let cases: [(Change, &str); 8] = [
        (|facts| facts.unified = false, "linux.resources.unified"),
        (|facts| facts.rootless = true, "linux.netDevices"),
        (|facts| facts.apparmor = false, "process.apparmorProfile"),
        (|facts| facts.selinux = false, "process.selinuxLabel"),
        (|facts| facts.resctrl = false, "linux.intelRdt"),
        (|facts| facts.hugepage_sizes.clear(), "linux.resources.hugepageLimits[0].pageSize"),
        (|facts| facts.joins_own_mounts = true, "linux.namespaces"),
        (|facts| facts.joins_own_network = true, "linux.sysctl.net.ipv4.ip_forward"),
    ];
    for (change, place) in cases {
        let mut facts = facts();
        change(&mut facts);
        let told = told(&everything(), &facts).unwrap_err();
        assert!(told.starts_with(&format!("config.json: {place}: ")), "{told}");
    }
    let unlabelled = with(everything(), "/process/selinuxLabel", json!(null));
    let told = told(&unlabelled, &super::Facts { selinux: false, ..facts() }).unwrap_err();
    assert!(told.starts_with("config.json: linux.mountLabel: "), "{told}");
}
