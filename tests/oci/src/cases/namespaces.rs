//! Namespaces: new ones, given ones, those of the runtime.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::bed::Bed;
use crate::check::{Verdict, equal, holds, skip};
use crate::net::Mounts;
use crate::suite::{Case, Chapter, case};

/// Whether a line of mountinfo is of a mount on or below a folder.
fn is_below(line: &str, folder: &Path) -> bool {
    line.split(' ').nth(4).is_some_and(|at| Path::new(at).starts_with(folder))
}

pub(super) const CHAPTER: Chapter = Chapter { name: "namespaces", cases: CASES };

/// The file of a kind in `/proc/PID/ns`.
fn file_of(kind: &str) -> &str {
    match kind {
        "network" => "net",
        "mount" => "mnt",
        other => other,
    }
}

/// The runtime's own namespace of a kind, as the kernel names it.
fn own(kind: &str) -> Verdict<String> {
    match fs::read_link(format!("/proc/self/ns/{}", file_of(kind))) {
        Ok(link) => Ok(link.to_string_lossy().into_owned()),
        Err(_) => skip(format!("this kernel has no {kind} namespaces")),
    }
}

fn seen(bed: &mut Bed, kind: &str) -> Verdict<String> {
    let seen = bed.seen()?;
    Ok(seen["namespaces"][file_of(kind)].as_str().unwrap_or_default().to_owned())
}

/// A namespace of the kind without a path is new.
fn new(bed: &mut Bed, kind: &str) -> Verdict {
    let own = own(kind)?;
    bed.without_namespace(kind);
    bed.namespace(json!({ "type": kind }));
    let seen = seen(bed, kind)?;
    holds(&format!("{seen} is another than {own}"), !seen.is_empty() && seen != own)
}

/// A kind that is not listed is the runtime's.
fn absent(bed: &mut Bed, kind: &str) -> Verdict {
    let own = own(kind)?;
    bed.without_namespace(kind);
    equal(kind, seen(bed, kind)?, own)
}

/// The path of a namespace of the kind that another container has.
fn of_another(bed: &mut Bed, kind: &str) -> Verdict<String> {
    own(kind)?;
    bed.without_namespace(kind);
    bed.namespace(json!({ "type": kind }));
    bed.up()?;
    let path = format!("/proc/{}/ns/{}", bed.pid()?, file_of(kind));
    bed.without_namespace(kind);
    Ok(path)
}

/// A namespace by its path is that one.
fn joined(bed: &mut Bed, kind: &str) -> Verdict {
    let path = of_another(bed, kind)?;
    let first = fs::read_link(&path)?.to_string_lossy().into_owned();
    bed.namespace(json!({ "type": kind, "path": path }));
    let (id, second) = (bed.id.clone(), format!("{}-b", bed.id));
    bed.set(json!({ "linux": { "cgroupsPath": format!("/{second}") } }));
    bed.create_as(&second)?;
    let said = bed.must(&["state", &second])?;
    let state: serde_json::Value = serde_json::from_str(&said.out)?;
    let link = format!("/proc/{}/ns/{}", state["pid"], file_of(kind));
    let joined = fs::read_link(link)?.to_string_lossy().into_owned();
    bed.must(&["delete", "--force", &second])?;
    bed.must(&["delete", "--force", &id])?;
    equal(kind, joined, first)
}

const CASES: &[Case] = &[
    case("pid_new", "config-linux.md#namespaces: without a path the namespace is new", |bed| new(bed, "pid")),
    case("network_new", "config-linux.md#namespaces: without a path the namespace is new", |bed| {
        new(bed, "network")
    }),
    case("mount_new", "config-linux.md#namespaces: without a path the namespace is new", |bed| {
        new(bed, "mount")
    }),
    case("ipc_new", "config-linux.md#namespaces: without a path the namespace is new", |bed| new(bed, "ipc")),
    case("uts_new", "config-linux.md#namespaces: without a path the namespace is new", |bed| new(bed, "uts")),
    case("cgroup_new", "config-linux.md#namespaces: without a path the namespace is new", |bed| {
        new(bed, "cgroup")
    }),
    case("time_new", "config-linux.md#namespaces: without a path the namespace is new", |bed| {
        new(bed, "time")
    })
    .since("1.1.0"),
    case("pid_absent", "config-linux.md#namespaces: a kind that is not listed is inherited", |bed| {
        absent(bed, "pid")
    }),
    case("network_absent", "config-linux.md#namespaces: a kind that is not listed is inherited", |bed| {
        absent(bed, "network")
    }),
    case("ipc_absent", "config-linux.md#namespaces: a kind that is not listed is inherited", |bed| {
        absent(bed, "ipc")
    }),
    case("uts_absent", "config-linux.md#namespaces: a kind that is not listed is inherited", |bed| {
        absent(bed, "uts")
    }),
    case("cgroup_absent", "config-linux.md#namespaces: a kind that is not listed is inherited", |bed| {
        absent(bed, "cgroup")
    }),
    case("user_absent", "config-linux.md#namespaces: a kind that is not listed is inherited", |bed| {
        absent(bed, "user")
    }),
    case("time_absent", "config-linux.md#namespaces: a kind that is not listed is inherited", |bed| {
        absent(bed, "time")
    }),
    case("pid_by_path", "config-linux.md#namespaces: must be placed in the namespace of path", |bed| {
        joined(bed, "pid")
    }),
    case("network_by_path", "config-linux.md#namespaces: must be placed in the namespace of path", |bed| {
        joined(bed, "network")
    }),
    case("ipc_by_path", "config-linux.md#namespaces: must be placed in the namespace of path", |bed| {
        joined(bed, "ipc")
    }),
    case("uts_by_path", "config-linux.md#namespaces: must be placed in the namespace of path", |bed| {
        joined(bed, "uts")
    }),
    case("cgroup_by_path", "config-linux.md#namespaces: must be placed in the namespace of path", |bed| {
        joined(bed, "cgroup")
    }),
    case("time_by_path", "config-linux.md#namespaces: must be placed in the namespace of path", |bed| {
        joined(bed, "time")
    })
    .since("1.1.0"),
    case(
        "first_process_of_a_new_pid_namespace",
        "config-linux.md#namespaces: pid: other processes are not seen",
        |bed| equal("pid", &bed.seen()?["pid"], 1),
    ),
    case(
        "a_new_network_has_a_loopback_only",
        "config-linux.md#namespaces: network: a network stack of its own",
        |bed| {
            bed.namespace(json!({ "type": "network" }));
            let answers = bed.ask(&["read /proc/net/dev"])?;
            let text = answers[0].as_str().unwrap_or_default();
            let links: Vec<&str> =
                text.lines().skip(2).filter_map(|line| line.split(':').next()).map(str::trim).collect();
            holds(&format!("lo is among {links:?}"), links.contains(&"lo"))?;
            holds(&format!("no Ethernet among {links:?}"), !links.iter().any(|link| link.starts_with("eth")))
        },
    ),
    case(
        "a_host_name_stays_in_its_namespace",
        "config-linux.md#namespaces: uts: a host name of its own",
        |bed| {
            let before = fs::read_to_string("/proc/sys/kernel/hostname")?;
            bed.set(json!({ "hostname": "somewhere-else" }));
            bed.seen()?;
            equal("host name outside", fs::read_to_string("/proc/sys/kernel/hostname")?, before)
        },
    ),
    case(
        "a_control_group_is_the_root_of_its_namespace",
        "config-linux.md#namespaces: cgroup: an isolated view",
        |bed| {
            bed.namespace(json!({ "type": "cgroup" }));
            let seen = bed.seen()?;
            let lines = seen["cgroup"].as_str().unwrap_or_default();
            let of = lines
                .lines()
                .find(|line| line.contains(":pids:") || (bed.host.is_v2() && line.starts_with("0::")));
            holds(&format!("the group is /: {of:?}"), of.is_some_and(|line| line.ends_with(":/")))
        },
    ),
    case(
        "offsets_of_clocks",
        "config-linux.md#offset-for-time-namespace: offsets of monotonic and boottime",
        |bed| {
            own("time")?;
            bed.namespace(json!({ "type": "time" }));
            bed.set(json!({ "linux": { "timeOffsets": {
            "monotonic": { "secs": 1000, "nanosecs": 5 }, "boottime": { "secs": 2000 } } } }));
            let seen = bed.seen()?;
            let text = seen["time_offsets"].as_str().unwrap_or_default();
            let words: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
            equal("offsets", words, vec![vec!["monotonic", "1000", "5"], vec!["boottime", "2000", "0"]])
        },
    )
    .since("1.1.0"),
    case(
        "mount_absent",
        "config-linux.md#namespaces: a kind that is not listed is inherited; nothing of the machine's may change",
        |bed| {
            let mounts = Mounts::of_the_runtime(bed)?;
            bed.without_namespace("mount");
            bed.set(json!({ "mounts": null }));
            let before = mounts.all()?;
            bed.deeds(&["touch /tmp/here", "wait"]);
            bed.create()?;
            bed.start()?;
            bed.says("ready")?;
            let pid = bed.pid()?;
            let link = fs::read_link(format!("/proc/{pid}/ns/mnt"))?;
            equal("mount namespace", link.to_string_lossy().as_ref(), mounts.name()?.as_str())?;
            equal("root", fs::read_link(format!("/proc/{pid}/root"))?, fs::canonicalize(bed.inside(""))?)?;
            equal("mounts of the machine", mounts.all()?, before.clone())?;
            holds("a file is made in the root file system", bed.inside("tmp/here").exists())?;
            let answers = bed.exec(&[], &["list /", "stat /etc/passwd"])?;
            holds(
                &format!("what joins is in the same root: {answers}"),
                answers[0][0] == "dev" && answers[1] == 2,
            )?;
            bed.stop()?;
            bed.must(&["delete", &bed.id.clone()])?;
            equal("mounts of the machine afterwards", mounts.all()?, before)
        },
    ),
    case(
        "mount_absent_and_something_to_mount",
        "config-linux.md#namespaces: mount is inherited; runtime.md#delete: what create made must be deleted",
        |bed| {
            let mounts = Mounts::of_the_runtime(bed)?;
            bed.without_namespace("mount");
            let before = mounts.all()?;
            bed.up()?;
            let link = fs::read_link(format!("/proc/{}/ns/mnt", bed.pid()?))?;
            equal("mount namespace", link.to_string_lossy().as_ref(), mounts.name()?.as_str())?;
            let (root, during) = (fs::canonicalize(bed.inside(""))?, mounts.all()?);
            let others: Vec<&str> = during.lines().filter(|line| !is_below(line, &root)).collect();
            equal("mounts of others", others, before.lines().collect::<Vec<_>>())?;
            holds("something is mounted", during != before)?;
            let answers = bed.exec(&[], &["list /", "list /proc/self/fd"])?;
            holds(&format!("what joins is in the same root: {answers}"), answers[0][0] == "dev")?;
            holds("in which there is /proc", answers[1].is_array())?;
            bed.stop()?;
            bed.must(&["delete", &bed.id.clone()])?;
            equal("mounts of the machine afterwards", mounts.all()?, before)
        },
    ),
    case(
        "mount_by_the_path_of_the_runtime_s_own",
        "config-linux.md#namespaces: what is mounted would be the machine's",
        |bed| {
            let mounts = Mounts::of_the_runtime(bed)?;
            bed.without_namespace("mount");
            bed.namespace(json!({ "type": "mount", "path": "/proc/self/ns/mnt" }));
            let before = mounts.all()?;
            bed.refused()?;
            equal("mounts of the machine", mounts.all()?, before)
        },
    ),
    case("a_kind_is_given_once", "config-linux.md#namespaces: two of one type must be refused", |bed| {
        bed.namespace(json!({ "type": "pid" }));
        bed.refused()
    }),
    case("no_such_kind", "config-linux.md#namespaces: type is one of eight kinds", |bed| {
        bed.namespace(json!({ "type": "dreams" }));
        bed.refused()
    }),
    case("no_such_path", "config-linux.md#namespaces: path is a namespace file", |bed| {
        bed.without_namespace("uts");
        bed.namespace(json!({ "type": "uts", "path": "/nowhere/uts" }));
        bed.refused()
    }),
    case(
        "a_path_of_another_kind",
        "config-linux.md#namespaces: path of another type must be refused",
        |bed| {
            bed.without_namespace("uts");
            bed.namespace(json!({ "type": "uts", "path": "/proc/self/ns/ipc" }));
            bed.refused()
        },
    ),
    case(
        "a_path_that_is_no_namespace",
        "config-linux.md#namespaces: path of another type must be refused",
        |bed| {
            bed.without_namespace("uts");
            bed.namespace(json!({ "type": "uts", "path": "/etc/passwd" }));
            bed.refused()
        },
    ),
    case("a_relative_path", "config-linux.md#namespaces: path must be absolute", |bed| {
        bed.without_namespace("uts");
        bed.namespace(json!({ "type": "uts", "path": "proc/self/ns/uts" }));
        bed.refused()
    }),
];
