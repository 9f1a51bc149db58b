//! The guard: the groups that confine all tenants of a run to the scenario's machine, and the folder that remembers
//! what was made.

use std::fs;
use std::path::{Path, PathBuf};

use catamaran_scenario::plan::Host;
use catamaran_scenario::{Plan, Platform, weight};
use catamaran_worker::script::Step;
use catamaran_worker::stop::stop_at;

use crate::cgroup::{self, Base, Cgroup, Confines, Found, Groups};
use crate::problem::Problem;
use crate::run_folder::{self, Resource, RunFolder};
use crate::{machine, platform};

/// A run's folder and groups; removes them when it goes.
pub(crate) struct Guard {
    folder: Option<RunFolder>,
    pub(crate) cgroup: Box<dyn Cgroup>,
    pub(crate) confines: Confines,
}

impl Guard {
    /// Makes a guard.
    pub(crate) fn make(shape: Shape) -> Result<Self, Problem> {
        let home = run_folder::home();
        let folder = RunFolder::make(&home).map_err(|error| {
            Problem::new(
                format!("cannot make a run folder in {}: {error}", home.display()),
                "make it writable",
            )
        })?;
        stop_at("folder");
        let Found { cgroup, base } = cgroup::find(&folder.group_name(), shape.cpuset)?;
        let mut guard = Self { folder: Some(folder), cgroup, confines: shape.confines };
        if let Some(base) = base {
            guard.prepare(&base)?;
        }
        let steps = guard.cgroup.guard(&guard.confines, shape.shared_cpu);
        let (first, others) = steps.split_at(1.min(steps.len()));
        guard.perform(first, 0).map_err(Problem::into_unavailable)?;
        stop_at("half-a-guard");
        guard.perform(others, 0).map_err(Problem::into_unavailable)?;
        stop_at("guard");
        Ok(guard)
    }

    /// v2: makes the group below which the guard goes ready for it.
    fn prepare(&mut self, base: &Base) -> Result<(), Problem> {
        self.perform(&base.step_aside(), std::process::id()).map_err(Problem::into_unavailable)?;
        if !base.added.is_empty() {
            let handed_down = Resource::Controllers { group: base.group.clone(), names: base.added.clone() };
            self.note(&handed_down)?;
        }
        self.perform(&base.hand_down(), 0).map_err(Problem::into_unavailable)
    }

    /// Unique name of the run.
    pub(crate) fn id(&self) -> &str {
        self.folder.as_ref().map_or("", |folder| &folder.id)
    }

    /// Folder for files of the run.
    pub(crate) fn files(&self) -> PathBuf {
        self.folder.as_ref().map_or_else(PathBuf::new, |folder| folder.path().to_owned())
    }

    /// Registers what the steps make, then carries them out for `pid`.
    pub(crate) fn perform(&mut self, steps: &[Step], pid: u32) -> Result<(), Problem> {
        for step in steps {
            if let Step::Make(group) = step {
                self.register(group)?;
            }
            step.perform(pid).map_err(|what| Problem::new(what, cgroup::ADVICE))?;
        }
        Ok(())
    }

    /// Moves a launcher out of the groups that its tenant inherited from it, as far as memory goes: there no kill for
    /// memory can find it, and no group that is killed together has it.
    pub(crate) fn let_out(&mut self, launcher: u32) -> Result<(), Problem> {
        let outside: Vec<Step> = cgroup::own_memory_group().into_iter().map(Step::Enter).collect();
        self.perform(&outside, launcher)
    }

    /// Registers groups that a launcher is going to make.
    pub(crate) fn register_all(&mut self, groups: &Groups) -> Result<(), Problem> {
        groups.directories().try_for_each(|group| self.register(group))
    }

    fn register(&mut self, group: &Path) -> Result<(), Problem> {
        self.note(&Resource::Group(group.to_owned()))
    }

    fn note(&mut self, resource: &Resource) -> Result<(), Problem> {
        let Some(folder) = &mut self.folder else { return Ok(()) };
        folder.register(resource).map_err(|error| {
            Problem::new(
                format!("cannot write the run's ledger: {error}"),
                "make room on the file system of /run",
            )
        })
    }

    /// Removes everything; what could not be removed.
    pub(crate) fn remove(mut self) -> Result<(), Problem> {
        self.remove_folder()
    }

    fn remove_folder(&mut self) -> Result<(), Problem> {
        let Some(folder) = self.folder.take() else { return Ok(()) };
        folder.remove().map(drop).map_err(|what| Problem::new(what, "`catamaran clean` tries again"))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Err(problem) = self.remove_folder() {
            tracing::warn!(?problem, "a run could not be cleaned up");
        }
    }
}

/// What a guard has to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) confines: Confines,
    /// Tenants compete for CPU in one group.
    pub(crate) shared_cpu: bool,
    /// The run has to be kept off cores that it could use, or a tenant off some of its cores. Without the controller,
    /// a machine of exactly the scenario's size still serves.
    pub(crate) cpuset: bool,
}

impl Shape {
    /// For a plan on a platform.
    pub(crate) fn of(plan: &Plan, platform: Platform) -> Result<Self, Problem> {
        let cpus = machine::allowed_cpus();
        let limits = platform::has_limits(platform);
        let confines = confines(plan.host(), &cpus, weight::guard_shares(plan, limits))?;
        let sets = limits && plan.tenants().iter().any(|tenant| tenant.cpu.set.is_some());
        let cpuset = sets || confines.cpus != cpus;
        Ok(Self { confines, shared_cpu: !limits, cpuset })
    }
}

/// The first `host.cores` CPUs that we may use, and the memory; refuses a machine that is too small.
fn confines(host: &Host, cpus: &[u32], shares: u64) -> Result<Confines, Problem> {
    let wanted = host.cores as usize;
    let Some(first) = cpus.get(..wanted) else {
        return Err(Problem::unavailable(
            format!("the scenario wants {wanted} cores and this process may use {}", cpus.len()),
            format!("lower `host.cores` to {}, or run it on a larger machine", cpus.len().max(1)),
        ));
    };
    let memory = machine::memory_bytes().min(cgroup::inherited_memory_limit());
    let swap = machine::swap_bytes();
    if host.swap.0 > swap {
        return Err(Problem::unavailable(
            format!(
                "the scenario wants {} MiB of swap and this machine has {}",
                host.swap.0 >> 20,
                swap >> 20
            ),
            format!("lower `host.swap` to \"{}MiB\", or add swap by swapon", swap >> 20),
        ));
    }
    if host.memory.0 > memory {
        return Err(Problem::unavailable(
            format!(
                "the scenario wants {} MiB of memory and this machine (or our own control group) has {}",
                host.memory.0 >> 20,
                memory >> 20
            ),
            format!("lower `host.memory` to \"{}MiB\"", memory >> 20),
        ));
    }
    let swap_bytes = (swap > 0).then_some(host.swap.0);
    Ok(Confines { cpus: first.to_vec(), memory_bytes: host.memory.0, swap_bytes, shares })
}

/// Bytes in a file that holds one number; `None` where it is not there.
pub(crate) fn number(path: Option<&PathBuf>) -> Option<u64> {
    fs::read_to_string(path?).ok()?.trim().parse().ok()
}
