//! A fair queue: the entities of one group on one core (`struct cfs_rq`).

use super::pelt::Average;
use super::{CoreId, EntityId, GroupId, wide};
use crate::kernel::Instant;
use crate::kernel::trace::Cause;

/// How far the virtual time may go from the origin of the sums (ns of a nice-0 thread): a second or so.
const ORIGIN_NEAR_NS: i64 = 1 << 30;

/// One group's entities on one core. Sums cover the queued ones, the running one included.
#[derive(Debug, Clone)]
pub(super) struct FairQueue {
    pub(super) group: GroupId,
    pub(super) core: CoreId,
    /// The entity that stands for the group in the queue above; none for the root.
    pub(super) above: Option<EntityId>,
    /// Queued and not running, in no order.
    pub(super) waiting: Vec<EntityId>,
    /// The one that runs, or that leads to the one that runs.
    pub(super) current: Option<EntityId>,
    /// The group that a sleeper has just left to others (`cfs_rq->next`).
    pub(super) next: Option<EntityId>,
    pub(super) queued: usize,
    pub(super) weight: u64,
    /// Σ weight · (vruntime − origin): distances are small, so that 64 bits hold the sum nearly always.
    pub(super) weighted_vruntime: i128,
    /// Where distances are counted from, which makes no difference to any of them.
    pub(super) origin: i64,
    /// Virtual time when the queue was last not empty; CFS's `min_vruntime`.
    pub(super) zero: i64,
    /// Threads below, the delayed ones included (`h_nr_queued`).
    pub(super) threads: usize,
    pub(super) load: Average,
    /// Utilization: how much of the time the core was its.
    pub(super) util: Average,
    /// What `load` now contributes to its group's sum over all cores.
    pub(super) load_contribution: u64,
    /// Not before this time may that change.
    pub(super) contributes_anew: Instant,
    pub(super) quota: LocalQuota,
}

/// A queue's part in its group's quota.
#[derive(Debug, Clone, Default)]
pub(super) struct LocalQuota {
    /// `runtime_remaining` (ns); negative is debt.
    pub(super) remaining: i64,
    pub(super) throttled: bool,
    /// When a thread was first stopped by it.
    pub(super) stopped_since: Option<Instant>,
    /// Threads that are stopped, in the order in which they were.
    pub(super) limbo: Vec<super::ThreadId>,
    pub(super) cause: Option<Cause>,
}

impl FairQueue {
    pub(super) fn new(group: GroupId, core: CoreId, above: Option<EntityId>) -> Self {
        Self {
            group,
            core,
            above,
            waiting: Vec::new(),
            current: None,
            next: None,
            queued: 0,
            weight: 0,
            weighted_vruntime: 0,
            origin: 0,
            zero: 0,
            threads: 0,
            load: Average::default(),
            util: Average::default(),
            load_contribution: 0,
            contributes_anew: 0,
            quota: LocalQuota::default(),
        }
    }

    /// Takes an entity's weight into the sums.
    pub(super) fn add(&mut self, weight: u64, vruntime: i64) {
        self.queued += 1;
        self.weight += weight;
        if self.queued == 1 {
            self.origin = vruntime;
        }
        self.weighted_vruntime += wide::product(vruntime - self.origin, weight);
    }

    /// Takes an entity's weight out of the sums.
    pub(super) fn remove(&mut self, weight: u64, vruntime: i64) {
        self.zero = self.virtual_time();
        self.queued -= 1;
        self.weight -= weight;
        self.weighted_vruntime -= wide::product(vruntime - self.origin, weight);
        if self.zero - self.origin > ORIGIN_NEAR_NS {
            self.weighted_vruntime -= wide::product(self.zero - self.origin, self.weight);
            self.origin = self.zero;
        }
    }

    /// The weighted mean of the queued virtual runtimes (`avg_vruntime`), rounded down. An entity that is not beyond it has not
    /// had more than its share (its lag is not negative): of whole numbers that is as true of the mean as of what it is rounded
    /// to, so that one division stands for a product for each entity (`vruntime_eligible`).
    pub(super) fn virtual_time(&self) -> i64 {
        if self.weight == 0 {
            return self.zero;
        }
        self.origin + wide::floor(self.weighted_vruntime, self.weight)
    }

    pub(super) fn forget_waiting(&mut self, entity: EntityId) {
        if let Some(at) = self.waiting.iter().position(|&other| other == entity) {
            self.waiting.swap_remove(at);
        }
    }
}
