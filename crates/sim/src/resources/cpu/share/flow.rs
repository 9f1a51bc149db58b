//! Levels and clocks: who gets how much, and what has come of it by now.

use super::heap::NOWHERE;
use super::{Node, NodeId, Shares};
use crate::kernel::choice::lesser;

impl Shares {
    /// Brings a group's clock up to now, and those of the groups above it. It needs no level: what a group received is in
    /// its class's time.
    #[inline]
    pub(super) fn settle(&mut self, id: u32) {
        let group = &self.groups[id as usize];
        if group.at == self.now {
            return;
        }
        let passed = self.now - group.at;
        let received = match id {
            0 => self.supply() * passed,
            _ => {
                let node = group.node as usize;
                self.settle(self.nodes[node].parent);
                self.receive(id)
            }
        };
        let group = &mut self.groups[id as usize];
        group.at = self.now;
        if group.weight > 0.0 {
            group.clock += (received - group.saturated_demand * passed) / group.weight;
        }
    }

    /// The work that a group got since this was last asked (core-seconds); the group above it is settled.
    #[inline]
    fn receive(&mut self, id: u32) -> f64 {
        let node = &self.nodes[self.groups[id as usize].node as usize];
        if node.class == NOWHERE {
            return 0.0;
        }
        let time = self.class_time(node.class);
        let before = std::mem::replace(&mut self.groups[id as usize].received, time);
        node.claim.weight * (time - before)
    }

    /// What the top group gives out (cores).
    #[inline]
    fn supply(&self) -> f64 {
        lesser(self.nodes[self.groups[0].node as usize].claim.cap, self.groups[0].demand)
    }

    /// What a group can use now (cores).
    fn demand(&self, id: u32) -> f64 {
        let group = &self.groups[id as usize];
        lesser(group.demand, self.nodes[group.node as usize].claim.cap)
    }

    /// A node can use `demand` cores from now on: shares change, from the top down to it.
    pub(super) fn change(&mut self, node: NodeId, demand: f64) {
        self.settle(self.nodes[node as usize].parent);
        let mut path = std::mem::take(&mut self.path);
        path.clear();
        let (mut changed, mut demand) = (node, demand);
        loop {
            let parent = self.nodes[changed as usize].parent;
            path.push(parent);
            if self.nodes[changed as usize].demand != demand {
                if self.nodes[changed as usize].class != NOWHERE {
                    self.leave(changed);
                }
                if demand > 0.0 {
                    self.enter(changed, demand);
                }
            }
            if parent == 0 {
                break;
            }
            self.note_sensitive(parent);
            changed = self.groups[parent as usize].node;
            demand = self.demand(parent);
        }
        for &group in path.iter().rev() {
            self.level(group);
        }
        self.path = path;
        self.retag_above(node);
    }

    /// Whether a group's shares follow its own in more than proportion is known to the group above it.
    fn note_sensitive(&mut self, id: u32) {
        let group = &self.groups[id as usize];
        let is_one = group.classes.len() > 1 || !group.sensitive.is_empty();
        let above = self.nodes[group.node as usize].parent;
        let sensitive = &mut self.groups[above as usize].sensitive;
        if is_one {
            sensitive.insert(id);
        } else if !sensitive.is_empty() {
            sensitive.remove(&id);
        }
    }

    /// Finds the level of a settled group below groups that have theirs, and those within it that depend on it.
    fn level(&mut self, id: u32) {
        let rate = self.rate(id);
        // Each loop goes one way, so that rounding can't have a class go to and fro.
        while let Some(class) = self.last_saturated(id)
            && (self.all_saturated(id) || !self.saturates(id, class, rate))
        {
            self.cross(class);
        }
        while let Some(class) = self.first_unsaturated(id)
            && self.saturates(id, class, rate)
        {
            self.cross(class);
        }
        let group = &mut self.groups[id as usize];
        if group.saturated == 0 {
            group.saturated_demand = 0.0;
        }
        group.level = if group.weight > 0.0 { (rate - group.saturated_demand) / group.weight } else { 0.0 };
        if group.sensitive.is_empty() {
            return;
        }
        for inner in self.groups[id as usize].sensitive.clone() {
            self.settle(inner);
            self.level(inner);
            self.retag_group(inner);
        }
    }

    /// What a group gets now (cores).
    #[inline]
    fn rate(&self, id: u32) -> f64 {
        if id == 0 {
            return self.supply();
        }
        let node = self.groups[id as usize].node;
        if self.nodes[node as usize].class == NOWHERE {
            return 0.0;
        }
        let Node { parent, claim, .. } = &self.nodes[node as usize];
        claim.weight * self.rate_by_weight(node, self.groups[*parent as usize].level)
    }

    fn last_saturated(&self, id: u32) -> Option<u32> {
        let group = &self.groups[id as usize];
        group.classes.get(group.saturated.checked_sub(1)?).copied()
    }

    fn all_saturated(&self, id: u32) -> bool {
        let group = &self.groups[id as usize];
        group.saturated == group.classes.len()
    }

    /// None if it is the last class.
    fn first_unsaturated(&self, id: u32) -> Option<u32> {
        let group = &self.groups[id as usize];
        group.classes.get(group.saturated..)?.split_last().and_then(|(_, before)| before.first()).copied()
    }

    /// Whether the level, as of the classes that are unsaturated now, is at least the ratio of that class.
    fn saturates(&self, id: u32, class: u32, rate: f64) -> bool {
        let group = &self.groups[id as usize];
        rate - group.saturated_demand >= self.classes[class as usize].ratio * group.weight
    }

    /// Notes anew when the groups above a node end their next tasks.
    #[inline]
    pub(super) fn retag_above(&mut self, node: NodeId) {
        let mut group = self.nodes[node as usize].parent;
        while group != 0 {
            group = self.retag_group(group);
        }
    }

    /// Notes anew when a group ends its next task; answers the group that it is in. Both are settled.
    #[inline]
    fn retag_group(&mut self, id: u32) -> u32 {
        let node = self.groups[id as usize].node;
        if self.nodes[node as usize].class != NOWHERE {
            let work = self.work_to_next(id);
            self.retag(node, work);
        }
        self.nodes[node as usize].parent
    }

    /// How much work a group does until one of its tasks ends (core-seconds).
    #[inline]
    fn work_to_next(&self, id: u32) -> f64 {
        let group = &self.groups[id as usize];
        match group.by_clock.first() {
            Some(class) if group.saturated == 0 => (class.tag - group.clock) * group.weight,
            _ => self.next_in(id).map_or(f64::INFINITY, |(after, _)| after * self.rate(id)),
        }
    }

    /// After how much time from when a group was settled its next class is due, if nothing changes, and whether that class
    /// is a saturated one.
    #[inline]
    pub(super) fn next_in(&self, id: u32) -> Option<(f64, bool)> {
        let group = &self.groups[id as usize];
        let by_clock = group.by_clock.first().map(|class| ((class.tag - group.clock) / group.level, false));
        let by_wall = group.by_wall.first().map(|class| (class.tag - group.at, true));
        match (by_clock, by_wall) {
            (Some(clock), Some(wall)) => Some(if wall.0 < clock.0 { wall } else { clock }),
            (clock, wall) => clock.or(wall),
        }
    }

    /// The child of a group that ends a task now; the groups above it are settled, and it is thereafter.
    #[inline]
    pub(super) fn due_in(&mut self, id: u32) -> Option<NodeId> {
        if self.groups[id as usize].saturated > 0 {
            self.settle(id);
            if let Some((_, true)) = self.next_in(id) {
                return self.first_of(self.groups[id as usize].by_wall.first()?.item);
            }
        } else if id != 0 {
            self.receive(id);
        }
        let group = &mut self.groups[id as usize];
        let class = group.by_clock.first()?;
        // To the bit: what rounding says otherwise would have the task end twice, or never.
        (group.clock, group.at) = (class.tag, self.now);
        self.first_of(class.item)
    }
}
