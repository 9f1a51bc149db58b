//! Control groups version 2: one tree. A group hands controllers to its children by `cgroup.subtree_control` and then
//! holds no process itself. Tenants that share the CPU sit in leaves *without* the `cpu` controller: they compete in
//! the guard's own CPU group, and every leaf still counts.

use std::path::{Path, PathBuf};

use catamaran_scenario::weight;
use catamaran_worker::script::Step;

use super::{Accounts, Cgroup, Confines, Groups, Limits, MemoryLimits, Needs, Usage, keyed, write};
use crate::disk;

/// Name of the guard in the group around it.
const GUARD: &str = "guard";

/// The tree of version 2.
#[derive(Debug, Clone)]
pub(crate) struct V2 {
    /// The guard's group.
    guard: PathBuf,
    /// Controllers that the guard has beside `cpu` and `memory`.
    needs: Needs,
}

impl V2 {
    /// With a guard called `name` below `base`, whose `cgroup.subtree_control` has the controllers already. An engine's own
    /// processes are beside the guard, and what is called so is around both.
    pub(crate) fn new(base: &Path, name: &str, needs: Needs) -> Self {
        let outermost = base.join(name);
        Self { guard: if needs.engine { outermost.join(GUARD) } else { outermost }, needs }
    }
}

impl Cgroup for V2 {
    fn version(&self) -> u8 {
        2
    }

    fn group(&self) -> Option<&Path> {
        Some(&self.guard)
    }

    fn around(&self) -> Option<&Path> {
        self.guard.parent().filter(|_| self.needs.engine)
    }

    fn guard(&self, confines: &Confines, shared_cpu: bool) -> Vec<Step> {
        let mut handed_down = vec!["memory".to_owned()];
        if !shared_cpu {
            handed_down.push("cpu".to_owned());
            if self.needs.cpuset {
                handed_down.push("cpuset".to_owned());
            }
            if self.needs.pids {
                handed_down.push("pids".to_owned());
            }
            if self.needs.io {
                handed_down.push("io".to_owned());
            }
        }
        let hand_down =
            |group: &Path| write(group.join("cgroup.subtree_control"), super::signed('+', &handed_down));
        let weight = |group: &Path| write(group.join("cpu.weight"), weight::weight_of(confines.shares));
        let around = self.around();
        let mut steps: Vec<Step> = around
            .into_iter()
            .flat_map(|around| [Step::Make(around.to_owned()), weight(around), hand_down(around)])
            .collect();
        steps.push(Step::Make(self.guard.clone()));
        if self.needs.cpuset {
            steps.push(write(self.guard.join("cpuset.cpus"), crate::machine::to_cpu_list(&confines.cpus)));
        }
        steps.push(weight(&self.guard));
        steps.extend(MemoryLimits::of_machine(confines.memory_bytes, confines.swap_bytes).v2(&self.guard));
        steps.extend(confines.disk.iter().flat_map(|disk| disk.v2(&self.guard)));
        steps.push(hand_down(&self.guard));
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
        make.extend(quota(limits, &group));
        make.extend(limits.pids.map(|pids| write(group.join("pids.max"), pids)));
        make.extend(limits.io.iter().flat_map(|io| io.v2(&group)));
        make.extend(limits.io_weight.map(|weight| write(group.join("io.bfq.weight"), weight)));
        make.extend(
            limits
                .cpus
                .as_deref()
                .map(|cpus| write(group.join("cpuset.cpus"), crate::machine::to_cpu_list(cpus))),
        );
        make.extend(limits.memory.v2(&group));
        Groups { make, enter: Vec::new(), born_in: Some(group) }
    }

    fn set(&self, tenant: &str, limits: &Limits, _raises: bool) -> Vec<Step> {
        let group = self.guard.join(tenant);
        quota(limits, &group).into_iter().chain(limits.memory.v2(&group)).collect()
    }

    fn accounts(&self, tenant: &str, own_cpu: bool) -> Accounts {
        let group = self.guard.join(tenant);
        Accounts {
            cpu: Some(group.join("cpu.stat")),
            throttling: own_cpu.then(|| group.join("cpu.stat")),
            memory: Some(group.join("memory.current")),
            memory_peak: Some(group.join("memory.peak")),
            oom: Some(group.join("memory.events")),
            unlimit: own_cpu
                .then(|| write(group.join("cpu.max"), "max"))
                .into_iter()
                .chain(disk::lift_v2(&self.guard, tenant).into_iter().filter(|_| self.needs.io))
                .collect(),
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
            memory_bytes: None,
        }
    }

    fn oom_kills(&self, text: &str) -> Option<u64> {
        keyed(text, "oom_kill")
    }
}

/// What bounds a group's CPU time.
fn quota(limits: &Limits, group: &Path) -> Vec<Step> {
    let Some(quota_us) = limits.quota_us else { return Vec::new() };
    let max = write(group.join("cpu.max"), format!("{quota_us} {}", limits.period_us));
    let burst = (limits.burst_us > 0).then(|| write(group.join("cpu.max.burst"), limits.burst_us));
    std::iter::once(max).chain(burst).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn limits() -> Limits {
        Limits {
            weight: Some(49),
            quota_us: Some(40_000),
            period_us: 100_000,
            memory: MemoryLimits { max: Some(1 << 20), ..MemoryLimits::default() },
            pids: Some(9),
            ..Limits::default()
        }
    }

    /// Makes the files that the kernel would make, then carries the steps out.
    fn carry_out(steps: &[Step]) {
        for step in steps {
            if let Step::Write { file, .. } = step {
                fs::write(file, "").unwrap();
            }
            step.perform(1).unwrap();
        }
    }

    #[test]
    fn guard_and_tenant_with_limits() {
        let root = tempfile::tempdir().unwrap();
        let v2 =
            V2::new(root.path(), "catamaran-1", Needs { cpuset: true, pids: true, io: true, engine: false });
        let confines =
            Confines { cpus: vec![0, 1], memory_bytes: 1 << 30, swap_bytes: None, disk: None, shares: 3072 };
        carry_out(&v2.guard(&confines, false));
        let groups = v2.limited("web.0", &limits());
        carry_out(&groups.make);
        let read = |file: &str| fs::read_to_string(root.path().join("catamaran-1").join(file)).unwrap();
        assert_eq!(read("cpuset.cpus"), "0,1");
        assert_eq!(read("memory.max"), "1073741824");
        assert_eq!(read("cpu.weight"), "300");
        assert_eq!(read("cgroup.subtree_control"), "+memory +cpu +cpuset +pids +io");
        assert_eq!(read("web.0/cpu.max"), "40000 100000");
        assert_eq!(read("web.0/cpu.weight"), "49");
        assert_eq!((read("web.0/memory.max").as_str(), read("web.0/pids.max").as_str()), ("1048576", "9"));
        assert_eq!(groups.born_in, Some(root.path().join("catamaran-1/web.0")), "it is born there");
        assert!(groups.enter.is_empty());
    }

    #[test]
    fn an_engine_stands_beside_its_guard() {
        let root = tempfile::tempdir().unwrap();
        let v2 = V2::new(root.path(), "catamaran-1", Needs { engine: true, ..Needs::default() });
        let confines =
            Confines { cpus: vec![0], memory_bytes: 1 << 20, swap_bytes: None, disk: None, shares: 2048 };
        let steps = v2.guard(&confines, false);
        let around = root.path().join("catamaran-1");
        assert_eq!(
            steps.first(),
            Some(&Step::Make(around.clone())),
            "entered before anything is handed down"
        );
        assert_eq!((v2.around(), v2.group()), (Some(&*around), Some(&*around.join("guard"))));
        carry_out(&steps);
        let read = |file: &str| fs::read_to_string(around.join(file)).unwrap();
        for group in ["", "guard/"] {
            assert_eq!(read(&format!("{group}cgroup.subtree_control")), "+memory +cpu");
            assert_eq!(read(&format!("{group}cpu.weight")), "200");
        }
        assert_eq!(read("guard/memory.max"), "1048576");
        assert!(!around.join("memory.max").exists(), "its own memory is not the scenario's");
        assert_eq!(v2.accounts("web.0", true).cpu, Some(around.join("guard/web.0/cpu.stat")));
        assert_eq!(V2::new(root.path(), "catamaran-1", Needs::default()).around(), None);
    }

    #[test]
    fn tenants_that_share_the_cpu_get_leaves_without_the_controller() {
        let v2 = V2::new(Path::new("/base"), "catamaran-1", Needs::default());
        let confines =
            Confines { cpus: vec![0], memory_bytes: 1, swap_bytes: None, disk: None, shares: 1024 };
        let steps = v2.guard(&confines, true);
        assert!(steps.contains(&write("/base/catamaran-1/cgroup.subtree_control".into(), "+memory")));
        assert_eq!(v2.counted("web.0").enter, [Step::Enter("/base/catamaran-1/web.0".into())]);
        assert_eq!(v2.accounts("web.0", false).throttling, None);
    }

    #[test]
    fn bounds_are_set_anew_where_they_stand() {
        let v2 = V2::new(Path::new("/base"), "catamaran-1", Needs::default());
        let cpu = Limits { quota_us: Some(50_000), period_us: 100_000, ..Limits::default() };
        let memory = MemoryLimits { max: Some(4096), ..MemoryLimits::default() };
        let at = |file: &str, value: &str| write(format!("/base/catamaran-1/web.0/{file}").into(), value);
        assert_eq!(v2.set("web.0", &cpu, false), [at("cpu.max", "50000 100000")]);
        let memory = Limits { memory, ..Limits::default() };
        assert_eq!(v2.set("web.0", &memory, true), [at("memory.max", "4096")]);
    }

    #[test]
    fn figures_are_microseconds() {
        let v2 = V2::new(Path::new("/base"), "catamaran-1", Needs::default());
        let stat = "usage_usec 1500\nnr_throttled 2\nthrottled_usec 7\n";
        let expected =
            Usage { cpu_ns: Some(1_500_000), throttled_ns: 7000, throttled_periods: 2, ..Usage::default() };
        assert_eq!(v2.usage(Some(stat), Some(stat)), expected);
    }
}
