//! The exact CPU model: per-core run queues with hierarchical group scheduling, as Linux has them.
//!
//! **Law.** Each group has one fair queue per core. A core runs the thread found by descending from the root, picking at
//! each level by EEVDF (Linux 6.6 on: among those whose lag is not negative the earliest virtual deadline) or by CFS (the
//! least virtual runtime). Virtual runtime grows by Δ·1024/weight. A group's weight on a core is its shares times the part
//! of its load that is on that core. A quota is spent in slices from a pool that a timer refills every period.
//!
//! **Source.** Linux `kernel/sched/fair.c`, `kernel/sched/pelt.c`, `Documentation/scheduler/sched-eevdf.rst`,
//! `Documentation/scheduler/sched-bwc.rst`; Stoica and Abdel-Wahab, "Earliest eligible virtual deadline first" (1995).
//!
//! **Judge.** The machine at hand by `catamaran compare`; closed forms in the tests of this room.

mod balance;
mod bandwidth;
#[cfg(test)]
mod bench;
mod buddy;
mod carry;
mod change;
mod dispatch;
mod enqueue;
mod entity;
mod fair;
mod fluid;
mod fork;
mod group;
mod knobs;
mod lent;
mod load;
mod nice;
mod pelt;
mod progress;
mod queue;
mod reweight;
pub(crate) mod share;
mod spin;
mod wakeup;
mod wide;

use std::collections::VecDeque;

use smallvec::SmallVec;

use crate::kernel::Instant;
use crate::kernel::rng::SplitMix64;
use crate::kernel::trace::{Cause, Trace};

pub(crate) use bandwidth::{PeriodUse, Quota, Throttling};
pub(crate) use fluid::Fluid;
pub(crate) use group::GroupSpec;
pub(crate) use knobs::{Costs, Knobs, Pick};

use bandwidth::Bandwidth;
use entity::Entity;
use group::Group;
use queue::FairQueue;

/// Index of a thread.
pub(crate) type ThreadId = usize;
/// Index of a core.
pub(crate) type CoreId = usize;
/// Index of a group; [`ROOT`] is there from the start.
pub(crate) type GroupId = usize;
/// The group that every other one descends from.
pub(crate) const ROOT: GroupId = 0;

type EntityId = usize;
type QueueId = usize;

/// Entities from the root's queue down. Every switch looks at two: groups are seldom nested deeper than this, and then memory
/// is asked for.
type Path = SmallVec<[EntityId; 6]>;

/// What the model asks to be told at a later time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CpuEvent {
    /// The timer tick of a core.
    Tick(CoreId),
    /// The thread on this core has done its work, if nothing has changed since (`generation`).
    WorkDone { core: CoreId, generation: u64 },
    /// A quota's period ends.
    Period(GroupId),
    /// A quota's slack is handed out.
    Slack(GroupId),
}

/// What happened, for the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CpuNote {
    /// A group's queue on a core ran out of quota.
    Throttle { group: GroupId, core: CoreId },
    /// It may run again.
    Unthrottle { group: GroupId, core: CoreId },
    /// A thread was moved to another core.
    Migrate { thread: ThreadId, from: CoreId, to: CoreId },
    /// A thread ended a piece of work that its quota had held up.
    Late { thread: ThreadId },
    /// A thread that woke took the core from another at once.
    Preempt { thread: ThreadId, victim: ThreadId, core: CoreId },
}

/// A stretch of time in which a thread had a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) core: CoreId,
    pub(crate) thread: ThreadId,
    pub(crate) start: Instant,
    pub(crate) end: Instant,
}

/// Whether and where a thread is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Asleep,
    /// Queued or running.
    Runnable,
    /// Stopped by its group's quota, on its own (Linux 6.18 on).
    Throttled,
}

/// A schedulable thread.
#[derive(Debug, Clone)]
struct Thread {
    group: GroupId,
    entity: EntityId,
    /// The entities above it and itself, on the core that it belongs to.
    path: Path,
    core: CoreId,
    state: State,
    /// Cores that it may use, as `cpuset.cpus`.
    allowed: Vec<bool>,
    /// Work still to do, in nanoseconds at the speed of one busy core; infinite for none given yet.
    remaining: f64,
    /// What it does is no work.
    spins: bool,
    /// Utilization: how much of the time it had a core.
    util: pelt::Average,
    /// CPU time that goes into switches and ticks before any more work is done (ns).
    overhead: f64,
    cpu_ns: u64,
    /// Work done, in nanoseconds at the speed of one busy core.
    work_done: f64,
    /// Runnable but not running, as schedstat's `run_delay` counts it (ns).
    waited_ns: u64,
    waiting_since: Option<Instant>,
    /// When it last left a core, for cache heat.
    last_ran: Instant,
    /// The number of the occasion on which it was last put before the other queued threads of its core.
    touched: u64,
    /// The trace entry of the throttling that last held it up.
    held_by: Option<Cause>,
}

/// A core.
#[derive(Debug, Clone)]
struct Core {
    running: Option<ThreadId>,
    /// When the running thread's time was last accounted.
    accounted: Instant,
    /// When the running thread's work was last brought up to date.
    worked_until: Instant,
    /// When the running thread came on.
    on_since: Instant,
    generation: u64,
    resched: bool,
    /// It is lent, and not at the moment.
    stands: bool,
    ticking: bool,
    balance: balance::Domain,
    /// Queued threads, in no order (`rq->cfs_tasks`, whose order is that of [`Thread::touched`], the highest first).
    tasks: Vec<ThreadId>,
}

/// Cores, groups and threads.
#[derive(Debug, Clone)]
pub(crate) struct Cpu {
    knobs: Knobs,
    now: Instant,
    cores: Vec<Core>,
    groups: Vec<Group>,
    queues: Vec<FairQueue>,
    entities: Vec<Entity>,
    threads: Vec<Thread>,
    quotas: Vec<Option<Bandwidth>>,
    /// Whether there is any: where there is none nobody need look.
    has_quotas: bool,
    /// Speed of work relative to that of one busy core at calibration.
    speed: f64,
    busy_cores: usize,
    /// Work done per nanosecond on a core that runs now.
    rate: f64,
    /// Occasions so far on which a thread was put before the others of its core.
    touches: u64,
    dice: SplitMix64,
    decay: pelt::Decay,
    /// When the first tick comes (ns).
    tick_phase: u64,
    /// Events to be queued by the caller: (time, event).
    pub(crate) timers: Vec<(Instant, CpuEvent)>,
    /// Threads whose work is done and that need to be told what next, by the caller.
    pub(crate) idle_hands: VecDeque<ThreadId>,
    /// Finished stretches of running, where they are recorded.
    pub(crate) ran: Option<Vec<Ran>>,
    /// Threads that came onto a core or left one, where somebody asks.
    switched: Option<Vec<ThreadId>>,
    /// Where the cores are lent.
    loan: Option<Vec<lent::Lent>>,
    pub(crate) trace: Trace<CpuNote>,
    /// What caused what is happening now.
    cause: Option<Cause>,
}

impl Cpu {
    /// A machine of `cores` cores without threads. `speed` is relative to the calibration; `dice` are the kernel's own;
    /// `record` keeps every stretch of running and the causal trace.
    pub(crate) fn new(cores: usize, knobs: Knobs, speed: f64, mut dice: SplitMix64, record: bool) -> Self {
        let tick_phase = dice.below(knobs.tick);
        let mut core = || Core {
            running: None,
            accounted: 0,
            worked_until: 0,
            on_since: 0,
            generation: 0,
            resched: false,
            stands: false,
            ticking: false,
            balance: balance::Domain::new(cores, &mut dice),
            tasks: Vec::new(),
        };
        let all = (0..cores).map(|_| core()).collect();
        let mut cpu = Self {
            knobs,
            now: 0,
            cores: all,
            groups: Vec::new(),
            queues: Vec::new(),
            entities: Vec::new(),
            threads: Vec::new(),
            quotas: Vec::new(),
            has_quotas: false,
            speed,
            busy_cores: 0,
            rate: 0.0,
            touches: 0,
            dice,
            decay: pelt::Decay::default(),
            tick_phase,
            timers: Vec::new(),
            idle_hands: VecDeque::new(),
            ran: record.then(Vec::new),
            switched: None,
            loan: None,
            trace: Trace::new(record),
            cause: None,
        };
        cpu.set_rate();
        cpu.add_root();
        cpu
    }

    /// A new thread of `group`, asleep on `core`, with that nice value.
    pub(crate) fn add_thread(
        &mut self,
        group: GroupId,
        core: CoreId,
        allowed: &[CoreId],
        nice: i32,
    ) -> ThreadId {
        self.add_weighted(group, core, allowed, nice::weight(nice))
    }

    /// The same by its weight.
    fn add_weighted(&mut self, group: GroupId, core: CoreId, allowed: &[CoreId], weight: u64) -> ThreadId {
        let thread = self.threads.len();
        let entity = self.entities.len();
        let queue = self.queue_of(group, core);
        self.entities.push(Entity::thread(thread, queue, weight));
        let may = |c: CoreId| allowed.is_empty() || allowed.contains(&c);
        self.threads.push(Thread {
            group,
            entity,
            path: Path::new(),
            core,
            state: State::Asleep,
            allowed: (0..self.cores.len()).map(may).collect(),
            remaining: 0.0,
            spins: false,
            util: pelt::Average::default(),
            overhead: 0.0,
            cpu_ns: 0,
            work_done: 0.0,
            waited_ns: 0,
            waiting_since: None,
            last_ran: 0,
            touched: 0,
            held_by: None,
        });
        self.note_path(thread);
        thread
    }

    /// Moves the model's clock; events are handled at their times, in order.
    pub(crate) fn set_now(&mut self, now: Instant) {
        debug_assert!(now >= self.now);
        self.now = now;
    }

    /// Carries out an event that was asked for by [`Cpu::timers`].
    pub(crate) fn handle(&mut self, event: CpuEvent) {
        match event {
            CpuEvent::Tick(core) => self.tick(core),
            CpuEvent::WorkDone { core, generation } => self.work_done(core, generation),
            CpuEvent::Period(group) => self.period_ends(group),
            CpuEvent::Slack(group) => self.slack_is_handed_out(group),
        }
        self.reschedule_all();
    }

    /// CPU time that a thread has consumed (ns).
    pub(crate) fn cpu_ns(&self, thread: ThreadId) -> u64 {
        self.threads[thread].cpu_ns
    }

    /// Work that a thread has done, in nanoseconds at the speed of one busy core.
    pub(crate) fn work_ns(&self, thread: ThreadId) -> f64 {
        self.threads[thread].work_done
    }

    /// Time that a thread was runnable but not running (ns), up to now.
    pub(crate) fn waited_ns(&self, thread: ThreadId) -> u64 {
        let thread = &self.threads[thread];
        thread.waited_ns + thread.waiting_since.map_or(0, |since| self.now - since)
    }

    /// Notes that a thread has ended a piece of work that was wanted from `since` on, if a throttling held it up since then.
    pub(crate) fn note_if_held(&mut self, thread: ThreadId, since: Instant) {
        let Some(cause) = self.threads[thread].held_by else { return };
        if self.trace.at(cause).is_some_and(|at| at >= since) {
            self.trace.note(self.now, CpuNote::Late { thread }, Some(cause));
        }
    }

    /// Cores of the machine.
    pub(crate) fn cores_count(&self) -> usize {
        self.cores.len()
    }

    /// The causal trace, which ends with this.
    pub(crate) fn take_trace(&mut self) -> Vec<crate::kernel::trace::Entry<CpuNote>> {
        std::mem::replace(&mut self.trace, Trace::new(false)).into_entries()
    }

    /// Brings every running thread's account up to now, and closes the stretches of running.
    pub(crate) fn settle(&mut self) {
        for core in 0..self.cores.len() {
            self.account(core);
            self.record_stretch(core);
        }
    }
}
