//! Classes: the busy children of a group that can use equally much for their weight.

use super::heap::{Heap, NOWHERE};
use super::{Node, NodeId, Shares};
use crate::kernel::choice::lesser;

/// Children of a group that end in the order of their tags in one virtual time.
#[derive(Debug, Clone, Default)]
pub(super) struct Class {
    group: u32,
    /// The most a child can use, by its weight (cores).
    pub(super) ratio: f64,
    /// Sums over the members.
    weight: f64,
    demand: f64,
    /// Members, by the class's time at which each ends a task.
    members: Heap,
    /// It gets all that it can use, so it hangs on the wall clock; else on its group's.
    saturated: bool,
    /// The class's time was `time` when the clock that it hangs on stood at `since`.
    time: f64,
    since: f64,
}

impl Shares {
    /// The time of a class whose group is settled.
    #[inline]
    pub(super) fn class_time(&self, class: u32) -> f64 {
        let class = &self.classes[class as usize];
        if class.saturated {
            class.time + class.ratio * (self.now - class.since)
        } else {
            class.time + (self.groups[class.group as usize].clock - class.since)
        }
    }

    /// The time of its class at which a busy node ends a task.
    pub(super) fn tag(&self, node: NodeId) -> f64 {
        let class = &self.classes[self.nodes[node as usize].class as usize];
        class.members.tag(self.node_at[node as usize])
    }

    /// Notes that a busy node ends its next task after so much work (core-seconds); its group is settled.
    #[inline]
    pub(super) fn retag(&mut self, node: NodeId, work: f64) {
        let Node { class, by_weight, .. } = self.nodes[node as usize];
        let tag = self.class_time(class) + work * by_weight;
        self.classes[class as usize].members.set(&mut self.node_at, node, tag);
        self.requeue(class);
    }

    /// Puts a class where it belongs among those that hang on the same clock.
    #[inline]
    fn requeue(&mut self, id: u32) {
        let (saturated, tag) = self.due(id);
        let group = &mut self.groups[self.classes[id as usize].group as usize];
        let heap = if saturated { &mut group.by_wall } else { &mut group.by_clock };
        heap.set(&mut self.class_at, id, tag);
    }

    /// On which clock a class hangs, and where that stands when its next member ends a task.
    #[inline]
    fn due(&self, class: u32) -> (bool, f64) {
        let class = &self.classes[class as usize];
        let first = class.members.first().map_or(f64::INFINITY, |member| member.tag);
        let after = first - class.time;
        (class.saturated, class.since + if class.saturated { after / class.ratio } else { after })
    }

    /// The member of a class that ends a task next.
    #[inline]
    pub(super) fn first_of(&self, class: u32) -> Option<NodeId> {
        self.classes[class as usize].members.first().map(|member| member.item)
    }

    /// Enters a node that can use `demand` cores from now on in its class; its group is settled. When it ends a task is
    /// noted later.
    pub(super) fn enter(&mut self, node: NodeId, demand: f64) {
        let (parent, weight) = (self.nodes[node as usize].parent, self.nodes[node as usize].claim.weight);
        let id = self.class_of(parent, demand / weight);
        let class = &mut self.classes[id as usize];
        class.weight += weight;
        class.demand += demand;
        class.members.push(&mut self.node_at, node, f64::INFINITY);
        let group = &mut self.groups[parent as usize];
        group.demand += demand;
        if class.saturated {
            group.saturated_demand += demand;
        } else {
            group.weight += weight;
        }
        self.nodes[node as usize].class = id;
        self.nodes[node as usize].demand = demand;
        let inner = self.nodes[node as usize].group;
        if inner != NOWHERE {
            self.groups[inner as usize].received = self.class_time(id);
        }
    }

    /// Takes a node out of its class; its group is settled.
    pub(super) fn leave(&mut self, node: NodeId) {
        let (id, weight) = (self.nodes[node as usize].class, self.nodes[node as usize].claim.weight);
        let demand = std::mem::take(&mut self.nodes[node as usize].demand);
        self.nodes[node as usize].class = NOWHERE;
        let class = &mut self.classes[id as usize];
        class.weight -= weight;
        class.demand -= demand;
        class.members.remove(&mut self.node_at, node);
        let (empty, saturated) = (class.members.is_empty(), class.saturated);
        let group = &mut self.groups[class.group as usize];
        group.demand -= demand;
        if saturated {
            group.saturated_demand -= demand;
        } else {
            group.weight -= weight;
        }
        if empty { self.drop_class(id) } else { self.requeue(id) }
    }

    /// The class of a group with that ratio, made where there is none.
    fn class_of(&mut self, parent: u32, ratio: f64) -> u32 {
        let group = &mut self.groups[parent as usize];
        let classes = &self.classes;
        let place = group.classes.partition_point(|&class| classes[class as usize].ratio < ratio);
        if let Some(&class) = group.classes.get(place)
            && self.classes[class as usize].ratio == ratio
        {
            return class;
        }
        let saturated = place < group.saturated;
        let since = if saturated { self.now } else { group.clock };
        let members = Heap::default();
        let new =
            Class { group: parent, ratio, weight: 0.0, demand: 0.0, members, saturated, time: 0.0, since };
        let id = self.spare.pop().unwrap_or(self.classes.len() as u32);
        match self.classes.get_mut(id as usize) {
            // The memory of its members is kept.
            Some(spare) => *spare = Class { members: std::mem::take(&mut spare.members), ..new },
            None => {
                self.classes.push(new);
                self.class_at.push(NOWHERE);
            }
        }
        let group = &mut self.groups[parent as usize];
        group.classes.insert(place, id);
        group.saturated += usize::from(saturated);
        let heap = if saturated { &mut group.by_wall } else { &mut group.by_clock };
        heap.push(&mut self.class_at, id, f64::INFINITY);
        id
    }

    /// Forgets a class that nobody is in. What rounding left in its group's sums goes with the last one.
    fn drop_class(&mut self, id: u32) {
        let class = &self.classes[id as usize];
        let group = &mut self.groups[class.group as usize];
        let heap = if class.saturated { &mut group.by_wall } else { &mut group.by_clock };
        heap.remove(&mut self.class_at, id);
        group.classes.retain(|&other| other != id);
        group.saturated -= usize::from(class.saturated);
        if group.saturated == 0 {
            group.saturated_demand = 0.0;
        }
        if group.classes.is_empty() {
            (group.demand, group.weight, group.clock) = (0.0, 0.0, 0.0);
        }
        self.spare.push(id);
    }

    /// Hangs a class on the other clock; its group is settled.
    pub(super) fn cross(&mut self, id: u32) {
        let time = self.class_time(id);
        let class = &mut self.classes[id as usize];
        let group = &mut self.groups[class.group as usize];
        let (from, to) = match class.saturated {
            true => (&mut group.by_wall, &mut group.by_clock),
            false => (&mut group.by_clock, &mut group.by_wall),
        };
        from.remove(&mut self.class_at, id);
        to.push(&mut self.class_at, id, f64::INFINITY);
        class.saturated = !class.saturated;
        class.time = time;
        if class.saturated {
            class.since = self.now;
            group.saturated += 1;
            group.saturated_demand += class.demand;
            group.weight -= class.weight;
        } else {
            class.since = group.clock;
            group.saturated -= 1;
            group.saturated_demand -= class.demand;
            group.weight += class.weight;
        }
        self.requeue(id);
    }

    /// What a busy node gets for its weight at that level of its group's (cores).
    pub(super) fn rate_by_weight(&self, node: NodeId, level: f64) -> f64 {
        let class = &self.classes[self.nodes[node as usize].class as usize];
        if class.saturated { class.ratio } else { lesser(level, class.ratio) }
    }
}
