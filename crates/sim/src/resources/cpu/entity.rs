//! What a fair queue orders: a thread, or a group's part on one core.

use super::pelt::Average;
use super::{GroupId, QueueId, ThreadId, wide};

/// Weight of nice 0 in the kernel's 64-bit scale (`NICE_0_LOAD`: 1024 with 10 more bits).
pub(super) const NICE_0_LOAD: u64 = 1024 << 10;

/// Which claimant an entity stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Thread(ThreadId),
    /// The group's queue on the core of the entity's own queue.
    Group(GroupId),
}

/// `struct sched_entity`: virtual times in nanoseconds of a nice-0 thread.
#[derive(Debug, Clone)]
pub(super) struct Entity {
    pub(super) owner: Owner,
    /// The queue that it is on, or was on last.
    pub(super) queue: QueueId,
    pub(super) weight: u64,
    pub(super) vruntime: i64,
    pub(super) deadline: i64,
    /// `vprot`: until this virtual time a woken thread does not take the core away.
    pub(super) protected_until: i64,
    /// Service owed (positive) or owing, when it left the queue.
    pub(super) vlag: i64,
    /// `deadline` is relative to `vruntime` while it is off the queue.
    pub(super) deadline_is_relative: bool,
    pub(super) queued: bool,
    /// Asleep, but queued until its lag is paid (`sched_delayed`).
    pub(super) delayed: bool,
    /// CPU time consumed (ns).
    pub(super) sum_exec: u64,
    /// `sum_exec` when it was last picked (CFS).
    pub(super) sum_exec_at_pick: u64,
    /// Runnable average of its weight.
    pub(super) load: Average,
}

impl Entity {
    pub(super) fn thread(thread: ThreadId, queue: QueueId, weight: u64) -> Self {
        Self::new(Owner::Thread(thread), queue, weight)
    }

    pub(super) fn group(group: GroupId, queue: QueueId, weight: u64) -> Self {
        Self::new(Owner::Group(group), queue, weight)
    }

    fn new(owner: Owner, queue: QueueId, weight: u64) -> Self {
        // `init_entity_runnable_average`: a new thread is taken for busy until it has shown otherwise.
        let load = if matches!(owner, Owner::Thread(_)) { Average::full(weight) } else { Average::default() };
        Self {
            owner,
            queue,
            weight,
            vruntime: 0,
            deadline: 0,
            protected_until: 0,
            vlag: 0,
            deadline_is_relative: false,
            queued: false,
            delayed: false,
            sum_exec: 0,
            sum_exec_at_pick: 0,
            load,
        }
    }

    /// The span of virtual time in which this entity receives `delta` of service (`calc_delta_fair`).
    pub(super) fn virtual_span(&self, delta: u64) -> i64 {
        if self.weight == NICE_0_LOAD {
            return delta as i64;
        }
        wide::scaled(delta as i64, NICE_0_LOAD, self.weight.max(1))
    }
}
