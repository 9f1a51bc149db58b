//! Fluid processor sharing without weights, groups or quotas: n threads on c cores progress at min(1, c/n) each.
//!
//! **Law.** Egalitarian processor sharing, by the fluid model in [`super::share`]. Cores are slower the more of them are
//! busy, and may be taken in part by others: the model's time goes as fast as one core works at the moment.
//! **Use.** The naive prediction that `compare` measures the exact model's skill against; a slow twin for lone threads.

use super::share::{Claim, NodeId, Shares, TOP};
use super::{Costs, CpuEvent, ThreadId};
use crate::kernel::Instant;

/// A time that is nearer than this has come: half a nanosecond is below what the clock can tell.
const NOW: f64 = 0.5;

/// What every runnable thread has had so far: all get the same (ns).
#[derive(Debug, Clone, Copy, Default)]
struct Account {
    time: f64,
    cpu: f64,
    work: f64,
}

impl Account {
    fn add(&mut self, from: Account, to: Account) {
        self.time += to.time - from.time;
        self.cpu += to.cpu - from.cpu;
        self.work += to.work - from.work;
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Thread {
    task: NodeId,
    /// Work given (ns at the speed of one busy core); while it runs, the shares know what is left of it.
    work: f64,
    runnable: bool,
    /// What it has had up to when it last became runnable, and what all had had by then.
    own: Account,
    since: Account,
}

/// Threads that share cores evenly.
#[derive(Debug, Clone)]
pub(crate) struct Fluid {
    cores: usize,
    speed: f64,
    costs: Costs,
    shares: Shares,
    threads: Vec<Thread>,
    /// The thread of each node of the shares.
    owners: Vec<ThreadId>,
    all: Account,
    /// Where the shares' clock should stand; it waits at the end of a thread's work until that is handled.
    due: f64,
    runnable: usize,
    generation: u64,
    pub(crate) timers: Vec<(Instant, CpuEvent)>,
    pub(crate) idle_hands: Vec<ThreadId>,
}

impl Fluid {
    pub(crate) fn new(cores: usize, costs: Costs, speed: f64) -> Self {
        Self {
            cores,
            speed,
            costs,
            shares: Shares::new(cores as f64),
            threads: Vec::new(),
            owners: vec![0],
            all: Account::default(),
            due: 0.0,
            runnable: 0,
            generation: 0,
            timers: Vec::new(),
            idle_hands: Vec::new(),
        }
    }

    pub(crate) fn add_thread(&mut self) -> ThreadId {
        let thread = self.threads.len();
        let task = self.shares.add_task(TOP, Claim { weight: 1.0, cap: 1.0 });
        self.threads.push(Thread { task, ..Thread::default() });
        self.owners.push(thread);
        thread
    }

    /// Cores that a runnable thread gets.
    fn part(&self) -> f64 {
        (self.cores as f64 / self.runnable.max(1) as f64).min(1.0) * (1.0 - self.costs.taken)
    }

    /// Work that a core does for each nanosecond of its time.
    fn pace(&self) -> f64 {
        self.speed * self.costs.speed(self.runnable.min(self.cores), self.cores)
    }

    /// Brings all progress up to `now`, and no further than where the next thread's work is done.
    pub(crate) fn set_now(&mut self, now: Instant) {
        let passed = now as f64 - self.all.time;
        let (part, pace) = (self.part(), self.pace());
        self.all.add(
            Account::default(),
            Account { time: passed, cpu: passed * part, work: passed * part * pace },
        );
        self.due += passed * (1.0 - self.costs.taken) * pace;
        let next = self.shares.next().unwrap_or(f64::INFINITY);
        self.shares.pass(self.due.min(next));
    }

    fn arm(&mut self) {
        self.generation += 1;
        let pace = (1.0 - self.costs.taken) * self.pace();
        if let Some(next) = self.shares.next()
            && let after = (next - self.due).max(0.0) / pace
            && after < 1e18
        {
            let at = self.all.time + libm::ceil(after);
            self.timers.push((at as Instant, CpuEvent::WorkDone { core: 0, generation: self.generation }));
        }
    }

    pub(crate) fn handle(&mut self, event: CpuEvent) {
        let CpuEvent::WorkDone { generation, .. } = event else { return };
        if generation != self.generation {
            return;
        }
        while self.shares.next().is_some_and(|next| next - self.due < NOW)
            && let Some(task) = self.shares.complete()
        {
            let thread = self.owners[task as usize];
            self.threads[thread].work = 0.0;
            self.idle_hands.push(thread);
        }
        if self.idle_hands.is_empty() {
            self.arm();
        }
    }

    pub(crate) fn give_work(&mut self, thread: ThreadId, ns: f64) {
        let Thread { task, runnable, .. } = self.threads[thread];
        self.threads[thread].work = ns;
        if runnable {
            self.shares.start(task, ns);
            self.arm();
        }
    }

    pub(crate) fn wake(&mut self, thread: ThreadId) {
        let Thread { task, work, runnable, .. } = self.threads[thread];
        if !runnable {
            self.shares.start(task, work);
            self.runnable += 1;
            self.threads[thread].runnable = true;
            self.threads[thread].since = self.all;
            self.arm();
        }
    }

    pub(crate) fn block(&mut self, thread: ThreadId) {
        if self.threads[thread].runnable {
            let own = self.account(thread);
            let work = self.shares.stop(self.threads[thread].task);
            self.runnable -= 1;
            self.threads[thread] = Thread { work, runnable: false, own, ..self.threads[thread] };
            self.arm();
        }
    }

    fn account(&self, thread: ThreadId) -> Account {
        let Thread { runnable, mut own, since, .. } = self.threads[thread];
        if runnable {
            own.add(since, self.all);
        }
        own
    }

    pub(crate) fn cpu_ns(&self, thread: ThreadId) -> u64 {
        self.account(thread).cpu as u64
    }

    pub(crate) fn waited_ns(&self, thread: ThreadId) -> u64 {
        let Account { time, cpu, .. } = self.account(thread);
        (time - cpu) as u64
    }

    pub(crate) fn work_ns(&self, thread: ThreadId) -> f64 {
        self.account(thread).work
    }
}
