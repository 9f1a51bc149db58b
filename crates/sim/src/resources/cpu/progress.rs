//! What running does: work gets done, CPU time and virtual time pass, quota is spent.

use super::{CoreId, Cpu, CpuEvent, Ran, ThreadId};
use crate::kernel::choice::{greater, lesser};

impl Cpu {
    /// Brings the account of a core's running thread up to now (`update_curr` on every level).
    pub(super) fn account(&mut self, core: CoreId) {
        let since = self.cores[core].accounted;
        if self.now <= since {
            return;
        }
        let delta = self.now - since;
        self.cores[core].accounted = self.now;
        self.progress(core);
        let Some(thread) = self.cores[core].running else { return };
        self.threads[thread].cpu_ns += delta;
        let mut next = Some(self.threads[thread].entity);
        while let Some(entity) = next {
            self.update_load(entity);
            if self.advance(entity, delta) {
                self.cores[core].resched = true;
            }
            let queue = self.entities[entity].queue;
            self.spend(queue, delta);
            next = self.entity_of_queue(queue);
        }
    }

    /// Brings the work of a core's running thread up to now. The kernel takes no notice: it looks at a running thread only
    /// at ticks, wake-ups and switches, so neither slices nor quotas are checked here.
    pub(super) fn progress(&mut self, core: CoreId) {
        let since = self.cores[core].worked_until;
        if self.now < since {
            return;
        }
        self.cores[core].worked_until = self.now;
        let delta = self.now - since;
        let delta = self.workable(core, delta);
        let Some(thread) = self.cores[core].running else { return };
        let rate = self.rate;
        let thread = &mut self.threads[thread];
        let overhead = lesser(thread.overhead, delta);
        thread.overhead -= overhead;
        if thread.spins {
            return;
        }
        let work = lesser((delta - overhead) * rate, thread.remaining);
        thread.remaining -= work;
        thread.work_done += work;
    }

    /// Takes up what a core that runs does in a nanosecond, now that so many are busy.
    pub(super) fn set_rate(&mut self) {
        self.rate = self.speed * self.knobs.costs.speed(self.busy_cores, self.cores.len());
    }

    /// Asks to be told when the running thread of `core` will have done its work.
    pub(super) fn arm(&mut self, core: CoreId) {
        self.cores[core].generation += 1;
        let Some(thread) = self.cores[core].running else { return };
        let record = &self.threads[thread];
        let away = self.cores[core].worked_until.saturating_sub(self.now);
        let left = record.overhead + record.remaining / self.rate + away as f64;
        if self.ask_beneath(core, left) {
            return;
        }
        // Work without end (or longer than any run) needs no event.
        if left < 1e18 && !self.threads[thread].spins {
            // No time has the topmost bit, and without a sign processors have no such conversion.
            let whole = greater(left, 0.0) as i64;
            let at = self.now + whole as u64 + u64::from((whole as f64) < left);
            let generation = self.cores[core].generation;
            self.timers.push((at, CpuEvent::WorkDone { core, generation }));
        }
    }

    pub(super) fn work_done(&mut self, core: CoreId, generation: u64) {
        if self.cores[core].generation != generation {
            return;
        }
        self.progress(core);
        let Some(thread) = self.cores[core].running else { return };
        if self.threads[thread].remaining > 0.0 {
            // A tick took some of the time.
            self.arm(core);
        } else {
            self.idle_hands.push_back(thread);
        }
    }

    /// Gives a thread work (ns at the speed of one busy core), of which `overhead_ns` of CPU time is not work.
    pub(crate) fn give_work(&mut self, thread: ThreadId, work_ns: f64, overhead_ns: u64) {
        let core = self.threads[thread].core;
        let running = self.cores[core].running == Some(thread);
        if running {
            self.progress(core);
        }
        let record = &mut self.threads[thread];
        (record.remaining, record.spins) = (work_ns, false);
        record.overhead += overhead_ns as f64;
        if running {
            self.arm(core);
        }
    }

    /// Closes the stretch for which the running thread had the core.
    pub(super) fn record_stretch(&mut self, core: CoreId) {
        let start = std::mem::replace(&mut self.cores[core].on_since, self.now);
        if let (Some(thread), Some(ran)) = (self.cores[core].running, self.ran.as_mut())
            && start < self.now
            && !self.cores[core].stands
        {
            ran.push(Ran { core, thread, start, end: self.now });
        }
    }

    /// The timer tick of a core.
    pub(super) fn tick(&mut self, core: CoreId) {
        self.account(core);
        let Some(thread) = self.cores[core].running else {
            // NO_HZ_IDLE: an idle core's tick stops.
            self.cores[core].ticking = false;
            return;
        };
        self.threads[thread].overhead += self.knobs.costs.tick as f64;
        self.take_away(core);
        let queue = self.entities[self.threads[thread].entity].queue;
        self.refresh_weights(queue);
        self.tick_preemption(core, queue);
        self.balance_on_tick(core);
        self.timers.push((self.next_tick(), CpuEvent::Tick(core)));
    }

    /// For a while a busy core is nobody's: no work is done on it, and no thread is charged for that.
    fn take_away(&mut self, core: CoreId) {
        let taken = self.knobs.costs.taken_at_tick(self.knobs.tick);
        if taken > 0 {
            self.progress(core);
            let core = &mut self.cores[core];
            core.accounted = core.accounted.max(self.now) + taken;
            core.worked_until = core.worked_until.max(self.now) + taken;
        }
    }

    /// Ticks come at whole multiples of the tick's length after the first; one that came late does not put off the next
    /// (`hrtimer_forward`).
    fn next_tick(&self) -> u64 {
        let (phase, tick) = (self.tick_phase, self.knobs.tick);
        match self.now.checked_sub(phase) {
            Some(since) => (since / tick + 1) * tick + phase,
            None => phase,
        }
    }

    fn tick_preemption(&mut self, core: CoreId, queue: super::QueueId) {
        let super::Pick::Cfs { latency, .. } = self.knobs.pick else { return };
        let mut next = Some(queue);
        while let Some(queue) = next {
            if self.cfs_tick_preempts(queue, latency) {
                self.cores[core].resched = true;
            }
            next = self.entity_of_queue(queue).map(|entity| self.entities[entity].queue);
        }
    }

    /// Ticks come on every core at once, while it is busy.
    pub(super) fn start_tick(&mut self, core: CoreId) {
        if !std::mem::replace(&mut self.cores[core].ticking, true) {
            self.timers.push((self.next_tick(), CpuEvent::Tick(core)));
        }
    }
}
