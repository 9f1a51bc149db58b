//! One run: guard, launchers, common start, looks, events, end, report.

mod begin;
mod cost;
mod course;
mod events;
mod lives;
mod nursery;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use catamaran_report::Report;
use catamaran_report::report::StageRow;
use catamaran_scenario::calibration::Accel;
use catamaran_scenario::plan::Restart;
use catamaran_scenario::{Plan, Platform};
use catamaran_worker::stop::stop_at;
use catamaran_worker::tape::Tape;

use crate::cgroup::charge;
use crate::engine::Engine;
use crate::happened::Log;
use crate::image::Images;
use crate::interrupt::Interrupt;
use crate::microvm;
use crate::network::Network;
use crate::others::{Everyone, GroupTime};
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::vm::{self, Hypervisor};
use crate::write_up::{Outcome, stages};

use begin::{Birth, Maker};
use course::Course;
use nursery::{Nursery, lock};

pub(crate) use course::SAMPLE_NS;
pub(crate) use lives::{End, How, Life, Tenant};

/// What a run is told of how far it is: called with the elapsed and the whole time (s).
type Progress = Option<Box<dyn FnMut(f64, f64) + Send>>;

/// A run under way.
pub(crate) struct Run<'a> {
    // Fields are dropped in this order: tenants end before their groups are removed.
    course: Course<'a>,
    maker: Mutex<Maker<'a>>,
}

impl<'a> Run<'a> {
    /// Starts every tenant of a plan without images that is there from the start; they all wait for the common start.
    pub(crate) fn start(
        plan: &'a Plan,
        platform: Platform,
        turns_per_cpu_s: f64,
        interrupt: &'a Interrupt,
    ) -> Result<Self, Problem> {
        Self::with_images(plan, platform, Images::default(), (turns_per_cpu_s, interrupt))
    }

    /// The same of a plan with these images.
    pub(crate) fn with_images(
        plan: &'a Plan,
        platform: Platform,
        images: Images,
        (turns_per_cpu_s, interrupt): (f64, &'a Interrupt),
    ) -> Result<Self, Problem> {
        let mut maker = Maker::begin(plan, platform, images, (turns_per_cpu_s, interrupt))?;
        let mut tenants = Vec::new();
        for (instance, (index, replica)) in plan.instances().enumerate() {
            let Some(of_plan) = plan.tenants().get(index) else { continue };
            let mut tenant = Tenant::new(index, replica, of_plan);
            tenant.file = maker.lay_out(of_plan, &tenant.label)?;
            if tenant.wanted {
                tenant.lives.push(maker.start(&Birth::of(instance, &tenant))?);
            }
            tenants.push(tenant);
        }
        maker.trace = None;
        let course = Course {
            plan,
            platform,
            interrupt,
            tenants,
            cgroup: Arc::clone(&maker.guard.cgroup),
            in_guests: maker.hypervisor.is_some(),
            talks: maker.network.is_some(),
            events: VecDeque::from(plan.events().to_vec()),
            log: Log::default(),
            origin_ns: 0,
        };
        Ok(Self { course, maker: Mutex::new(maker) })
    }

    /// The first life of the first tenant.
    fn first(&self) -> Option<&Life> {
        self.course.tenants.first()?.lives.first()
    }

    /// How the first tenant started.
    pub(crate) fn startup_stages(&self) -> Vec<StageRow> {
        self.all_startup_stages().into_iter().next().unwrap_or_default()
    }

    /// How each tenant that is there from the start started.
    pub(crate) fn all_startup_stages(&self) -> Vec<Vec<StageRow>> {
        let maker = lock(&self.maker);
        let version = maker.guard.cgroup.version();
        let first = self.course.tenants.iter().filter_map(|tenant| tenant.lives.first());
        let of = |life: &Life| {
            stages(life.tape(), self.course.platform, &maker.settings, version, life.seen.as_ref())
        };
        first.map(of).collect()
    }

    /// Number of the first tenant's process.
    pub(crate) fn first_tenant(&self) -> Option<u32> {
        self.first()?.launcher.tenant
    }

    /// What its groups are charged now (bytes); none where memory is not counted.
    pub(crate) fn charged_bytes(&self) -> Option<u64> {
        charge::charged(&lock(&self.maker).guard.memory_group()?)
    }

    /// What runs the guests' instructions, where there are guests.
    pub(crate) fn accelerator(&self) -> Option<Accel> {
        lock(&self.maker).hypervisor.as_ref().map(Hypervisor::accelerator)
    }

    /// Lets the tenants go, watches them to the end, and answers with what came of it.
    pub(crate) fn carry_out(mut self, trial: u32, progress: &mut Progress) -> Result<Report, Problem> {
        let report = self.carry_through(trial, progress)?;
        self.close()?;
        Ok(report)
    }

    /// The same, with everything still there to be looked at.
    pub(crate) fn carry_through(&mut self, trial: u32, progress: &mut Progress) -> Result<Report, Problem> {
        let (cpus, engine, engine_bytes) = {
            let maker = lock(&self.maker);
            // Before the common start: it takes a while.
            (maker.guard.confines.cpus.clone(), maker.engine_group(), maker.engine_bytes())
        };
        stop_at("started");
        let nursery = self.expects_births().then(Nursery::make).transpose()?;
        let Self { course, maker } = self;
        course.go()?;
        stop_at("running");
        let read = || {
            let engine = engine.as_deref().and_then(|group| GroupTime::read(group, &cpus));
            (Everyone::read(&cpus), engine)
        };
        let before = read();
        let (end_ns, after) = std::thread::scope(|scope| {
            let (nursery, midwife) = nursery.unzip();
            if let Some(midwife) = midwife {
                scope.spawn(|| midwife.attend(maker));
            }
            let end_ns = course.watch(nursery.as_ref(), progress)?;
            let after = read();
            // Whoever is being started is there only when that is done.
            course.end(lock(maker).engine.as_mut());
            Ok((end_ns, after))
        })?;
        Ok(self.outcome(trial, end_ns, engine_bytes, before, after))
    }

    /// Whether a life may begin while the run goes on.
    fn expects_births(&self) -> bool {
        let plan = self.course.plan;
        !plan.events().is_empty() || plan.tenants().iter().any(|tenant| tenant.restart != Restart::Never)
    }

    /// Removes what is left of the run.
    pub(crate) fn close(self) -> Result<(), Problem> {
        let Self { course, maker } = self;
        drop(course);
        stop_at("ended");
        let Maker { network, engine, guard, .. } = maker.into_inner().unwrap_or_else(PoisonError::into_inner);
        let removed = guard.remove();
        drop((network, engine));
        removed
    }

    /// The tape of the first tenant.
    pub(crate) fn first_tape(&self) -> Option<&Tape> {
        Some(self.first()?.tape())
    }

    fn outcome(
        &self,
        trial: u32,
        end_ns: u64,
        engine_bytes: Option<u64>,
        (before, engine_before): (Everyone, Option<GroupTime>),
        (after, engine_after): (Everyone, Option<GroupTime>),
    ) -> Report {
        let Course { plan, platform, tenants, log, origin_ns, .. } = &self.course;
        let maker = lock(&self.maker);
        let runtime = maker.runtime.as_ref().map(Runtime::version);
        let mut report = Outcome {
            plan,
            platform: *platform,
            trial,
            origin_ns: *origin_ns,
            end_ns,
            steal: after.steal_since(before),
            busy_s: after.busy_s_since(before),
            engine_time: maker.engine_time(tenants, (engine_before, engine_after)),
            engine_bytes,
            has_engine: maker.engine.is_some(),
            guard: &maker.guard,
            network: maker.network.as_ref().and_then(Network::name),
            images: maker.images.identity().collect(),
            runtime: runtime.or(maker.engine.as_ref().map(Engine::version)),
            tenants,
            log: log.clone(),
        }
        .report();
        if *platform == Platform::Microvm {
            microvm::amend(&mut report, plan);
        }
        if let Some(hypervisor) = &maker.hypervisor {
            vm::amend(&mut report, hypervisor, tenants);
        }
        report
    }
}
