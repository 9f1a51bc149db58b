//! The world of one run: programs, the CPU's model, and the events between them.

use catamaran_scenario::plan::Tenant;
use catamaran_scenario::{Plan, weight};

use super::build::Setting;
use super::disk::DiskWorld;
use super::engine::{Engine, Timer};
use super::events::{self, Happening};
use super::forks::{ForkEvent, ForkWorld};
use super::lives::{Killed, Lives, NEVER};
use super::log::Log;
use super::memory::MemoryWorld;
use super::migrate::{self, Before, Moves, Place};
use super::network::{NetworkEvent, NetworkWorld};
use crate::Options;
use crate::kernel::Instant;
use crate::kernel::queue::EventQueue;
use crate::kernel::trace::Cause;
use crate::platform::clash::{Clash, Taken};
use crate::resources::cpu::{GroupId, GroupSpec, ROOT, ThreadId};
use crate::resources::disk::DiskEvent;
use crate::workload::Program;

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
    /// The monitor of an instance has served the request of that number.
    Monitor {
        index: usize,
        number: u64,
    },
    /// A round of the migration of that number is over.
    Move(u32),
    /// Something on the network.
    Network(NetworkEvent),
    /// Something happens to a thread that forks, or to a child.
    Fork(ForkEvent),
    /// What everyone is charged is noted.
    Sample,
}

/// Order of what happens at the same instant: the kernel's own timers first, then the tenants', then the end.
pub(super) const CPU_FIRST: u8 = 0;
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
    pub(super) place: Place,
    /// What it had on nodes before this one.
    pub(super) before: Before,
}

impl Instance {
    /// Whether nothing more will come of it.
    pub(super) fn is_over(&self) -> bool {
        let gone = self.killed.is_some_and(|killed| killed.gone.is_some());
        let ended = self.clash.is_some() || self.program.finished().is_some();
        gone || self.start == NEVER || ended || self.place != Place::Here
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
    /// None where nobody talks.
    pub(super) network: Option<NetworkWorld>,
    /// None where nobody forks.
    pub(super) forks: Option<ForkWorld>,
    pub(super) queue: EventQueue<Event>,
    pub(super) taken: Taken,
    pub(super) log: Log,
    pub(super) happenings: Vec<Happening>,
    pub(super) moves: Moves,
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
    pub(super) request_overhead: u64,
    pub(super) sleep_overhead: u64,
    /// Threads that have slept since they last got work.
    pub(super) slept: Vec<bool>,
    pub(super) wakeup_idle: u64,
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
            network: setting.network.world(),
            forks: setting.forks.world(),
            queue: EventQueue::new(),
            taken: setting.taken.clone(),
            log: Log::new(),
            happenings: Vec::new(),
            moves: Moves::of(plan, setting, node),
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
            let place = migrate::place(plan, setting, node, (tenant, replica));
            let here = place.filter(|_| setting.takes_part(index));
            let instance =
                here.and_then(|place| world.instance(plan, setting, index, (tenant, replica), guard, place));
            let is_first = instance.as_ref().is_some_and(|instance| instance.start != NEVER);
            world.instances.push(instance);
            if is_first {
                world.admit(index);
            }
        }
        world.expect(events::of_node(plan, setting, node));
        world.begin_to_sample();
        world
    }

    fn instance(
        &mut self,
        plan: &Plan,
        setting: &Setting,
        index: usize,
        (tenant, replica): (usize, u32),
        guard: GroupId,
        place: Place,
    ) -> Option<Instance> {
        let tenant_of = plan.tenants().get(tenant)?;
        let mut start = tenant_of.start_at.0;
        let mut program = setting.program(plan, index, (tenant, replica), (start, self.end))?;
        let terms = setting.terms(plan, index, (tenant, replica))?;
        if !terms.first || place != Place::Here {
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
        if let (Some(net), true, Some(last)) =
            (&mut self.network, setting.network.serves(index), threads.last())
        {
            net.servers.entry(*last).or_default();
        }
        let (wants, lives) = (wants.then(|| tenant_of.clone()), Lives::new(terms, start));
        let before = Before::default();
        Some(Instance {
            group,
            threads,
            program,
            start,
            killed: None,
            lives,
            wants,
            clash: None,
            place,
            before,
        })
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
            Event::Monitor { index, number } => self.monitor_served(index, number),
            Event::Move(number) => self.move_on(number),
            Event::Network(event) => self.network_event(event),
            Event::Fork(event) => self.fork_event(event),
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
        self.moves.give_all_up();
    }

    pub(super) fn advance_to(&mut self, at: Instant) {
        self.now = self.now.max(at);
        self.engine.set_now(self.now);
    }

    /// Handles all that follows at this instant.
    pub(super) fn settle_instant(&mut self) {
        while let Some(thread) = self.engine.next_idle_hand() {
            self.go_on(thread);
        }
        let Self { engine, queue, .. } = self;
        engine.drain_timers(|at, event| queue.push(at, CPU_FIRST, Event::Cpu(event)));
    }

    fn is_over(&self) -> bool {
        self.pending == 0 && !self.moves.waits() && self.instances.iter().flatten().all(Instance::is_over)
    }
}
