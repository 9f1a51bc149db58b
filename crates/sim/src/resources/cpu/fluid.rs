//! Fluid processor sharing without weights, groups or quotas: n threads on c cores progress at min(1, c/n) each.
//!
//! **Law.** Egalitarian processor sharing. **Use.** The naive prediction that `compare` measures the exact model's skill
//! against; a slow twin for lone threads.

use super::{Costs, CpuEvent, ThreadId};
use crate::kernel::Instant;

#[derive(Debug, Clone, Copy, Default)]
struct Share {
    remaining: f64,
    runnable: bool,
    cpu_ns: f64,
    work_done: f64,
    waited_ns: f64,
}

/// Threads that share cores evenly.
#[derive(Debug, Clone)]
pub(crate) struct Fluid {
    now: Instant,
    cores: usize,
    speed: f64,
    costs: Costs,
    shares: Vec<Share>,
    runnable: usize,
    generation: u64,
    pub(crate) timers: Vec<(Instant, CpuEvent)>,
    pub(crate) idle_hands: Vec<ThreadId>,
}

impl Fluid {
    pub(crate) fn new(cores: usize, costs: Costs, speed: f64) -> Self {
        Self {
            now: 0,
            cores,
            speed,
            costs,
            shares: Vec::new(),
            runnable: 0,
            generation: 0,
            timers: Vec::new(),
            idle_hands: Vec::new(),
        }
    }

    pub(crate) fn add_thread(&mut self) -> ThreadId {
        self.shares.push(Share::default());
        self.shares.len() - 1
    }

    fn part(&self) -> f64 {
        (self.cores as f64 / self.runnable.max(1) as f64).min(1.0) * (1.0 - self.costs.taken)
    }

    fn rate(&self) -> f64 {
        self.part() * self.speed * self.costs.speed(self.runnable.min(self.cores), self.cores)
    }

    /// Brings all progress up to `now`.
    pub(crate) fn set_now(&mut self, now: Instant) {
        let delta = (now - self.now) as f64;
        let (part, rate) = (self.part(), self.rate());
        self.now = now;
        for share in self.shares.iter_mut().filter(|share| share.runnable) {
            let work = (delta * rate).min(share.remaining);
            share.remaining -= work;
            share.work_done += work;
            share.cpu_ns += delta * part;
            share.waited_ns += delta * (1.0 - part);
        }
    }

    /// Half a nanosecond of work is below what the clock can tell.
    fn collect_idle(&mut self) {
        for (thread, share) in self.shares.iter().enumerate() {
            if share.runnable && share.remaining < 0.5 {
                self.idle_hands.push(thread);
            }
        }
    }

    fn arm(&mut self) {
        self.generation += 1;
        let rate = self.rate();
        let least = self.shares.iter().filter(|share| share.runnable).map(|share| share.remaining);
        if let Some(least) = least.min_by(f64::total_cmp)
            && least / rate < 1e18
        {
            let at = self.now + libm::ceil(least / rate) as u64;
            self.timers.push((at, CpuEvent::WorkDone { core: 0, generation: self.generation }));
        }
    }

    pub(crate) fn handle(&mut self, event: CpuEvent) {
        if let CpuEvent::WorkDone { generation, .. } = event
            && generation == self.generation
        {
            self.collect_idle();
            if self.idle_hands.is_empty() {
                self.arm();
            }
        }
    }

    pub(crate) fn give_work(&mut self, thread: ThreadId, ns: f64) {
        self.shares[thread].remaining = ns;
        if self.shares[thread].runnable {
            self.arm();
        }
    }

    pub(crate) fn wake(&mut self, thread: ThreadId) {
        if !self.shares[thread].runnable {
            self.shares[thread].runnable = true;
            self.runnable += 1;
            self.arm();
        }
    }

    pub(crate) fn block(&mut self, thread: ThreadId) {
        if self.shares[thread].runnable {
            self.shares[thread].runnable = false;
            self.runnable -= 1;
            self.arm();
        }
    }

    pub(crate) fn cpu_ns(&self, thread: ThreadId) -> u64 {
        self.shares[thread].cpu_ns as u64
    }

    pub(crate) fn waited_ns(&self, thread: ThreadId) -> u64 {
        self.shares[thread].waited_ns as u64
    }

    pub(crate) fn work_ns(&self, thread: ThreadId) -> f64 {
        self.shares[thread].work_done
    }
}
