//! What the steps of forks cost, as it stands when they end.
//!
//! **Law.** A step at whose end somebody is woken takes more where that one's core idles and has to be interrupted.
//! **Source.** Linux `kernel/sched/core.c` (`wake_up_new_task`, `try_to_wake_up`, `__resched_curr`); the calibration, which measures both.

use catamaran_scenario::calibration::{BusyForkCosts, ForkCosts};

use super::{ForkWorld, World};
use crate::platform::vm::Guest;
use crate::resources::cpu::ThreadId;

/// In a guest everything takes as much longer as all else there.
pub(super) fn inside(costs: ForkCosts, guest: Option<&Guest>) -> ForkCosts {
    let inside = |ns: u64| guest.map_or(ns, |guest| (ns as f64 / guest.speed) as u64);
    ForkCosts {
        fork_ns: inside(costs.fork_ns),
        refused_ns: inside(costs.refused_ns),
        start_ns: inside(costs.start_ns),
        exit_ns: inside(costs.exit_ns),
        reap_ns: inside(costs.reap_ns),
        busy: costs.busy.map(|busy| BusyForkCosts {
            fork_ns: inside(busy.fork_ns),
            start_ns: inside(busy.start_ns),
            exit_ns: inside(busy.exit_ns),
        }),
        // A child's memory is the guest's own, of which only how much it holds in all is modelled.
        child_bytes: guest.map_or(costs.child_bytes, |_| 0),
        ..costs
    }
}

/// What a step takes at its end, where somebody is woken, depends on whether a core idles by then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Costs {
    pub(super) least: u64,
    idle: u64,
    busy: u64,
}

impl Costs {
    fn of(idle: u64, busy: u64) -> Self {
        Self { least: idle.min(busy), idle, busy }
    }

    /// Beyond the least (ns).
    pub(super) fn beyond(self, idles: bool) -> u64 {
        if idles { self.idle - self.least } else { self.busy - self.least }
    }
}

impl ForkWorld {
    pub(super) fn fork_costs(&self) -> Costs {
        Costs::of(self.costs.fork_ns, self.costs.on_busy_cores().fork_ns)
    }

    pub(super) fn exit_costs(&self) -> Costs {
        Costs::of(self.costs.exit_ns, self.costs.on_busy_cores().exit_ns)
    }
}

impl World {
    /// Whether a child that ended now would wake its parent on a core that idles.
    pub(super) fn interrupts_its_parent(&self, thread: ThreadId) -> bool {
        let Some(world) = &self.forks else { return false };
        let Some(child) = world.children.get(&thread) else { return false };
        let waits = world.hands.get(&child.parent).is_some_and(|hand| hand.waits.is_some());
        waits && self.engine.would_wake_idle(child.parent)
    }
}
