//! Quotas: a group may use so much CPU time in each period.
//!
//! **Law.** A timer refills the group's pool to the quota (plus what burst allows) every period; each core's queue takes
//! slices of 5 ms from the pool as it runs, and is throttled when both are empty; what a queue overran (it is looked at
//! only at ticks and switches) it owes; what it holds beyond 1 ms goes back when it empties.
//! **Source.** Linux `kernel/sched/fair.c` (`assign_cfs_rq_runtime`, `do_sched_cfs_period_timer`,
//! `distribute_cfs_runtime`, `__return_cfs_rq_runtime`), `Documentation/scheduler/sched-bwc.rst`; figures.csv CFS-2, CFS-3.

mod slack;

use super::enqueue::Leave;
use super::{Cpu, CpuEvent, CpuNote, GroupId, QueueId, State, ThreadId};
use crate::kernel::Instant;
use crate::kernel::rng::SplitMix64;

/// What an idle queue keeps (`min_cfs_rq_runtime`, 1 ms).
const KEEP_NS: i64 = 1_000_000;
/// Delay before slack is handed out (`cfs_bandwidth_slack_period`, 5 ms).
const SLACK_DELAY_NS: u64 = 5_000_000;
/// Slack is not handed out this close to a refill (`min_bandwidth_expiration`, 2 ms).
const REFILL_NEAR_NS: u64 = 2_000_000;

/// `cpu.max`: CPU time per period, all in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    pub(crate) quota: u64,
    pub(crate) period: u64,
    pub(crate) burst: u64,
}

/// `struct cfs_bandwidth`.
#[derive(Debug, Clone)]
pub(super) struct Bandwidth {
    quota: Quota,
    pool: i64,
    /// The timer's phase: the kernel starts it at a random point of the period, so that groups don't beat together.
    next_refill: Instant,
    active: bool,
    idle: bool,
    slack_armed: bool,
    /// Throttled queues, in the order in which they were.
    throttled: Vec<QueueId>,
    throttled_periods: u64,
    throttled_ns: u64,
    /// CPU time used in the present period (ns), and when that began.
    used: i64,
    began: Instant,
    /// Periods that are over, where they are recorded.
    history: Option<Vec<PeriodUse>>,
}

/// What a group used in one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PeriodUse {
    pub(crate) start: Instant,
    pub(crate) quota: u64,
    pub(crate) used: u64,
    pub(crate) throttled: bool,
}

/// `cpu.stat` of a group with a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Throttling {
    /// `nr_throttled`.
    pub(crate) periods: u64,
    /// `throttled_usec`, in nanoseconds: summed over cores.
    pub(crate) ns: u64,
}

impl Bandwidth {
    pub(super) fn new(quota: Quota, dice: &mut SplitMix64, record: bool) -> Self {
        Self {
            quota,
            pool: quota.quota as i64,
            next_refill: dice.below(quota.period),
            active: false,
            idle: false,
            slack_armed: false,
            throttled: Vec::new(),
            throttled_periods: 0,
            throttled_ns: 0,
            used: 0,
            began: 0,
            history: record.then(Vec::new),
        }
    }

    /// Another quota, from now on.
    pub(super) fn set(&mut self, quota: Quota) {
        self.quota = quota;
        self.refill();
    }

    /// A queue is no longer among the throttled ones.
    pub(super) fn forget(&mut self, queue: QueueId) {
        self.throttled.retain(|other| *other != queue);
    }

    fn refill(&mut self) {
        let most = (self.quota.quota + self.quota.burst) as i64;
        self.pool = (self.pool + self.quota.quota as i64).min(most);
    }

    /// Closes the account of a period.
    fn note_period(&mut self, now: Instant, pending: u64, throttled: bool) {
        // What runs at this moment is accounted at the next tick, but belongs to the period that ends.
        let used = (self.used + pending as i64).max(0) as u64;
        self.used = -(pending as i64);
        let start = std::mem::replace(&mut self.began, now);
        let quota = self.quota.quota;
        if let Some(history) = &mut self.history {
            history.push(PeriodUse { start, quota, used, throttled });
        }
    }

    fn refill_is_within(&self, now: Instant, span: u64) -> bool {
        self.active && self.next_refill.saturating_sub(now) < span
    }
}

impl Cpu {
    /// A running entity of `queue` has used `delta` (`account_cfs_rq_runtime`).
    pub(super) fn spend(&mut self, queue: QueueId, delta: u64) {
        if self.has_quotas {
            self.spend_quota(queue, delta);
        }
    }

    /// Apart from the question whether there are quotas, which every switch asks on every level.
    #[inline(never)]
    fn spend_quota(&mut self, queue: QueueId, delta: u64) {
        let Some(bandwidth) = self.quotas[self.queues[queue].group].as_mut() else { return };
        bandwidth.used += delta as i64;
        let record = &mut self.queues[queue];
        record.quota.remaining -= delta as i64;
        if record.quota.remaining > 0 || record.quota.throttled {
            return;
        }
        let (core, slice) = (record.core, self.knobs.bandwidth_slice as i64);
        if !self.assign(queue, slice) && self.queues[queue].current.is_some() {
            self.cores[core].resched = true;
        }
    }

    /// Takes runtime from the pool up to `target`; answers whether the queue may run.
    fn assign(&mut self, queue: QueueId, target: i64) -> bool {
        let (now, group) = (self.now, self.queues[queue].group);
        let Some(bandwidth) = self.quotas[group].as_mut() else { return true };
        if !bandwidth.active {
            bandwidth.active = true;
            bandwidth.began = now;
            let period = bandwidth.quota.period;
            while bandwidth.next_refill <= now {
                let behind = now - bandwidth.next_refill;
                bandwidth.next_refill += (behind / period + 1) * period;
            }
            self.timers.push((bandwidth.next_refill, CpuEvent::Period(group)));
        }
        let local = &mut self.queues[queue].quota;
        if bandwidth.pool > 0 {
            let amount = bandwidth.pool.min(target - local.remaining);
            bandwidth.pool -= amount;
            bandwidth.idle = false;
            local.remaining += amount;
        }
        local.remaining > 0
    }

    /// Throttles `queue` if its quota is spent; answers whether it is throttled (`check_cfs_rq_runtime`).
    pub(super) fn check_quota(&mut self, queue: QueueId) -> bool {
        self.has_quotas && self.throttles(queue)
    }

    #[inline(never)]
    fn throttles(&mut self, queue: QueueId) -> bool {
        let record = &self.queues[queue];
        if self.quotas[record.group].is_none() || record.quota.remaining > 0 {
            return false;
        }
        if record.quota.throttled {
            return true;
        }
        // At the start nothing was ever assigned; a queue without debt asks the pool before it stops.
        if self.assign(queue, 1) {
            return false;
        }
        self.throttle(queue);
        true
    }

    /// The first entity came onto `queue` (`check_enqueue_throttle`).
    pub(super) fn check_quota_on_enqueue(&mut self, queue: QueueId) {
        let record = &self.queues[queue];
        if record.queued == 1 && record.current.is_none() && !record.quota.throttled {
            self.spend(queue, 0);
            self.check_quota(queue);
        }
    }

    fn throttle(&mut self, queue: QueueId) {
        let (group, core) = (self.queues[queue].group, self.queues[queue].core);
        let cause = self.trace.note(self.now, CpuNote::Throttle { group, core }, self.cause);
        let local = &mut self.queues[queue].quota;
        local.throttled = true;
        local.cause = cause;
        if let Some(bandwidth) = self.quotas[group].as_mut() {
            bandwidth.throttled.push(queue);
        }
        self.cores[core].resched = true;
        if !self.knobs.throttle_by_task {
            self.take_whole_queue_off(queue);
        }
    }

    /// Up to 6.17: the group's entity leaves the queue above, with all that is below it.
    fn take_whole_queue_off(&mut self, queue: QueueId) {
        if self.queues[queue].queued > 0 {
            self.queues[queue].quota.stopped_since = Some(self.now);
        }
        let Some(entity) = self.entity_of_queue(queue) else { return };
        if self.entities[entity].queued {
            let above = self.entities[entity].queue;
            self.leave(entity, Leave::Throttle);
            let threads = self.queues[queue].threads as isize;
            self.count_threads(above, -threads);
            self.refresh_weights(above);
        }
    }

    /// Whether a queue above a thread is throttled.
    pub(super) fn is_held_by_quota(&self, thread: ThreadId) -> bool {
        self.has_quotas && self.throttled_above(thread).is_some()
    }

    fn throttled_above(&self, thread: ThreadId) -> Option<QueueId> {
        let mut next = Some(self.entities[self.threads[thread].entity].queue);
        while let Some(queue) = next {
            if self.queues[queue].quota.throttled {
                return Some(queue);
            }
            next = self.entity_of_queue(queue).map(|entity| self.entities[entity].queue);
        }
        None
    }

    /// From 6.18: one thread is stopped at its return to user mode.
    pub(super) fn stop_thread(&mut self, thread: ThreadId) {
        let Some(queue) = self.throttled_above(thread) else { return };
        self.dequeue(thread, Leave::Throttle);
        let local = &mut self.queues[queue].quota;
        local.stopped_since.get_or_insert(self.now);
        local.limbo.push(thread);
        let cause = local.cause;
        let record = &mut self.threads[thread];
        record.state = State::Throttled;
        record.held_by = cause;
        record.waited_ns += record.waiting_since.take().map_or(0, |since| self.now - since);
        if self.knobs.run_delay_includes_throttled {
            record.waiting_since = Some(self.now);
        }
    }

    pub(super) fn unthrottle(&mut self, queue: QueueId) {
        let (group, core) = (self.queues[queue].group, self.queues[queue].core);
        self.account(core);
        let local = &mut self.queues[queue].quota;
        local.throttled = false;
        let stopped = local.stopped_since.take().map_or(0, |since| self.now - since);
        let limbo = std::mem::take(&mut local.limbo);
        let because = local.cause;
        self.trace.note(self.now, CpuNote::Unthrottle { group, core }, because);
        if let Some(bandwidth) = self.quotas[group].as_mut() {
            bandwidth.throttled_ns += stopped;
        }
        for thread in limbo {
            self.threads[thread].state = State::Runnable;
            self.enqueue(thread);
        }
        if !self.knobs.throttle_by_task {
            self.put_whole_queue_back(queue);
        }
        // Nobody is pre-empted for them: the next tick or switch looks at them.
        if self.cores[core].running.is_none() {
            self.cores[core].resched = true;
        }
    }

    fn put_whole_queue_back(&mut self, queue: QueueId) {
        let Some(entity) = self.entity_of_queue(queue) else { return };
        if self.queues[queue].queued > 0 {
            self.note_held(queue);
            let above = self.entities[entity].queue;
            self.join(entity);
            let threads = self.queues[queue].threads as isize;
            self.count_threads(above, threads);
            self.refresh_weights(above);
        }
    }

    fn note_held(&mut self, queue: QueueId) {
        let cause = self.queues[queue].quota.cause;
        for index in 0..self.queues[queue].waiting.len() {
            if let Some(thread) = self.owner_thread(self.queues[queue].waiting[index]) {
                self.threads[thread].held_by = cause;
            }
        }
    }

    /// The period timer fires (`do_sched_cfs_period_timer`).
    pub(super) fn period_ends(&mut self, group: GroupId) {
        let (now, pending) = (self.now, self.not_yet_spent(group));
        let Some(bandwidth) = self.quotas[group].as_mut() else { return };
        let throttled = !bandwidth.throttled.is_empty();
        bandwidth.note_period(now, pending, throttled);
        bandwidth.refill();
        if bandwidth.idle && !throttled {
            bandwidth.active = false;
            return;
        }
        bandwidth.next_refill += bandwidth.quota.period;
        self.timers.push((bandwidth.next_refill, CpuEvent::Period(group)));
        bandwidth.idle = !throttled;
        if throttled {
            bandwidth.throttled_periods += 1;
            self.distribute(group);
        }
    }

    /// Pays the debts of throttled queues out of the pool, in order (`distribute_cfs_runtime`).
    fn distribute(&mut self, group: GroupId) {
        let queues =
            self.quotas[group].as_mut().map(|b| std::mem::take(&mut b.throttled)).unwrap_or_default();
        let mut still = Vec::new();
        for queue in queues {
            let Some(bandwidth) = self.quotas[group].as_mut() else { return };
            let local = &mut self.queues[queue].quota;
            let amount = bandwidth.pool.max(0).min(1 - local.remaining);
            bandwidth.pool -= amount;
            local.remaining += amount;
            if local.remaining > 0 {
                self.unthrottle(queue);
            } else {
                still.push(queue);
            }
        }
        if let Some(bandwidth) = self.quotas[group].as_mut() {
            still.append(&mut bandwidth.throttled);
            bandwidth.throttled = still;
        }
    }

    /// CPU time that running threads of a group have used and that the kernel has not looked at yet (ns).
    fn not_yet_spent(&self, group: GroupId) -> u64 {
        let running = self.cores.iter().filter_map(|core| Some((core.running?, core.accounted)));
        let own = running.filter(|(thread, _)| self.is_in(*thread, group));
        own.map(|(_, accounted)| self.now.saturating_sub(accounted)).sum()
    }

    fn is_in(&self, thread: ThreadId, group: GroupId) -> bool {
        let path = &self.threads[thread].path;
        path.iter().any(|&entity| self.queues[self.entities[entity].queue].group == group)
    }

    /// The periods of a group's quota that are over, where they were recorded.
    pub(crate) fn periods(&self, group: GroupId) -> &[PeriodUse] {
        self.quotas[group].as_ref().and_then(|bandwidth| bandwidth.history.as_deref()).unwrap_or(&[])
    }

    /// `cpu.stat` of a group as it would be read now; none without a quota.
    pub(crate) fn throttling(&self, group: GroupId) -> Option<Throttling> {
        let bandwidth = self.quotas[group].as_ref()?;
        // A queue that is stopped at this moment is counted when it is released, as in the kernel's file.
        Some(Throttling { periods: bandwidth.throttled_periods, ns: bandwidth.throttled_ns })
    }
}
