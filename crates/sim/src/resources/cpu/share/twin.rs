//! The slow twin: at each event it fills every group from scratch, and it keeps nothing but what is left to do.

use super::{Claim, NodeId};

#[derive(Debug, Clone)]
struct Node {
    parent: usize,
    claim: Claim,
    is_task: bool,
    left: Option<f64>,
    rate: f64,
}

/// The same doors as [`super::Shares`].
#[derive(Debug, Clone)]
pub(super) struct Twin {
    now: f64,
    nodes: Vec<Node>,
}

impl Twin {
    pub(super) fn new(capacity: f64) -> Self {
        let claim = Claim { weight: 1.0, cap: capacity };
        Self { now: 0.0, nodes: vec![Node { parent: 0, claim, is_task: false, left: None, rate: 0.0 }] }
    }

    pub(super) fn add(&mut self, parent: NodeId, claim: Claim, is_task: bool) -> NodeId {
        self.nodes.push(Node { parent: parent as usize, claim, is_task, left: None, rate: 0.0 });
        self.nodes.len() as NodeId - 1
    }

    fn children(&self, group: usize) -> Vec<usize> {
        (1..self.nodes.len()).filter(|&node| self.nodes[node].parent == group).collect()
    }

    /// The most that a node can use.
    fn demand(&self, node: usize) -> f64 {
        let Node { claim, is_task, left, .. } = &self.nodes[node];
        match is_task {
            true => left.map_or(0.0, |_| claim.cap),
            false => self.children(node).iter().map(|&child| self.demand(child)).sum::<f64>().min(claim.cap),
        }
    }

    fn fill(&mut self, group: usize, rate: f64) {
        self.nodes[group].rate = rate;
        let mut open: Vec<usize> = self.children(group);
        open.retain(|&child| self.demand(child) > 0.0);
        let mut room = rate;
        loop {
            let weight: f64 = open.iter().map(|&child| self.nodes[child].claim.weight).sum();
            let level = room / weight;
            let (full, rest): (Vec<_>, Vec<_>) = open
                .iter()
                .copied()
                .partition(|&child| self.demand(child) <= self.nodes[child].claim.weight * level);
            for &child in &full {
                let demand = self.demand(child);
                room -= demand;
                self.fill(child, demand);
            }
            if full.is_empty() {
                for child in rest {
                    self.fill(child, self.nodes[child].claim.weight * level);
                }
                break;
            }
            open = rest;
        }
    }

    fn share(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.rate = 0.0);
        self.fill(0, self.demand(0));
    }

    pub(super) fn next(&mut self) -> Option<(f64, NodeId)> {
        self.share();
        let end = |(index, node): (usize, &Node)| {
            let left = node.left.filter(|_| node.is_task)?;
            Some((self.now + left / node.rate, index as NodeId))
        };
        self.nodes.iter().enumerate().filter_map(end).min_by(|a, b| a.0.total_cmp(&b.0))
    }

    pub(super) fn pass(&mut self, at: f64) {
        self.share();
        for node in &mut self.nodes {
            if let Some(left) = &mut node.left {
                *left = (*left - node.rate * (at - self.now)).max(0.0);
            }
        }
        self.now = at;
    }

    pub(super) fn set(&mut self, task: NodeId, work: Option<f64>) -> f64 {
        std::mem::replace(&mut self.nodes[task as usize].left, work).unwrap_or(0.0)
    }
}
