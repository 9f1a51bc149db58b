//! How each life of a tenant is started.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use catamaran_scenario::Platform;
use catamaran_scenario::plan::{self, Plan, PlatformSettings};
use catamaran_worker::facts::Facts;
use catamaran_worker::stop::stop_at;
use catamaran_worker::tape::head;

use super::lives::{Life, Tenant};
use crate::engine::{self, Contained, Engine};
use crate::guard::{Guard, Shape};
use crate::image::{Fetched, Images, Root};
use crate::interrupt::Interrupt;
use crate::launcher::{Launcher, WorkerFile};
use crate::network::{self, Network, Tap};
use crate::order::Order;
use crate::problem::Problem;
use crate::runtime::{self, Runtime};
use crate::tally::{Look, Tally};
use crate::trace::{Seen, Trace};
use crate::vm::{Cost, Guest, Hypervisor};
use crate::{disk, isolation, microvm, platform, program};

/// Quiet before each start-up. Moving a process between groups waits for an RCU grace period (5–13 ms here), but not
/// when another move has just paid for it: without the pause, a tenant's start-up would depend on its place in the file.
const SETTLE: Duration = Duration::from_millis(60);

/// What tenants are started with.
pub(super) struct Maker<'a> {
    plan: &'a Plan,
    platform: Platform,
    /// `[platform.NAME]`.
    pub(super) settings: PlatformSettings,
    interrupt: &'a Interrupt,
    turns_per_cpu_s: f64,
    worker: WorkerFile,
    // Fields are dropped in this order: an engine ends before its groups are removed.
    pub(super) network: Option<Network>,
    pub(super) engine: Option<Engine>,
    pub(super) images: Images,
    pub(super) guard: Guard,
    pub(super) hypervisor: Option<Hypervisor>,
    pub(super) runtime: Option<Runtime>,
    /// While runtimes or engines of the machine start tenants, before the run: what they do, or why it can't be seen.
    pub(super) trace: Option<Result<Trace, String>>,
}

/// A life to be started.
pub(super) struct Birth {
    /// Place of its replica in the run, and number of the life.
    pub(super) instance: usize,
    pub(super) number: u32,
    /// Its tenant's place in the plan, and its replica.
    pub(super) index: usize,
    pub(super) replica: u32,
    /// Its tenant, with the limits that hold now.
    pub(super) tenant: plan::Tenant,
    pub(super) label: String,
    pub(super) file: Option<PathBuf>,
}

impl Birth {
    /// The life of a replica that is asked for.
    pub(super) fn of(instance: usize, tenant: &Tenant) -> Self {
        let number = tenant.number;
        Self {
            instance,
            number,
            index: tenant.index,
            replica: tenant.replica,
            tenant: tenant.plan.clone(),
            label: if number == 0 { tenant.label.clone() } else { format!("{}.{number}", tenant.label) },
            file: tenant.file.clone(),
        }
    }
}

impl<'a> Maker<'a> {
    /// The guard, and whatever tenants are to find when they start.
    pub(super) fn begin(
        plan: &'a Plan,
        platform: Platform,
        mut images: Images,
        (turns_per_cpu_s, interrupt): (f64, &'a Interrupt),
    ) -> Result<Self, Problem> {
        let hypervisor = (platform == Platform::Vm).then(|| Hypervisor::find(plan)).transpose()?;
        let runtime = Runtime::find(platform)?;
        let settings = plan.settings(platform);
        let engine = engine::Found::find(platform, &settings)?;
        let mut guard = Guard::make(&Shape::of(plan, platform)?)?;
        let runtime = runtime.map(|runtime| runtime.prepare(&mut guard)).transpose()?;
        let network = Network::make(plan, platform::wiring(platform, &settings))?;
        stop_at("network");
        let worker = WorkerFile::make()?;
        let try_out = |vm: Hypervisor| vm.try_out(plan, &worker, guard.path(), interrupt);
        let hypervisor = hypervisor.map(try_out).transpose()?;
        images.prepare(&mut guard, platform)?;
        let open = |found: engine::Found| found.open((plan, &images), &mut guard, &worker, interrupt);
        let mut engine = engine.map(open).transpose()?;
        if let Some(engine) = engine.as_mut().filter(|_| engine::loads_images(platform)) {
            for name in images.cached() {
                engine.pull(&mut guard, (&mut images, &name), interrupt)?;
            }
        }
        let by_others = runtime.is_some() || engine.is_some();
        Ok(Self {
            plan,
            platform,
            settings,
            interrupt,
            turns_per_cpu_s,
            worker,
            network,
            engine,
            images,
            guard,
            hypervisor,
            runtime,
            trace: by_others.then(Trace::begin),
        })
    }

    /// Lays out the file of a replica, if it works on one.
    pub(super) fn lay_out(&mut self, tenant: &plan::Tenant, label: &str) -> Result<Option<PathBuf>, Problem> {
        disk::lay_out(&mut self.guard, tenant, label)
    }

    /// Starts a life; comes back when it waits for the word to begin.
    pub(super) fn start(&mut self, birth: &Birth) -> Result<Life, Problem> {
        let (tenant, label) = (&birth.tenant, birth.label.as_str());
        let order = Order::of(self.plan, birth.index, birth.replica, self.turns_per_cpu_s);
        let order =
            order.ok_or_else(|| Problem::new("a tenant has no work", "this is a defect of catamaran"))?;
        let order = order.with_programs(
            platform::confines(self.platform),
            program::is_in_image(self.plan, self.platform, tenant),
        );
        let guard = &mut self.guard;
        let mut how = guard.place(self.platform, &self.settings).plan(tenant, label);
        how.script.file.clone_from(&birth.file);
        how.script.layer = disk::layers::lay_out(guard, (self.plan, self.platform), tenant, label)?;
        how.script.programs = program::shown(self.plan, tenant, self.platform);
        how.script.network = self.network.as_ref().and_then(Network::shared);
        let root = self.fetch(tenant)?;
        let guard = &mut self.guard;
        how.script.image = root.folder;
        if let Some(engine) = &mut self.engine {
            settle(birth);
            let tape = order.write()?;
            let present = look_out(&mut self.trace, engine.processes());
            let (plan, images) = (self.plan, &self.images);
            let contained = Contained { plan, images, how: &how, tenant, label };
            let (launcher, group) = engine.start(guard, &contained, &tape, self.interrupt)?;
            let seen = look_back(&mut self.trace, present, launcher.tenant);
            self.attach(&launcher, birth.instance)?;
            return self.received(launcher, None, (label, root.fetched, seen), group);
        }
        if let Some(runtime) = &self.runtime {
            runtime.lay_out(guard, &mut how, tenant, label)?;
        }
        let (launcher, guest, seen) = self.launch(how, birth, &order)?;
        self.received(launcher, guest, (label, root.fetched, seen), label.to_owned())
    }

    /// Has a tenant's image be there: an engine that knows images pulls what is to be pulled by itself.
    fn fetch(&mut self, tenant: &plan::Tenant) -> Result<Root, Problem> {
        let Some(engine) = self.engine.as_mut().filter(|_| engine::loads_images(self.platform)) else {
            return self.images.root(&mut self.guard, tenant);
        };
        let Some(name) = &tenant.image else { return Ok(Root::default()) };
        let present = look_out(&mut self.trace, engine.processes());
        let pulled = engine.pull(&mut self.guard, (&mut self.images, name), self.interrupt)?;
        let seen = look_back(&mut self.trace, present, None);
        let fetched = pulled.map(|pulled| pulled.stages(seen.as_ref()));
        Ok(Root { folder: None, fetched: fetched.unwrap_or_default() })
    }

    /// Has a launcher start a tenant, or a monitor its guest.
    fn launch(
        &mut self,
        how: platform::Plan,
        birth: &Birth,
        order: &Order,
    ) -> Result<(Launcher, Option<Guest>, Option<Seen>), Problem> {
        let guard = &mut self.guard;
        let mut launcher = Launcher::start(&self.worker, guard.id(), order.write()?, self.interrupt)?;
        launcher
            .tape
            .set(head::GUEST_BYTES, microvm::guest_bytes(self.platform, &self.settings).unwrap_or(0));
        stop_at("launcher");
        guard.receive(&how, launcher.pid(), platform::has_limits(self.platform))?;
        stop_at("groups");
        settle(birth);
        if let Some(vm) = &self.hypervisor {
            let place = (guard.path(), birth.label.as_str());
            let network = self.network.as_ref().map(|network| (network, Tap::of(birth.instance)));
            let guest =
                vm.boot(&mut launcher, how.script, place, (&birth.tenant, network), self.interrupt)?;
            return Ok((launcher, Some(guest), None));
        }
        let present = look_out(&mut self.trace, vec![launcher.pid()]);
        launcher.carry_out(&how.script, self.interrupt)?;
        let seen = look_back(&mut self.trace, present, launcher.tenant);
        self.attach(&launcher, birth.instance)?;
        Ok((launcher, None, seen))
    }

    /// Sees to it that the replica at that place can talk: to itself, and where tenants talk to the others.
    fn attach(&self, launcher: &Launcher, instance: usize) -> Result<(), Problem> {
        let Some(pid) = launcher.tenant else { return Ok(()) };
        if runtime::leaves_the_loopback_down(self.platform) {
            network::take_loopback_into_service(pid)?;
        }
        if let Some(network) = &self.network {
            network.attach(pid, instance)?;
            stop_at("attached");
        }
        Ok(())
    }

    /// A life that is there, whose groups below the guard are called `group`.
    fn received(
        &self,
        launcher: Launcher,
        guest: Option<Guest>,
        (label, fetched, seen): (&str, Fetched, Option<Seen>),
        group: String,
    ) -> Result<Life, Problem> {
        let accounts = self.guard.cgroup.accounts(&group, platform::has_limits(self.platform));
        let pid = launcher.tenant.filter(|_| guest.is_none());
        let mut tally = Tally::open(&accounts, pid).map_err(|error| {
            Problem::by_errno(
                format!("cannot read the figures of {label}: {error}"),
                "mount /proc and the control groups",
            )
        })?;
        if self.engine.is_some() {
            tally.keep(&accounts);
        }
        Ok(Life {
            launcher,
            label: label.to_owned(),
            group,
            accounts,
            begun_ns: 0,
            first: Look::default(),
            last: Look::default(),
            tally,
            // A bare guest sees nothing of what its monitor sees.
            facts: pid
                .filter(|_| self.platform != Platform::Microvm)
                .map_or_else(Facts::new, isolation::around),
            seen,
            fetched,
            guest,
            costs: (Cost::default(), Cost::default()),
            collected: false,
            asked: None,
            squeezed: None,
            end: None,
        })
    }
}

/// The first life of a tenant is started in quiet; a later one is waited for, and nothing was moved just before.
fn settle(birth: &Birth) {
    if birth.number == 0 {
        std::thread::sleep(SETTLE);
    }
}

/// Forgets what was recorded so far; the names of those who are there before a start, by number.
fn look_out(trace: &mut Option<Result<Trace, String>>, processes: Vec<u32>) -> BTreeMap<u32, String> {
    let Some(Ok(trace)) = trace else { return BTreeMap::new() };
    trace.take();
    let name = |pid: u32| Some((pid, std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?));
    processes.into_iter().filter_map(name).map(|(pid, name)| (pid, name.trim_end().to_owned())).collect()
}

/// What they and their children did since; none where nobody looks.
fn look_back(
    trace: &mut Option<Result<Trace, String>>,
    present: BTreeMap<u32, String>,
    tenant: Option<u32>,
) -> Option<Seen> {
    let trace = match trace.as_mut()? {
        Ok(trace) => trace,
        Err(why) => return Some(Seen::nothing(why.clone())),
    };
    let Some(events) = trace.take() else {
        return Some(Seen::nothing(
            "the kernel lost some of its records: too much else was at work".to_owned(),
        ));
    };
    let mut seen = Seen::of(events, present, tenant.unwrap_or(0));
    seen.blind = trace.blind.clone();
    tracing::debug!(%seen, "a start");
    Some(seen)
}
