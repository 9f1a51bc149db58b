//! What a thread's averages do to the groups above when it changes cores.
//!
//! **Law.** Load and utilization go along with the thread. A group's own load on a core is its weight there times the part of
//! the time for which it was runnable, and that part is never taken to be less than its utilization. The utilization of a
//! thread that has just come adds to that of a core that was busy already: until it has decayed, the group counts for
//! more than its weight, and so does the core.
//! **Source.** Linux `kernel/sched/fair.c` (`attach_entity_load_avg`, `detach_entity_load_avg`, `propagate_entity_load_avg`,
//! `update_tg_cfs_util`, `update_tg_cfs_load`). **Judge.** `/sys/kernel/debug/sched/debug` on Linux 6.18 beside five hogs on
//! two cores: right after a thread has come, `se->avg.load_avg` is to `se->load.weight` as `util_avg` is to 1024.

use super::{Cpu, EntityId, QueueId, ThreadId};

/// Utilization of a core that is always busy (`SCHED_CAPACITY_SCALE`).
pub(super) const FULL: u64 = 1024;

/// What comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Comes,
    Goes,
}

/// A thread's averages.
#[derive(Debug, Clone, Copy)]
struct Share {
    load: f64,
    util: f64,
    /// Part of the time for which it was runnable.
    runnable: f64,
}

impl Cpu {
    /// Moves the averages of a thread, which is on no queue, to another queue.
    pub(super) fn carry_load(&mut self, thread: ThreadId, to: QueueId) {
        let share = self.share_of(thread);
        let entity = self.threads[thread].entity;
        let from = self.entities[entity].queue;
        self.shift(from, share, Way::Goes);
        self.shift(to, share, Way::Comes);
        self.entities[entity].queue = to;
        self.note_path(thread);
    }

    /// What a new thread brings to its queue.
    pub(super) fn attach(&mut self, thread: ThreadId, to: QueueId) {
        self.entities[self.threads[thread].entity].queue = to;
        self.note_path(thread);
        let share = self.share_of(thread);
        self.shift(to, share, Way::Comes);
    }

    /// What goes with a thread that is dead.
    pub(super) fn detach(&mut self, thread: ThreadId) {
        let share = self.share_of(thread);
        self.shift(self.entities[self.threads[thread].entity].queue, share, Way::Goes);
    }

    fn share_of(&mut self, thread: ThreadId) -> Share {
        let entity = self.threads[thread].entity;
        self.update_load(entity);
        self.update_thread_util(thread);
        let record = &self.entities[entity];
        let load = record.load.value();
        Share { load, util: self.threads[thread].util.value(), runnable: load / record.weight.max(1) as f64 }
    }

    fn shift(&mut self, queue: QueueId, share: Share, way: Way) {
        let sign = if way == Way::Comes { 1.0 } else { -1.0 };
        self.update_queue_load(queue);
        self.queues[queue].load.shift(sign * share.load);
        self.update_contribution(queue);
        let mut below = queue;
        loop {
            self.update_queue_util(below);
            self.queues[below].util.shift(sign * share.util);
            let Some(entity) = self.entity_of_queue(below) else { return };
            self.propagate(entity, below, share.runnable, way);
            below = self.entities[entity].queue;
        }
    }

    /// Corrects the load of a group's entity for what has come to or gone from its queue (`update_tg_cfs_load`).
    fn propagate(&mut self, entity: EntityId, below: QueueId, runnable: f64, way: Way) {
        self.update_load(entity);
        let record = &self.entities[entity];
        let (weight, above) = (record.weight as f64, record.queue);
        let before = record.load.value() / weight;
        let queue = &self.queues[below];
        let runnable = match way {
            Way::Comes => (before + runnable).min(1.0),
            // All that is left is taken to be as runnable as its mean.
            Way::Goes if queue.weight > 0 => before.min(queue.load.value() / queue.weight as f64),
            Way::Goes => 0.0,
        };
        let change = (runnable.max(queue.util.value() / FULL as f64) - before) * weight;
        self.entities[entity].load.shift(change);
        self.queues[above].load.shift(change);
        self.update_contribution(above);
    }

    /// Brings a queue's utilization up to now; call before its `current` changes.
    pub(super) fn update_queue_util(&mut self, queue: QueueId) {
        let now = self.now;
        let record = &mut self.queues[queue];
        let level = if record.current.is_some() { FULL } else { 0 };
        record.util.advance(now, level, &mut self.decay);
    }

    /// Brings a thread's utilization up to now; call before it comes onto or leaves its core.
    pub(super) fn update_thread_util(&mut self, thread: ThreadId) {
        let now = self.now;
        let record = &mut self.threads[thread];
        let level = if self.cores[record.core].running == Some(thread) { FULL } else { 0 };
        record.util.advance(now, level, &mut self.decay);
    }
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, MS};
    use super::FULL;

    #[test]
    fn a_group_counts_for_more_than_its_weight_right_after_a_thread_has_come() {
        let mut bench = Bench::new(2);
        let group = bench.group();
        let threads = [0, 0, 0, 1, 1].map(|core| bench.hog(group, core));
        bench.pass(600 * MS);
        let cpu = &mut bench.cpu;
        let entity = cpu.queues[cpu.queue_of(group, 1)].above.unwrap();
        let part = |cpu: &super::Cpu| cpu.entities[entity].load.value() / cpu.entities[entity].weight as f64;
        cpu.settle();
        assert!((part(cpu) - 1.0).abs() < 1e-3, "always runnable: {}", part(cpu));
        let waiting = threads.into_iter().find(|&thread| cpu.cores[0].running != Some(thread));
        cpu.move_thread(waiting.unwrap(), 1);
        let util = cpu.queues[cpu.queue_of(group, 1)].util.value() / FULL as f64;
        assert!(util > 1.2, "a third of a core has come to a full one: {util}");
        assert!((part(cpu) - util).abs() < 1e-3, "{} against {util}", part(cpu));
        bench.pass(1200 * MS);
        bench.cpu.settle();
        assert!(part(&bench.cpu) < 1.01, "it decays: {}", part(&bench.cpu));
    }
}
