use std::fs;

use super::*;

fn of(files: &[(&str, &str)], add: impl Fn(&mut Statistics, &Folder)) -> serde_json::Value {
    let group = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(group.path().join(name), text).unwrap();
    }
    let mut statistics = Statistics::default();
    add(&mut statistics, &Folder::mount(group.path()).unwrap());
    serde_json::to_value(statistics).unwrap()
}

fn v1(controllers: &[&str], files: &[(&str, &str)]) -> serde_json::Value {
    of(files, |statistics, folder| {
        controllers.iter().for_each(|name| v1::add(statistics, name, folder));
    })
}

#[test]
fn figures_of_version_1_have_the_names_of_runc() {
    let found = v1(
        &["cpu", "cpuacct", "cpuset", "pids", "hugetlb"],
        &[
            ("cpu.stat", "nr_periods 12\nnr_throttled 3\nthrottled_time 4500\n"),
            ("cpuacct.usage", "7000000\n"),
            ("cpuacct.stat", "user 2\nsystem 1\n"),
            ("cpuacct.usage_percpu", "3000000 4000000 \n"),
            ("cpuacct.usage_all", "cpu user system\n0 2 1\n1 4 3\n"),
            ("cpuset.cpus", "0-1,3\n"),
            ("cpuset.mems", "0\n"),
            ("cpuset.sched_load_balance", "1\n"),
            ("cpuset.sched_relax_domain_level", "-1\n"),
            ("pids.current", "5\n"),
            ("pids.max", "max\n"),
            ("hugetlb.2MB.usage_in_bytes", "2097152\n"),
            ("hugetlb.2MB.rsvd.usage_in_bytes", "9\n"),
            ("hugetlb.2MB.failcnt", "1\n"),
        ],
    );
    let cpu = serde_json::json!({
        "usage": { "total": 7_000_000, "percpu": [3_000_000, 4_000_000], "percpu_kernel": [1, 3],
                   "percpu_user": [2, 4], "kernel": 10_000_000, "user": 20_000_000 },
        "throttling": { "periods": 12, "throttledPeriods": 3, "throttledTime": 4500 }
    });
    assert_eq!(found["cpu"], cpu);
    assert_eq!(found["pids"], serde_json::json!({ "current": 5 }), "no limit is left out");
    assert_eq!(found["cpuset"]["cpus"], serde_json::json!([0, 1, 3]));
    assert_eq!(found["cpuset"]["sched_relax_domain_level"], -1);
    assert_eq!(found["hugetlb"], serde_json::json!({ "2MB": { "usage": 2_097_152, "failcnt": 1 } }));
}

#[test]
fn memory_and_disks_of_version_1() {
    let found = v1(
        &["memory", "blkio"],
        &[
            ("memory.usage_in_bytes", "100\n"),
            ("memory.limit_in_bytes", "200\n"),
            ("memory.max_usage_in_bytes", "150\n"),
            ("memory.failcnt", "2\n"),
            ("memory.memsw.limit_in_bytes", "300\n"),
            ("memory.stat", "cache 60\nrss 40\n"),
            ("blkio.throttle.io_serviced_recursive", "8:0 Read 3\n8:0 Total 3\nTotal 3\n"),
            ("blkio.bfq.io_serviced_recursive", "Total 0\n"),
        ],
    );
    let memory = serde_json::json!({ "limit": 200, "usage": 100, "max": 150, "failcnt": 2 });
    assert_eq!(found["memory"]["usage"], memory);
    assert_eq!(found["memory"]["swap"], serde_json::json!({ "limit": 300, "failcnt": 0 }));
    assert_eq!(found["memory"]["cache"], 60);
    assert_eq!(found["memory"]["raw"], serde_json::json!({ "cache": 60, "rss": 40 }));
    let read = serde_json::json!([
        { "major": 8, "op": "Read", "value": 3 },
        { "major": 8, "op": "Total", "value": 3 }
    ]);
    assert_eq!(found["blkio"], serde_json::json!({ "ioServicedRecursive": read }));
}

#[test]
fn figures_of_version_2_stand_in_the_same_fields() {
    let found = of(
        &[
            (
                "cpu.stat",
                "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 2\nnr_throttled 1\nthrottled_usec 5\n",
            ),
            ("cpu.pressure", "some avg10=1.50 avg60=0.00 avg300=0.00 total=77\n"),
            ("memory.current", "100\n"),
            ("memory.max", "200\n"),
            ("memory.swap.current", "10\n"),
            ("memory.swap.max", "max\n"),
            ("memory.events", "low 0\nmax 4\noom 0\n"),
            ("memory.stat", "anon 40\nfile 60\nkernel 9\n"),
            ("pids.current", "5\n"),
            ("pids.max", "9\n"),
            ("io.stat", "8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5\n"),
            ("hugetlb.1GB.current", "0\n"),
            ("hugetlb.1GB.rsvd.current", "0\n"),
            ("cpuset.cpus.effective", "0-1\n"),
        ],
        v2::add,
    );
    let usage = serde_json::json!({ "total": 30_000, "kernel": 10_000, "user": 20_000 });
    assert_eq!(found["cpu"]["usage"], usage);
    assert_eq!(found["cpu"]["throttling"]["throttledTime"], 5000);
    assert_eq!(found["cpu"]["psi"]["some"]["avg10"], 1.5);
    let memory = serde_json::json!({ "limit": 200, "usage": 100, "failcnt": 4 });
    assert_eq!(found["memory"]["usage"], memory);
    assert_eq!(found["memory"]["swap"], serde_json::json!({ "limit": u64::MAX, "usage": 110, "failcnt": 0 }));
    assert_eq!((&found["memory"]["cache"], &found["memory"]["kernel"]["usage"]), (&60.into(), &9.into()));
    assert_eq!(found["pids"], serde_json::json!({ "current": 5, "limit": 9 }));
    assert_eq!(found["hugetlb"], serde_json::json!({ "1GB": { "failcnt": 0 } }));
    assert_eq!(found["cpuset"]["cpus"], serde_json::json!([0, 1]));
    let written = serde_json::json!({ "major": 8, "minor": 16, "op": "Write", "value": 2 });
    assert_eq!(found["blkio"]["ioServiceBytesRecursive"][1], written);
}

#[test]
fn no_text_is_too_odd() {
    for odd in [
        "",
        "\n",
        "max",
        "-1",
        "99999999999999999999999",
        "a b",
        "8:0",
        ":",
        "8: x=1",
        "some",
        "0-",
        "3-1",
        "0-99999",
    ] {
        let names = [
            "cpu.stat",
            "cpuset.cpus",
            "memory.current",
            "memory.max",
            "memory.swap.max",
            "io.stat",
            "io.pressure",
        ];
        let files: Vec<_> = names.map(|name| (name, odd)).to_vec();
        let _ = of(&files, v2::add);
        let names = ["cpuacct.usage_all", "cpuset.cpus", "memory.stat", "blkio.io_serviced_recursive"];
        let files: Vec<_> = names.map(|name| (name, odd)).to_vec();
        let _ = v1(&["cpuacct", "cpuset", "memory", "blkio"], &files);
    }
}
