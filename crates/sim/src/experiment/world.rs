//! The world of one run: programs, the CPU's model, and the events between them.

use catamaran_scenario::{Plan, weight};

use super::build::Setting;
use super::engine::{Engine, Timer};
use super::memory::{self, Killed, MemoryWorld};
use super::nodes;
use crate::Options;
use crate::kernel::Instant;
use crate::kernel::queue::EventQueue;
use crate::resources::cpu::{GroupId, GroupSpec, ROOT, ThreadId};
use crate::workload::{Action, Program};

#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    Cpu(Timer),
    /// A sleeping thread's timer expires.
    Expire(ThreadId),
    /// The same, the core's way out of idle included.
    Wake(ThreadId),
    /// The time of a phase of computing is over.
    Cut {
        thread: ThreadId,
        phase: usize,
    },
    /// The memory of an instance that was killed is taken from it.
    Reap(usize),
    /// What everyone is charged is noted.
    Sample,
}

/// Order of what happens at the same instant: the kernel's own timers first, then the tenants', then the end.
const CPU_FIRST: u8 = 0;
pub(super) const TENANTS_SECOND: u8 = 1;

/// One replica of one tenant.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) group: GroupId,
    pub(super) threads: Vec<ThreadId>,
    pub(super) program: Program,
    pub(super) start: Instant,
    /// Set when it was killed for memory.
    pub(super) killed: Option<Killed>,
}

impl Instance {
    /// Whether nothing more will come of it.
    fn is_over(&self) -> bool {
        let gone = self.killed.is_some_and(|killed| killed.gone.is_some());
        gone || self.program.finished().is_some()
    }
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) engine: Engine,
    /// In the order of `Plan::instances`; none for those that take no part.
    pub(super) instances: Vec<Option<Instance>>,
    /// (instance, thread of the instance) of each thread.
    pub(super) owners: Vec<(usize, usize)>,
    pub(super) now: Instant,
    /// None where the machine was calibrated without it.
    pub(super) memory: Option<MemoryWorld>,
    pub(super) queue: EventQueue<Event>,
    end: Instant,
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
            queue: EventQueue::new(),
            end: plan.duration().0,
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
            world.instances.push(instance);
            world.admit(index, setting.memory_claims.get(index));
        }
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
        let start = plan.tenants().get(tenant)?.start_at.0;
        let page_bytes = setting.memory.page_bytes();
        let program = Program::new(plan, tenant, replica, (start, self.end), page_bytes)?;
        let claim = setting.claims.get(index)?;
        let group = match claim.own_group {
            Some(own) => {
                self.engine.add_group(GroupSpec { parent: guard, shares: own.shares, quota: own.quota })
            }
            None => guard,
        };
        if let Some(guest) = &setting.guest {
            self.engine.add_guest(index, guest, group, &claim.cores);
        }
        let mut threads = Vec::new();
        for own in 0..program.threads() {
            // A new thread is put where there are fewest so far (`sched_balance_find_dst_group`).
            let core = match claim.cores.as_slice() {
                [] => self.owners.len() % setting.cores,
                cores => cores[self.owners.len() % cores.len()],
            };
            let thread = self.engine.add_thread(group, core, &claim.cores);
            self.owners.push((index, own));
            self.slept.push(false);
            self.queue.push(start, TENANTS_SECOND, Event::Wake(thread));
            threads.push(thread);
        }
        Some(Instance { group, threads, program, start, killed: None })
    }

    /// Runs to the end: that of the scenario, or when nothing is left to do.
    pub(super) fn run(&mut self) {
        while let Some((at, event)) = self.queue.pop() {
            if at >= self.end {
                self.advance_to(self.end);
                break;
            }
            self.advance_to(at);
            match event {
                Event::Cpu(timer) => self.engine.handle(timer),
                Event::Expire(thread) if self.wakeup_idle > 0 && self.engine.would_wake_idle(thread) => {
                    self.queue.push(at + self.wakeup_idle, TENANTS_SECOND, Event::Wake(thread));
                }
                Event::Expire(thread) | Event::Wake(thread) if self.is_killed(thread) => {}
                Event::Expire(thread) | Event::Wake(thread) => {
                    if self.engine.deliver(thread) {
                        self.go_on(thread);
                    }
                }
                Event::Cut { thread, phase } => self.cut(thread, phase),
                Event::Reap(index) => self.reap(index),
                Event::Sample => self.sample(),
            }
            self.settle_instant();
            if self.is_over() {
                break;
            }
        }
        let stays = |instance: &Instance| !instance.is_over() && instance.program.lasts_to_the_end();
        if self.instances.iter().flatten().any(stays) {
            self.advance_to(self.end);
        }
        self.engine.settle();
    }

    fn advance_to(&mut self, at: Instant) {
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
        let Some(&(index, own)) = self.owners.get(thread) else { return };
        let Some(instance) = self.instances.get_mut(index).and_then(Option::as_mut) else { return };
        if let Some(arrival) = instance.program.answering(own) {
            self.engine.note_if_held(thread, arrival);
        }
        let (action, phase_ended) = instance.program.next(own, self.now);
        let others: Vec<ThreadId> = match phase_ended {
            true => instance.threads.iter().copied().filter(|&other| other != thread).collect(),
            false => Vec::new(),
        };
        self.act(thread, action);
        for other in others {
            self.go_on(other);
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
            Action::SleepUntil(at) => {
                self.engine.block(thread);
                self.slept[thread] = true;
                self.queue.push(at, TENANTS_SECOND, Event::Expire(thread));
            }
            Action::Wait | Action::Exit => self.engine.block(thread),
        }
    }

    fn is_killed(&self, thread: ThreadId) -> bool {
        let instance = self.owners.get(thread).and_then(|(index, _)| self.instances.get(*index)?.as_ref());
        instance.is_some_and(|instance| instance.killed.is_some())
    }

    fn sample(&mut self) {
        if let Some(memory) = &mut self.memory {
            memory.sample();
        }
        self.queue.push(self.now + memory::SAMPLE_NS, TENANTS_SECOND, Event::Sample);
    }

    /// Has a thread stop at what it begins now when the time of its phase is over.
    fn cut_at(&mut self, thread: ThreadId, until: Option<Instant>) {
        if let (Some(at), Some(phase)) = (until, self.phase_of(thread)) {
            self.queue.push(at, TENANTS_SECOND, Event::Cut { thread, phase });
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
    fn cut(&mut self, thread: ThreadId, phase: usize) {
        if self.phase_of(thread) == Some(phase) && !self.is_killed(thread) {
            self.stop_touching(thread);
            self.engine.give_work(thread, 0.0, 0);
        }
    }

    fn is_over(&self) -> bool {
        self.instances.iter().flatten().all(Instance::is_over)
    }

    /// Work done and the CPU time that it took (ns), of all threads but those of instances that touch memory, which is no
    /// such work.
    pub(super) fn work_and_cpu(&self) -> (f64, u64) {
        let works = |(index, _): &(usize, usize)| {
            let instance = self.instances.get(*index).and_then(Option::as_ref);
            instance.is_some_and(|instance| !instance.program.touches())
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
