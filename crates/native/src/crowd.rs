//! Copies of one tenant, one after the other, until the guard has no room for another.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use catamaran_scenario::leak::Leak;
use catamaran_scenario::plan::{PlatformSettings, Tenant, Workload};
use catamaran_scenario::{Plan, Platform};
use catamaran_worker::clock::now_ns;
use catamaran_worker::tape::{head, phase};

use crate::cgroup::charge;
use crate::engine::{self, Contained, Engine};
use crate::guard::{Guard, Shape};
use crate::image::Images;
use crate::interrupt::Interrupt;
use crate::launcher::{Launcher, WorkerFile};
use crate::order::Order;
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::vm::{Guest, Hypervisor};
use crate::{microvm, platform, program};

/// Between two looks at what one has touched.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// How long a copy may take to touch what it is to touch, beside the time in which it is due.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a victim may take to be gone.
const DEATH: Duration = Duration::from_secs(2);

/// One copy.
struct Member {
    launcher: Launcher,
    guest: Option<Guest>,
}

/// Copies of a plan's first tenant.
pub(crate) struct Crowd<'a> {
    plan: &'a Plan,
    tenant: &'a Tenant,
    platform: Platform,
    order: Order,
    interrupt: &'a Interrupt,
    worker: WorkerFile,
    hypervisor: Option<Hypervisor>,
    runtime: Option<Runtime>,
    images: Images,
    // Fields are dropped in this order: tenants end before their engine, and that before its groups are removed.
    members: Vec<Member>,
    engine: Option<Engine>,
    guard: Guard,
    /// Kills for memory on the whole machine when we last looked for one of ours.
    kills: u64,
    /// Whether one of ours was killed.
    has_lost: bool,
    /// Memory of the kernel's own that they were charged when the newest had just started (bytes).
    pub(crate) kernel_at_start: Option<u64>,
}

impl<'a> Crowd<'a> {
    /// Nobody yet, in a guard of the plan's memory.
    pub(crate) fn gather(
        plan: &'a Plan,
        platform: Platform,
        turns_per_cpu_s: f64,
        interrupt: &'a Interrupt,
    ) -> Result<Self, Problem> {
        let first = plan.tenants().first();
        let (Some(tenant), Some(order)) = (first, Order::of(plan, 0, 0, turns_per_cpu_s)) else {
            return Err(Problem::new("the scenario has no tenant", "add one"));
        };
        let in_image = program::is_in_image(plan, platform, tenant);
        let order = order.with_programs(platform::confines(platform), in_image);
        let hypervisor = (platform == Platform::Vm).then(|| Hypervisor::find(plan)).transpose()?;
        let runtime = Runtime::find(platform)?;
        let engine = engine::Found::find(platform, &plan.settings(platform))?;
        let mut guard = Guard::make(&Shape::of(plan, platform)?)?;
        let runtime = runtime.map(|runtime| runtime.prepare(&mut guard)).transpose()?;
        let worker = WorkerFile::make()?;
        let try_out = |vm: Hypervisor| vm.try_out(plan, &worker, guard.path(), interrupt);
        let hypervisor = hypervisor.map(try_out).transpose()?;
        let mut images = Images::open(plan, platform)?;
        images.prepare(&mut guard, platform)?;
        let open = |found: engine::Found| found.open((plan, &images), &mut guard, &worker, interrupt);
        let engine = engine.map(open).transpose()?;
        let (members, kills) = (Vec::new(), kills_on_the_machine());
        let has_lost = false;
        Ok(Self {
            plan,
            tenant,
            platform,
            order,
            interrupt,
            worker,
            hypervisor,
            runtime,
            images,
            members,
            engine,
            guard,
            kills,
            has_lost,
            kernel_at_start: None,
        })
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// What they are charged together (bytes); nothing where memory is not counted.
    pub(crate) fn charged(&self) -> Option<u64> {
        charge::charged(&self.guard.memory_group()?)
    }

    /// What their guard is charged beside them, their groups among it (bytes).
    pub(crate) fn charged_beside(&self) -> Option<u64> {
        charge::own(&self.guard.memory_group()?)
    }

    /// Memory of the kernel's own that they are charged now (bytes).
    pub(crate) fn kernel(&self) -> Option<u64> {
        charge::kernel(&self.guard.memory_group()?)
    }

    /// Adds one, and has it do its work as far as memory goes. Whether there was room for it: none was killed, nor did it
    /// fail to start in a guard that is full.
    pub(crate) fn join(&mut self) -> Result<bool, Problem> {
        // Whoever has done its work has nothing to say but that it ended, and there may be thousands.
        if let Some(newest) = self.members.last_mut() {
            newest.launcher.hang_up();
        }
        let label = format!("{}.{}", self.tenant.name, self.members.len());
        let joined = self.start(&label).and_then(|()| self.work());
        match joined.and_then(|()| self.lost_somebody()) {
            Ok(lost) => Ok(!lost),
            Err(Problem::Failed(..) | Problem::Unavailable(..)) if self.was_full() => Ok(false),
            Err(problem) => Err(problem),
        }
    }

    fn was_full(&self) -> bool {
        self.guard.memory_group().is_some_and(|group| charge::was_full(&group))
    }

    fn start(&mut self, label: &str) -> Result<(), Problem> {
        let settings = self.plan.settings(self.platform);
        let mut how = self.guard.place(self.platform, &settings).plan(self.tenant, label);
        how.script.programs = program::shown(self.plan, self.tenant, self.platform);
        how.script.image = self.root()?;
        let member = match &mut self.engine {
            Some(engine) => {
                let (plan, images, tenant) = (self.plan, &self.images, self.tenant);
                let contained = Contained { plan, images, how: &how, tenant, label };
                let tape = self.order.write()?;
                let (launcher, _) = engine.start(&self.guard, &contained, &tape, self.interrupt)?;
                Member { launcher, guest: None }
            }
            None => self.launch(how, &settings, label)?,
        };
        self.kernel_at_start = self.kernel();
        self.members.push(member);
        Ok(())
    }

    /// The root of its image, where it has one that no engine unpacks; the first one has it fetched.
    fn root(&mut self) -> Result<Option<PathBuf>, Problem> {
        match (&mut self.engine, &self.tenant.image) {
            (Some(engine), Some(name)) if engine::loads_images(self.platform) => {
                engine.pull(&mut self.guard, (&mut self.images, name), self.interrupt)?;
                Ok(None)
            }
            _ => self.images.root(&mut self.guard, self.tenant).map(|root| root.folder),
        }
    }

    /// Has a launcher start it, or a monitor its guest.
    fn launch(
        &mut self,
        mut how: platform::Plan,
        settings: &PlatformSettings,
        label: &str,
    ) -> Result<Member, Problem> {
        let own_cpu = platform::has_limits(self.platform);
        if let Some(runtime) = &self.runtime {
            runtime.lay_out(&mut self.guard, &mut how, self.tenant, label)?;
        }
        let mut launcher =
            Launcher::start(&self.worker, self.guard.id(), self.order.write()?, self.interrupt)?;
        launcher.tape.set(head::GUEST_BYTES, microvm::guest_bytes(self.platform, settings).unwrap_or(0));
        self.guard.receive(&how, launcher.pid(), own_cpu)?;
        let guest = match &self.hypervisor {
            Some(vm) => {
                let place = (self.guard.path(), label);
                Some(vm.boot(&mut launcher, how.script, place, (self.tenant, None), self.interrupt)?)
            }
            None => {
                launcher.carry_out(&how.script, self.interrupt)?;
                None
            }
        };
        Ok(Member { launcher, guest })
    }

    /// Has the newest one begin, and waits until it has touched what its workload touches within the run.
    fn work(&mut self) -> Result<(), Problem> {
        let duration = Duration::from_nanos(self.plan.duration().0);
        let due = due_touches(self.tenant, self.plan.duration().0);
        let Some(newest) = self.members.last_mut() else { return Ok(()) };
        let begin_ns = now_ns();
        newest.launcher.tape.set(head::ORIGIN_NS, begin_ns);
        newest.launcher.tape.set(head::BEGIN_NS, begin_ns);
        if let Some(guest) = &mut newest.guest {
            guest.go(begin_ns, begin_ns)?;
        }
        newest.launcher.tape.go();
        let until = Instant::now() + duration + PATIENCE;
        loop {
            let Some(newest) = self.members.last_mut() else { return Ok(()) };
            let touched = newest.touches()?;
            if touched >= due || self.lost_somebody()? {
                return Ok(());
            }
            if Instant::now() > until {
                let what = format!("a tenant touched {touched} of {due} pages in {} s", PATIENCE.as_secs());
                return Err(Problem::new(what, "try again on a quieter machine"));
            }
            self.interrupt.check()?;
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Whether the kernel has killed one of ours for memory. Everyone is asked only when somebody was killed anywhere.
    fn lost_somebody(&mut self) -> Result<bool, Problem> {
        let newest = self.members.len().saturating_sub(1);
        let kills = kills_on_the_machine();
        if self.has_lost || kills == self.kills {
            self.has_lost = self.has_lost || self.has_ended(newest..)?;
            return Ok(self.has_lost);
        }
        // The kernel counts a kill before the victim is gone.
        let until = Instant::now() + DEATH;
        while !self.has_lost && Instant::now() < until {
            self.has_lost = self.has_ended(0..)? || self.has_lost_a_monitor();
            std::thread::sleep(LOOK_EVERY);
        }
        self.kills = kills;
        Ok(self.has_lost)
    }

    /// Whether a process of an engine's was killed that has its place in the guard beside the tenants.
    fn has_lost_a_monitor(&self) -> bool {
        let group = self.guard.memory_group().filter(|_| self.engine.is_some() && self.was_full());
        group.is_some_and(|group| charge::kills(&group) > 0)
    }

    /// What the engine's own processes hold now (bytes); none without an engine.
    pub(crate) fn held_by_engine(&self) -> Option<u64> {
        self.engine.as_ref()?.held_bytes()
    }

    /// Whether all that were started are still there, though no other could be. An engine takes more to start a container than the
    /// container then has.
    pub(crate) fn is_whole(&self) -> bool {
        self.engine.is_some() && !self.has_lost
    }

    /// Whether one of these has ended, for want of memory: for another reason it is an error.
    fn has_ended(&mut self, asked: std::ops::RangeFrom<usize>) -> Result<bool, Problem> {
        for member in self.members.get_mut(asked).unwrap_or_default() {
            member.launcher.hear_all()?;
        }
        let ended = self.members.iter().find_map(|member| member.launcher.ended.as_ref());
        match ended {
            Some(how) if !self.was_full() => {
                Err(Problem::new(format!("a tenant ended ({how})"), "try it with `catamaran run`"))
            }
            ended => Ok(ended.is_some()),
        }
    }

    /// Ends everyone and removes everything.
    pub(crate) fn disperse(mut self) -> Result<(), Problem> {
        if let Some(group) = self.guard.memory_group() {
            charge::lift(&group);
        }
        self.members.iter().for_each(|member| member.launcher.kill());
        self.members.clear();
        self.guard.remove()
    }
}

impl Member {
    /// Touches of pages so far, over all phases.
    fn touches(&mut self) -> Result<u64, Problem> {
        let tape = &self.launcher.tape;
        let layout = tape.layout();
        let words = (0..layout.phases).map(|number| layout.phase(number) + phase::TOUCHES);
        let words: Vec<usize> = words.collect();
        if let Some(guest) = &mut self.guest {
            words.iter().try_for_each(|word| guest.copy_word(tape, *word))?;
        }
        Ok(words.iter().map(|word| tape.get(*word)).sum())
    }
}

/// Pages that a tenant's workload touches within a run of so long (ns), each for the first time.
fn due_touches(tenant: &Tenant, duration_ns: u64) -> u64 {
    let page_bytes = rustix::param::page_size() as u64;
    let left_ns = duration_ns.saturating_sub(tenant.start_at.0);
    let due = |workload: &Workload, lasts_ns: u64| {
        Leak::of(workload).map_or(0, |leak| leak.pages_due(lasts_ns.min(left_ns), page_bytes))
    };
    match &tenant.workload {
        Workload::Phases(phases) => {
            phases.iter().map(|phase| due(&phase.workload, phase.lasts.map_or(left_ns, |own| own.0))).sum()
        }
        workload => due(workload, left_ns),
    }
}

/// Kills for memory since the machine was started (`oom_kill` in `/proc/vmstat`).
fn kills_on_the_machine() -> u64 {
    let text = std::fs::read_to_string("/proc/vmstat").unwrap_or_default();
    crate::cgroup::keyed(&text, "oom_kill").unwrap_or(0)
}
