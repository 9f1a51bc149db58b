//! The guard: the groups that confine all tenants of a run to the scenario's machine, and the folder that remembers
//! what was made.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use catamaran_scenario::plan::{Host, PlatformSettings};
use catamaran_scenario::{Plan, Platform, weight};
use catamaran_worker::folder::home;
use catamaran_worker::script::{Root, RootWay, Step};
use catamaran_worker::stop::stop_at;
use rustix::io::Errno;

use crate::cgroup::{self, Base, Cgroup, Confines, Found, Groups, Needs};
use crate::platform::Place;
use crate::problem::{self, Problem};
use crate::run_folder::{PLAYGROUND, Resource, RunFolder};
use crate::{disk, engine, machine, platform};

/// A run's folder and groups; removes them when it goes.
pub(crate) struct Guard {
    folder: Option<RunFolder>,
    pub(crate) cgroup: Arc<dyn Cgroup>,
    pub(crate) confines: Confines,
    /// What is left to be done until it confines: first an engine's processes come into the group around it.
    unfinished: Vec<Step>,
}

impl Guard {
    /// Makes a guard.
    pub(crate) fn make(shape: &Shape) -> Result<Self, Problem> {
        let home = home();
        let folder = RunFolder::make(&home).map_err(|error| {
            let what = format!("cannot make a run folder in {}: {error}", home.display());
            if error.kind() == io::ErrorKind::PermissionDenied && !rustix::process::geteuid().is_root() {
                return Problem::new(what, "set XDG_RUNTIME_DIR to a folder of your own, or unset it");
            }
            Problem::by_errno(what, "make it a folder that can be written to")
        })?;
        stop_at("folder");
        let group_name = folder.group_name();
        let without = Arc::new(cgroup::NoGroups);
        let confines = shape.confines.clone();
        let mut guard = Self { folder: Some(folder), cgroup: without, confines, unfinished: Vec::new() };
        match guard.make_groups(&group_name, shape) {
            // What was made before the refusal stands in the ledger and goes with the run.
            Err(Problem::Unavailable(..)) if shape.rootless && !shape.needs.engine => {
                guard.cgroup = Arc::new(cgroup::NoGroups);
            }
            made => made?,
        }
        stop_at("guard");
        Ok(guard)
    }

    fn make_groups(&mut self, name: &str, shape: &Shape) -> Result<(), Problem> {
        let Found { cgroup, base } = cgroup::find(name, shape.needs)?;
        self.cgroup = cgroup;
        if let Some(base) = base {
            self.prepare(&base)?;
        }
        let steps = self.cgroup.guard(&self.confines, shape.shared_cpu);
        let (first, others) = steps.split_at(1.min(steps.len()));
        self.demand(first, 0)?;
        stop_at("half-a-guard");
        if self.cgroup.around().is_some() {
            self.unfinished = others.to_vec();
            return Ok(());
        }
        self.demand(others, 0)
    }

    /// Finishes a guard with a group around it, once nobody is in that group itself: it hands controllers down.
    pub(crate) fn finish(&mut self) -> Result<(), Problem> {
        let steps = std::mem::take(&mut self.unfinished);
        steps.chunks(1).try_for_each(|step| cgroup::once_left(|| self.demand(step, 0)))
    }

    /// v2: makes the group below which the guard goes ready for it.
    fn prepare(&mut self, base: &Base) -> Result<(), Problem> {
        self.demand(&base.step_aside(), std::process::id())?;
        if !base.added.is_empty() {
            let handed_down = Resource::Controllers { group: base.group.clone(), names: base.added.clone() };
            self.note(&handed_down)?;
        }
        cgroup::once_left(|| self.demand(&base.hand_down(), 0))
    }

    /// Unique name of the run.
    pub(crate) fn id(&self) -> &str {
        self.folder.as_ref().map_or("", RunFolder::id)
    }

    /// Name of the run's group in each hierarchy.
    pub(crate) fn group_name(&self) -> String {
        self.folder.as_ref().map_or_else(String::new, RunFolder::group_name)
    }

    /// What a path of a tenant's group has before its own name in each hierarchy.
    pub(crate) fn inner_name(&self) -> String {
        let inner = self.cgroup.around().and_then(|_| self.cgroup.group()?.file_name());
        let inner = inner.map(|name| format!("/{}", name.display()));
        self.group_name() + &inner.unwrap_or_default()
    }

    /// Folder of the run.
    pub(crate) fn path(&self) -> &Path {
        self.folder.as_ref().map_or(Path::new(""), RunFolder::path)
    }

    /// Makes the folder on which a tenant's root is going to be mounted. A root that is entered by `chroot` is mounted
    /// on the machine, and registered; the other kind goes with the tenant's mount namespace.
    fn make_root(&mut self, root: &Root) -> Result<(), Problem> {
        self.make_folder(&root.at)?;
        match root.way {
            RootWay::Chroot => self.note(&Resource::Mount(root.at.clone())),
            RootWay::Pivot => Ok(()),
        }
    }

    /// Makes the folder in which a probe may do as it likes.
    pub(crate) fn make_playground(&mut self) -> Result<PathBuf, Problem> {
        let playground = self.path().join(PLAYGROUND);
        self.make_folder(&playground)?;
        self.note(&Resource::Mount(playground.join("mount")))?;
        Ok(playground)
    }

    fn make_folder(&self, path: &Path) -> Result<(), Problem> {
        fs::create_dir(path).map_err(|error| {
            Problem::by_errno(
                format!("cannot make {}: {error}", path.display()),
                "make room on the file system of /run",
            )
        })
    }

    /// Registers what the steps make, then carries them out for `pid`.
    pub(crate) fn perform(&mut self, steps: &[Step], pid: u32) -> Result<(), Problem> {
        self.carry_out(steps, pid, |problem| problem)
    }

    /// The same, where a machine that does not let us has not got the platform.
    pub(crate) fn demand(&mut self, steps: &[Step], pid: u32) -> Result<(), Problem> {
        self.carry_out(steps, pid, Problem::into_unavailable)
    }

    fn carry_out(
        &mut self,
        steps: &[Step],
        pid: u32,
        refused: fn(Problem) -> Problem,
    ) -> Result<(), Problem> {
        for step in steps {
            if let Step::Make(group) = step {
                self.register(group)?;
            }
            step.perform(pid).map_err(|what| {
                refused(match problem::errno(&what) {
                    Some(Errno::PERM | Errno::ACCESS) => Problem::new(what, cgroup::ADVICE),
                    _ => Problem::by_errno(what, cgroup::ADVICE),
                })
            })?;
        }
        Ok(())
    }

    /// What tenants are started with.
    pub(crate) fn place<'a>(&'a self, platform: Platform, settings: &'a PlatformSettings) -> Place<'a> {
        let (cgroup, cpus, folder) = (&*self.cgroup, &*self.confines.cpus, self.path());
        Place { platform, settings, cgroup, cpus, folder }
    }

    /// Makes ready for a tenant whose `launcher` is there. Groups of its own belong to its start-up and are only
    /// registered; what merely counts is made beforehand, and the tenant inherits it.
    pub(crate) fn receive(
        &mut self,
        how: &platform::Plan,
        launcher: u32,
        own_cpu: bool,
    ) -> Result<(), Problem> {
        if let Some(root) = &how.script.root {
            self.make_root(root)?;
        }
        if self.cgroup.version() == 0 {
            return confine_cores(launcher, &self.confines.cpus);
        }
        if own_cpu {
            return self.register_all(&how.groups);
        }
        self.perform(&how.groups.make, 0)?;
        self.perform(&how.groups.enter, launcher)
    }

    /// The guard's memory group; none where memory is not counted.
    pub(crate) fn memory_group(&self) -> Option<PathBuf> {
        self.cgroup.guard_memory_peak()?.parent().map(Path::to_owned)
    }

    /// Registers groups that a launcher is going to make.
    fn register_all(&mut self, groups: &Groups) -> Result<(), Problem> {
        groups.directories().try_for_each(|group| self.register(group))
    }

    fn register(&mut self, group: &Path) -> Result<(), Problem> {
        self.note(&Resource::Group(group.to_owned()))
    }

    /// Notes what is going to be made.
    pub(crate) fn note(&mut self, resource: &Resource) -> Result<(), Problem> {
        let Some(folder) = &mut self.folder else { return Ok(()) };
        folder.register(resource).map_err(|error| {
            Problem::by_errno(
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

/// Without control groups a process is kept off cores by its own affinity, which it inherits; the memory is not bounded.
fn confine_cores(launcher: u32, cpus: &[u32]) -> Result<(), Problem> {
    let mut set = rustix::thread::CpuSet::new();
    for cpu in cpus {
        set.set(*cpu as usize);
    }
    let launcher = rustix::process::Pid::from_raw(launcher as i32);
    rustix::thread::sched_setaffinity(launcher, &set).map_err(|error| {
        Problem::by_errno(format!("cannot keep a tenant to its cores: {error}"), "see `taskset -p $$`")
    })
}

/// What a guard has to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) confines: Confines,
    /// Tenants compete for CPU in one group.
    pub(crate) shared_cpu: bool,
    /// Cores: the run has to be kept off some that it could use, or a tenant off some of the run's. Without the
    /// controller, a machine of exactly the scenario's size still serves.
    pub(crate) needs: Needs,
    /// An ordinary user's container: it is carried out without groups, too.
    pub(crate) rootless: bool,
}

impl Shape {
    /// For a plan on a platform.
    pub(crate) fn of(plan: &Plan, platform: Platform) -> Result<Self, Problem> {
        let cpus = machine::allowed_cpus();
        if cpus.is_empty() {
            return Err(Problem::unavailable(
                "/proc/self/status does not tell which cores we may use: /proc is not mounted",
                "mount -t proc proc /proc",
            ));
        }
        let limits = platform::has_limits(platform);
        let confines = confines(plan.host(), &cpus, weight::guard_shares(plan, limits))?;
        let sets = limits && plan.tenants().iter().any(|tenant| tenant.cpu.set.is_some());
        let pids = limits && plan.tenants().iter().any(|tenant| tenant.pids_limit.is_some());
        let rootless = plan.settings(platform).rootless == Some(true);
        let disk = disk::Demand::of(plan, limits)?;
        let confines = Confines { disk: disk.host, ..confines };
        let engine = engine::is_used(platform);
        let needs = Needs { cpuset: sets || confines.cpus != cpus, pids, io: disk.takes_controller, engine };
        Ok(Self { confines, shared_cpu: !limits, needs, rootless })
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
    Ok(Confines { cpus: first.to_vec(), memory_bytes: host.memory.0, swap_bytes, disk: None, shares })
}

/// Bytes in a file that holds one number; `None` where it is not there.
pub(crate) fn number(path: Option<&PathBuf>) -> Option<u64> {
    fs::read_to_string(path?).ok()?.trim().parse().ok()
}
