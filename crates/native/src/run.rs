//! One run: guard, launchers, common start, looks, end, report.

mod begin;
mod cost;

use std::time::Duration;

use catamaran_report::Report;
use catamaran_report::report::StageRow;
use catamaran_scenario::calibration::Accel;
use catamaran_scenario::plan::PlatformSettings;
use catamaran_scenario::{Plan, Platform};
use catamaran_worker::clock::{now_ns, sleep_until};
use catamaran_worker::facts::Facts;
use catamaran_worker::stop::stop_at;
use catamaran_worker::tape::{Tape, head};
use rustix::event::poll;

use crate::cgroup::{Accounts, Usage, charge};
use crate::engine::{self, Engine};
use crate::guard::{Guard, Shape};
use crate::interrupt::Interrupt;
use crate::launcher::{GONE, LOOK_EVERY, Launcher, WorkerFile};
use crate::network::Network;
use crate::order::Order;
use crate::others::{Everyone, GroupTime};
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::tally::{Look, Tally};
use crate::trace::{Seen, Trace};
use crate::vm::{self, Cost, Guest, Hypervisor};
use crate::write_up::{Outcome, TenantOutcome, stages};
use crate::{microvm, platform};

/// Between the word to begin and the common start (ns): threads on every core get to sleep until then.
const LEAD_NS: u64 = 20_000_000;
/// The same where the word has to come to guests, some of them emulated, over serial lines (ns).
const LEAD_GUESTS_NS: u64 = 500_000_000;
/// The same where tenants first have to connect to each other (ns).
const LEAD_NETWORK_NS: u64 = 100_000_000;
/// Between two samples of the tenants' consumption (ns).
pub(crate) const SAMPLE_NS: u64 = 100_000_000;

/// A tenant of a run under way.
struct Tenant {
    /// Its name and replica.
    label: String,
    launcher: Launcher,
    accounts: Accounts,
    /// At the common start, and at the end.
    first: Look,
    last: Look,
    tally: Tally,
    /// Its surroundings.
    facts: Facts,
    /// What its groups had counted at each sample.
    samples: Vec<Usage>,
    /// How it ended, where it did so before the end of the run.
    ended: Option<String>,
    /// On `vm`: its guest, and what that had cost at the common start and at the end.
    guest: Option<Guest>,
    costs: (Cost, Cost),
    /// How it was started, where others did that.
    seen: Option<Seen>,
}

impl Tenant {
    /// How it ended, once it has.
    fn end(&self) -> Option<&String> {
        self.launcher.ended.as_ref().or_else(|| self.guest.as_ref()?.ended.as_ref())
    }
}

/// A run under way.
pub(crate) struct Run<'a> {
    plan: &'a Plan,
    platform: Platform,
    /// `[platform.NAME]`.
    settings: PlatformSettings,
    interrupt: &'a Interrupt,
    // Fields are dropped in this order: tenants end before their groups are removed.
    tenants: Vec<Tenant>,
    network: Option<Network>,
    engine: Option<Engine>,
    guard: Guard,
    origin_ns: u64,
    hypervisor: Option<Hypervisor>,
    runtime: Option<Runtime>,
    /// While runtimes or engines of the machine start tenants: what they do, or why it can't be seen.
    trace: Option<Result<Trace, String>>,
}

impl<'a> Run<'a> {
    /// Starts every tenant; they all wait for the common start.
    pub(crate) fn start(
        plan: &'a Plan,
        platform: Platform,
        turns_per_cpu_s: f64,
        interrupt: &'a Interrupt,
    ) -> Result<Self, Problem> {
        let hypervisor = (platform == Platform::Vm).then(|| Hypervisor::find(plan)).transpose()?;
        let runtime = Runtime::find(platform)?;
        let engine = engine::Found::find(platform, &plan.settings(platform))?;
        let mut guard = Guard::make(&Shape::of(plan, platform)?)?;
        let runtime = runtime.map(|runtime| runtime.prepare(&mut guard)).transpose()?;
        let network = Network::make(plan, platform::has_networks(platform, &plan.settings(platform)))?;
        stop_at("network");
        let worker = WorkerFile::make()?;
        let try_out = |vm: Hypervisor| vm.try_out(plan, &worker, guard.path(), interrupt);
        let hypervisor = hypervisor.map(try_out).transpose()?;
        let engine = engine.map(|found| found.open(&mut guard, &worker, interrupt)).transpose()?;
        let others = engine.is_some();
        let mut run = Self {
            plan,
            platform,
            settings: plan.settings(platform),
            interrupt,
            tenants: Vec::new(),
            network,
            engine,
            guard,
            origin_ns: 0,
            hypervisor,
            trace: (runtime.is_some() || others).then(Trace::begin),
            runtime,
        };
        for (index, replica) in plan.instances() {
            let (Some(tenant), Some(order)) =
                (plan.tenants().get(index), Order::of(plan, index, replica, turns_per_cpu_s))
            else {
                continue;
            };
            let started = run.start_tenant(&worker, tenant, replica, &order)?;
            run.tenants.push(started);
        }
        run.trace = None;
        Ok(run)
    }

    /// How the first tenant started.
    pub(crate) fn startup_stages(&self) -> Vec<StageRow> {
        self.all_startup_stages().into_iter().next().unwrap_or_default()
    }

    /// How each tenant started.
    pub(crate) fn all_startup_stages(&self) -> Vec<Vec<StageRow>> {
        let version = self.guard.cgroup.version();
        let of = |tenant: &Tenant| {
            stages(&tenant.launcher.tape, self.platform, &self.settings, version, tenant.seen.as_ref())
        };
        self.tenants.iter().map(of).collect()
    }

    /// Number of the first tenant's process.
    pub(crate) fn first_tenant(&self) -> Option<u32> {
        self.tenants.first()?.launcher.tenant
    }

    /// What its groups are charged now (bytes); none where memory is not counted.
    pub(crate) fn charged_bytes(&self) -> Option<u64> {
        charge::charged(&self.guard.memory_group()?)
    }

    /// What runs the guests' instructions, where there are guests.
    pub(crate) fn accelerator(&self) -> Option<Accel> {
        self.hypervisor.as_ref().map(Hypervisor::accelerator)
    }

    /// Lets the tenants go, watches them to the end, and answers with what came of it.
    pub(crate) fn carry_out(
        mut self,
        trial: u32,
        progress: &mut Option<Box<dyn FnMut(f64, f64) + Send>>,
    ) -> Result<Report, Problem> {
        let report = self.carry_through(trial, progress)?;
        self.close()?;
        Ok(report)
    }

    /// The same, with everything still there to be looked at.
    pub(crate) fn carry_through(
        &mut self,
        trial: u32,
        progress: &mut Option<Box<dyn FnMut(f64, f64) + Send>>,
    ) -> Result<Report, Problem> {
        let cpus = self.guard.confines.cpus.clone();
        stop_at("started");
        self.go()?;
        stop_at("running");
        let before = (Everyone::read(&cpus), self.engine_time());
        let end_ns = self.watch(progress)?;
        let after = (Everyone::read(&cpus), self.engine_time());
        self.end();
        Ok(self.outcome(trial, end_ns, before, after))
    }

    /// Removes what is left of the run.
    pub(crate) fn close(mut self) -> Result<(), Problem> {
        self.tenants.clear();
        stop_at("ended");
        self.guard.remove()
    }

    /// The tape of the first tenant.
    pub(crate) fn first_tape(&self) -> Option<&Tape> {
        Some(&self.tenants.first()?.launcher.tape)
    }

    /// Sets the common start and wakes everyone.
    fn go(&mut self) -> Result<(), Problem> {
        self.tenants
            .iter_mut()
            .filter_map(|tenant| tenant.guest.as_mut())
            .try_for_each(Guest::synchronize)?;
        let lead_ns = match (&self.hypervisor, &self.network) {
            (Some(_), _) => LEAD_GUESTS_NS,
            (None, Some(_)) => LEAD_NETWORK_NS,
            (None, None) => LEAD_NS,
        };
        self.origin_ns = now_ns() + lead_ns;
        for ((index, _), tenant) in self.plan.instances().zip(&mut self.tenants) {
            let start_at = self.plan.tenants().get(index).map_or(0, |tenant| tenant.start_at.0);
            let (tape, begin_ns) = (&tenant.launcher.tape, self.origin_ns + start_at);
            tape.set(head::ORIGIN_NS, self.origin_ns);
            tape.set(head::BEGIN_NS, begin_ns);
            if let Some(guest) = &mut tenant.guest {
                guest.go(self.origin_ns, begin_ns)?;
            }
        }
        for tenant in &self.tenants {
            tenant.launcher.tape.go();
        }
        sleep_until(self.origin_ns - LEAD_NS / 4);
        self.look(|tenant, look| {
            tenant.first = look;
            tenant.costs.0 = tenant.guest.as_ref().map(Guest::cost).unwrap_or_default();
        });
        Ok(())
    }

    /// Sleeps, but for a look now and then, until the run is over; when it was (ns of the clock).
    fn watch(&mut self, progress: &mut Option<Box<dyn FnMut(f64, f64) + Send>>) -> Result<u64, Problem> {
        let duration = self.plan.duration();
        let end_ns = self.origin_ns + duration.0;
        let mut sample_ns = self.origin_ns;
        loop {
            self.tenants.iter_mut().filter_map(|tenant| tenant.guest.as_mut()).for_each(Guest::hear);
            let now = now_ns();
            if now >= end_ns || self.all_ended() {
                self.look(|tenant, look| {
                    tenant.last = look;
                    tenant.costs.1 = tenant.guest.as_ref().map(Guest::cost).unwrap_or_default();
                });
                return Ok(now);
            }
            if now >= sample_ns {
                self.look(|tenant, look| tenant.samples.push(look.usage));
                sample_ns += SAMPLE_NS;
                if let Some(progress) = progress {
                    progress((now - self.origin_ns) as f64 / 1e9, duration.seconds());
                }
            }
            self.interrupt.check()?;
            self.wait_until(end_ns.min(sample_ns))?;
        }
    }

    fn all_ended(&self) -> bool {
        self.tenants.iter().all(|tenant| tenant.end().is_some())
    }

    fn look(&mut self, mut keep: impl FnMut(&mut Tenant, Look)) {
        for tenant in &mut self.tenants {
            let look = tenant.tally.look(&*self.guard.cgroup, &tenant.launcher.tape);
            keep(tenant, look);
        }
    }

    /// Sleeps until then, or a message, or the next look at the interrupt flag.
    fn wait_until(&mut self, at_ns: u64) -> Result<(), Problem> {
        let sleep = Duration::from_nanos(at_ns.saturating_sub(now_ns())).min(LOOK_EVERY);
        let timeout = rustix::time::Timespec::try_from(sleep).ok();
        let alive = self.tenants.iter().filter(|tenant| tenant.launcher.ended.is_none());
        let mut events: Vec<_> = alive.flat_map(|tenant| tenant.launcher.poll_fds()).collect();
        match poll(&mut events, timeout.as_ref()) {
            Ok(0) | Err(_) => Ok(()),
            Ok(_) => self.tenants.iter_mut().try_for_each(|tenant| {
                let lived = tenant.launcher.ended.is_none();
                tenant.launcher.hear_all()?;
                if lived && tenant.launcher.ended.is_some() {
                    // An engine is about to remove its groups.
                    tenant.tally.look(&*self.guard.cgroup, &tenant.launcher.tape);
                }
                Ok(())
            }),
        }
    }

    /// Ends whoever still works. A throttled process dies only when it may run again, so limits are lifted first.
    fn end(&mut self) {
        for tenant in self.tenants.iter().filter(|tenant| tenant.launcher.ended.is_none()) {
            for step in &tenant.accounts.unlimit {
                if let Err(what) = step.perform(0) {
                    tracing::debug!(what, "a limit could not be lifted");
                }
            }
        }
        self.ask_ends();
        for tenant in &mut self.tenants {
            tenant.ended = tenant.end().cloned();
            if let Some(guest) = &mut tenant.guest {
                if let Err(error) = guest.collect(&tenant.launcher.tape) {
                    tenant.ended.get_or_insert(format!("its guest does not answer: {error}"));
                }
                tenant.last.read_tape(&tenant.launcher.tape);
            }
            tenant.launcher.end();
        }
    }

    /// Of tenants that are an engine's, the engine is asked how they ended before the run did.
    fn ask_ends(&mut self) {
        let Some(engine) = &mut self.engine else { return };
        let gone = self.tenants.iter_mut().filter(|tenant| tenant.launcher.ended.as_deref() == Some(GONE));
        for tenant in gone {
            let told = engine.end_of(&tenant.label, self.interrupt);
            tenant.launcher.ended = Some(told.unwrap_or_else(Problem::what));
        }
    }

    fn outcome(
        &self,
        trial: u32,
        end_ns: u64,
        (before, engine_before): (Everyone, Option<GroupTime>),
        (after, engine_after): (Everyone, Option<GroupTime>),
    ) -> Report {
        let tenants = self.tenants.iter().map(|tenant| TenantOutcome {
            tape: &tenant.launcher.tape,
            accounts: &tenant.accounts,
            ended: tenant.ended.as_deref(),
            ended_ns: tenant.launcher.ended_ns,
            first: &tenant.first,
            last: &tenant.last,
            facts: &tenant.facts,
            samples: &tenant.samples,
            tally: &tenant.tally,
            seen: tenant.seen.as_ref(),
        });
        let mut report = Outcome {
            plan: self.plan,
            platform: self.platform,
            trial,
            origin_ns: self.origin_ns,
            end_ns,
            steal: after.steal_since(before),
            busy_s: after.busy_s_since(before),
            engine_time: self.engine_time_since(engine_before, engine_after),
            has_engine: self.engine.is_some(),
            guard: &self.guard,
            network: self.network.as_ref().and_then(Network::name),
            runtime: self
                .runtime
                .as_ref()
                .map(Runtime::version)
                .or(self.engine.as_ref().map(Engine::version)),
            tenants: tenants.collect(),
        }
        .report();
        if self.platform == Platform::Microvm {
            microvm::amend(&mut report, self.plan);
        }
        if let Some(hypervisor) = &self.hypervisor {
            let guests: Vec<_> = self.tenants.iter().filter_map(|tenant| tenant.guest.as_ref()).collect();
            let costs: Vec<_> = self.tenants.iter().map(|tenant| tenant.costs).collect();
            vm::amend(&mut report, hypervisor, &guests, &costs);
        }
        report
    }
}
