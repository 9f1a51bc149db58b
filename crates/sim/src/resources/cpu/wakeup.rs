//! Waking a thread: on which core, and whether it runs at once.

use super::{CoreId, Cpu, ROOT, State, ThreadId};

impl Cpu {
    /// A thread that slept has work again.
    pub(crate) fn wake(&mut self, thread: ThreadId) {
        if self.threads[thread].state != State::Asleep {
            return;
        }
        self.threads[thread].state = State::Runnable;
        let entity = self.threads[thread].entity;
        if self.entities[entity].queued {
            self.update_load(entity);
            self.requeue_delayed(entity);
            self.account(self.threads[thread].core);
            self.threads[thread].waiting_since = Some(self.now);
        } else {
            let core = self.select_core(thread);
            if core != self.threads[thread].core {
                self.assign_core(thread, core);
            }
            self.enqueue(thread);
        }
        self.check_preemption(thread);
        self.reschedule_all();
    }

    /// Whether the core on which `thread` would wake has nothing to run.
    pub(crate) fn would_wake_idle(&self, thread: ThreadId) -> bool {
        !self.entities[self.threads[thread].entity].queued && self.is_idle(self.select_core(thread))
    }

    pub(super) fn is_idle(&self, core: CoreId) -> bool {
        self.cores[core].running.is_none() && self.queues[self.queue_of(ROOT, core)].threads == 0
    }

    /// The core it slept on if that is idle, else an idle one, else the one it slept on (`select_idle_sibling`: its timer
    /// fires on the core on which it was armed, so that the waking core and the previous one are the same).
    fn select_core(&self, thread: ThreadId) -> CoreId {
        let record = &self.threads[thread];
        let cores = self.cores.len();
        let usable = |core: &CoreId| record.allowed[*core];
        let from_previous = (0..cores).map(|step| (record.core + step) % cores).filter(usable);
        let idle = from_previous.clone().find(|&core| self.is_idle(core));
        idle.or_else(|| from_previous.clone().next()).unwrap_or(record.core)
    }
}
