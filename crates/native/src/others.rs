//! CPU time that went to others than the tenants of a run: whoever measures beside somebody else's work measures that work
//! as well. Daemons, shims and monitors of the run's own engine are nobody else's: what they cost is told apart.

use std::fs;
use std::path::Path;

use crate::cgroup::keyed;
use crate::machine::{CpuTimes, Hierarchies, cpu_list};

/// The process whose children are the kernel's own threads (`kthreadd`).
const KTHREADD: &str = "2";

/// CPU time of everyone on the machine up to a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Everyone {
    /// Of the given CPUs, by what the ticks found there. Who wakes with the ticks is found too often.
    ticks: CpuTimes,
    /// As the scheduler accounted it to the control groups (ns).
    accounted_ns: Option<u64>,
}

impl Everyone {
    /// Of the given CPUs, now.
    pub(crate) fn read(cpus: &[u32]) -> Self {
        let found = Hierarchies::find();
        let v1 = found.cpuacct_root.as_deref().and_then(|root| {
            // Version 2 leaves the kernel's threads in the root, which is not counted there.
            Some(v1_ns(root, cpus)?.saturating_sub(kernel_threads_ns(Path::new("/proc"), cpus)))
        });
        let accounted_ns = v1.or_else(|| found.v2_root.as_deref().and_then(v2_ns));
        Self { ticks: CpuTimes::read(cpus), accounted_ns }
    }

    /// CPU time (s) since `before`. Both counts can only be too high: the ticks' for the reason above, the groups' of v2
    /// because they know nothing of CPUs.
    pub(crate) fn busy_s_since(self, before: Self) -> f64 {
        let by_ticks = self.ticks.busy_s_since(before.ticks);
        match (self.accounted_ns, before.accounted_ns) {
            (Some(now), Some(then)) => by_ticks.min(now.saturating_sub(then) as f64 / 1e9),
            _ => by_ticks,
        }
    }

    /// Share of the time since `before` that the machine beneath took; `None` where no time passed.
    pub(crate) fn steal_since(self, before: Self) -> Option<f64> {
        self.ticks.steal_since(before.ticks)
    }
}

/// CPU time of a group and all below it up to a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupTime {
    /// On all CPUs (ns).
    pub(crate) all_ns: u64,
    /// On those of the run (ns); where groups know nothing of CPUs (version 2), on all.
    pub(crate) here_ns: u64,
}

impl GroupTime {
    /// Of the group, now; none where it is not there or does not count CPU time.
    pub(crate) fn read(group: &Path, cpus: &[u32]) -> Option<Self> {
        let by_cpu = || {
            let usage = usage_by_cpu(group)?;
            Some(Self { all_ns: usage.iter().sum(), here_ns: on(&usage, cpus)? })
        };
        let by_stat = || usage_ns(group).map(|ns| Self { all_ns: ns, here_ns: ns });
        by_cpu().or_else(by_stat)
    }

    /// What was used since `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            all_ns: self.all_ns.saturating_sub(before.all_ns),
            here_ns: self.here_ns.saturating_sub(before.here_ns),
        }
    }

    /// Without the time of somebody in the group who is on the run's CPUs.
    pub(crate) fn without(self, ns: u64) -> Self {
        Self { all_ns: self.all_ns.saturating_sub(ns), here_ns: self.here_ns.saturating_sub(ns) }
    }
}

/// Version 1: CPU time of a group by CPU (ns).
fn usage_by_cpu(group: &Path) -> Option<Vec<u64>> {
    let text = fs::read_to_string(group.join("cpuacct.usage_percpu")).ok()?;
    Some(text.split_ascii_whitespace().map_while(|ns| ns.parse().ok()).collect())
}

fn on(usage: &[u64], cpus: &[u32]) -> Option<u64> {
    cpus.iter().map(|&cpu| usage.get(cpu as usize).copied()).sum()
}

/// `cpuacct.usage_percpu` of the root: all tasks on the machine.
fn v1_ns(root: &Path, cpus: &[u32]) -> Option<u64> {
    on(&usage_by_cpu(root)?, cpus)
}

/// CPU time of the kernel's threads that may run on these CPUs only (ns): `ksoftirqd` takes in what tenants send to one another,
/// workers free what they leave behind. That is nobody else's program.
fn kernel_threads_ns(proc: &Path, cpus: &[u32]) -> u64 {
    let threads = fs::read_dir(proc).into_iter().flatten().flatten();
    let time = |thread: fs::DirEntry| {
        let status = fs::read_to_string(thread.path().join("status")).ok()?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let bound = cpu_list(field("Cpus_allowed_list:")?)?.iter().all(|cpu| cpus.contains(cpu));
        if field("PPid:")? != KTHREADD || !bound {
            return None;
        }
        let schedstat = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        schedstat.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    threads.filter_map(time).sum()
}

/// `cpu.stat` of the groups below the root. The root's own is made from the ticks (`root_cgroup_cputime`).
fn v2_ns(root: &Path) -> Option<u64> {
    let groups = fs::read_dir(root).ok()?.flatten();
    Some(groups.filter_map(|group| usage_ns(&group.path())).sum())
}

/// Version 2: CPU time of a group (ns).
fn usage_ns(group: &Path) -> Option<u64> {
    let stat = fs::read_to_string(group.join("cpu.stat")).ok()?;
    keyed(&stat, "usage_usec").map(|usec| usec.saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v1_counts_the_given_cpus() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("cpuacct.usage_percpu"), "100 20 3 \n").unwrap();
        for (cpus, expected) in [(&[0, 2][..], Some(103)), (&[1], Some(20)), (&[], Some(0)), (&[3], None)] {
            assert_eq!(v1_ns(root.path(), cpus), expected, "{cpus:?}");
        }
        assert_eq!(v1_ns(&root.path().join("nowhere"), &[0]), None);
    }

    #[test]
    fn the_kernels_own_threads_are_nobodys_program() {
        let proc = tempfile::tempdir().unwrap();
        // Number, parent, CPUs, CPU time: a thread of the kernel on CPU 1, one that may run anywhere, a program.
        for (number, parent, allowed, ns) in
            [("15", "2", "1", 400), ("16", "2", "0-3", 50), ("17", "1", "1", 7), ("18", "2", "0", 1000)]
        {
            let folder = proc.path().join(number);
            fs::create_dir(&folder).unwrap();
            let status = format!("Name:\tx\nPPid:\t{parent}\nCpus_allowed_list:\t{allowed}\n");
            fs::write(folder.join("status"), status).unwrap();
            fs::write(folder.join("schedstat"), format!("{ns} 3 9\n")).unwrap();
        }
        for (cpus, expected) in [(&[1][..], 400), (&[0, 1], 1400), (&[0, 1, 2, 3], 1450), (&[], 0)] {
            assert_eq!(kernel_threads_ns(proc.path(), cpus), expected, "{cpus:?}");
        }
    }

    #[test]
    fn an_engines_time_is_counted_on_both_versions() {
        let group = tempfile::tempdir().unwrap();
        assert_eq!(GroupTime::read(group.path(), &[0]), None, "nothing is counted there");
        fs::write(group.path().join("cpu.stat"), "usage_usec 7\nuser_usec 1\n").unwrap();
        let v2 = GroupTime { all_ns: 7000, here_ns: 7000 };
        assert_eq!(GroupTime::read(group.path(), &[0]), Some(v2));
        fs::write(group.path().join("cpuacct.usage_percpu"), "100 20 3 \n").unwrap();
        let v1 = GroupTime::read(group.path(), &[1, 2]).unwrap();
        assert_eq!(v1, GroupTime { all_ns: 123, here_ns: 23 });
        let before = GroupTime { all_ns: 23, here_ns: 3 };
        assert_eq!(v1.since(before).without(5), GroupTime { all_ns: 95, here_ns: 15 });
    }

    #[test]
    fn v2_adds_up_the_groups_below_the_root() {
        let root = tempfile::tempdir().unwrap();
        for (group, usec) in [("system.slice", 7), ("user.slice", 5)] {
            fs::create_dir(root.path().join(group)).unwrap();
            let stat = format!("usage_usec {usec}\nuser_usec 1\n");
            fs::write(root.path().join(group).join("cpu.stat"), stat).unwrap();
        }
        fs::write(root.path().join("cpu.stat"), "usage_usec 99\n").unwrap();
        assert_eq!(v2_ns(root.path()), Some(12_000));
    }
}
