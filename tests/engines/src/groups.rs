//! Control groups: those of our own, which are removed, and the limits that the kernel shows for a process.
//!
//! **Source.** `Documentation/admin-guide/cgroup-v1/`, `Documentation/admin-guide/cgroup-v2.rst`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

/// A mounted hierarchy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hierarchy {
    pub(crate) at: PathBuf,
    /// The group that is mounted there; `/` unless it is a part of the hierarchy.
    root: String,
    /// Options of the file system, controllers of version 1 among them; empty for version 2.
    controllers: Vec<String>,
}

/// Every one that is mounted, of both versions.
pub(crate) fn hierarchies() -> Result<Vec<Hierarchy>> {
    Ok(in_table(&fs::read_to_string("/proc/self/mountinfo")?))
}

fn in_table(mountinfo: &str) -> Vec<Hierarchy> {
    let hierarchy = |line: &str| {
        let (mount, system) = line.split_once(" - ")?;
        let (mount, system): (Vec<_>, Vec<_>) = (mount.split(' ').collect(), system.split(' ').collect());
        let controllers = match *system.first()? {
            "cgroup" => system.last()?.split(',').map(str::to_owned).collect(),
            "cgroup2" => Vec::new(),
            _ => return None,
        };
        Some(Hierarchy { at: mount.get(4)?.into(), root: (*mount.get(3)?).to_owned(), controllers })
    };
    mountinfo.lines().filter_map(hierarchy).collect()
}

/// Groups of the run in this folder, at the top of each hierarchy.
pub(crate) fn own(folder: &Path) -> Result<Vec<PathBuf>> {
    let name = folder.file_name().context("a folder of ours has a name")?;
    Ok(hierarchies()?.into_iter().map(|one| one.at.join(name)).filter(|group| group.exists()).collect())
}

/// All groups below these, deepest first, without themselves.
pub(crate) fn below(groups: &[PathBuf]) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for group in groups {
        let entries = fs::read_dir(group).into_iter().flatten().flatten();
        for child in entries.map(|entry| entry.path()).filter(|path| path.is_dir()) {
            all.extend(below(std::slice::from_ref(&child)));
            all.push(child);
        }
    }
    all
}

/// Removes the groups of the run in this folder, after whatever still runs in them.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    let own = own(folder)?;
    for group in below(&own).iter().chain(&own) {
        for pid in fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default().lines() {
            if let Some(pid) = pid.parse().ok().and_then(Pid::from_raw) {
                // One that has ended meanwhile is what was wanted.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        match rustix::fs::rmdir(group) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => bail!("{}: {error}", group.display()),
        }
    }
    Ok(())
}

/// What bounds a process, as the kernel says; `u64::MAX` is no bound.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) memory_bytes: u64,
    /// CPU time per period, in percent of one core.
    pub(crate) cpu_percent: u64,
    pub(crate) pids: u64,
}

/// Reads the limits of a process's groups.
pub(crate) fn limits(pid: u32) -> Result<Limits> {
    let number = |controller, v1, v2| -> Result<u64> {
        let (text, path) = read(pid, controller, v1, v2)?;
        if text.trim() == "max" {
            return Ok(u64::MAX);
        }
        text.trim().parse().with_context(|| format!("{} holds {text:?}", path.display()))
    };
    let memory_bytes = number("memory", "memory.limit_in_bytes", "memory.max")?;
    let pids = number("pids", "pids.max", "pids.max")?;
    let (quota, period) = match read(pid, "cpu", "cpu.cfs_quota_us", "cpu.max")?.0.trim().split_once(' ') {
        Some((quota, period)) => (quota.parse::<u64>()?, period.parse::<u64>()?),
        None => {
            let period = number("cpu", "cpu.cfs_period_us", "cpu.max")?;
            (number("cpu", "cpu.cfs_quota_us", "cpu.max")?, period)
        }
    };
    Ok(Limits { memory_bytes, cpu_percent: quota.saturating_mul(100) / period.max(1), pids })
}

/// Whether the groups of a process are frozen.
pub(crate) fn is_frozen(pid: u32) -> Result<bool> {
    let (state, _) = read(pid, "freezer", "freezer.state", "cgroup.freeze")?;
    Ok(matches!(state.trim(), "FROZEN" | "1"))
}

/// A file of the group that controls a process, by its name in version 1 or 2; also its path.
fn read(pid: u32, controller: &str, v1: &str, v2: &str) -> Result<(String, PathBuf)> {
    let table = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
    let (group, version) = group(&table, &hierarchies()?, controller)?;
    let path = group.join(if version == 1 { v1 } else { v2 });
    Ok((fs::read_to_string(&path).with_context(|| path.display().to_string())?, path))
}

/// Where the group of a controller is, in a table `/proc/PID/cgroup`, and the version of its hierarchy.
fn group(table: &str, hierarchies: &[Hierarchy], controller: &str) -> Result<(PathBuf, u8)> {
    let has = |list: &[String]| list.iter().any(|listed| listed == controller);
    let hierarchy = hierarchies.iter().find(|one| has(&one.controllers));
    let hierarchy = hierarchy.or_else(|| hierarchies.iter().find(|one| one.controllers.is_empty()));
    let hierarchy = hierarchy.with_context(|| format!("the controller {controller} is not mounted"))?;
    let version = if hierarchy.controllers.is_empty() { 2 } else { 1 };
    let path = table.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (names, path) = (fields.next()?, fields.next()?);
        let named = names.split(',').any(|name| name == controller);
        (if version == 2 { names.is_empty() } else { named }).then_some(path)
    });
    let path = path.with_context(|| format!("the process is in no group of {controller}"))?;
    let path = path.strip_prefix(hierarchy.root.trim_end_matches('/')).unwrap_or(path);
    Ok((hierarchy.at.join(path.trim_start_matches('/')), version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_in_either_version_and_below_a_part_that_is_mounted() {
        let v1 = in_table(
            "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
             36 31 0:33 /a /sys/fs/cgroup/cpu,cpuacct rw shared:2 - cgroup cgroup rw,cpu,cpuacct\n\
             41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
             42 31 0:39 / /proc rw - proc proc rw\n",
        );
        assert_eq!(v1.len(), 3);
        let table = "4:memory:/x\n2:cpu,cpuacct:/a/x\n0::/y\n";
        for (controller, path, version) in [
            ("memory", "/sys/fs/cgroup/memory/x", 1),
            ("cpu", "/sys/fs/cgroup/cpu,cpuacct/x", 1),
            ("hugetlb", "/sys/fs/cgroup/unified/y", 2),
        ] {
            assert_eq!(group(table, &v1, controller).unwrap(), (path.into(), version));
        }
        assert!(group("0::/y\n", &v1, "memory").is_err());
        assert!(group(table, &[], "memory").is_err());
    }

    #[test]
    fn groups_below_are_listed_deepest_first() {
        let top = std::env::temp_dir().join(format!("groups-below-{}", std::process::id()));
        fs::create_dir_all(top.join("a/b")).unwrap();
        let found = below(std::slice::from_ref(&top));
        fs::remove_dir_all(&top).unwrap();
        assert_eq!(found, [top.join("a/b"), top.join("a")]);
    }
}
