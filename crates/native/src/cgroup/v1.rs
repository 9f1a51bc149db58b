//! Control groups version 1: a hierarchy per controller. Tenants that share the CPU sit in the guard's `cpu` group and
//! have groups of their own only where groups merely count (`cpuacct`, `memory`).

use std::collections::BTreeMap;
use std::path::PathBuf;

use catamaran_worker::script::Step;

use super::{Accounts, Cgroup, Confines, Groups, Limits, MemoryLimits, Usage, keyed, write};
use crate::disk;

/// Controllers that a guard uses where the machine has them; `cpu` and `cpuset` it must have, and `pids` and `blkio` where
/// a tenant is limited by them.
const CONTROLLERS: [&str; 6] = ["cpu", "cpuset", "cpuacct", "memory", "pids", "blkio"];

/// The hierarchies of version 1.
#[derive(Debug, Clone)]
pub(crate) struct V1 {
    /// Controller → the guard's group.
    guard: BTreeMap<&'static str, PathBuf>,
    /// Memory nodes of our own `cpuset` group.
    memory_nodes: String,
    /// Whether `cpuacct` is mounted apart from `cpu`.
    counts_apart: bool,
}

impl V1 {
    /// With a guard called `name` below our `own` group of each controller, whose `cpuset.mems` is `memory_nodes`.
    pub(crate) fn new(own: &BTreeMap<String, PathBuf>, name: &str, memory_nodes: String) -> Self {
        let guard: BTreeMap<_, _> = CONTROLLERS
            .into_iter()
            .filter_map(|controller| own.get(controller).map(|group| (controller, group.join(name))))
            .collect();
        let counts_apart = guard.contains_key("cpuacct") && guard.get("cpuacct") != guard.get("cpu");
        Self { guard, memory_nodes, counts_apart }
    }

    fn group(&self, controller: &str) -> Option<PathBuf> {
        self.guard.get(controller).cloned()
    }

    /// The guard's groups, each once: controllers that are mounted together share one.
    fn distinct(&self) -> Vec<PathBuf> {
        let mut groups: Vec<_> = self.guard.values().cloned().collect();
        groups.sort();
        groups.dedup();
        groups
    }

    /// Hierarchies in which a tenant has a group of its own.
    fn own_groups(&self, own_cpu: bool) -> Vec<&'static str> {
        let mut controllers = vec!["memory"];
        if own_cpu {
            controllers.push("cpu");
        }
        if self.counts_apart {
            controllers.push("cpuacct");
        }
        controllers.retain(|controller| self.guard.contains_key(controller));
        controllers
    }

    fn groups(&self, tenant: &str, own: &[&str], limits: &Limits) -> Groups {
        let mut groups = Groups::default();
        for controller in CONTROLLERS.into_iter().filter(|controller| self.guard.contains_key(controller)) {
            let Some(mut group) = self.group(controller) else { continue };
            if own.contains(&controller) {
                group = group.join(tenant);
                groups.make.push(Step::Make(group.clone()));
                groups.make.extend(self.limit(controller, &group, limits));
            }
            if controller != "cpuacct" || self.counts_apart {
                groups.enter.push(Step::Enter(group));
            }
        }
        groups
    }

    fn limit(&self, controller: &str, group: &std::path::Path, limits: &Limits) -> Vec<Step> {
        let mut steps = Vec::new();
        match controller {
            "cpu" => {
                steps.extend(limits.shares.map(|shares| write(group.join("cpu.shares"), shares)));
                if let Some(quota_us) = limits.quota_us {
                    steps.push(write(group.join("cpu.cfs_period_us"), limits.period_us));
                    steps.push(write(group.join("cpu.cfs_quota_us"), quota_us));
                    if limits.burst_us > 0 {
                        steps.push(write(group.join("cpu.cfs_burst_us"), limits.burst_us));
                    }
                }
            }
            "memory" => steps.extend(limits.memory.v1(group)),
            "cpuset" => {
                if let Some(cpus) = &limits.cpus {
                    steps.push(write(group.join("cpuset.mems"), &self.memory_nodes));
                    steps.push(write(group.join("cpuset.cpus"), crate::machine::to_cpu_list(cpus)));
                }
            }
            "blkio" => {
                steps.extend(limits.io.iter().flat_map(|io| io.v1(group)));
                steps.extend(limits.io_weight.map(|weight| write(group.join("blkio.bfq.weight"), weight)));
            }
            "pids" => steps.extend(limits.pids.map(|pids| write(group.join("pids.max"), pids))),
            _ => {}
        }
        steps
    }
}

impl Cgroup for V1 {
    fn version(&self) -> u8 {
        1
    }

    fn guard(&self, confines: &Confines, _shared_cpu: bool) -> Vec<Step> {
        let mut steps: Vec<_> = self.distinct().into_iter().map(Step::Make).collect();
        if let Some(group) = self.group("cpuset") {
            steps.push(write(group.join("cpuset.mems"), &self.memory_nodes));
            steps.push(write(group.join("cpuset.cpus"), crate::machine::to_cpu_list(&confines.cpus)));
        }
        if let Some(group) = self.group("cpu") {
            steps.push(write(group.join("cpu.shares"), confines.shares));
        }
        if let Some(group) = self.group("memory") {
            steps.extend(MemoryLimits::of_machine(confines.memory_bytes, confines.swap_bytes).v1(&group));
        }
        if let (Some(group), Some(disk)) = (self.group("blkio"), &confines.disk) {
            steps.extend(disk.v1(&group));
        }
        steps
    }

    fn counted(&self, tenant: &str) -> Groups {
        self.groups(tenant, &self.own_groups(false), &Limits::default())
    }

    fn limited(&self, tenant: &str, limits: &Limits) -> Groups {
        let mut own = self.own_groups(true);
        if limits.cpus.is_some() {
            own.push("cpuset");
        }
        if limits.pids.is_some() {
            own.push("pids");
        }
        if limits.io.is_some() || limits.io_weight.is_some() {
            own.push("blkio");
        }
        self.groups(tenant, &own, limits)
    }

    fn set(&self, tenant: &str, limits: &Limits, raises: bool) -> Vec<Step> {
        let steps = |controller| {
            let group = self.group(controller).map(|group| group.join(tenant));
            group.map_or_else(Vec::new, |group| self.limit(controller, &group, limits))
        };
        let mut memory = steps("memory");
        // Memory may never be above memory and swap together.
        if raises {
            memory.reverse();
        }
        steps("cpu").into_iter().chain(memory).collect()
    }

    fn accounts(&self, tenant: &str, own_cpu: bool) -> Accounts {
        let file = |controller, name: &str| self.group(controller).map(|group| group.join(tenant).join(name));
        let tells_apart = own_cpu || self.counts_apart;
        Accounts {
            cpu: if tells_apart { file("cpuacct", "cpuacct.usage") } else { None },
            throttling: if own_cpu { file("cpu", "cpu.stat") } else { None },
            memory: file("memory", "memory.usage_in_bytes"),
            memory_peak: file("memory", "memory.max_usage_in_bytes"),
            oom: file("memory", "memory.oom_control"),
            unlimit: file("cpu", "cpu.cfs_quota_us")
                .filter(|_| own_cpu)
                .map(|f| write(f, -1))
                .into_iter()
                .chain(self.group("blkio").map(|group| disk::lift_v1(&group, tenant)).into_iter().flatten())
                .collect(),
        }
    }

    fn guard_memory_peak(&self) -> Option<PathBuf> {
        self.group("memory").map(|group| group.join("memory.max_usage_in_bytes"))
    }

    fn usage(&self, cpu: Option<&str>, throttling: Option<&str>) -> Usage {
        let throttling = |key| throttling.and_then(|text| keyed(text, key)).unwrap_or(0);
        Usage {
            cpu_ns: cpu.and_then(|text| text.trim().parse().ok()),
            throttled_ns: throttling("throttled_time"),
            throttled_periods: throttling("nr_throttled"),
            memory_bytes: None,
        }
    }

    fn oom_kills(&self, text: &str) -> Option<u64> {
        keyed(text, "oom_kill")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn own(root: &std::path::Path, mounts: &[(&str, &str)]) -> BTreeMap<String, PathBuf> {
        mounts.iter().map(|(controller, folder)| ((*controller).to_owned(), root.join(folder))).collect()
    }

    const APART: [(&str, &str); 5] = [
        ("cpu", "cpu"),
        ("cpuset", "cpuset"),
        ("cpuacct", "cpuacct"),
        ("memory", "memory/sub"),
        ("pids", "pids"),
    ];
    const TOGETHER: [(&str, &str); 4] =
        [("cpu", "cpu,cpuacct"), ("cpuset", "cpuset"), ("cpuacct", "cpu,cpuacct"), ("memory", "memory")];

    #[test]
    fn limits_are_written_where_the_kernel_reads_them() {
        let root = tempfile::tempdir().unwrap();
        let own = own(root.path(), &APART);
        for folder in own.values() {
            fs::create_dir_all(folder).unwrap();
        }
        let v1 = V1::new(&own, "catamaran-1", "0".to_owned());
        let limits = Limits {
            shares: Some(502),
            quota_us: Some(40_000),
            period_us: 100_000,
            memory: MemoryLimits { max: Some(1 << 20), ..MemoryLimits::default() },
            pids: Some(9),
            ..Limits::default()
        };
        let confines =
            Confines { cpus: vec![0, 1], memory_bytes: 4096, swap_bytes: None, disk: None, shares: 3072 };
        for step in v1.guard(&confines, false).iter().chain(&v1.limited("web.0", &limits).make) {
            if let Step::Write { file, .. } = step {
                fs::write(file, "").unwrap();
            }
            step.perform(1).unwrap();
        }
        let read = |file: &str| fs::read_to_string(root.path().join(file)).unwrap();
        assert_eq!(read("cpuset/catamaran-1/cpuset.cpus"), "0,1");
        assert_eq!(read("memory/sub/catamaran-1/memory.limit_in_bytes"), "4096");
        assert_eq!(read("cpu/catamaran-1/cpu.shares"), "3072");
        assert_eq!(read("cpu/catamaran-1/web.0/cpu.shares"), "502");
        assert_eq!(read("cpu/catamaran-1/web.0/cpu.cfs_quota_us"), "40000");
        assert_eq!(read("memory/sub/catamaran-1/web.0/memory.limit_in_bytes"), "1048576");
        assert_eq!(read("pids/catamaran-1/web.0/pids.max"), "9");
    }

    #[test]
    fn memory_is_never_above_memory_and_swap_together() {
        let v1 = V1::new(&own(std::path::Path::new("/"), &APART), "catamaran-1", "0".to_owned());
        let memory = MemoryLimits { max: Some(100), swap: Some(10), ..MemoryLimits::default() };
        let limits = Limits { quota_us: Some(5000), period_us: 10_000, memory, ..Limits::default() };
        let at = |file: &str, value: u64| write(format!("/{file}").into(), value);
        let cpu = [
            at("cpu/catamaran-1/web.0/cpu.cfs_period_us", 10_000),
            at("cpu/catamaran-1/web.0/cpu.cfs_quota_us", 5000),
        ];
        let bound = at("memory/sub/catamaran-1/web.0/memory.limit_in_bytes", 100);
        let both = at("memory/sub/catamaran-1/web.0/memory.memsw.limit_in_bytes", 110);
        assert_eq!(
            v1.set("web.0", &limits, false),
            [cpu.as_slice(), &[bound.clone(), both.clone()]].concat()
        );
        assert_eq!(v1.set("web.0", &limits, true), [cpu.as_slice(), &[both, bound]].concat());
    }

    #[test]
    fn tenants_that_share_the_cpu_sit_in_the_guards_cpu_group() {
        let v1 = V1::new(&own(std::path::Path::new("/"), &APART), "catamaran-1", "0".to_owned());
        let groups = v1.counted("web.0");
        assert!(groups.enter.contains(&Step::Enter("/cpu/catamaran-1".into())));
        assert!(groups.enter.contains(&Step::Enter("/cpuacct/catamaran-1/web.0".into())));
    }

    #[test]
    fn where_cpu_and_cpuacct_are_one_mount_sharing_wins_over_counting() {
        let v1 = V1::new(&own(std::path::Path::new("/"), &TOGETHER), "catamaran-1", "0".to_owned());
        assert_eq!(v1.accounts("web.0", false).cpu, None, "the threads' schedstat counts instead");
        let counting = v1.accounts("web.0", true).cpu;
        assert_eq!(counting, Some("/cpu,cpuacct/catamaran-1/web.0/cpuacct.usage".into()));
        let confines =
            Confines { cpus: vec![0], memory_bytes: 1, swap_bytes: None, disk: None, shares: 1024 };
        let made: Vec<_> = v1.guard(&confines, false);
        let twice =
            made.iter().filter(|step| **step == Step::Make("/cpu,cpuacct/catamaran-1".into())).count();
        assert_eq!(twice, 1, "one group for both controllers");
    }
}
