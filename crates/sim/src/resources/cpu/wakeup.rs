//! Waking a thread: on which core, and whether it runs at once.
//!
//! **Law.** A timer fires on the core on which it was armed, which is the one that its thread slept on: that one if it idles, else an
//! idle one. A thread that another wakes, about to sleep itself (a message over a socket is such a wake-up), is drawn to the waker's
//! core if nobody else is runnable there, or if that leaves the two cores less unequal than they are; and from there to an idle core,
//! its own before others.
//! **Source.** Linux 6.18 `kernel/sched/fair.c` (`select_task_rq_fair`, `wake_affine_idle`, `wake_affine_weight`,
//! `select_idle_sibling`); `sock_def_readable` and `ep_poll_callback` wake with WF_SYNC. **Left out.** `wake_wide`, which concerns
//! threads that wake many others and are woken by many; `recent_used_cpu`.
//! **Judge.** The table in the tests; the machine, by the scenarios of `tests/accuracy`.

use super::balance::IMBALANCE_PCT;
use super::{CoreId, Cpu, ROOT, State, ThreadId};

/// Half of what cores that share a cache may differ by before that counts (as `wake_affine_weight` has it).
const UNEQUAL_PER_CENT: u64 = 100 + (IMBALANCE_PCT - 100) / 2;

impl Cpu {
    /// A thread that slept has work again.
    pub(crate) fn wake(&mut self, thread: ThreadId) {
        let core = self.select_core(thread);
        self.wake_onto(thread, core);
    }

    /// A thread that slept has work again, which another one that runs has for it.
    pub(crate) fn wake_by(&mut self, thread: ThreadId, waker: ThreadId) {
        let core = self.select_core_by(thread, waker);
        self.wake_onto(thread, core);
    }

    fn wake_onto(&mut self, thread: ThreadId, core: CoreId) {
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

    /// The same where another one wakes it.
    pub(crate) fn would_wake_idle_by(&mut self, thread: ThreadId, waker: ThreadId) -> bool {
        let core = self.select_core_by(thread, waker);
        !self.entities[self.threads[thread].entity].queued && self.is_idle(core)
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

    fn select_core_by(&mut self, thread: ThreadId, waker: ThreadId) -> CoreId {
        let (own, other) = (self.threads[thread].core, self.threads[waker].core);
        let drawn = own != other && self.threads[thread].allowed[other] && self.draws(other, waker, thread);
        let target = if drawn { other } else { own };
        let cores = self.cores.len();
        let may = |core: &CoreId| self.threads[thread].allowed[*core];
        let around = (0..cores).map(|step| (target + step) % cores);
        let mut idle = [target, own].into_iter().chain(around).filter(|core| self.is_idle(*core));
        match idle.find(may) {
            Some(core) => core,
            None if may(&target) => target,
            None => self.select_core(thread),
        }
    }

    /// Whether a waker's core draws the thread that it wakes.
    fn draws(&mut self, core: CoreId, waker: ThreadId, thread: ThreadId) -> bool {
        let own = self.threads[thread].core;
        let asleep = |other: &&ThreadId| self.threads[**other].state == State::Asleep;
        let delayed = self.cores[core].tasks.iter().filter(asleep).count();
        let runnable = self.queues[self.queue_of(ROOT, core)].threads.saturating_sub(delayed);
        if runnable == 1 {
            return true;
        }
        if self.is_idle(own) {
            return false;
        }
        let (waker_load, load) = (self.thread_load(waker), self.core_load(core));
        let Some(left) = load.checked_sub(waker_load) else { return true };
        let moved = self.thread_load(thread);
        let own_left = self.core_load(own).saturating_sub(moved);
        (left + moved) * 100 < own_left * UNEQUAL_PER_CENT + 1
    }
}

#[cfg(test)]
mod tests {
    use super::super::ROOT;
    use super::super::bench::{Bench, MS};

    #[test]
    fn a_waker_draws_whom_it_wakes() {
        // Hogs beside the waker's core 0 and the sleeper's core 1 (each of the weight of one thread), and where it wakes.
        let table = [
            ("both cores idle but for the waker", 0, 0, 1),
            ("nobody else on the waker's core", 0, 1, 0),
            ("its own core idles", 1, 0, 1),
            ("busier where the waker is", 2, 1, 1),
            ("busier where it slept", 1, 3, 0),
        ];
        for (what, beside_waker, beside_sleeper, core) in table {
            let mut bench = Bench::new(2);
            let waker = bench.hog(ROOT, 0);
            for _ in 0..beside_waker {
                bench.hog(ROOT, 0);
            }
            for _ in 0..beside_sleeper {
                bench.hog(ROOT, 1);
            }
            let sleeper = bench.cpu.add_thread(ROOT, 1, &[], 0);
            bench.pass(600 * MS);
            bench.cpu.settle();
            assert_eq!(bench.cpu.select_core_by(sleeper, waker), core, "{what}");
        }
    }
}
