//! Load balancing between cores: periodic, idle and newly idle, for one scheduling domain that shares its last-level cache
//! and whose groups are single cores.
//!
//! **Law.** Every interval (2 to 4 ms per core of the domain, 16 times as long on a busy core) a core looks for the
//! busiest other core; between overloaded cores it pulls threads worth at most half of the difference of loads (the bound
//! is relaxed by half with each failure), an idle one pulls by count. A core about to go idle pulls at once, with a
//! probability that follows its success. **Source.** Linux `kernel/sched/fair.c` (`sched_balance_rq`,
//! `sched_balance_find_src_group`, `calculate_imbalance`, `detach_tasks`, `sched_balance_newidle`), domain constants of
//! `sd_init` in `kernel/sched/topology.c`.

use super::{CoreId, Cpu, ROOT, ThreadId};
use crate::kernel::rng::SplitMix64;

/// `imbalance_pct` of a domain that shares a cache.
pub(super) const IMBALANCE_PCT: u64 = 117;
/// `busy_factor`.
const BUSY_FACTOR: u64 = 16;
/// `cache_nice_tries` of a domain that shares a cache.
const CACHE_NICE_TRIES: u32 = 1;
/// `sysctl_sched_nr_migrate`.
const NR_MIGRATE: usize = 32;
/// Capacity of a core (`SCHED_CAPACITY_SCALE`).
pub(super) const CAPACITY: f64 = super::carry::FULL as f64;

/// A core's view of its scheduling domain (`struct sched_domain`).
#[derive(Debug, Clone)]
pub(super) struct Domain {
    /// When it balanced last: before the beginning, at first (ns).
    last_balance: i64,
    interval_ms: u64,
    min_interval_ms: u64,
    failed: u32,
    newidle_calls: u64,
    newidle_successes: u64,
    newidle_ratio: u64,
}

impl Domain {
    /// Cores don't balance at the same time: each has a phase of its own.
    pub(super) fn new(cores: usize, dice: &mut SplitMix64) -> Self {
        let interval_ns = cores as u64 * BUSY_FACTOR * 1_000_000;
        Self {
            last_balance: -(dice.below(interval_ns) as i64),
            interval_ms: cores as u64,
            min_interval_ms: cores as u64,
            failed: 0,
            newidle_calls: 512,
            newidle_successes: 256,
            newidle_ratio: 512,
        }
    }

    fn count_newidle(&mut self, success: u64) {
        self.newidle_calls += 1;
        self.newidle_successes += success;
        if self.newidle_calls >= 1024 {
            self.newidle_ratio = self.newidle_successes;
            self.newidle_calls /= 2;
            self.newidle_successes /= 2;
        }
    }
}

/// Why a core balances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Busy,
    Idle,
    NewlyIdle,
}

/// `enum group_type`, for groups of one core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    HasSpare,
    FullyBusy,
    Overloaded,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Stats {
    pub(super) core: CoreId,
    pub(super) kind: Kind,
    pub(super) load: u64,
    pub(super) threads: usize,
}

/// What to move (`migration_type` with `imbalance`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Imbalance {
    Load(i64),
    Threads(usize),
}

impl Cpu {
    /// The tick of a busy core: its own balancing if due, and that of idle cores, whose own tick has stopped.
    pub(super) fn balance_on_tick(&mut self, core: CoreId) {
        if self.cores.len() < 2 {
            return;
        }
        self.balance_if_due(core, Why::Busy);
        if self.queues[self.queue_of(ROOT, core)].threads >= 2 {
            for other in 0..self.cores.len() {
                if self.is_idle(other) {
                    self.balance_if_due(other, Why::Idle);
                }
            }
        }
    }

    fn balance_if_due(&mut self, core: CoreId, why: Why) {
        let tick = self.knobs.tick;
        let domain = &self.cores[core].balance;
        let factor = if why == Why::Busy { BUSY_FACTOR } else { 1 };
        let ticks = (domain.interval_ms * factor * 1_000_000).div_ceil(tick);
        // A busy core takes one tick off, so that the levels of a hierarchy don't move together.
        let ticks = if why == Why::Busy { ticks.saturating_sub(1).max(1) } else { ticks.max(1) };
        if self.now as i64 >= domain.last_balance + (ticks * tick) as i64 {
            self.cores[core].balance.last_balance = self.now as i64;
            self.balance(core, why);
        }
    }

    /// A core with nothing to run pulls a thread; answers whether it got one.
    pub(super) fn pull_when_idle(&mut self, core: CoreId) -> bool {
        let overloaded = |c: CoreId| self.queues[self.queue_of(ROOT, c)].threads >= 2;
        if !(0..self.cores.len()).any(|other| other != core && overloaded(other)) {
            return false;
        }
        let weight = 1 + self.cores[core].balance.newidle_ratio;
        if self.dice.below(1024) > weight {
            self.cores[core].balance.count_newidle(0);
            return false;
        }
        let pulled = self.balance(core, Why::NewlyIdle);
        let credit = (1024 + weight / 2) / weight;
        self.cores[core].balance.count_newidle(if pulled { credit } else { 0 });
        pulled
    }

    /// One attempt to pull (`sched_balance_rq`); answers whether a thread was moved.
    fn balance(&mut self, core: CoreId, why: Why) -> bool {
        let Some((busiest, imbalance)) = self.find_busiest(core, why) else {
            let domain = &mut self.cores[core].balance;
            domain.failed = 0;
            if why != Why::NewlyIdle && domain.interval_ms < 2 * domain.min_interval_ms {
                domain.interval_ms *= 2;
            }
            return false;
        };
        let moved = self.pull(core, busiest, imbalance, why);
        let domain = &mut self.cores[core].balance;
        if moved {
            domain.failed = 0;
        } else if why != Why::NewlyIdle {
            domain.failed += 1;
        }
        if why != Why::NewlyIdle {
            domain.interval_ms = domain.min_interval_ms;
        }
        moved
    }

    pub(super) fn stats(&mut self, core: CoreId) -> Stats {
        let root = self.queue_of(ROOT, core);
        self.update_queue_util(root);
        // Threads that wait make `runnable_avg` exceed the capacity as soon as there are two of them.
        let (threads, util) = (self.queues[root].threads, self.queues[root].util.value());
        let full = CAPACITY * 100.0 < util * IMBALANCE_PCT as f64;
        let kind = match threads {
            0 => Kind::HasSpare,
            1 if full => Kind::FullyBusy,
            1 => Kind::HasSpare,
            _ if full => Kind::Overloaded,
            _ => Kind::FullyBusy,
        };
        Stats { core, kind, load: self.core_load(core), threads }
    }

    /// `sched_balance_find_src_group` and `calculate_imbalance`.
    fn find_busiest(&mut self, core: CoreId, why: Why) -> Option<(CoreId, Imbalance)> {
        let local = self.stats(core);
        let all: Vec<Stats> = (0..self.cores.len()).map(|other| self.stats(other)).collect();
        let rank = |a: &&Stats, b: &&Stats| (a.kind, a.load, b.core).cmp(&(b.kind, b.load, a.core));
        let busiest = all.iter().filter(|other| other.core != core && other.threads > 0).max_by(rank)?;
        let mean = all.iter().map(|other| other.load).sum::<u64>() / all.len() as u64;
        if local.kind > busiest.kind {
            return None;
        }
        if local.kind == Kind::Overloaded {
            let near = 100 * busiest.load <= IMBALANCE_PCT * local.load;
            if local.load >= busiest.load || local.load >= mean || near {
                return None;
            }
        } else if busiest.kind != Kind::Overloaded && (why == Why::Busy || busiest.threads < 2) {
            return None;
        }
        if local.kind == Kind::HasSpare {
            return self.spare_imbalance(local, busiest, why).map(|n| (busiest.core, Imbalance::Threads(n)));
        }
        if local.load >= busiest.load || local.load >= mean {
            return None;
        }
        let load = busiest.load.saturating_sub(mean).min(mean - local.load);
        (load > 0).then_some((busiest.core, Imbalance::Load(load as i64)))
    }

    /// How many threads a core with room takes (`sibling_imbalance`, then half).
    fn spare_imbalance(&self, local: Stats, busiest: &Stats, why: Why) -> Option<usize> {
        if why == Why::Busy {
            return None;
        }
        let mut difference = busiest.threads.saturating_sub(local.threads);
        if difference <= 1 && local.threads == 0 && busiest.threads > 1 {
            difference = 2;
        }
        (difference >= 2).then_some(difference / 2)
    }

    /// `detach_tasks` and `attach_tasks`: from the least recently run thread on.
    fn pull(&mut self, to: CoreId, from: CoreId, imbalance: Imbalance, why: Why) -> bool {
        let mut left = imbalance;
        let mut moved = false;
        let mut candidates = self.cores[from].tasks.clone();
        candidates.sort_unstable_by_key(|&thread| self.threads[thread].touched);
        for thread in candidates.into_iter().take(NR_MIGRATE) {
            let few = self.queues[self.queue_of(ROOT, from)].threads <= 1;
            if why != Why::Busy && few {
                break;
            }
            if !self.may_move(thread, from, to, left) {
                self.put_first(thread);
                continue;
            }
            let Some(rest) = self.after_moving(thread, to, left) else {
                self.put_first(thread);
                continue;
            };
            left = rest;
            self.move_thread(thread, to);
            moved = true;
            let done = match left {
                Imbalance::Load(load) => load <= 0,
                Imbalance::Threads(threads) => threads == 0,
            };
            if done || why == Why::NewlyIdle {
                break;
            }
        }
        moved
    }

    /// What is left to move after `thread`; none if it is too much at once.
    fn after_moving(&mut self, thread: ThreadId, to: CoreId, left: Imbalance) -> Option<Imbalance> {
        match left {
            Imbalance::Threads(threads) => Some(Imbalance::Threads(threads - 1)),
            Imbalance::Load(load) => {
                let own = self.thread_load(thread) as i64;
                // `shr_bound` keeps the shift within the word.
                let relaxed = own >> self.cores[to].balance.failed.min(i64::BITS - 1);
                (relaxed <= load).then_some(Imbalance::Load(load - own))
            }
        }
    }

    /// `can_migrate_task`.
    fn may_move(&self, thread: ThreadId, from: CoreId, to: CoreId, what: Imbalance) -> bool {
        let record = &self.threads[thread];
        if self.cores[from].running == Some(thread) || !record.allowed[to] {
            return false;
        }
        // A sleeper that is still queued for its debt is load, and no thread that could run.
        if self.entities[record.entity].delayed && matches!(what, Imbalance::Threads(_)) {
            return false;
        }
        let throttled =
            self.queues[self.queue_of(record.group, to)].quota.throttled || self.is_held_by_quota(thread);
        let hot = self.now - record.last_ran < self.knobs.migration_cost;
        !throttled && (!hot || self.cores[to].balance.failed > CACHE_NICE_TRIES)
    }

    /// Puts a thread before the others that are queued on its core (`list_move` to the head of `rq->cfs_tasks`).
    pub(super) fn put_first(&mut self, thread: ThreadId) {
        self.touches += 1;
        self.threads[thread].touched = self.touches;
    }
}
