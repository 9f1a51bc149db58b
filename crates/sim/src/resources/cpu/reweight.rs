//! Changing the weight of an entity that may be queued.
//!
//! **Law.** An entity keeps its lag in real time, and the distance to its deadline in its own slices: with weight w′ for w, lag
//! and distance are multiplied by w / w′ in virtual time. The queue's virtual time stays where it is.
//! **Law (Linux 6.13 to 6.19).** For the entity that runs it does not stay: it is placed anew as one that comes, as if it were
//! not among those whose mean it is placed by, though it is. Each change of weight multiplies whatever it is ahead or behind,
//! so that a group whose threads come and go while it runs goes on running if it was behind, and pays twice if it was ahead.
//! **Source.** Linux `kernel/sched/fair.c` (`reweight_entity`, `place_entity`; the second law came with commit 6d71a9c61604 and
//! went with 101f3498b4bd, whose message says so).

use super::{Cpu, EntityId, Pick, wide};

impl Cpu {
    /// Changes an entity's weight (`reweight_entity`).
    pub(super) fn reweight(&mut self, entity: EntityId, weight: u64) {
        self.update_load(entity);
        let record = &self.entities[entity];
        let (old, queue, queued) = (record.weight, record.queue, record.queued);
        if queued {
            self.update_lag(entity);
            self.make_relative(entity);
        }
        self.rescale(entity, old, weight);
        if queued {
            self.reposition(entity, old, weight);
        }
        self.entities[entity].weight = weight;
        let record = &mut self.entities[entity];
        let load = record.load.value();
        record.load.scale(weight as f64 / old.max(1) as f64);
        let change = record.load.value() - load;
        self.queues[queue].load.shift(change);
    }

    fn make_relative(&mut self, entity: EntityId) {
        let record = &mut self.entities[entity];
        if !record.deadline_is_relative {
            record.deadline -= record.vruntime;
            record.protected_until -= record.vruntime;
            record.deadline_is_relative = true;
        }
    }

    fn rescale(&mut self, entity: EntityId, from: u64, to: u64) {
        let rescaled = |span: i64| wide::scaled(span, from, to.max(1));
        let record = &mut self.entities[entity];
        record.vlag = rescaled(record.vlag);
        if record.deadline_is_relative {
            record.deadline = rescaled(record.deadline);
            record.protected_until = rescaled(record.protected_until);
        }
    }

    /// Gives a queued entity its virtual runtime under the new weight.
    fn reposition(&mut self, entity: EntityId, old: u64, weight: u64) {
        let Pick::Eevdf { places_running, .. } = self.knobs.pick else {
            let vruntime = self.entities[entity].vruntime;
            return self.set_position(entity, (old, vruntime), (weight, vruntime));
        };
        let record = &self.entities[entity];
        let (queue, before) = (record.queue, (old, record.vruntime));
        let runs = self.queues[queue].current == Some(entity);
        let virtual_time = self.queues[queue].virtual_time();
        let alone = self.queues[queue].queued == 1;
        let vruntime = match (alone, runs && places_running) {
            (true, _) => record.vruntime,
            (false, false) => virtual_time - record.vlag,
            (false, true) => self.placed_while_running(entity, old, weight),
        };
        self.set_position(entity, before, (weight, vruntime));
    }

    /// `place_entity` for the entity that runs: it counts as present and as coming at once.
    fn placed_while_running(&self, entity: EntityId, old: u64, weight: u64) -> i64 {
        let record = &self.entities[entity];
        let queue = &self.queues[record.queue];
        let present = (queue.weight + weight).saturating_sub(old).max(1);
        let from_origin = record.vruntime - queue.origin;
        let sum =
            queue.weighted_vruntime + wide::product(from_origin, weight) - wide::product(from_origin, old);
        let virtual_time = queue.origin + wide::floor(sum, present);
        virtual_time - wide::scaled(record.vlag, present + weight, present)
    }

    /// Moves an entity in its queue's sums from one (weight, virtual runtime) to another.
    fn set_position(&mut self, entity: EntityId, before: (u64, i64), after: (u64, i64)) {
        let queue = self.entities[entity].queue;
        self.queues[queue].remove(before.0, before.1);
        self.queues[queue].add(after.0, after.1);
        let record = &mut self.entities[entity];
        record.vruntime = after.1;
        record.deadline += after.1;
        record.protected_until += after.1;
        record.deadline_is_relative = false;
    }
}
