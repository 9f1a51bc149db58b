//! The fluid CPU model: a capacity divided among the nodes of a tree, with no scheduler in between.
//!
//! **Law.** Hierarchical weighted max-min fairness with caps. The busy children of a group that has R cores get
//! min(w·λ, d) each, where w is a child's weight, d the most it can use (its cap; for a group the least of its cap and what
//! its busy children can use), and the level λ is such that all of it is given out: Σ min(w·λ, d) = R. A quota is a cap; a
//! machine within the machine is a group whose cap are its cores.
//!
//! **How.** Children with the same d/w are a *class*: whatever λ is, each gets w·min(λ, d/w), so all keep the order in which
//! they end, in the class's virtual time, which grows by min(λ, d/w). A class hangs on the wall clock while λ is above its
//! d/w, else on its group's clock ∫λ dt, and nothing is touched but when it goes from one to the other. A group with one
//! class is linear in what it gets, so it ends its next task at an amount of work that no change above it moves. A completion
//! costs O(log n); a change of who is busy that, for each level, and the classes that cross λ; groups with several classes
//! have their level found anew when that above them changes.
//!
//! **Source.** Bertsekas and Gallager, "Data Networks" (1992), 6.5.2 (max-min fairness); Parekh and Gallager, "A generalized
//! processor sharing approach to flow control" (1993) (virtual time); Bennett and Zhang, "Hierarchical packet fair queueing
//! algorithms" (1996) (levels); Linux `Documentation/admin-guide/cgroup-v2.rst` (weights among busy siblings).
//!
//! **Judge.** A slow twin that fills from scratch at each event; closed forms of queueing theory; the exact model where the
//! kernel is fluid.

mod class;
#[cfg(test)]
mod exact;
mod flow;
mod heap;
#[cfg(test)]
mod queueing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod twin;

use std::collections::BTreeSet;

use class::Class;
use heap::{Heap, NOWHERE};

use crate::kernel::choice::greater;

/// A node of the tree.
pub(crate) type NodeId = u32;
/// The group that every node descends from.
pub(crate) const TOP: NodeId = 0;

/// What a node may claim among its siblings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Claim {
    /// Share relative to the siblings', above 0.
    pub(crate) weight: f64,
    /// The most it may use (cores), above 0; infinite for no bound.
    pub(crate) cap: f64,
}

#[derive(Debug, Clone)]
struct Node {
    /// The group that it is in; the top one is in itself.
    parent: u32,
    /// Its own group, [`NOWHERE`] for a task.
    group: u32,
    /// The class that it is in, [`NOWHERE`] while it is idle.
    class: u32,
    claim: Claim,
    /// 1 / weight: to multiply is faster than to divide.
    by_weight: f64,
    /// The most it can use now (cores), 0 while it is idle.
    demand: f64,
}

#[derive(Debug, Clone)]
struct Group {
    node: NodeId,
    /// Classes of the busy children, by ratio; the first `saturated` of them get all they can use. The last one never
    /// counts as such: when it gets all, λ is its ratio.
    classes: Vec<u32>,
    saturated: usize,
    /// What all busy children can use, and what the saturated classes do (cores).
    demand: f64,
    saturated_demand: f64,
    /// Weight of the classes that are not saturated.
    weight: f64,
    /// λ (cores per weight), where somebody depends on it: at the top, in groups with several classes, above those.
    level: f64,
    /// ∫λ dt up to `at`.
    clock: f64,
    at: f64,
    /// The parent's class's time up to which work has been received.
    received: f64,
    /// Which class ends a task next: those that hang on the wall clock, and on `clock`.
    by_wall: Heap,
    by_clock: Heap,
    /// Child groups whose shares within depend on λ in more than proportion.
    sensitive: BTreeSet<u32>,
}

/// A capacity and those who share it.
#[derive(Debug, Clone)]
pub(crate) struct Shares {
    now: f64,
    nodes: Vec<Node>,
    groups: Vec<Group>,
    classes: Vec<Class>,
    /// Classes that nobody is in.
    spare: Vec<u32>,
    /// Where each node is among its class's members, and each class in its group's heaps.
    node_at: Vec<u32>,
    class_at: Vec<u32>,
    /// A task that has ended and may be given the next piece of work before anybody notices that it paused.
    ended: Option<NodeId>,
    /// The groups from a task to the top; kept for its memory.
    path: Vec<u32>,
}

impl Shares {
    /// `capacity` cores that nobody shares yet, at time 0.
    pub(crate) fn new(capacity: f64) -> Self {
        let mut shares = Self {
            now: 0.0,
            nodes: Vec::new(),
            groups: Vec::new(),
            classes: Vec::new(),
            spare: Vec::new(),
            node_at: Vec::new(),
            class_at: Vec::new(),
            ended: None,
            path: Vec::new(),
        };
        shares.add_group(TOP, Claim { weight: 1.0, cap: capacity });
        shares
    }

    /// A group in `parent`.
    pub(crate) fn add_group(&mut self, parent: NodeId, claim: Claim) -> NodeId {
        let group = self.groups.len() as u32;
        if let Some(above) = self.nodes.get(parent as usize) {
            self.settle(above.group);
        }
        let node = self.add_node(parent, group, claim);
        self.groups.push(Group {
            node,
            classes: Vec::new(),
            saturated: 0,
            demand: 0.0,
            saturated_demand: 0.0,
            weight: 0.0,
            level: 0.0,
            clock: 0.0,
            at: self.now,
            received: 0.0,
            by_wall: Heap::default(),
            by_clock: Heap::default(),
            sensitive: BTreeSet::new(),
        });
        node
    }

    /// A task in `parent`, idle.
    pub(crate) fn add_task(&mut self, parent: NodeId, claim: Claim) -> NodeId {
        let capacity = self.nodes[TOP as usize].claim.cap;
        self.add_node(parent, NOWHERE, Claim { cap: claim.cap.min(capacity), ..claim })
    }

    fn add_node(&mut self, parent: NodeId, group: u32, claim: Claim) -> NodeId {
        let node = self.nodes.len() as NodeId;
        let parent = self.nodes.get(parent as usize).map_or(0, |parent| parent.group);
        self.nodes.push(Node {
            parent,
            group,
            class: NOWHERE,
            claim,
            by_weight: 1.0 / claim.weight,
            demand: 0.0,
        });
        self.node_at.push(NOWHERE);
        node
    }

    /// The time (s).
    #[inline]
    pub(crate) fn now(&self) -> f64 {
        self.now
    }

    /// Lets time pass up to `at` (s), which is not after the next completion.
    pub(crate) fn pass(&mut self, at: f64) {
        self.rest_ended();
        self.now = at;
    }

    /// Gives a task `work` (core-seconds) to do from now on, instead of what it may have left.
    #[inline]
    pub(crate) fn start(&mut self, task: NodeId, work: f64) {
        if self.ended == Some(task) {
            self.ended = None;
        } else {
            self.rest_ended();
        }
        if self.nodes[task as usize].class == NOWHERE {
            self.change(task, self.nodes[task as usize].claim.cap);
        }
        self.settle(self.nodes[task as usize].parent);
        self.retag(task, work);
        self.retag_above(task);
    }

    /// Has a task rest; answers what it has left to do (core-seconds).
    pub(crate) fn stop(&mut self, task: NodeId) -> f64 {
        self.rest_ended();
        let left = self.left(task);
        if self.nodes[task as usize].class != NOWHERE {
            self.change(task, 0.0);
        }
        left
    }

    /// What a task has left to do (core-seconds).
    pub(crate) fn left(&mut self, task: NodeId) -> f64 {
        let node = &self.nodes[task as usize];
        let (class, weight) = (node.class, node.claim.weight);
        if class == NOWHERE || self.ended == Some(task) {
            return 0.0;
        }
        self.settle(node.parent);
        let tag = self.tag(task);
        greater((tag - self.class_time(class)) * weight, 0.0)
    }

    /// When the next task ends (s), if nothing changes before.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<f64> {
        self.rest_ended();
        let (after, _) = self.next_in(0)?;
        let at = self.groups[0].at + after;
        at.is_finite().then(|| greater(at, self.now))
    }

    /// Lets time pass until the next task ends, and answers which. It may be started again at once; else it rests.
    #[inline]
    pub(crate) fn complete(&mut self) -> Option<NodeId> {
        self.now = self.next()?;
        let mut group = 0;
        loop {
            let task = self.due_in(group)?;
            match self.nodes[task as usize].group {
                NOWHERE => {
                    self.ended = Some(task);
                    return Some(task);
                }
                inner => group = inner,
            }
        }
    }

    #[inline]
    fn rest_ended(&mut self) {
        if let Some(task) = self.ended.take() {
            self.change(task, 0.0);
        }
    }
}
