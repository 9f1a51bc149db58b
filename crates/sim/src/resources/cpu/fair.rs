//! The pick: EEVDF and CFS, and where an entity is placed when it comes.
//!
//! **Law (EEVDF).** V = Σwᵢvᵢ/Σwᵢ; an entity is eligible while vᵢ ≤ V; of the eligible the one with the earliest deadline
//! dᵢ = vᵢ + slice/wᵢ runs; lag V − vᵢ is kept over sleep. **Law (CFS).** The least vᵢ runs; a sleeper is placed at most
//! half a latency behind the queue.

use super::{Cpu, EntityId, Pick, QueueId, wide};

impl Cpu {
    /// The entity of `queue` that should run (`__pick_eevdf`, or CFS's leftmost).
    pub(super) fn pick_entity(&self, queue: QueueId) -> Option<EntityId> {
        let record = &self.queues[queue];
        let current = record.current.filter(|&entity| self.entities[entity].queued);
        if record.queued == 1 {
            return current.or_else(|| record.waiting.first().copied());
        }
        match self.knobs.pick {
            Pick::Eevdf { .. } => self.earliest_deadline(queue, current),
            Pick::Cfs { .. } => self.least_vruntime(queue, current),
        }
    }

    fn earliest_deadline(&self, queue: QueueId, current: Option<EntityId>) -> Option<EntityId> {
        let record = &self.queues[queue];
        let virtual_time = record.virtual_time();
        let eligible = |entity: &EntityId| self.entities[*entity].vruntime <= virtual_time;
        let buddy = record.next.filter(eligible);
        if buddy.is_some() {
            return buddy;
        }
        let current = current.filter(eligible);
        if let Some(entity) = current
            && self.entities[entity].vruntime < self.entities[entity].protected_until
        {
            return current;
        }
        let deadline = |entity: &EntityId| (self.entities[*entity].deadline, *entity);
        let best = record.waiting.iter().copied().filter(eligible).min_by_key(deadline);
        match (best, current) {
            (Some(other), Some(own)) if self.entities[own].deadline < self.entities[other].deadline => {
                current
            }
            (Some(_), _) => best,
            (None, Some(_)) => current,
            // V is rounded down, so that with equal virtual runtimes all may seem a nanosecond ahead.
            (None, None) => record.waiting.iter().copied().min_by_key(deadline),
        }
    }

    fn least_vruntime(&self, queue: QueueId, current: Option<EntityId>) -> Option<EntityId> {
        let waiting = self.queues[queue].waiting.iter().copied();
        waiting.chain(current).min_by_key(|&entity| (self.entities[entity].vruntime, entity))
    }

    /// Gives an entity that comes onto `queue` its virtual runtime and deadline (`place_entity`).
    pub(super) fn place(&mut self, entity: EntityId) {
        let queue = self.entities[entity].queue;
        match self.knobs.pick {
            Pick::Eevdf { .. } => self.place_by_lag(entity, queue),
            Pick::Cfs { latency, .. } => {
                let zero = self.queues[queue].zero;
                let record = &mut self.entities[entity];
                record.vruntime = record.vruntime.max(zero - latency as i64 / 2);
            }
        }
    }

    fn place_by_lag(&mut self, entity: EntityId, queue: QueueId) {
        let slice = self.knobs.base_slice;
        let record = &self.queues[queue];
        let virtual_time = record.virtual_time();
        let weight = self.entities[entity].weight;
        let mut lag = self.entities[entity].vlag;
        if record.queued == 0 {
            lag = 0;
        } else if lag != 0 {
            // Adding the entity moves V, so that the lag it would be left with is smaller than the one it brings.
            lag = wide::scaled(lag, record.weight + weight, record.weight.max(1));
        }
        let record = &mut self.entities[entity];
        record.vruntime = virtual_time - lag;
        if record.deadline_is_relative {
            record.deadline += record.vruntime;
            record.deadline_is_relative = false;
        } else {
            record.deadline = record.vruntime + record.virtual_span(slice);
        }
    }

    /// Notes the lag of an entity that leaves (`update_entity_lag`).
    pub(super) fn update_lag(&mut self, entity: EntityId) {
        let virtual_time = self.queues[self.entities[entity].queue].virtual_time();
        let record = &mut self.entities[entity];
        let limit = record.virtual_span(self.knobs.base_slice + self.knobs.tick);
        record.vlag = (virtual_time - record.vruntime).clamp(-limit, limit);
    }

    /// What the entity that begins to run is protected for (`set_protect_slice`, RUN_TO_PARITY).
    pub(super) fn protect_slice(&mut self, entity: EntityId) {
        let record = &mut self.entities[entity];
        record.protected_until =
            record.deadline.min(record.vruntime + record.virtual_span(self.knobs.base_slice));
        record.sum_exec_at_pick = record.sum_exec;
    }

    /// Moves a running entity's virtual runtime on; answers whether its slice is over.
    pub(super) fn advance(&mut self, entity: EntityId, delta: u64) -> bool {
        let slice = self.knobs.base_slice;
        let record = &mut self.entities[entity];
        let span = record.virtual_span(delta);
        record.vruntime += span;
        record.sum_exec += delta;
        let queue = record.queue;
        self.queues[queue].weighted_vruntime += wide::product(span, record.weight);
        if matches!(self.knobs.pick, Pick::Cfs { .. }) {
            self.raise_min_vruntime(queue);
            return false;
        }
        let record = &mut self.entities[entity];
        let mut over = record.vruntime >= record.protected_until;
        if record.vruntime >= record.deadline {
            record.deadline = record.vruntime + record.virtual_span(slice);
            over = true;
        }
        let over = over && self.queues[queue].queued > 1;
        if over {
            self.clear_buddy(entity);
        }
        over
    }

    /// CFS's `update_min_vruntime`; apart, so that EEVDF does not make room for its answers.
    #[inline(never)]
    fn raise_min_vruntime(&mut self, queue: QueueId) {
        let current = self.queues[queue].current.filter(|&entity| self.entities[entity].queued);
        if let Some(least) = self.least_vruntime(queue, current) {
            let least = self.entities[least].vruntime;
            let zero = &mut self.queues[queue].zero;
            *zero = (*zero).max(least);
        }
    }

    /// CFS's `check_preempt_tick` for the running entity of `queue`.
    pub(super) fn cfs_tick_preempts(&self, queue: QueueId, latency: u64) -> bool {
        let record = &self.queues[queue];
        let Some(current) = record.current else { return false };
        if record.queued < 2 {
            return false;
        }
        let ideal = self.cfs_slice(current, latency);
        let running = &self.entities[current];
        let ran = running.sum_exec - running.sum_exec_at_pick;
        if ran > ideal {
            return true;
        }
        let least = record.waiting.iter().map(|&entity| self.entities[entity].vruntime).min();
        ran >= self.knobs.base_slice && least.is_some_and(|least| running.vruntime - least > ideal as i64)
    }

    /// CFS's `sched_slice`: the entity's part of a period in which every thread runs once.
    fn cfs_slice(&self, entity: EntityId, latency: u64) -> u64 {
        let fits = latency / self.knobs.base_slice.max(1);
        let threads = self.queues[self.entities[entity].queue].queued as u64;
        let period = if threads > fits { threads * self.knobs.base_slice } else { latency };
        let mut slice = u128::from(period);
        let mut next = Some(entity);
        while let Some(entity) = next {
            let queue = self.entities[entity].queue;
            let weight = u128::from(self.queues[queue].weight.max(1));
            slice = slice * u128::from(self.entities[entity].weight) / weight;
            next = self.entity_of_queue(queue);
        }
        (slice as u64).max(self.knobs.base_slice)
    }
}
