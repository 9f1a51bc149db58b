//! The world of one run: programs, the CPU's model, and the events between them.

use catamaran_scenario::plan::Tenant;
use catamaran_scenario::{Plan, weight};

use super::build::Setting;
use super::disk::DiskWorld;
use super::engine::{Engine, Timer};
use super::events::{self, Happening};
use super::lives::{Killed, Lives, NEVER};
use super::log::Log;
use super::memory::{self, MemoryWorld};
use super::nodes;
use crate::Options;
use crate::kernel::Instant;
use crate::kernel::queue::EventQueue;
use crate::kernel::trace::Cause;
use crate::platform::clash::{Clash, Taken};
use crate::resources::cpu::{GroupId, GroupSpec, ROOT, ThreadId};
use crate::resources::disk::DiskEvent;
use crate::workload::{Action, Program};

#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    Cpu(Timer),
    /// A sleeping thread's timer expires, set in that life of its instance.
    Expire(ThreadId, u32),
    /// The same, the core's way out of idle included.
    Wake(ThreadId, u32),
    /// An instance that wants what others may have comes to be.
    Start(usize),
    /// The time of a phase of computing is over.
    Cut {
        thread: ThreadId,
        phase: usize,
        life: u32,
    },
    /// The memory of an instance that was killed in that life is taken from it.
    Reap(usize, u32),
    /// An event of the scenario.
    Happen(usize),
    /// An instance begins its next life, if it is still in this one.
    Begin {
        index: usize,
        life: u32,
        cause: Option<Cause>,
    },
    /// Something at the disk.
    Disk(DiskEvent),
    /// What everyone is charged is noted.
    Sample,
}

/// Order of what happens at the same instant: the kernel's own timers first, then the tenants', then the end.
const CPU_FIRST: u8 = 0;
pub(super) const TENANTS_SECOND: u8 = 1;

/// One replica of one tenant.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    pub(super) group: GroupId,
    pub(super) threads: Vec<ThreadId>,
    pub(super) program: Program,
    pub(super) start: Instant,
    /// Set when its present life was ended by force.
    pub(super) killed: Option<Killed>,
    pub(super) lives: Lives,
    /// Its tenant, where that has ports or needs libraries.
    pub(super) wants: Option<Tenant>,
    /// What kept it from starting, and when.
    pub(super) clash: Option<(Instant, Clash)>,
}

impl Instance {
    /// Whether nothing more will come of it.
    pub(super) fn is_over(&self) -> bool {
        let gone = self.killed.is_some_and(|killed| killed.gone.is_some());
        let ended = self.clash.is_some() || self.program.finished().is_some();
        gone || self.start == NEVER || ended
    }
}

#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) engine: Engine,
    /// In the order of `Plan::instances`; none for those that take no part.
    pub(super) instances: Vec<Option<Instance>>,
    /// (instance, thread of the instance) of each thread.
    pub(super) owners: Vec<(usize, usize)>,
    pub(super) now: Instant,
    /// None where the machine was calibrated without it.
    pub(super) memory: Option<MemoryWorld>,
    /// None where the machine was calibrated without it.
    pub(super) disk: Option<DiskWorld>,
    pub(super) queue: EventQueue<Event>,
    pub(super) taken: Taken,
    pub(super) log: Log,
    pub(super) happenings: Vec<Happening>,
    /// Events and beginnings that are still to come.
    pub(super) pending: usize,
    /// The node has failed.
    pub(super) lost: bool,
    /// Whether limits are those of cgroup version 1.
    pub(super) version_1: bool,
    pub(super) end: Instant,
    /// Whether it has come to its end.
    pub(super) over: bool,
    /// Events that were handled.
    pub(super) events: u64,
    request_overhead: u64,
    sleep_overhead: u64,
    /// Threads that have slept since they last got work.
    slept: Vec<bool>,
    wakeup_idle: u64,
}

impl World {
    /// The machine of that node, with the tenants that are placed on it.
    pub(super) fn new(plan: &Plan, setting: &Setting, node: u32, speed: f64, options: &Options) -> Self {
        let mut world = Self {
            engine: setting.engine(plan, speed, options),
            instances: Vec::new(),
            owners: Vec::new(),
            now: 0,
            memory: setting.memory.world(),
            disk: setting.disk.world(plan, options),
            queue: EventQueue::new(),
            taken: setting.taken.clone(),
            log: Log::new(),
            happenings: Vec::new(),
            pending: 0,
            lost: false,
            version_1: setting.version_1,
            end: plan.duration().0,
            over: false,
            events: 0,
            request_overhead: setting.request_overhead,
            sleep_overhead: setting.sleep_overhead,
            slept: Vec::new(),
            wakeup_idle: setting.wakeup_idle,
        };
        let own_groups = setting.claims.iter().any(|claim| claim.own_group.is_some());
        let shares = weight::guard_shares(plan, own_groups);
        let guard = GroupSpec { parent: ROOT, shares, quota: None };
        let guard = world.engine.add_group(guard);
        for (index, (tenant, replica)) in plan.instances().enumerate() {
            let here = setting.takes_part(index) && nodes::node_of(plan, (tenant, replica)) == Some(node);
            let instance =
                here.then(|| world.instance(plan, setting, index, (tenant, replica), guard)).flatten();
            let is_first = instance.as_ref().is_some_and(|instance| instance.start != NEVER);
            world.instances.push(instance);
            if is_first {
                world.admit(index);
            }
        }
        world.expect(events::of_node(plan, node));
        if world.instances.iter().flatten().any(|instance| instance.program.touches()) {
            world.queue.push(memory::SAMPLE_NS, TENANTS_SECOND, Event::Sample);
        }
        world
    }

    fn instance(
        &mut self,
        plan: &Plan,
        setting: &Setting,
        index: usize,
        (tenant, replica): (usize, u32),
        guard: GroupId,
    ) -> Option<Instance> {
        let tenant_of = plan.tenants().get(tenant)?;
        let mut start = tenant_of.start_at.0;
        let page_bytes = setting.memory.page_bytes();
        let mut program = Program::new(plan, tenant, replica, (start, self.end), page_bytes)?;
        let terms = setting.terms(plan, index, (tenant, replica))?;
        if !terms.first {
            program.stop(0, false);
            start = NEVER;
        }
        let claim = setting.claims.get(index)?;
        let group = match claim.own_group {
            Some(own) => {
                self.engine.add_group(GroupSpec { parent: guard, shares: own.shares, quota: own.quota })
            }
            None => guard,
        };
        if let Some(guest) = &setting.guest {
            self.engine.add_guest(index, guest, group, (&claim.cores, tenant_of.cpu.nice));
        }
        let wants = !tenant_of.ports.is_empty() || !tenant_of.needs.is_empty();
        if wants && start != NEVER {
            self.queue.push(start, TENANTS_SECOND, Event::Start(index));
        }
        let mut threads = Vec::new();
        for own in 0..program.threads() {
            // A new thread is put where there are fewest so far (`sched_balance_find_dst_group`).
            let core = match claim.cores.as_slice() {
                [] => self.owners.len() % setting.cores,
                cores => cores[self.owners.len() % cores.len()],
            };
            let thread = self.engine.add_thread(group, core, (&claim.cores, tenant_of.cpu.nice));
            self.owners.push((index, own));
            self.slept.push(false);
            if start != NEVER {
                self.queue.push(start, TENANTS_SECOND, Event::Wake(thread, 0));
            }
            threads.push(thread);
        }
        let (wants, lives) = (wants.then(|| tenant_of.clone()), Lives::new(terms, start));
        Some(Instance { group, threads, program, start, killed: None, lives, wants, clash: None })
    }

    /// Runs to the end: that of the scenario, or when nothing is left to do.
    pub(super) fn run(&mut self) {
        while self.step() {}
    }

    /// Handles the next event; whether there was one before the end, which comes else.
    pub(super) fn step(&mut self) -> bool {
        if self.over {
            return false;
        }
        let Some((at, event)) = self.queue.pop() else {
            self.finish();
            return false;
        };
        if at >= self.end {
            self.advance_to(self.end);
            self.finish();
            return false;
        }
        self.advance_to(at);
        self.handle(at, event);
        self.settle_instant();
        self.events += 1;
        if self.is_over() {
            self.finish();
        }
        true
    }

    fn handle(&mut self, at: Instant, event: Event) {
        match event {
            Event::Cpu(timer) => self.engine.handle(timer),
            Event::Expire(thread, life) | Event::Wake(thread, life) if self.is_stale(thread, life) => {}
            Event::Expire(thread, life) if self.wakeup_idle > 0 && self.engine.would_wake_idle(thread) => {
                self.queue.push(at + self.wakeup_idle, TENANTS_SECOND, Event::Wake(thread, life));
            }
            Event::Expire(thread, _) | Event::Wake(thread, _) => {
                if self.engine.deliver(thread) {
                    self.go_on(thread);
                }
            }
            Event::Start(index) => self.start(index),
            Event::Cut { thread, phase, life } => self.cut(thread, phase, life),
            Event::Disk(event) => self.disk_event(event),
            Event::Reap(index, life) => self.reap_in(index, life),
            Event::Happen(place) => self.happen(place),
            Event::Begin { index, life, cause } => self.begin(index, life, cause),
            Event::Sample => self.sample(),
        }
    }

    /// Nothing more happens.
    pub(super) fn finish(&mut self) {
        self.over = true;
        let stays = |instance: &Instance| !instance.is_over() && instance.program.lasts_to_the_end();
        if self.instances.iter().flatten().any(stays) {
            self.advance_to(self.end);
        }
        self.engine.settle();
        self.take_from_memory(None);
    }

    pub(super) fn advance_to(&mut self, at: Instant) {
        self.now = self.now.max(at);
        self.engine.set_now(self.now);
    }

    /// Handles all that follows at this instant.
    fn settle_instant(&mut self) {
        while let Some(thread) = self.engine.next_idle_hand() {
            self.go_on(thread);
        }
        let Self { engine, queue, .. } = self;
        engine.drain_timers(|at, event| queue.push(at, CPU_FIRST, Event::Cpu(event)));
    }

    /// Asks a thread's program what comes next, and does it.
    pub(super) fn go_on(&mut self, thread: ThreadId) {
        if self.is_killed(thread) {
            return self.exit(thread);
        }
        if self.is_touching(thread) {
            return self.touch_on(thread);
        }
        if self.is_operating(thread) {
            return self.operate_on(thread);
        }
        let Some(&(index, own)) = self.owners.get(thread) else { return };
        let Some(instance) = self.instances.get_mut(index).and_then(Option::as_mut) else { return };
        if let Some(arrival) = instance.program.answering(own) {
            self.engine.note_if_held(thread, arrival);
        }
        let (action, phase_ended) = instance.program.next(own, self.now);
        let is_done = phase_ended && instance.program.finished().is_some();
        let others: Vec<ThreadId> = match phase_ended {
            true => instance.threads.iter().copied().filter(|&other| other != thread).collect(),
            false => Vec::new(),
        };
        self.act(thread, action);
        for other in others {
            self.go_on(other);
        }
        if is_done {
            self.follow_up(index);
        }
    }

    fn act(&mut self, thread: ThreadId, action: Action) {
        match action {
            Action::Work { ns, request, until } => {
                self.cut_at(thread, until);
                let overhead = self.overhead(thread, request);
                self.engine.give_work(thread, ns, overhead);
                self.engine.wake(thread);
            }
            Action::Touch { pages, until } => {
                self.cut_at(thread, until);
                self.touch(thread, pages);
            }
            Action::TouchAgain { until } => {
                self.cut_at(thread, until);
                self.touch_again(thread);
            }
            Action::Operate(op) => self.operate(thread, op),
            Action::SleepUntil(at) => {
                self.engine.block(thread);
                self.slept[thread] = true;
                self.queue.push(at, TENANTS_SECOND, Event::Expire(thread, self.life_of(thread)));
            }
            Action::Wait | Action::Exit => self.engine.block(thread),
        }
    }

    /// Whether a thread's instance was killed, or never came to start.
    pub(super) fn is_killed(&self, thread: ThreadId) -> bool {
        let instance = self.owners.get(thread).and_then(|(index, _)| self.instances.get(*index)?.as_ref());
        instance.is_some_and(|instance| instance.killed.is_some() || instance.clash.is_some())
    }

    /// Has a thread stop at what it begins now when the time of its phase is over.
    fn cut_at(&mut self, thread: ThreadId, until: Option<Instant>) {
        if let (Some(at), Some(phase)) = (until, self.phase_of(thread)) {
            let life = self.life_of(thread);
            self.queue.push(at, TENANTS_SECOND, Event::Cut { thread, phase, life });
        }
    }

    /// CPU time that a piece of work costs beyond itself: that of a request, and that of the sleep before it.
    pub(super) fn overhead(&mut self, thread: ThreadId, request: bool) -> u64 {
        let slept = std::mem::take(&mut self.slept[thread]);
        let request = if request { self.request_overhead } else { 0 };
        request + if slept { self.sleep_overhead } else { 0 }
    }

    fn phase_of(&self, thread: ThreadId) -> Option<usize> {
        let (index, _) = *self.owners.get(thread)?;
        Some(self.instances.get(index)?.as_ref()?.program.phase())
    }

    /// A thread whose time is over notices it as soon as it has a core.
    fn cut(&mut self, thread: ThreadId, phase: usize, life: u32) {
        if self.phase_of(thread) == Some(phase) && !self.is_stale(thread, life) {
            self.stop_touching(thread);
            self.engine.give_work(thread, 0.0, 0);
        }
    }

    fn is_over(&self) -> bool {
        self.pending == 0 && self.instances.iter().flatten().all(Instance::is_over)
    }

    /// Work done and the CPU time that it took (ns), of all threads but those of instances that touch memory or work on a
    /// file, which is no such work.
    pub(super) fn work_and_cpu(&self) -> (f64, u64) {
        let works = |(index, _): &(usize, usize)| {
            let instance = self.instances.get(*index).and_then(Option::as_ref);
            instance.is_some_and(|instance| !instance.program.touches() && !instance.program.operates())
        };
        let threads = (0..self.owners.len()).filter(|&thread| self.owners.get(thread).is_some_and(works));
        let cpu_ns = match threads.clone().count() == self.owners.len() {
            true => self.engine.busy_ns(self.owners.len()),
            false => threads.clone().map(|thread| self.engine.cpu_ns(thread)).sum(),
        };
        let work: f64 = threads.map(|thread| self.engine.work_ns(thread)).sum();
        (work, cpu_ns)
    }
}
