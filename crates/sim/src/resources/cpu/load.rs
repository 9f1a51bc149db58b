//! Load averages of entities, queues and groups, and what they say of a core.

use super::entity::Owner;
use super::{CoreId, Cpu, EntityId, QueueId, ROOT, ThreadId};

impl Cpu {
    /// Brings an entity's and its queue's averages up to now; call before either changes.
    pub(super) fn update_load(&mut self, entity: EntityId) {
        let now = self.now;
        let queue = self.entities[entity].queue;
        let record = &mut self.entities[entity];
        let level = if record.queued { record.weight as f64 } else { 0.0 };
        record.load.advance(now, level);
        self.update_queue_load(queue);
    }

    pub(super) fn update_queue_load(&mut self, queue: QueueId) {
        let now = self.now;
        let record = &mut self.queues[queue];
        let level = record.weight as f64;
        record.load.advance(now, level);
        let value = record.load.value();
        let change = value - record.load_contribution;
        record.load_contribution = value;
        let group = record.group;
        self.groups[group].load = (self.groups[group].load + change).max(0.0);
    }

    /// Moves a thread's load average from one queue to another (`detach`/`attach_entity_load_avg`).
    pub(super) fn carry_load(&mut self, entity: EntityId, to: QueueId) {
        self.update_load(entity);
        let from = self.entities[entity].queue;
        let load = self.entities[entity].load.value();
        self.update_queue_load(to);
        self.queues[from].load.shift(-load);
        self.queues[to].load.shift(load);
        self.update_queue_load_contribution(from);
        self.update_queue_load_contribution(to);
        self.entities[entity].queue = to;
    }

    fn update_queue_load_contribution(&mut self, queue: QueueId) {
        let record = &mut self.queues[queue];
        let change = record.load.value() - record.load_contribution;
        record.load_contribution = record.load.value();
        let group = record.group;
        self.groups[group].load = (self.groups[group].load + change).max(0.0);
    }

    /// Load of a core as balancing sees it (`cpu_load`).
    pub(super) fn core_load(&mut self, core: CoreId) -> f64 {
        let root = self.queue_of(ROOT, core);
        self.update_queue_load(root);
        self.queues[root].load.value() / 1024.0
    }

    /// A thread's part in its core's load (`task_h_load`), at least 1.
    pub(super) fn thread_load(&mut self, thread: ThreadId) -> f64 {
        let entity = self.threads[thread].entity;
        self.update_load(entity);
        let queue = self.entities[entity].queue;
        let below = self.hierarchical_load(queue);
        let part = self.entities[entity].load.value() / (self.queues[queue].load.value() + 1024.0);
        (below * part / 1024.0).max(1.0)
    }

    /// How much of its core's load a queue carries (`update_cfs_rq_h_load`).
    fn hierarchical_load(&mut self, queue: QueueId) -> f64 {
        self.update_queue_load(queue);
        let Some(entity) = self.entity_of_queue(queue) else { return self.queues[queue].load.value() };
        self.update_load(entity);
        let above = self.entities[entity].queue;
        let load_above = self.hierarchical_load(above);
        load_above * self.entities[entity].load.value() / (self.queues[above].load.value() + 1024.0)
    }

    pub(super) fn owner_thread(&self, entity: EntityId) -> Option<ThreadId> {
        match self.entities[entity].owner {
            Owner::Thread(thread) => Some(thread),
            Owner::Group(_) => None,
        }
    }
}
