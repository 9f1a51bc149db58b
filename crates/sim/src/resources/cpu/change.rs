//! What is changed from outside while threads run: a group's quota, and threads that are gone at once.
//!
//! **Law.** A new quota holds at once: the pool is refilled by it, every core's queue may run again until the pool says
//! otherwise, and the period goes on as it was. A group without one gets its timer with the first slice.
//! **Source.** `tg_set_cfs_bandwidth` in Linux `kernel/sched/core.c`.

use super::bandwidth::{Bandwidth, Quota};
use super::{Cpu, GroupId, State, ThreadId};

/// What a queue is left with, so that it need not stop before it has asked the pool (ns).
const LEFT_NS: i64 = 1;

impl Cpu {
    /// Sets the quota of a group (`cpu.max`).
    pub(crate) fn set_quota(&mut self, group: GroupId, quota: Quota) {
        for core in 0..self.cores.len() {
            self.account(core);
        }
        match self.quotas[group].as_mut() {
            Some(bandwidth) => bandwidth.set(quota),
            None => {
                let record = self.ran.is_some();
                self.quotas[group] = Some(Bandwidth::new(quota, &mut self.dice, record));
                self.has_quotas = true;
            }
        }
        for core in 0..self.cores.len() {
            let queue = self.queue_of(group, core);
            let local = &mut self.queues[queue].quota;
            local.remaining = LEFT_NS;
            if local.throttled {
                if let Some(bandwidth) = self.quotas[group].as_mut() {
                    bandwidth.forget(queue);
                }
                self.unthrottle(queue);
            }
        }
        self.reschedule_all();
    }

    /// Has a thread be gone from its core and its queues, whatever it was at.
    pub(crate) fn halt(&mut self, thread: ThreadId) {
        self.threads[thread].remaining = 0.0;
        if self.threads[thread].state != State::Throttled {
            return self.block(thread);
        }
        for queue in &mut self.queues {
            queue.quota.limbo.retain(|other| *other != thread);
        }
        let now = self.now;
        let record = &mut self.threads[thread];
        record.state = State::Asleep;
        if let Some(since) = record.waiting_since.take() {
            record.waited_ns += now - since;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, MS};
    use super::super::{GroupSpec, Quota, ROOT};

    fn quota(ms: u64) -> Quota {
        Quota { quota: ms * MS, period: 100 * MS, burst: 0 }
    }

    #[test]
    fn a_new_quota_holds_from_the_next_period_on_and_lets_go_at_once() {
        // (before, after, least and most CPU time in the ten periods that follow, in ms)
        let table = [
            (Some(10), 50, (480, 560)),
            (Some(50), 10, (100, 160)),
            (None, 20, (200, 230)),
            (Some(20), 100, (980, 1000)),
        ];
        for (before, after, (least, most)) in table {
            let mut bench = Bench::new(1);
            let quota_before = before.map(quota);
            let group = bench.cpu.add_group(GroupSpec { parent: ROOT, shares: 1024, quota: quota_before });
            let hog = bench.hog(group, 0);
            bench.pass(1000 * MS);
            let had = bench.cpu.cpu_ns(hog);
            bench.cpu.set_quota(group, quota(after));
            bench.pass(2000 * MS);
            bench.cpu.settle();
            let got = (bench.cpu.cpu_ns(hog) - had) / MS;
            assert!((least..=most).contains(&got), "from {before:?} to {after}: {got} ms");
        }
    }

    #[test]
    fn a_thread_that_is_halted_runs_no_more_and_can_be_woken_again() {
        for ms in [10, 60] {
            let mut bench = Bench::new(1);
            let group = bench.cpu.add_group(GroupSpec { parent: ROOT, shares: 1024, quota: Some(quota(ms)) });
            let hog = bench.hog(group, 0);
            // At the end of a period under a small quota it is stopped, under a large one mostly not.
            bench.pass(95 * MS);
            bench.cpu.halt(hog);
            let (had, waited) = (bench.cpu.cpu_ns(hog), bench.cpu.waited_ns(hog));
            bench.pass(500 * MS);
            assert_eq!((bench.cpu.cpu_ns(hog), bench.cpu.waited_ns(hog)), (had, waited));
            bench.cpu.give_work(hog, f64::INFINITY, 0);
            bench.cpu.wake(hog);
            bench.pass(1500 * MS);
            let got = (bench.cpu.cpu_ns(hog) - had) / MS;
            assert!((ms * 9..=ms * 12).contains(&got), "{got} ms under {ms} in each 100");
        }
    }
}
