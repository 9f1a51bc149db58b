//! Groups (CPU cgroups) and their weights on each core.
//!
//! **Law.** weight on a core = shares · load on that core / load on all cores. **Source.** `calc_group_shares` in Linux
//! `kernel/sched/fair.c`.

use super::bandwidth::{Bandwidth, Quota};
use super::entity::Entity;
use super::queue::FairQueue;
use super::{CoreId, Cpu, EntityId, GroupId, QueueId, ROOT};

/// Least weight of a group on a core (`MIN_SHARES`, scaled).
const MIN_SHARES: u64 = 2 << 10;

/// A group to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupSpec {
    pub(crate) parent: GroupId,
    /// Weight in the unit of `cpu.shares`: 1024 is that of one nice-0 thread.
    pub(crate) shares: u64,
    pub(crate) quota: Option<Quota>,
}

/// A CPU cgroup.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Scaled as weights are.
    pub(super) shares: u64,
    /// Sum of what its queues contribute (`tg->load_avg`).
    pub(super) load: u64,
}

impl Cpu {
    pub(super) fn add_root(&mut self) {
        self.groups.push(Group { shares: 0, load: 0 });
        self.quotas.push(None);
        for core in 0..self.cores.len() {
            self.queues.push(FairQueue::new(ROOT, core, None));
        }
    }

    /// Makes a group.
    pub(crate) fn add_group(&mut self, spec: GroupSpec) -> GroupId {
        let group = self.groups.len();
        let shares = spec.shares << 10;
        for core in 0..self.cores.len() {
            let entity = self.entities.len();
            self.entities.push(Entity::group(group, self.queue_of(spec.parent, core), shares));
            self.queues.push(FairQueue::new(group, core, Some(entity)));
        }
        self.groups.push(Group { shares, load: 0 });
        let bandwidth = spec.quota.map(|quota| Bandwidth::new(quota, &mut self.dice, self.ran.is_some()));
        self.has_quotas |= bandwidth.is_some();
        self.quotas.push(bandwidth);
        group
    }

    pub(super) fn queue_of(&self, group: GroupId, core: CoreId) -> QueueId {
        group * self.cores.len() + core
    }

    /// The entity that stands for a queue's group in the queue above; none for the root.
    pub(super) fn entity_of_queue(&self, queue: QueueId) -> Option<EntityId> {
        self.queues[queue].above
    }

    /// Sets the weight that a queue's group has in the queue above (`update_cfs_group`).
    pub(super) fn update_group_weight(&mut self, queue: QueueId) {
        let Some(entity) = self.entity_of_queue(queue) else { return };
        let group = &self.groups[self.queues[queue].group];
        let own = &self.queues[queue];
        if own.weight == 0 {
            return;
        }
        let load = (own.weight >> 10).max(own.load.whole());
        let all = group.load.saturating_sub(own.load_contribution) + load;
        let weight = group.shares * load / all.max(1);
        let weight = weight.clamp(MIN_SHARES.min(group.shares), group.shares);
        if weight != self.entities[entity].weight {
            self.reweight(entity, weight);
        }
    }
}
