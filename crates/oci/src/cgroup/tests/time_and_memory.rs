//! CPU time, memory, processes.

use super::*;

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
