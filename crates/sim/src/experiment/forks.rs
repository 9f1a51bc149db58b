//! Where a thread forks: its time in the kernel, the bound of its group, and the lives of its children.
//!
//! **Law.** A fork takes CPU time of the parent, a refused one too; more of it where the child's core idles and has to be
//! interrupted, and so does a child's end where its parent's core idles. The child begins on the idlest core, works for a moment, sleeps for its
//! lifetime, works for its end, and is dead; it stays charged, to `pids` and to memory, until its parent has reaped it. A parent that
//! sleeps is woken by a child's end, later where its core idles. Children are killed with their parent, at once.
//! **Source.** Linux `kernel/fork.c` (`copy_process`), `kernel/exit.c` (`do_notify_parent`, `release_task`); the calibration for the costs.
//! **Left out.** What killing children costs; page tables of a parent that holds much memory (the worker's own are in the calibration);
//! a child's memory where its group has no room for it.
//! **Judge.** Little's law and counts in `tests/laws/forks.rs`; the machine.

mod costs;

use std::collections::BTreeMap;

use catamaran_report::RunError;
use catamaran_scenario::calibration::ForkCosts;
use catamaran_scenario::{Calibration, Plan, fork_work, network_work};

use super::log::Note;
use super::refuse::{processes, refusal};
use super::world::{Event, TENANTS_SECOND, World};
use crate::kernel::Instant;
use crate::platform::CpuClaim;
use crate::platform::vm::Guest;
use crate::resources::cpu::ThreadId;
use crate::resources::pids::{GroupId, Pids, ROOT};

/// What happens to threads that fork and to their children; stale where the number is not the last.
#[derive(Debug, Clone, Copy)]
pub(super) enum ForkEvent {
    /// A timer expires.
    Expire(ThreadId, u64),
    /// The same, or a child's end, the core's way out of idle included.
    Awake(ThreadId, u64),
}

/// What forks cost, and what bounds them; none where nobody forks.
#[derive(Debug, Clone)]
pub(super) struct ForkSetting(Option<(ForkCosts, Vec<Tasks>)>);

/// What an instance may have and has from the start.
#[derive(Debug, Clone, Copy)]
struct Tasks {
    max: Option<u64>,
    own: u64,
}

impl ForkSetting {
    /// In a guest everything takes as much longer as all else there.
    pub(super) fn of(
        plan: &Plan,
        calibration: &Calibration,
        claims: &[CpuClaim],
        guest: Option<&Guest>,
    ) -> Result<Self, RunError> {
        let Some(tenant) = plan.tenants().iter().find(|tenant| fork_work::forks(&tenant.workload)) else {
            return Ok(Self(None));
        };
        let Some(costs) = calibration.fork else {
            let what = "forks on a machine that was calibrated without them";
            let field = format!("tenant.{}.workload.kind", tenant.name);
            return Err(refusal(field, what, "calibrate anew with `catamaran calibrate`"));
        };
        let tasks = |((index, _), claim): ((usize, u32), &CpuClaim)| {
            let tenant = plan.tenants().get(index)?;
            let max = tenant.pids_limit.filter(|_| claim.own_group.is_some() && guest.is_none());
            let own = processes(&tenant.workload) + u64::from(network_work::serves(plan, index));
            Some(Tasks { max, own })
        };
        let costs = costs::inside(costs, guest);
        Ok(Self(Some((costs, plan.instances().zip(claims).filter_map(tasks).collect()))))
    }

    pub(super) fn world(&self) -> Option<ForkWorld> {
        let (costs, tasks) = self.0.as_ref()?;
        let mut pids = Pids::new();
        let groups = tasks.iter().map(|one| (pids.add_group(ROOT, one.max, one.own), one.own)).collect();
        Some(ForkWorld {
            costs: *costs,
            pids,
            groups,
            refused: vec![false; tasks.len()],
            hands: BTreeMap::new(),
            children: BTreeMap::new(),
            free: BTreeMap::new(),
            slots: BTreeMap::new(),
            numbers: 0,
        })
    }
}

/// Threads that fork, and their children.
#[derive(Debug, Clone)]
pub(super) struct ForkWorld {
    costs: ForkCosts,
    pids: Pids,
    /// Of each instance, in the order of `Plan::instances`, with the tasks that are no children.
    groups: Vec<(GroupId, u64)>,
    /// Whether a fork of it was refused before.
    refused: Vec<bool>,
    hands: BTreeMap<ThreadId, Hand>,
    children: BTreeMap<ThreadId, Child>,
    /// Threads of dead children of each instance, which the next ones are given.
    free: BTreeMap<usize, Vec<ThreadId>>,
    /// All threads that an instance's children ever had.
    slots: BTreeMap<usize, Vec<ThreadId>>,
    numbers: u64,
}

/// A thread that forks.
#[derive(Debug, Clone, Copy, Default)]
struct Hand {
    doing: Option<Doing>,
    /// The number of its sleep.
    waits: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// A fork, and whether it is granted.
    Fork(bool),
    /// The end of one that is: its child is woken.
    WakeChild,
    Reap,
}

/// A child.
#[derive(Debug, Clone, Copy)]
struct Child {
    index: usize,
    parent: ThreadId,
    /// Number of its fork.
    number: usize,
    lifetime: u64,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Made, and its core is on its way out of idle, with the number of that.
    Made(u64),
    Starts,
    /// With the number of its sleep.
    Sleeps(u64),
    Wakes,
    Ends,
    /// Its parent, whom it wakes.
    Tells,
}

impl ForkWorld {
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Threads that an instance's children have, or had.
    pub(super) fn threads_of(&self, index: usize) -> &[ThreadId] {
        self.slots.get(&index).map_or(&[], Vec::as_slice)
    }
}

impl World {
    /// A thread begins a fork.
    pub(super) fn fork(&mut self, thread: ThreadId) {
        let Some(&(index, _)) = self.owners.get(thread) else { return };
        let Some(world) = &mut self.forks else { return };
        let granted = world.groups.get(index).is_some_and(|(group, _)| world.pids.charge(*group).is_ok());
        let cost = if granted { world.fork_costs().least } else { world.costs.refused_ns };
        let first =
            !granted && world.refused.get_mut(index).is_some_and(|refused| !std::mem::replace(refused, true));
        if first {
            self.note(Note::PidsMax(index), None);
        }
        self.spend_on(thread, Doing::Fork(granted), cost);
    }

    /// A thread begins to reap its oldest child.
    pub(super) fn begin_to_reap(&mut self, thread: ThreadId) {
        let cost = self.forks.as_ref().map_or(0, |world| world.costs.reap_ns);
        self.spend_on(thread, Doing::Reap, cost);
    }

    fn spend_on(&mut self, thread: ThreadId, doing: Doing, ns: u64) {
        let slept = self.overhead(thread, false);
        if let Some(world) = &mut self.forks {
            world.hands.entry(thread).or_default().doing = Some(doing);
        }
        self.engine.give_kernel_time(thread, (ns + slept).max(1));
        self.engine.wake(thread);
    }

    /// A thread sleeps until a child ends, or a timer expires.
    pub(super) fn await_child(&mut self, thread: ThreadId, at: Instant) {
        self.engine.block(thread);
        self.slept[thread] = true;
        let Some(world) = &mut self.forks else { return };
        let number = world.number();
        world.hands.entry(thread).or_default().waits = Some(number);
        self.queue.push(at, TENANTS_SECOND, Event::Fork(ForkEvent::Expire(thread, number)));
    }

    /// Whether a thread is a child, or at a fork.
    pub(super) fn is_forking(&self, thread: ThreadId) -> bool {
        let Some(world) = &self.forks else { return false };
        let at_it = world.hands.get(&thread).is_some_and(|hand| hand.doing.is_some());
        at_it || world.children.contains_key(&thread)
    }

    /// What a child, or a thread that forks, was at is done; it goes on.
    pub(super) fn fork_on(&mut self, thread: ThreadId) {
        let Some(world) = &mut self.forks else { return };
        if world.children.contains_key(&thread) {
            return self.live_on(thread);
        }
        let Some(doing) = world.hands.get_mut(&thread).and_then(|hand| hand.doing.take()) else { return };
        let Some(&(index, _)) = self.owners.get(thread) else { return };
        let costs = world.fork_costs();
        if doing == Doing::Fork(true) {
            let beyond = costs.beyond(self.engine.would_child_idle(thread));
            if beyond > 0 {
                return self.spend_on(thread, Doing::WakeChild, beyond);
            }
        }
        let now = self.now;
        let Some(instance) = self.instances.get_mut(index).and_then(Option::as_mut) else { return };
        match doing {
            Doing::Fork(_) | Doing::WakeChild => {
                if let Some(child) = instance.program.forked(now, doing != Doing::Fork(false)) {
                    self.give_birth(thread, index, child);
                }
            }
            Doing::Reap => {
                instance.program.reaped(now);
                self.bury(index, 1, 0);
            }
        }
        self.go_on(thread);
    }

    /// A child comes to be.
    fn give_birth(&mut self, parent: ThreadId, index: usize, (number, lifetime): (usize, u64)) {
        let Some(world) = &mut self.forks else { return };
        let free = world.free.get_mut(&index).and_then(Vec::pop);
        let thread = free.unwrap_or_else(|| {
            let thread = self.engine.add_child(parent);
            let own =
                self.instances.get(index).and_then(Option::as_ref).map_or(0, |one| one.program.threads());
            let slots = world.slots.entry(index).or_default();
            self.owners.push((index, own + slots.len()));
            self.slept.push(false);
            slots.push(thread);
            thread
        });
        let (comes, after, bytes) = (world.number(), world.costs.wakeup_idle_ns, world.costs.child_bytes);
        world.children.insert(thread, Child { index, parent, number, lifetime, stage: Stage::Made(comes) });
        if let Some(memory) = &mut self.memory {
            memory.hold_child(index, bytes);
        }
        if self.engine.would_fork_idle(thread, parent) {
            let event = Event::Fork(ForkEvent::Awake(thread, comes));
            self.queue.push(self.now + after, TENANTS_SECOND, event);
        } else {
            self.begin_to_live(thread, false);
        }
    }

    /// A child is there, on a core that idled or on another.
    fn begin_to_live(&mut self, thread: ThreadId, idled: bool) {
        let Some(world) = &mut self.forks else { return };
        let start_ns = if idled { world.costs.start_ns } else { world.costs.on_busy_cores().start_ns };
        let Some(child) = world.children.get_mut(&thread) else { return };
        child.stage = Stage::Starts;
        let parent = child.parent;
        self.engine.give_kernel_time(thread, start_ns.max(1));
        self.engine.fork(thread, parent);
    }

    /// What a child was at is done.
    fn live_on(&mut self, thread: ThreadId) {
        let idles = self.interrupts_its_parent(thread);
        let Some(world) = &mut self.forks else { return };
        let (number, exit) = (world.number(), world.exit_costs());
        let Some(child) = world.children.get_mut(&thread) else { return };
        match child.stage {
            Stage::Starts if child.lifetime > 0 => {
                child.stage = Stage::Sleeps(number);
                let at = self.now.saturating_add(child.lifetime);
                self.engine.block(thread);
                self.queue.push(at, TENANTS_SECOND, Event::Fork(ForkEvent::Expire(thread, number)));
            }
            Stage::Starts | Stage::Wakes => {
                child.stage = Stage::Ends;
                self.engine.give_kernel_time(thread, exit.least.max(1));
                self.engine.wake(thread);
            }
            Stage::Ends if exit.beyond(idles) > 0 => {
                child.stage = Stage::Tells;
                self.engine.give_kernel_time(thread, exit.beyond(idles));
                self.engine.wake(thread);
            }
            Stage::Made(_) | Stage::Sleeps(_) => {}
            Stage::Ends | Stage::Tells => self.die(thread),
        }
    }

    /// A child is dead, and its parent is told.
    fn die(&mut self, thread: ThreadId) {
        let Some(child) = self.forks.as_mut().and_then(|world| world.children.remove(&thread)) else {
            return;
        };
        if let Some(instance) = self.instances.get_mut(child.index).and_then(Option::as_mut) {
            instance.program.child_died(child.number);
        }
        let wakes = self.forks.as_ref().and_then(|world| world.hands.get(&child.parent)?.waits);
        let idles = wakes.is_some() && self.engine.would_wake_idle(child.parent);
        self.engine.die(thread);
        let Some(world) = &mut self.forks else { return };
        world.free.entry(child.index).or_default().push(thread);
        let Some(hand) = world.hands.get_mut(&child.parent).filter(|_| wakes.is_some()) else { return };
        if !idles {
            hand.waits = None;
            return self.go_on(child.parent);
        }
        // Its timer means nothing any more.
        let number = world.number();
        let wakeup_idle_ns = world.costs.wakeup_idle_ns;
        if let Some(hand) = world.hands.get_mut(&child.parent) {
            hand.waits = Some(number);
        }
        let at = self.now + wakeup_idle_ns;
        self.queue.push(at, TENANTS_SECOND, Event::Fork(ForkEvent::Awake(child.parent, number)));
    }

    /// Something happens to a thread that forks, or to a child.
    pub(super) fn fork_event(&mut self, event: ForkEvent) {
        let (ForkEvent::Expire(thread, number) | ForkEvent::Awake(thread, number)) = event;
        let sleeps = |world: &ForkWorld| match world.children.get(&thread) {
            Some(child) => [Stage::Made(number), Stage::Sleeps(number)].contains(&child.stage),
            None => world.hands.get(&thread).is_some_and(|hand| hand.waits == Some(number)),
        };
        if !self.forks.as_ref().is_some_and(sleeps) {
            return;
        }
        if matches!(event, ForkEvent::Expire(..))
            && self.wakeup_idle > 0
            && self.engine.would_wake_idle(thread)
        {
            let at = self.now + self.wakeup_idle;
            return self.queue.push(at, TENANTS_SECOND, Event::Fork(ForkEvent::Awake(thread, number)));
        }
        let Some(world) = &mut self.forks else { return };
        match world.children.get_mut(&thread) {
            Some(Child { stage: Stage::Made(_), .. }) => return self.begin_to_live(thread, true),
            Some(child) => child.stage = Stage::Wakes,
            None => world.hands.entry(thread).or_default().waits = None,
        }
        if self.engine.deliver(thread) {
            self.go_on(thread);
        }
    }

    /// The children of an instance are gone, by force, and whatever its threads were at.
    pub(super) fn end_children(&mut self, index: usize) {
        let Some(world) = &mut self.forks else { return };
        let own = |(thread, child): (&ThreadId, &Child)| (child.index == index).then_some(*thread);
        let living: Vec<ThreadId> = world.children.iter().filter_map(own).collect();
        for &thread in &living {
            world.children.remove(&thread);
            world.free.entry(index).or_default().push(thread);
            self.engine.die(thread);
        }
        let owners = &self.owners;
        let is_own = |thread: &ThreadId| owners.get(*thread).is_some_and(|(owner, _)| *owner == index);
        let is_in_birth = |hand: &Hand| matches!(hand.doing, Some(Doing::Fork(true) | Doing::WakeChild));
        let unborn = world.hands.iter().filter(|(thread, hand)| is_own(thread) && is_in_birth(hand)).count();
        world.hands.retain(|thread, _| !is_own(thread));
        let charged =
            world.groups.get(index).map_or(0, |(group, own)| world.pids.tasks(*group).saturating_sub(*own));
        self.bury(index, charged, unborn as u64);
        if let Some(instance) = self.instances.get_mut(index).and_then(Option::as_mut) {
            instance.program.children_are_gone();
        }
    }

    /// So many children of an instance are charged no more; `unborn` ones among them are counted as tasks from the beginning of
    /// their fork, and have no memory yet.
    fn bury(&mut self, index: usize, children: u64, unborn: u64) {
        let Some(world) = &mut self.forks else { return };
        if let Some(&(group, _)) = world.groups.get(index) {
            world.pids.uncharge(group, children);
        }
        let bytes = world.costs.child_bytes;
        if let Some(memory) = &mut self.memory {
            memory.let_go_of_children(index, children.saturating_sub(unborn), bytes);
        }
    }
}
