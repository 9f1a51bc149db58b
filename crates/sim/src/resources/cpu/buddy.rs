//! Buddies: who should run next for the sake of what they share.
//!
//! **Law.** A thread that goes to sleep leaves the rest of its turn to its group: if others of the group are queued on that
//! core, the group and those above it are marked as next. A marked entity is picked whatever its deadline as long as it is
//! eligible, until it was picked, its turn is over or it leaves.
//! **Source.** Linux `kernel/sched/fair.c` (`dequeue_entities`, `set_next_buddy`, `clear_buddies`, `__pick_eevdf`). Marking
//! a thread when it wakes (`NEXT_BUDDY`) is off by default. CFS's buddies, which need only be nearly the leftmost, are
//! left out.

use super::{Cpu, EntityId, Pick};

impl Cpu {
    /// Marks an entity and those above it as next (`set_next_buddy`).
    pub(super) fn set_next_buddy(&mut self, entity: Option<EntityId>) {
        if !matches!(self.knobs.pick, Pick::Eevdf { pick_buddy: true, .. }) {
            return;
        }
        let mut next = entity;
        while let Some(entity) = next {
            let queue = self.entities[entity].queue;
            self.queues[queue].next = Some(entity);
            next = self.entity_of_queue(queue);
        }
    }

    /// Takes the mark from an entity, and from those above it that have it for its sake (`clear_buddies`).
    pub(super) fn clear_buddy(&mut self, entity: EntityId) {
        let mut next = Some(entity);
        while let Some(entity) = next {
            let queue = self.entities[entity].queue;
            if self.queues[queue].next != Some(entity) {
                return;
            }
            self.queues[queue].next = None;
            next = self.entity_of_queue(queue);
        }
    }
}
