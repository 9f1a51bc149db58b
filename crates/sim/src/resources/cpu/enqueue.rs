//! Coming onto a queue and leaving it, level by level.

use super::{CoreId, Cpu, EntityId, Pick, QueueId, State, ThreadId};

/// Why an entity leaves its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// It sleeps; with DELAY_DEQUEUE it may have to stay until its lag is paid.
    Sleep,
    /// Its quota is spent.
    Throttle,
    /// It goes to another core at once.
    Move,
    /// Its lag is paid and it was asleep already.
    Paid,
}

impl Cpu {
    /// Puts a thread onto the queues of its core.
    pub(super) fn enqueue(&mut self, thread: ThreadId) {
        let core = self.threads[thread].core;
        let first = self.threads[thread].entity;
        if !self.joins_delayed(first) {
            self.account(core);
        }
        self.cores[core].tasks.push(thread);
        self.put_first(thread);
        let from = self.entities[first].queue;
        self.join(first);
        self.account(core);
        self.count_threads(from, 1);
        self.refresh_weights(from);
        if self.threads[thread].state != State::Asleep {
            self.threads[thread].waiting_since.get_or_insert(self.now);
        }
    }

    /// Enqueues an entity and those above it that were off their queues.
    pub(super) fn join(&mut self, first: EntityId) {
        let mut next = Some(first);
        while let Some(entity) = next {
            let queue = self.entities[entity].queue;
            if self.entities[entity].queued {
                if self.entities[entity].delayed {
                    self.requeue_delayed(entity);
                }
                return;
            }
            self.update_load(entity);
            self.weigh_before_joining(entity);
            self.place(entity);
            self.put_in(entity);
            self.check_quota_on_enqueue(queue);
            if self.stops_here(queue) {
                return;
            }
            next = self.entity_of_queue(queue);
        }
    }

    /// Up to 6.17 a throttled queue's group is off the queue above, whatever comes onto it.
    fn stops_here(&self, queue: QueueId) -> bool {
        !self.knobs.throttle_by_task && self.queues[queue].quota.throttled
    }

    fn weigh_before_joining(&mut self, entity: EntityId) {
        if let super::entity::Owner::Group(group) = self.entities[entity].owner {
            let core = self.queues[self.entities[entity].queue].core;
            let below = self.queue_of(group, core);
            self.update_queue_load(below);
            self.update_group_weight(below);
        }
    }

    /// Takes an entity into its queue's sums and, unless it runs, into the waiting ones.
    fn put_in(&mut self, entity: EntityId) {
        let record = &mut self.entities[entity];
        record.queued = true;
        let (queue, weight, vruntime) = (record.queue, record.weight, record.vruntime);
        let queue = &mut self.queues[queue];
        queue.add(weight, vruntime);
        if queue.current != Some(entity) {
            queue.waiting.push(entity);
        }
    }

    fn take_out(&mut self, entity: EntityId) {
        let record = &mut self.entities[entity];
        record.queued = false;
        let (queue, weight, vruntime) = (record.queue, record.weight, record.vruntime);
        let queue = &mut self.queues[queue];
        queue.remove(weight, vruntime);
        queue.forget_waiting(entity);
    }

    /// Whether the lowest of the entities above `first` that are queued is a delayed sleeper.
    fn joins_delayed(&self, first: EntityId) -> bool {
        let above = |entity: &EntityId| self.entity_of_queue(self.entities[*entity].queue);
        let mut path = std::iter::successors(Some(first), above);
        path.find(|&entity| self.entities[entity].queued).is_some_and(|entity| self.entities[entity].delayed)
    }

    /// A delayed sleeper wakes: it is due again (`requeue_delayed_entity`). The kernel places it without a look at what the
    /// running entity has run since it was last looked at (no `update_curr`): that counts right afterwards, when it is ahead of
    /// all by it, so that the woken one mostly takes the core at once.
    pub(super) fn requeue_delayed(&mut self, entity: EntityId) {
        self.update_lag(entity);
        if self.entities[entity].vlag > 0 {
            // DELAY_ZERO: while it was asleep it can't have earned anything.
            self.take_out(entity);
            self.entities[entity].vlag = 0;
            self.place(entity);
            self.put_in(entity);
        }
        self.entities[entity].delayed = false;
    }

    /// Takes a thread off the queues of its core; answers false if it has to stay, delayed.
    pub(super) fn dequeue(&mut self, thread: ThreadId, why: Leave) -> bool {
        let core = self.threads[thread].core;
        self.account(core);
        let entity = self.threads[thread].entity;
        let queue = self.entities[entity].queue;
        if !self.leave(entity, why) {
            return false;
        }
        let tasks = &mut self.cores[core].tasks;
        if let Some(at) = tasks.iter().position(|&other| other == thread) {
            tasks.swap_remove(at);
        }
        self.count_threads(queue, -1);
        self.refresh_weights(queue);
        true
    }

    /// Dequeues an entity, and those above it whose queues are empty then; answers whether the first one left.
    pub(super) fn leave(&mut self, first: EntityId, why: Leave) -> bool {
        let sleeps = match why {
            Leave::Sleep | Leave::Paid => true,
            Leave::Throttle => self.knobs.throttle_by_task,
            Leave::Move => false,
        };
        let mut next = Some((first, why));
        while let Some((entity, why)) = next {
            let queue = self.entities[entity].queue;
            self.clear_buddy(entity);
            self.update_load(entity);
            if why == Leave::Sleep && self.must_stay(entity) {
                self.update_lag(entity);
                self.entities[entity].delayed = true;
                return entity != first;
            }
            self.update_lag(entity);
            if why == Leave::Move {
                let record = &mut self.entities[entity];
                record.deadline -= record.vruntime;
                record.deadline_is_relative = true;
            }
            self.take_out(entity);
            // A delayed sleeper that is moved has its debt still to pay.
            self.entities[entity].delayed &= why == Leave::Move;
            if why == Leave::Paid {
                self.entities[entity].vlag = self.entities[entity].vlag.min(0);
            }
            self.return_slack(queue);
            if self.queues[queue].queued > 0 && sleeps {
                self.set_next_buddy(self.entity_of_queue(queue));
            }
            if self.queues[queue].queued > 0 || self.stops_here(queue) {
                break;
            }
            let above = if why == Leave::Throttle { Leave::Throttle } else { Leave::Sleep };
            next = self.entity_of_queue(queue).filter(|&e| self.entities[e].queued).map(|e| (e, above));
        }
        true
    }

    fn must_stay(&self, entity: EntityId) -> bool {
        let record = &self.entities[entity];
        matches!(self.knobs.pick, Pick::Eevdf { delay_dequeue: true, .. })
            && record.vruntime > self.queues[record.queue].virtual_time()
    }

    /// Counts a thread that came onto or left `queue` in it and in the queues above, as far as they see it.
    pub(super) fn count_threads(&mut self, queue: QueueId, by: isize) {
        let mut next = Some(queue);
        while let Some(queue) = next {
            let threads = &mut self.queues[queue].threads;
            *threads = threads.saturating_add_signed(by);
            if self.stops_here(queue) {
                return;
            }
            next = self.entity_of_queue(queue).map(|entity| self.entities[entity].queue);
        }
    }

    /// Brings the weights of the groups above `queue` up to date.
    pub(super) fn refresh_weights(&mut self, queue: QueueId) {
        let mut next = Some(queue);
        while let Some(queue) = next {
            self.update_queue_load(queue);
            self.update_group_weight(queue);
            next = self.entity_of_queue(queue).map(|entity| self.entities[entity].queue);
        }
    }

    /// Moves a queued thread that does not run to another core.
    pub(super) fn move_thread(&mut self, thread: ThreadId, to: CoreId) {
        let from = self.threads[thread].core;
        self.dequeue(thread, Leave::Move);
        self.assign_core(thread, to);
        self.enqueue(thread);
        self.trace.note(self.now, super::CpuNote::Migrate { thread, from, to }, self.cause);
        self.check_preemption(thread);
    }

    /// Lets a thread that is on no queue belong to another core.
    pub(super) fn assign_core(&mut self, thread: ThreadId, to: CoreId) {
        debug_assert!(self.threads[thread].state != State::Throttled);
        let queue = self.queue_of(self.threads[thread].group, to);
        self.carry_load(thread, queue);
        self.threads[thread].core = to;
    }
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, MS};

    #[test]
    fn a_delayed_sleeper_that_wakes_takes_the_core_from_one_that_was_not_looked_at_since() {
        let mut bench = Bench::new(1);
        let (own, other) = (bench.group(), bench.group());
        let (sleeper, hog) = (bench.hog(own, 0), bench.hog(other, 0));
        let cpu = &mut bench.cpu;
        cpu.set_now(MS);
        cpu.block(sleeper);
        let entity = cpu.queues[cpu.queue_of(own, 0)].above.unwrap();
        assert!(cpu.entities[entity].delayed, "it owes half a millisecond");
        assert_eq!(cpu.cores[0].running, Some(hog));
        // By now it owes nothing; placed by that it would come as anybody comes, and the hog's turn is not over.
        cpu.set_now(2_200_000);
        cpu.wake(sleeper);
        assert_eq!(cpu.entities[entity].vruntime, MS as i64, "it was not placed anew");
        assert_eq!(cpu.cores[0].running, Some(sleeper));
    }
}
