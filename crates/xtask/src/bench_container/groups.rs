//! Where our runtime makes the groups of the benchmark, and the start script that says so.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Result, bail};

/// The benchmark's limits: half a core, memory (bytes), processes.
pub(super) const QUOTA_US: u64 = 50_000;
pub(super) const PERIOD_US: u64 = 100_000;
pub(super) const SHARES: u64 = 512;
pub(super) const MEMORY_BYTES: u64 = 64 << 20;
pub(super) const PIDS: u64 = 64;

/// Name of our group; others' runs carry the id of a container.
const NAME: &str = "catamaran-bench";

/// Own groups of this process.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Groups {
    /// Of the controllers cpu, memory and pids.
    V1([String; 3]),
    /// Of the one tree.
    V2(String),
}

impl Groups {
    pub(super) fn find() -> Result<Self> {
        Self::parse(&fs::read_to_string("/proc/self/mountinfo")?, &fs::read_to_string("/proc/self/cgroup")?)
    }

    fn parse(mountinfo: &str, cgroup: &str) -> Result<Self> {
        let own = |controller: &str| own(mountinfo, cgroup, controller);
        if let (Some(cpu), Some(memory), Some(pids)) = (own("cpu"), own("memory"), own("pids")) {
            return Ok(Self::V1([cpu, memory, pids]));
        }
        match own("") {
            Some(tree) => Ok(Self::V2(tree)),
            None => bail!("neither cpu, memory and pids of version 1 nor the tree of version 2 are mounted"),
        }
    }

    /// In the form of `crates/native/worker/src/script.rs`.
    pub(super) fn script(&self) -> String {
        let mut text = String::from("start\n");
        match self {
            Self::V1([cpu, memory, pids]) => {
                let files = [
                    (
                        cpu,
                        vec![
                            ("cpu.shares", SHARES),
                            ("cpu.cfs_period_us", PERIOD_US),
                            ("cpu.cfs_quota_us", QUOTA_US),
                        ],
                    ),
                    (memory, vec![("memory.limit_in_bytes", MEMORY_BYTES)]),
                    (pids, vec![("pids.max", PIDS)]),
                ];
                for (parent, values) in files {
                    let _ = writeln!(text, "limits make {parent}/{NAME}\nenter {parent}/{NAME}");
                    for (file, value) in values {
                        let _ = writeln!(text, "limits write {parent}/{NAME}/{file}\t{value}");
                    }
                }
            }
            Self::V2(parent) => {
                let _ = writeln!(text, "limits make {parent}/{NAME}\nborn-in {parent}/{NAME}");
                let _ = writeln!(text, "limits write {parent}/{NAME}/cpu.max\t{QUOTA_US} {PERIOD_US}");
                let _ = writeln!(text, "limits write {parent}/{NAME}/memory.max\t{MEMORY_BYTES}");
                let _ = writeln!(text, "limits write {parent}/{NAME}/pids.max\t{PIDS}");
            }
        }
        for kind in ["mount", "uts", "ipc", "net", "pid", "cgroup"] {
            let _ = writeln!(text, "namespace {kind}");
        }
        text + "host-name bench\nconfined yes\n"
    }
}

/// Folder of this process's group of a controller; `""` stands for the tree of version 2.
fn own(mountinfo: &str, cgroup: &str, controller: &str) -> Option<String> {
    let group = cgroup.lines().find_map(|line| {
        let (controllers, group) = line.split_once(':')?.1.split_once(':')?;
        controllers.split(',').any(|name| name == controller).then_some(group)
    })?;
    mountinfo.lines().find_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let (root, point) = left
            .split(' ')
            .skip(3)
            .collect::<Vec<_>>()
            .split_first()
            .and_then(|(root, rest)| Some((*root, *rest.first()?)))?;
        let (kind, options) = right.split_once(' ')?;
        let found = match controller {
            "" => kind == "cgroup2",
            name => kind == "cgroup" && options.split([' ', ',']).any(|option| option == name),
        };
        let below = group.strip_prefix(root.trim_end_matches('/'))?;
        found.then(|| format!("{point}{}", below.trim_end_matches('/')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "40 30 0:20 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
        41 30 0:21 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
        43 30 0:23 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
        42 30 0:22 / /sys/fs/cgroup/unified rw shared:1 - cgroup2 cgroup2 rw\n";

    #[test]
    fn own_groups_are_found_on_both_versions() {
        let table = [
            (
                "3:pids:/\n2:memory:/a/b\n1:cpu:/\n0::/\n",
                Groups::V1(["cpu", "memory/a/b", "pids"].map(|path| format!("/sys/fs/cgroup/{path}"))),
            ),
            ("0::/user.slice\n", Groups::V2("/sys/fs/cgroup/unified/user.slice".into())),
        ];
        for (cgroup, expected) in table {
            assert_eq!(Groups::parse(MOUNTS, cgroup).unwrap(), expected, "{cgroup}");
        }
        assert!(Groups::parse("", "0::/\n").is_err());
    }

    #[test]
    fn the_script_sets_every_limit() {
        for groups in [Groups::V1(["/c", "/m", "/p"].map(str::to_owned)), Groups::V2("/t".into())] {
            let script = groups.script();
            for value in ["50000", "67108864", "64"] {
                assert!(
                    script.lines().any(|line| line.starts_with("limits write") && line.contains(value)),
                    "{value}: {script}"
                );
            }
        }
    }
}
