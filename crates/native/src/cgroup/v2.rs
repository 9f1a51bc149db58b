//! Control groups version 2: one tree. A group hands controllers to its children by `cgroup.subtree_control` and then
//! holds no process itself. Tenants that share the CPU sit in leaves *without* the `cpu` controller: they compete in
//! the guard's own CPU group, and every leaf still counts.

use std::path::PathBuf;

use catamaran_worker::script::Step;

use super::{Accounts, Cgroup, Confines, Groups, Limits, Usage, keyed, write};

/// The tree of version 2.
#[derive(Debug, Clone)]
pub(crate) struct V2 {
    /// The guard's group.
    guard: PathBuf,
    /// Whether the guard has the `cpuset` controller.
    cpuset: bool,
}

impl V2 {
    /// With a guard called `name` below `base`, whose `cgroup.subtree_control` has the controllers already.
    pub(crate) fn new(base: &std::path::Path, name: &str, cpuset: bool) -> Self {
        Self { guard: base.join(name), cpuset }
    }
}

impl Cgroup for V2 {
    fn version(&self) -> u8 {
        2
    }

    fn guard(&self, confines: &Confines, shared_cpu: bool) -> Vec<Step> {
        let mut handed_down = vec!["memory".to_owned()];
        if !shared_cpu {
            handed_down.push("cpu".to_owned());
            if self.cpuset {
                handed_down.push("cpuset".to_owned());
            }
        }
        let mut steps = vec![Step::Make(self.guard.clone())];
        if self.cpuset {
            steps.push(write(self.guard.join("cpuset.cpus"), crate::machine::to_cpu_list(&confines.cpus)));
        }
        steps.push(write(self.guard.join("memory.max"), confines.memory_bytes));
        steps.push(write(self.guard.join("cgroup.subtree_control"), super::signed('+', &handed_down)));
        steps
    }

    fn counted(&self, tenant: &str) -> Groups {
        let group = self.guard.join(tenant);
        Groups { make: vec![Step::Make(group.clone())], enter: vec![Step::Enter(group)], born_in: None }
    }

    fn limited(&self, tenant: &str, limits: &Limits) -> Groups {
        let group = self.guard.join(tenant);
        let mut make = vec![Step::Make(group.clone())];
        make.extend(limits.weight.map(|weight| write(group.join("cpu.weight"), weight)));
        if let Some(quota_us) = limits.quota_us {
            make.push(write(group.join("cpu.max"), format!("{quota_us} {}", limits.period_us)));
            if limits.burst_us > 0 {
                make.push(write(group.join("cpu.max.burst"), limits.burst_us));
            }
        }
        make.extend(
            limits
                .cpus
                .as_deref()
                .map(|cpus| write(group.join("cpuset.cpus"), crate::machine::to_cpu_list(cpus))),
        );
        Groups { make, enter: Vec::new(), born_in: Some(group) }
    }

    fn accounts(&self, tenant: &str, own_cpu: bool) -> Accounts {
        let group = self.guard.join(tenant);
        Accounts {
            cpu: Some(group.join("cpu.stat")),
            throttling: own_cpu.then(|| group.join("cpu.stat")),
            memory_peak: Some(group.join("memory.peak")),
            oom: Some(group.join("memory.events")),
            unlimit: if own_cpu { vec![write(group.join("cpu.max"), "max")] } else { Vec::new() },
        }
    }

    fn guard_memory_peak(&self) -> Option<PathBuf> {
        Some(self.guard.join("memory.peak"))
    }

    fn usage(&self, cpu: Option<&str>, throttling: Option<&str>) -> Usage {
        let figure = |text: Option<&str>, key| text.and_then(|text| keyed(text, key));
        Usage {
            cpu_ns: figure(cpu, "usage_usec").map(|us| us * 1000),
            throttled_ns: figure(throttling, "throttled_usec").unwrap_or(0) * 1000,
            throttled_periods: figure(throttling, "nr_throttled").unwrap_or(0),
        }
    }

    fn oom_kills(&self, text: &str) -> Option<u64> {
        keyed(text, "oom_kill")
    }
}
