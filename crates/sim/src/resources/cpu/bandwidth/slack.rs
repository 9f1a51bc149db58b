//! What queues hold of a quota and do not need goes back to the pool, and from there to those that are stopped.
//!
//! **Law.** A queue that empties keeps 1 ms; the rest returns. Where that makes more than a slice, and queues are stopped, it is handed
//! out a moment later, unless the quota is about to be refilled anyway.
//! **Source.** Linux `kernel/sched/fair.c` (`__return_cfs_rq_runtime`, `start_cfs_slack_bandwidth`, `do_sched_cfs_slack_timer`).

use super::super::{Cpu, CpuEvent, GroupId, QueueId};
use super::{KEEP_NS, REFILL_NEAR_NS, SLACK_DELAY_NS};

impl Cpu {
    /// A queue that has just emptied gives back what it holds beyond 1 ms (`__return_cfs_rq_runtime`).
    pub(in crate::resources::cpu) fn return_slack(&mut self, queue: QueueId) {
        if self.has_quotas {
            self.return_quota(queue);
        }
    }

    /// Apart from the question whether there are quotas.
    #[inline(never)]
    fn return_quota(&mut self, queue: QueueId) {
        let (now, slice) = (self.now, self.knobs.bandwidth_slice as i64);
        let record = &mut self.queues[queue];
        let Some(bandwidth) = self.quotas[record.group].as_mut() else { return };
        let slack = record.quota.remaining - KEEP_NS;
        if record.queued > 0 || slack <= 0 {
            return;
        }
        record.quota.remaining -= slack;
        bandwidth.pool += slack;
        let wanted = bandwidth.pool > slice && !bandwidth.throttled.is_empty() && !bandwidth.slack_armed;
        if wanted && !bandwidth.refill_is_within(now, SLACK_DELAY_NS + REFILL_NEAR_NS) {
            bandwidth.slack_armed = true;
            self.timers.push((now + SLACK_DELAY_NS, CpuEvent::Slack(record.group)));
        }
    }

    pub(in crate::resources::cpu) fn slack_is_handed_out(&mut self, group: GroupId) {
        let (now, slice) = (self.now, self.knobs.bandwidth_slice as i64);
        let Some(bandwidth) = self.quotas[group].as_mut() else { return };
        bandwidth.slack_armed = false;
        if !bandwidth.refill_is_within(now, REFILL_NEAR_NS) && bandwidth.pool > slice {
            self.distribute(group);
        }
    }
}
