//! What a tenant sees of the machine, told from facts about its surroundings and ours.
//!
//! **Law.** Who runs on another kernel has everything of its own: the numbers of its namespaces are that kernel's, and may
//! happen to be ours (the first ones have fixed numbers). Kernels are told apart by the random number that each draws when it
//! boots. On the same kernel a resource is the tenant's *own* if its namespace is another than ours, else the *host's*. Mount points are its
//! own only with a root of its own as well; with one of the two it sees *some* of the host's. Devices are compared by
//! name. Whose processes it can list is not told from its namespace but from the `/proc` that it has: one that shows a
//! process of ours shows the *host's*.
//! **Source.** `namespaces(7)`: two processes are in one namespace if the links in `/proc/PID/ns` are the same;
//! `pid_namespaces(7)`: a `/proc` shows the processes of the namespace of whoever mounted it;
//! `/proc/sys/kernel/random/boot_id` in `random(4)`; `PROC_PID_INIT_INO` and its like in Linux `include/linux/proc_ns.h`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use catamaran_report::report::{IsolationRow, Sees};
use catamaran_worker::facts::{self, Facts};

/// Resources of which one namespace decides, with its kind.
const BY_NAMESPACE: [(&str, &str); 7] = [
    ("pid", "pid"),
    ("host-name", "uts"),
    ("user", "user"),
    ("network", "net"),
    ("ipc", "ipc"),
    ("cgroup", "cgroup"),
    ("time", "time"),
];

/// The fact by which kernels are told apart.
pub(crate) const KERNEL: &str = "boot-id";
/// The fact that says whose processes are listed: `ours`, `its own` or `none`.
const LISTED: &str = "listed";

/// The facts of the process of that number, and whose processes the `/proc` below its root lists.
pub(crate) fn around(pid: u32) -> Facts {
    let process = Path::new("/proc").join(pid.to_string());
    let mut facts = facts::read(&process);
    facts.insert(LISTED.to_owned(), listed(&process.join("root/proc")).to_owned());
    facts
}

fn listed(proc: &Path) -> &'static str {
    let us = std::process::id().to_string();
    let numbers = fs::read_dir(proc).into_iter().flatten().flatten();
    let lists = |name: std::ffi::OsString| name.to_string_lossy().parse::<u32>().is_ok();
    // Under our number another namespace may have another process; nobody else began when we did.
    match (began(&proc.join(us)), began(Path::new("/proc/self"))) {
        (Some(there), Some(ours)) if there == ours => "ours",
        _ if numbers.map(|entry| entry.file_name()).any(lists) => "its own",
        _ => "none",
    }
}

/// When a process began, in ticks since boot: the 22nd field of its `stat` (`proc_pid_stat(5)`), the 20th after its name.
fn began(process: &Path) -> Option<u64> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

/// What a process with the facts `inside` sees, by resource; what cannot be told is left out.
pub(crate) fn sees(inside: &Facts, outside: &Facts) -> Vec<(&'static str, Sees)> {
    let same = |fact: &str| Some(inside.get(fact)? == outside.get(fact)?);
    if same(KERNEL) == Some(false) {
        let by_namespace = BY_NAMESPACE.iter().map(|(resource, _)| *resource);
        let all = by_namespace.chain(["process", "mount", "device", "kernel"]);
        return all.map(|resource| (resource, Sees::Own)).collect();
    }
    let by_namespace = BY_NAMESPACE.iter().filter_map(|(resource, kind)| {
        let sees = if same(&format!("ns.{kind}"))? { Sees::Host } else { Sees::Own };
        Some((*resource, sees))
    });
    let mount = same("ns.mnt").zip(same("root")).map(|both| match both {
        (true, true) => Sees::Host,
        (false, false) => Sees::Own,
        _ => Sees::Some,
    });
    let listed = inside.get(LISTED).map(|whose| match whose.as_str() {
        "ours" => Sees::Host,
        "none" => Sees::Nothing,
        _ => Sees::Own,
    });
    let devices = inside.get("devices").zip(outside.get("devices")).map(|(own, host)| devices(own, host));
    by_namespace
        .chain(listed.map(|sees| ("process", sees)))
        .chain(mount.map(|sees| ("mount", sees)))
        .chain(devices.map(|sees| ("device", sees)))
        .chain(same(KERNEL).map(|_| ("kernel", Sees::Host)))
        .collect()
}

fn devices(own: &str, host: &str) -> Sees {
    let names = |text| str::split_whitespace(text).collect::<BTreeSet<_>>();
    let (own, host) = (names(own), names(host));
    if own.is_empty() {
        Sees::Nothing
    } else if own.is_superset(&host) {
        Sees::Host
    } else if own.is_disjoint(&host) {
        Sees::Own
    } else {
        Sees::Some
    }
}

/// The same as rows of a report.
pub(crate) fn rows(observer: &str, inside: &Facts, outside: &Facts) -> Vec<IsolationRow> {
    let row = |(resource, sees): (&str, Sees)| IsolationRow {
        resource: resource.to_owned(),
        observer: observer.to_owned(),
        sees,
    };
    sees(inside, outside).into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(text: &str) -> Facts {
        let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, fact)| (name.to_owned(), fact.to_owned())).collect()
    }

    #[test]
    fn this_machines_processes_are_found_where_they_are() {
        assert_eq!(listed(Path::new("/proc")), "ours");
        assert_eq!(listed(Path::new("/nowhere")), "none");
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("1")).expect("a folder in it");
        assert_eq!(listed(folder.path()), "its own");
    }

    #[test]
    fn what_is_seen_follows_from_namespaces_root_and_devices() {
        let host = facts("boot-id=k;ns.pid=1;ns.mnt=2;ns.net=3;root=0:1;devices=kvm null zero");
        let table = [
            (
                "boot-id=k;ns.pid=1;ns.mnt=2;ns.net=3;root=0:1;devices=kvm null zero",
                "host host host host host",
            ),
            ("boot-id=k;ns.pid=9;ns.mnt=8;ns.net=7;root=5:1;devices=null zero", "own own own some host"),
            (
                "boot-id=k;ns.pid=9;ns.mnt=8;ns.net=3;root=0:1;devices=kvm null zero",
                "own host some host host",
            ),
            ("boot-id=k;ns.pid=1;ns.mnt=2;ns.net=3;root=5:1;devices=", "host host some nothing host"),
            // Another kernel, whose first namespaces have the same numbers.
            (
                "boot-id=g;ns.pid=1;ns.mnt=2;ns.net=3;root=0:1;devices=kvm null zero",
                "own own own own own own own own own own own",
            ),
            ("ns.pid=1", "host"),
            ("boot-id=k;ns.pid=9;listed=ours", "own host host"),
            ("boot-id=k;ns.pid=9;listed=its own", "own own host"),
            ("boot-id=k;ns.pid=1;listed=none", "host nothing host"),
        ];
        for (inside, expected) in table {
            let seen = sees(&facts(inside), &host);
            let words: Vec<String> =
                seen.iter().map(|(_, sees)| format!("{sees:?}").to_lowercase()).collect();
            assert_eq!(words.join(" "), expected, "{inside}: {seen:?}");
        }
    }
}
