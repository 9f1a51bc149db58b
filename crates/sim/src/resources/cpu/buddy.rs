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

#[cfg(test)]
mod tests {
    use super::super::ROOT;
    use super::super::bench::{Bench, MS};

    #[test]
    fn the_group_that_is_marked_as_next_goes_first_while_it_is_eligible() {
        let mut bench = Bench::new(1);
        let groups = [0; 3].map(|_| bench.group());
        let threads = groups.map(|group| bench.hog(group, 0));
        let cpu = &mut bench.cpu;
        let [first, _, last] = groups.map(|group| cpu.queues[cpu.queue_of(group, 0)].above.unwrap());
        let root = cpu.queue_of(ROOT, 0);
        assert_eq!(cpu.cores[0].running, Some(threads[0]));
        assert_eq!(cpu.pick_entity(root), Some(first), "its turn is not over");
        cpu.set_next_buddy(Some(last));
        assert_eq!(cpu.pick_entity(root), Some(last));
        cpu.clear_buddy(last);
        assert_eq!(cpu.pick_entity(root), Some(first));
        cpu.set_now(MS);
        cpu.account(0);
        cpu.set_next_buddy(Some(first));
        assert_ne!(cpu.pick_entity(root), Some(first), "it has had more than its share");
    }

    #[test]
    fn a_sleeper_leaves_its_turn_to_the_others_of_its_group() {
        let mut bench = Bench::new(1);
        let (own, other) = (bench.group(), bench.group());
        let sleeper = bench.hog(own, 0);
        let rest = bench.hog(own, 0);
        bench.hog(other, 0);
        let cpu = &mut bench.cpu;
        let (root, entity) = (cpu.queue_of(ROOT, 0), cpu.queues[cpu.queue_of(own, 0)].above.unwrap());
        assert_eq!(cpu.cores[0].running, Some(sleeper));
        cpu.block(sleeper);
        assert_eq!(cpu.cores[0].running, Some(rest), "no time has passed: all are eligible");
        assert_eq!(cpu.queues[root].next, Some(entity), "it is marked until its turn is over");
    }
}
