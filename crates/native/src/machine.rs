//! What this machine is: kernel, cores, mounted control groups, time taken away by the machine beneath.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Release of the running kernel (`uname -r`).
#[must_use]
pub(crate) fn kernel_release() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

/// Major and minor of a kernel release (`6.18.44-fc` is 6, 18).
#[must_use]
pub(crate) fn kernel_version(release: &str) -> (u32, u32) {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// Patch level of a kernel release (`6.18.44-fc` is 44); 0 where it has none, as in Ubuntu's `6.8.0-60-generic`.
#[must_use]
pub(crate) fn kernel_patch(release: &str) -> u32 {
    let numbers = release.split('-').next().unwrap_or_default();
    numbers.split('.').nth(2).and_then(|patch| patch.parse().ok()).unwrap_or(0)
}

/// CPUs online, which the kernel scales its scheduler by.
pub(crate) fn cpus_online() -> u32 {
    let online = fs::read_to_string("/sys/devices/system/cpu/online").ok();
    online.as_deref().and_then(cpu_list).map_or(1, |cpus| cpus.len() as u32)
}

/// Keeps the calling thread on one CPU.
pub(crate) fn pin(cpu: u32) -> rustix::io::Result<()> {
    let mut set = rustix::thread::CpuSet::new();
    set.set(cpu as usize);
    rustix::thread::sched_setaffinity(None, &set)
}

/// Numbers in a kernel CPU list (`0-3,8` is 0, 1, 2, 3, 8); `None` where it is none.
#[must_use]
pub(crate) fn cpu_list(text: &str) -> Option<Vec<u32>> {
    let mut cpus = Vec::new();
    for part in text.trim().split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
        // No machine has as many; a damaged list must not fill the memory.
        if last.checked_sub(first)? > 65_536 {
            return None;
        }
        cpus.extend(first..=last);
    }
    Some(cpus)
}

/// A kernel CPU list of these numbers.
#[must_use]
pub(crate) fn to_cpu_list(cpus: &[u32]) -> String {
    cpus.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

/// CPUs that this process may run on, ascending.
pub(crate) fn allowed_cpus() -> Vec<u32> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .and_then(cpu_list)
        .unwrap_or_default()
}

/// Memory of the machine (bytes).
#[must_use]
pub(crate) fn memory_bytes() -> u64 {
    let info = rustix::system::sysinfo();
    (info.totalram).saturating_mul(u64::from(info.mem_unit.max(1)))
}

/// Swap of the machine (bytes).
pub(crate) fn swap_bytes() -> u64 {
    let info = rustix::system::sysinfo();
    info.totalswap.saturating_mul(u64::from(info.mem_unit.max(1)))
}

/// `CAP_SYS_RESOURCE` in the kernel's sets of capabilities (`include/uapi/linux/capability.h`).
const CAP_SYS_RESOURCE: u32 = 24;

/// Whether this process has a capability, be it in its user namespace only.
fn has_capability(number: u32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let sets = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    sets.and_then(|sets| u64::from_str_radix(sets.trim(), 16).ok())
        .is_some_and(|sets| sets & (1 << number) != 0)
}

/// The least `oom_score_adj` that a process of ours may have: its own, without `CAP_SYS_RESOURCE`.
pub(crate) fn least_oom_score_adj() -> i32 {
    if has_capability(CAP_SYS_RESOURCE) {
        return -1000;
    }
    let own = fs::read_to_string("/proc/self/oom_score_adj").ok();
    own.and_then(|own| own.trim().parse().ok()).unwrap_or(0)
}

/// `CAP_SYS_NICE`.
const CAP_SYS_NICE: u32 = 23;

/// The nice value of this process, and the least that a process of ours may have: with `CAP_SYS_NICE` any, without it our own
/// or what RLIMIT_NICE allows (getrlimit(2)). Capabilities in a user namespace don't count.
pub(crate) fn nice_and_least() -> (i32, i32) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name in parentheses come the fields from the third on; nice is the nineteenth (proc_pid_stat(5)).
    let own = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(16)?.parse().ok()).unwrap_or(0);
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let is_initial = map.split_whitespace().eq(["0", "0", "4294967295"]);
    if is_initial && has_capability(CAP_SYS_NICE) {
        return (own, -20);
    }
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nice).current;
    let allowed = limit.map_or(-20, |limit| 20 - i32::try_from(limit.min(40)).unwrap_or(0));
    (own, own.min(allowed))
}

/// Jiffies of one or all CPUs, from `/proc/stat`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CpuTimes {
    /// All time, idle included.
    pub(crate) all: u64,
    /// Taken away by the machine beneath.
    pub(crate) steal: u64,
    /// Neither of the two, nor idle, nor waiting for a disk.
    pub(crate) busy: u64,
}

impl CpuTimes {
    /// Of the given CPUs, now.
    pub(crate) fn read(cpus: &[u32]) -> Self {
        Self::parse(&fs::read_to_string("/proc/stat").unwrap_or_default(), cpus)
    }

    fn parse(stat: &str, cpus: &[u32]) -> Self {
        let mut times = Self::default();
        for line in stat.lines() {
            let Some((name, figures)) = line.split_once(' ') else { continue };
            let cpu = name.strip_prefix("cpu").and_then(|number| number.parse::<u32>().ok());
            if cpu.is_some_and(|cpu| cpus.contains(&cpu)) {
                let figures: Vec<u64> = figures
                    .split_ascii_whitespace()
                    .take(8)
                    .map(|figure| figure.parse().unwrap_or(0))
                    .collect();
                times.all += figures.iter().sum::<u64>();
                let figure = |place: usize| figures.get(place).copied().unwrap_or(0);
                times.steal += figure(7);
                times.busy += figures.iter().sum::<u64>() - figure(3) - figure(4) - figure(7);
            }
        }
        times
    }

    /// Share of the time since `before` that was taken away; `None` where no time passed.
    pub(crate) fn steal_since(self, before: Self) -> Option<f64> {
        let all = self.all.checked_sub(before.all).filter(|all| *all > 0)?;
        Some(self.steal.saturating_sub(before.steal) as f64 / all as f64)
    }

    /// CPU time (s) that anyone used since `before`.
    pub(crate) fn busy_s_since(self, before: Self) -> f64 {
        self.busy.saturating_sub(before.busy) as f64 / rustix::param::clock_ticks_per_second() as f64
    }
}

/// Where a controller (or the v2 tree) is mounted and which group of it this process is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hierarchies {
    /// v1: controller → this process's own group.
    pub(crate) v1: BTreeMap<String, PathBuf>,
    /// v2: this process's own group.
    pub(crate) v2: Option<PathBuf>,
    /// v2: the root of the mount.
    pub(crate) v2_root: Option<PathBuf>,
    /// v1: this process's own group of each hierarchy → where the hierarchy is mounted.
    pub(crate) v1_mounts: BTreeMap<PathBuf, PathBuf>,
    /// v1: the root of the hierarchy that counts CPU time, where it can be seen.
    pub(crate) cpuacct_root: Option<PathBuf>,
}

impl Hierarchies {
    /// Of this process.
    pub(crate) fn find() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Self::parse(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"))
    }

    /// From the texts of `/proc/self/mountinfo` and `/proc/self/cgroup`.
    fn parse(mountinfo: &str, cgroup: &str) -> Self {
        let mut found = Self {
            v1: BTreeMap::new(),
            v2: None,
            v2_root: None,
            v1_mounts: BTreeMap::new(),
            cpuacct_root: None,
        };
        for mount in mountinfo.lines().filter_map(CgroupMount::parse) {
            if !mount.v2 && mount.root == "/" && mount.has("cpuacct") {
                found.cpuacct_root = Some(mount.point.clone());
            }
            for line in cgroup.lines() {
                let mut fields = line.splitn(3, ':').skip(1);
                let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
                match (mount.v2, controllers.is_empty()) {
                    (true, true) => {
                        found.v2 = mount.group(path);
                        found.v2_root = Some(mount.point.clone());
                    }
                    (false, false) => {
                        for controller in controllers.split(',').filter(|name| mount.has(name)) {
                            if let Some(group) = mount.group(path) {
                                found.v1_mounts.insert(group.clone(), mount.point.clone());
                                found.v1.insert(controller.to_owned(), group);
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
        found
    }
}

struct CgroupMount {
    /// Group of the hierarchy that is seen at `point`.
    root: String,
    point: PathBuf,
    v2: bool,
    options: String,
}

impl CgroupMount {
    /// A line of mountinfo: `36 35 98:0 /root /point options [tags] - type source super-options`.
    fn parse(line: &str) -> Option<Self> {
        let (left, right) = line.split_once(" - ")?;
        let mut left = left.split(' ').skip(3);
        let (root, point) = (left.next()?, left.next()?);
        let mut right = right.splitn(3, ' ');
        let v2 = match right.next()? {
            "cgroup2" => true,
            "cgroup" => false,
            _ => return None,
        };
        let options = right.nth(1).unwrap_or_default().to_owned();
        Some(Self { root: root.to_owned(), point: PathBuf::from(point), v2, options })
    }

    fn has(&self, controller: &str) -> bool {
        self.options.split(',').any(|option| option == controller)
    }

    /// Where the group `path` of the hierarchy is seen; `None` where it lies outside of what is mounted.
    fn group(&self, path: &str) -> Option<PathBuf> {
        let below = Path::new(path).strip_prefix(&self.root).ok()?;
        Some(if below.as_os_str().is_empty() { self.point.clone() } else { self.point.join(below) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_lists() {
        let table: [(&str, Option<&[u32]>); 6] = [
            ("0-3,8\n", Some(&[0, 1, 2, 3, 8])),
            ("1", Some(&[1])),
            ("", Some(&[])),
            ("3-1", None),
            ("0-99999999", None),
            ("a", None),
        ];
        for (text, expected) in table {
            assert_eq!(cpu_list(text).as_deref(), expected, "{text:?}");
        }
        assert_eq!(to_cpu_list(&[0, 1, 8]), "0,1,8");
    }

    #[test]
    fn kernel_versions() {
        for (release, expected) in
            [("6.18.44-fc-v669", (6, 18)), ("5.10", (5, 10)), ("6.6-rc1", (6, 6)), ("?", (0, 0))]
        {
            assert_eq!(kernel_version(release), expected, "{release}");
        }
    }

    #[test]
    fn steal_is_a_share_of_the_time_that_passed_on_our_cores() {
        let before =
            CpuTimes::parse("cpu 9 9 9\ncpu0 10 0 0 90 0 0 0 0 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\n", &[0]);
        let after = CpuTimes::parse("cpu 9 9 9\ncpu0 50 0 0 140 0 0 0 10 0 0\n", &[0]);
        assert_eq!(before, CpuTimes { all: 100, steal: 0, busy: 10 });
        assert_eq!(after.steal_since(before), Some(0.1));
        assert_eq!(after.steal_since(after), None);
        assert_eq!(after.busy, 50, "neither idle nor stolen");
    }

    #[test]
    fn own_groups_on_split_v1_with_an_empty_v2() {
        let mountinfo = "40 30 0:20 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                         41 30 0:21 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                         42 30 0:22 / /sys/fs/cgroup/unified rw shared:1 - cgroup2 cgroup2 rw\n";
        let found = Hierarchies::parse(mountinfo, "4:memory:/a/b\n1:cpu:/\n0::/\n");
        assert_eq!(found.v1["cpu"], Path::new("/sys/fs/cgroup/cpu"));
        assert_eq!(found.v1["memory"], Path::new("/sys/fs/cgroup/memory/a/b"));
        let point = &found.v1_mounts[Path::new("/sys/fs/cgroup/memory/a/b")];
        assert_eq!((point.as_path(), found.v1_mounts.len()), (Path::new("/sys/fs/cgroup/memory"), 2));
        assert_eq!(found.v2.as_deref(), Some(Path::new("/sys/fs/cgroup/unified")));
    }

    #[test]
    fn own_groups_inside_a_container_are_relative_to_what_is_mounted() {
        let mountinfo = "42 30 0:22 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n\
                         43 30 0:23 /docker/1 /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";
        let found = Hierarchies::parse(mountinfo, "2:cpu,cpuacct:/elsewhere\n0::/docker/1/x\n");
        assert_eq!(found.v2.as_deref(), Some(Path::new("/sys/fs/cgroup/x")));
        assert_eq!(found.v1.get("cpu"), None, "a group outside of the mount cannot be used");
    }
}
