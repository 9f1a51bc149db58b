//! Threads that come to be while others run, and that end.
//!
//! **Law.** A new thread goes to the idlest core: its parent's, unless another one idles or is clearly less loaded. It owes nothing and is
//! owed nothing, has half a slice before its deadline, is taken for busy, and for as well utilized as the queue that it comes onto. One
//! that dies is off its queue at once, whatever it owes, and its averages go with it.
//! **Source.** Linux 6.18 `kernel/sched/fair.c` (`sched_balance_find_dst_group`, `update_sg_wakeup_stats`, `place_entity` with
//! PLACE_DEADLINE_INITIAL, `post_init_entity_util_avg`, `remove_entity_load_avg`), `kernel/sched/core.c` (`try_to_block_task`: a dead
//! task is none of those whose dequeue is delayed); before EEVDF `task_fork_fair` with START_DEBIT.
//! **Judge.** The table in the tests; the machine.

use super::balance::{CAPACITY, IMBALANCE_PCT, Kind};
use super::enqueue::Leave;
use super::pelt::Average;
use super::{CoreId, Cpu, Pick, QueueId, State, ThreadId};

/// What loads may differ by before a new thread goes elsewhere: `imbalance_pct` beyond 100 of a nice-0 thread's load.
const ALLOWED: u64 = 1024 * (IMBALANCE_PCT - 100) / 100;

impl Cpu {
    /// A thread of the same group and weight and for the same cores as another one, which is not there yet: [`Self::fork`] has it begin.
    pub(crate) fn add_child(&mut self, parent: ThreadId) -> ThreadId {
        let record = &self.threads[parent];
        let (group, core, weight) = (record.group, record.core, self.entities[record.entity].weight);
        let allowed: Vec<CoreId> = (0..record.allowed.len()).filter(|&core| record.allowed[core]).collect();
        self.add_weighted(group, core, &allowed, weight)
    }

    /// Whether the core on which a new thread is to begin has nothing to run.
    pub(crate) fn would_fork_idle(&mut self, child: ThreadId, parent: ThreadId) -> bool {
        let core = self.select_core_for_new(child, self.threads[parent].core);
        self.is_idle(core)
    }

    /// A thread begins, which was never there or is dead: its parent has just made it, and goes on.
    pub(crate) fn fork(&mut self, child: ThreadId, parent: ThreadId) {
        let core = self.select_core_for_new(child, self.threads[parent].core);
        let (entity, queue) = (self.threads[child].entity, self.queue_of(self.threads[child].group, core));
        let now = self.now;
        let util = self.first_util(queue);
        let record = &mut self.threads[child];
        (record.core, record.state, record.last_ran) = (core, State::Runnable, 0);
        record.util = Average::at(util, now);
        let record = &mut self.entities[entity];
        (record.vlag, record.deadline_is_relative, record.delayed) = (0, false, false);
        record.load = Average::at(record.weight as f64, now);
        self.attach(child, queue);
        self.place_new(entity, queue);
        self.enqueue(child);
        if matches!(self.knobs.pick, Pick::Eevdf { .. }) {
            let record = &mut self.entities[entity];
            record.deadline = record.vruntime + record.virtual_span(self.knobs.base_slice / 2);
        }
        self.check_preemption(child);
        self.reschedule_all();
    }

    /// Before EEVDF a new thread begins where it would have been at the end of its first turn.
    fn place_new(&mut self, entity: super::EntityId, queue: QueueId) {
        let Pick::Cfs { latency, .. } = self.knobs.pick else { return };
        let record = &self.queues[queue];
        let turn = latency / (record.queued as u64 + 1);
        self.entities[entity].vruntime = record.zero + turn as i64;
    }

    /// What a new thread is taken to be utilized (`post_init_entity_util_avg`).
    fn first_util(&mut self, queue: QueueId) -> f64 {
        self.update_queue_util(queue);
        self.update_queue_load(queue);
        let record = &self.queues[queue];
        let (util, load) = (record.util.value(), record.load.whole() as f64);
        let most = ((CAPACITY - util) / 2.0).max(0.0);
        if util > 0.0 { (util * CAPACITY / (load + 1.0)).min(most) } else { most }
    }

    /// A running thread is no more.
    pub(crate) fn die(&mut self, thread: ThreadId) {
        let (core, now) = (self.threads[thread].core, self.now);
        if self.threads[thread].state == State::Runnable {
            self.account(core);
            let record = &mut self.threads[thread];
            record.state = State::Asleep;
            if let Some(since) = record.waiting_since.take() {
                record.waited_ns += now - since;
            }
            self.dequeue(thread, Leave::Paid);
            self.cores[core].resched = true;
        } else {
            self.halt(thread);
            if self.entities[self.threads[thread].entity].queued {
                self.dequeue(thread, Leave::Paid);
            }
        }
        self.threads[thread].remaining = 0.0;
        self.threads[thread].overhead = 0.0;
        self.detach(thread);
        self.reschedule_all();
    }

    /// The core on which a new thread begins, made on `own` (`sched_balance_find_dst_group`).
    fn select_core_for_new(&mut self, child: ThreadId, own: CoreId) -> CoreId {
        let may: Vec<CoreId> =
            (0..self.cores.len()).filter(|&core| self.threads[child].allowed[core]).collect();
        let others: Vec<_> = may.iter().filter(|core| **core != own).map(|&core| self.stats(core)).collect();
        let best = others.into_iter().min_by_key(|stats| {
            let load = if stats.kind == Kind::HasSpare { 0 } else { stats.load };
            (stats.kind, stats.threads.min(1), load, stats.core)
        });
        let Some(best) = best else { return own };
        if !may.contains(&own) {
            return best.core;
        }
        let local = self.stats(own);
        let goes = match local.kind.cmp(&best.kind) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal if local.kind == Kind::HasSpare => {
                local.threads.min(1) > best.threads.min(1)
            }
            std::cmp::Ordering::Equal => {
                best.load < local.load + ALLOWED && 100 * local.load > IMBALANCE_PCT * best.load
            }
        };
        if goes { best.core } else { own }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ROOT;
    use super::super::bench::{Bench, MS};

    #[test]
    fn a_new_thread_goes_where_there_is_most_room() {
        // Hogs beside the parent's core 0 and on core 1, and where a child begins.
        let table = [
            ("the other core idles", 0, 0, 1),
            ("both are as busy", 0, 1, 0),
            ("the other is less loaded", 2, 1, 1),
            ("the other is more loaded", 0, 2, 0),
        ];
        for (what, beside, elsewhere, core) in table {
            let mut bench = Bench::new(2);
            bench.hog(ROOT, 0);
            for _ in 0..beside {
                bench.hog(ROOT, 0);
            }
            for _ in 0..elsewhere {
                bench.hog(ROOT, 1);
            }
            bench.pass(600 * MS);
            let child = bench.cpu.add_thread(ROOT, 0, &[], 0);
            assert_eq!(bench.cpu.select_core_for_new(child, 0), core, "{what}");
        }
    }

    #[test]
    fn a_thread_that_died_begins_anew_as_if_it_had_never_been() {
        let mut bench = Bench::new(1);
        let (parent, other) = (bench.hog(ROOT, 0), bench.hog(ROOT, 0));
        let child = bench.cpu.add_child(parent);
        let mut had = 0;
        for round in 0..50 {
            bench.cpu.give_work(child, f64::INFINITY, 0);
            bench.cpu.fork(child, parent);
            bench.pass((round + 1) * 30 * MS);
            bench.cpu.die(child);
            let cpu = &bench.cpu;
            assert!(!cpu.is_running(child) && !cpu.entities[cpu.threads[child].entity].queued);
            let now_had = cpu.cpu_ns(child);
            // A third of 30 ms, to a slice at either end.
            assert!((7 * MS..14 * MS).contains(&(now_had - had)), "round {round}: {} ns", now_had - had);
            had = now_had;
        }
        let (a, b) = (bench.cpu.cpu_ns(parent), bench.cpu.cpu_ns(other));
        assert!(a.abs_diff(b) < 5 * MS, "{a} {b}");
    }
}
