//! A machine without costs for the tests of this room, and a way to let time pass on it.

use super::{Costs, Cpu, CpuEvent, GroupId, GroupSpec, Knobs, Pick, ROOT, ThreadId};
use crate::kernel::Instant;
use crate::kernel::rng::SplitMix64;

/// A millisecond (ns).
pub(super) const MS: u64 = 1_000_000;

/// The model, and the events that it has asked for.
pub(super) struct Bench {
    pub(super) cpu: Cpu,
    events: Vec<(Instant, CpuEvent)>,
}

impl Bench {
    /// Linux 6.18 at 250 Hz.
    pub(super) fn new(cores: usize) -> Self {
        let knobs = Knobs {
            pick: Pick::Eevdf { delay_dequeue: true, pick_buddy: true, places_running: true },
            tick: 4 * MS,
            base_slice: 1_400_000,
            bandwidth_slice: 5 * MS,
            migration_cost: 500_000,
            throttle_by_task: true,
            run_delay_includes_throttled: true,
            costs: Costs { switch: 0, tick: 0, all_busy_factor: 1.0, taken: 0.0 },
        };
        Self { cpu: Cpu::new(cores, knobs, 1.0, SplitMix64::named(1, "bench"), false), events: Vec::new() }
    }

    /// A group below the root, with the default weight.
    pub(super) fn group(&mut self) -> GroupId {
        self.cpu.add_group(GroupSpec { parent: ROOT, shares: 1024, quota: None })
    }

    /// A thread that computes for ever on `core` alone, from now on.
    pub(super) fn hog(&mut self, group: GroupId, core: usize) -> ThreadId {
        self.nice_hog(group, core, 0)
    }

    /// The same with a nice value.
    pub(super) fn nice_hog(&mut self, group: GroupId, core: usize, nice: i32) -> ThreadId {
        let thread = self.cpu.add_thread(group, core, &[core], nice);
        self.cpu.give_work(thread, f64::INFINITY, 0);
        self.cpu.wake(thread);
        thread
    }

    /// Lets time pass up to `at`, with all that is due by then.
    pub(super) fn pass(&mut self, at: Instant) {
        loop {
            self.events.append(&mut self.cpu.timers);
            let due = |&(_, (time, _)): &(usize, &(Instant, CpuEvent))| *time <= at;
            let next = self.events.iter().enumerate().filter(due).min_by_key(|(_, (time, _))| *time);
            let Some((place, _)) = next else { break };
            let (time, event) = self.events.swap_remove(place);
            self.cpu.set_now(time);
            self.cpu.handle(event);
        }
        self.cpu.set_now(at);
    }
}
