//! Control groups version 1: a hierarchy per controller. Tenants that share the CPU sit in the guard's `cpu` group and
//! have groups of their own only where groups merely count (`cpuacct`, `memory`).

use std::collections::BTreeMap;
use std::path::PathBuf;

use catamaran_worker::script::Step;

use super::{Accounts, Cgroup, Confines, Groups, Limits, Usage, keyed, write};

/// Controllers that a guard uses where the machine has them; `cpu` and `cpuset` it must have.
const CONTROLLERS: [&str; 4] = ["cpu", "cpuset", "cpuacct", "memory"];

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
            "cpuset" => {
                if let Some(cpus) = &limits.cpus {
                    steps.push(write(group.join("cpuset.mems"), &self.memory_nodes));
                    steps.push(write(group.join("cpuset.cpus"), crate::machine::to_cpu_list(cpus)));
                }
            }
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
        if let Some(group) = self.group("memory") {
            steps.push(write(group.join("memory.limit_in_bytes"), confines.memory_bytes));
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
        self.groups(tenant, &own, limits)
    }

    fn accounts(&self, tenant: &str, own_cpu: bool) -> Accounts {
        let file = |controller, name: &str| self.group(controller).map(|group| group.join(tenant).join(name));
        let tells_apart = own_cpu || self.counts_apart;
        Accounts {
            cpu: if tells_apart { file("cpuacct", "cpuacct.usage") } else { None },
            throttling: if own_cpu { file("cpu", "cpu.stat") } else { None },
            memory_peak: file("memory", "memory.max_usage_in_bytes"),
            oom: file("memory", "memory.oom_control"),
            unlimit: file("cpu", "cpu.cfs_quota_us")
                .filter(|_| own_cpu)
                .map(|f| write(f, -1))
                .into_iter()
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
        }
    }

    fn oom_kills(&self, text: &str) -> Option<u64> {
        keyed(text, "oom_kill")
    }
}
