//! Choosing who runs next on a core, and switching to it.

use super::enqueue::Leave;
use super::entity::Owner;
use super::{CoreId, Cpu, EntityId, Path, Pick, ROOT, State, ThreadId};

impl Cpu {
    /// Reschedules every core that asks for it.
    pub(super) fn reschedule_all(&mut self) {
        // A reschedule may ask for another one (a pulled thread, a woken core), hence the loop.
        while let Some(core) = self.cores.iter().position(|core| core.resched && !core.stands) {
            self.reschedule(core);
        }
    }

    /// `schedule()` on one core.
    pub(super) fn reschedule(&mut self, core: CoreId) {
        self.account(core);
        loop {
            self.cores[core].resched = false;
            match self.pick_thread(core) {
                Some(thread) if self.knobs.throttle_by_task && self.is_held_by_quota(thread) => {
                    // It is on its way back to user mode, where it is stopped.
                    self.stop_thread(thread);
                }
                Some(thread) => return self.switch_to(core, Some(thread)),
                None => {
                    if !self.pull_when_idle(core) {
                        return self.switch_to(core, None);
                    }
                }
            }
        }
    }

    /// Descends from the root to the thread that should run (`pick_task_fair`).
    fn pick_thread(&mut self, core: CoreId) -> Option<ThreadId> {
        'again: loop {
            let mut queue = self.queue_of(ROOT, core);
            loop {
                if self.check_quota(queue) && !self.knobs.throttle_by_task {
                    continue 'again;
                }
                let entity = self.pick_entity(queue)?;
                if self.entities[entity].delayed {
                    self.dequeue_paid(entity);
                    continue 'again;
                }
                match self.entities[entity].owner {
                    Owner::Thread(thread) => return Some(thread),
                    Owner::Group(group) => queue = self.queue_of(group, core),
                }
            }
        }
    }

    /// A delayed sleeper was picked, so its lag is paid: now it really leaves.
    fn dequeue_paid(&mut self, entity: EntityId) {
        match self.entities[entity].owner {
            Owner::Thread(thread) => {
                self.dequeue(thread, Leave::Paid);
            }
            Owner::Group(_) => {
                let queue = self.entities[entity].queue;
                self.leave(entity, Leave::Paid);
                self.refresh_weights(queue);
            }
        }
    }

    /// Notes the entities from the root's queue down to a thread, which has just got its queue.
    pub(super) fn note_path(&mut self, thread: ThreadId) {
        let mut path = Path::from_iter([self.threads[thread].entity]);
        while let Some(above) = path.last().and_then(|&e| self.entity_of_queue(self.entities[e].queue)) {
            path.push(above);
        }
        path.reverse();
        self.threads[thread].path = path;
    }

    /// Which of two threads' entities, from the root's queue down, are not the same: from which level on.
    fn parting(&self, one: ThreadId, other: ThreadId) -> usize {
        let (one, other) = (&self.threads[one].path, &self.threads[other].path);
        one.iter().zip(other).take_while(|(a, b)| a == b).count()
    }

    fn switch_to(&mut self, core: CoreId, next: Option<ThreadId>) {
        let previous = self.cores[core].running;
        if previous == next {
            if next.is_some() && self.cores[core].generation == 0 {
                self.arm(core);
            }
            return;
        }
        self.note_switch(previous, next);
        self.record_stretch(core);
        if let Some(thread) = previous {
            self.update_thread_util(thread);
        }
        if let Some(thread) = next {
            self.update_thread_util(thread);
        }
        self.change_current(previous, next);
        self.change_busy(previous.is_some(), next.is_some(), core);
        self.cores[core].running = next;
        let record = &mut self.cores[core];
        record.accounted = record.accounted.max(self.now);
        record.worked_until = record.worked_until.max(self.now);
        if let Some(thread) = previous {
            self.went_off(thread);
        }
        if let Some(thread) = next {
            self.came_on(core, thread);
        }
        self.arm(core);
    }

    /// `put_prev_entity` and `set_next_entity` on the levels at which the two differ.
    fn change_current(&mut self, previous: Option<ThreadId>, next: Option<ThreadId>) {
        let common = previous.zip(next).map_or(0, |(old, new)| self.parting(old, new));
        if let Some(old) = previous {
            for level in (common..self.threads[old].path.len()).rev() {
                self.put_back(self.threads[old].path[level]);
            }
        }
        let Some(new) = next else { return };
        for level in common..self.threads[new].path.len() {
            let entity = self.threads[new].path[level];
            let queue = self.entities[entity].queue;
            self.update_queue_util(queue);
            let queue = &mut self.queues[queue];
            queue.forget_waiting(entity);
            queue.current = Some(entity);
            self.clear_buddy(entity);
            self.protect_slice(entity);
        }
    }

    fn put_back(&mut self, entity: EntityId) {
        let queue = self.entities[entity].queue;
        self.update_queue_util(queue);
        self.queues[queue].current = None;
        if self.entities[entity].queued {
            self.queues[queue].waiting.push(entity);
        }
        self.check_quota(queue);
    }

    /// Speed depends on how many cores are busy: when that changes every core's work is brought up to now first.
    fn change_busy(&mut self, was: bool, is: bool, changed: CoreId) {
        if was == is {
            return;
        }
        for core in 0..self.cores.len() {
            self.progress(core);
        }
        self.busy_cores = if is { self.busy_cores + 1 } else { self.busy_cores - 1 };
        self.set_rate();
        for core in (0..self.cores.len()).filter(|&core| core != changed) {
            self.arm(core);
        }
    }

    fn went_off(&mut self, thread: ThreadId) {
        let record = &mut self.threads[thread];
        record.last_ran = self.now;
        if record.state == State::Runnable {
            record.waiting_since.get_or_insert(self.now);
        }
    }

    fn came_on(&mut self, core: CoreId, thread: ThreadId) {
        let record = &mut self.threads[thread];
        if let Some(since) = record.waiting_since.take() {
            record.waited_ns += self.now - since;
        }
        record.overhead += self.knobs.costs.switch as f64;
        if record.spins {
            self.idle_hands.push_back(thread);
        }
        self.put_first(thread);
        self.start_tick(core);
    }

    /// The running thread, or a queued one, has nothing more to do: it sleeps.
    pub(crate) fn block(&mut self, thread: ThreadId) {
        if self.threads[thread].state == State::Asleep {
            return;
        }
        let core = self.threads[thread].core;
        self.account(core);
        self.threads[thread].state = State::Asleep;
        if let Some(since) = self.threads[thread].waiting_since.take() {
            self.threads[thread].waited_ns += self.now - since;
        }
        self.dequeue(thread, Leave::Sleep);
        self.cores[core].resched = true;
        self.reschedule_all();
    }

    /// Whether the running entity would lose the core to `thread`, which has just come (`check_preempt_wakeup_fair`).
    pub(super) fn check_preemption(&mut self, thread: ThreadId) {
        let core = self.threads[thread].core;
        let Some(running) = self.cores[core].running else {
            self.cores[core].resched = true;
            return;
        };
        if self.cores[core].resched || running == thread {
            return;
        }
        let level = self.parting(running, thread);
        let of = |thread: ThreadId| self.threads[thread].path.get(level).copied();
        let Some((own, other)) = of(running).zip(of(thread)) else { return };
        let preempts = match self.knobs.pick {
            Pick::Eevdf { .. } => self.pick_entity(self.entities[own].queue) == Some(other),
            Pick::Cfs { wakeup_granularity, .. } => {
                let ahead = self.entities[own].vruntime - self.entities[other].vruntime;
                ahead > self.entities[other].virtual_span(wakeup_granularity)
            }
        };
        if preempts {
            let note = super::CpuNote::Preempt { thread, victim: running, core };
            self.trace.note(self.now, note, self.cause);
            self.cores[core].resched = true;
        }
    }
}
