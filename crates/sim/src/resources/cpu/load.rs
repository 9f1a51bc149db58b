//! Load averages of entities, queues and groups, and what they say of a core.

use super::entity::Owner;
use super::{CoreId, Cpu, EntityId, QueueId, ROOT, ThreadId};

/// Least change of a contribution, as a part of it (`update_tg_load_avg`).
const CONTRIBUTION_PART: u64 = 64;
/// Least time between two changes of a contribution (ns).
const CONTRIBUTION_REST_NS: u64 = 1_000_000;

impl Cpu {
    /// Brings an entity's and its queue's averages up to now; call before either changes.
    #[inline]
    pub(super) fn update_load(&mut self, entity: EntityId) {
        let now = self.now;
        let record = &mut self.entities[entity];
        let level = if record.queued { record.weight } else { 0 };
        record.load.advance(now, level, &mut self.decay);
        let queue = record.queue;
        self.update_queue_load(queue);
    }

    #[inline]
    pub(super) fn update_queue_load(&mut self, queue: QueueId) {
        let now = self.now;
        let record = &mut self.queues[queue];
        record.load.advance(now, record.weight, &mut self.decay);
        if now >= record.contributes_anew {
            self.update_contribution(queue);
        }
    }

    /// Tells a queue's group what it now contributes to the group's load (`update_tg_load_avg`): at most once a millisecond,
    /// and only what differs by a 64th. Until then the weights on the other cores stay as they are.
    pub(super) fn update_contribution(&mut self, queue: QueueId) {
        let now = self.now;
        let record = &mut self.queues[queue];
        if now < record.contributes_anew {
            return;
        }
        let load = record.load.whole();
        let before = record.load_contribution;
        if load.abs_diff(before) <= before / CONTRIBUTION_PART {
            return;
        }
        record.load_contribution = load;
        record.contributes_anew = now + CONTRIBUTION_REST_NS;
        let group = &mut self.groups[record.group];
        group.load = (group.load + load).saturating_sub(before);
    }

    /// Load of a core as balancing sees it (`cpu_load`).
    pub(super) fn core_load(&mut self, core: CoreId) -> u64 {
        self.whole_queue_load(self.queue_of(ROOT, core))
    }

    /// A thread's part in its core's load (`task_h_load`), at least 1.
    pub(super) fn thread_load(&mut self, thread: ThreadId) -> u64 {
        let entity = self.threads[thread].entity;
        let queue = self.entities[entity].queue;
        let below = self.hierarchical_load(queue);
        (self.whole_load(entity) * below / (self.whole_queue_load(queue) + 1)).max(1)
    }

    /// How much of its core's load a queue carries (`update_cfs_rq_h_load`).
    fn hierarchical_load(&mut self, queue: QueueId) -> u64 {
        let Some(entity) = self.entity_of_queue(queue) else { return self.whole_queue_load(queue) };
        let above = self.entities[entity].queue;
        let load_above = self.hierarchical_load(above);
        load_above * self.whole_load(entity) / (self.whole_queue_load(above) + 1)
    }

    /// `load_avg` of an entity, which the kernel keeps in whole numbers where a nice-0 thread has 1024: where little is
    /// missing to move a thread, what is cut off decides.
    fn whole_load(&mut self, entity: EntityId) -> u64 {
        self.update_load(entity);
        self.entities[entity].load.whole()
    }

    /// `load_avg` of a queue.
    fn whole_queue_load(&mut self, queue: QueueId) -> u64 {
        self.update_queue_load(queue);
        self.queues[queue].load.whole()
    }

    pub(super) fn owner_thread(&self, entity: EntityId) -> Option<ThreadId> {
        match self.entities[entity].owner {
            Owner::Thread(thread) => Some(thread),
            Owner::Group(_) => None,
        }
    }
}
