//! The exact model as the judge where the kernel itself is fluid: one core, or threads that are pinned, over seconds.

use super::{Claim, NodeId, Shares, TOP};
use crate::kernel::rng::SplitMix64;
use crate::resources::cpu::bench::{Bench, MS};
use crate::resources::cpu::{GroupId, GroupSpec, Quota, ROOT, ThreadId};

const PERIOD: u64 = 100 * MS;
/// More than anybody gets done (core-seconds).
const GIVEN: f64 = 1e3;

/// Both models of a core, side by side.
struct Both {
    exact: Bench,
    core: usize,
    fluid: Shares,
    /// (thread, task) of each hog.
    hogs: Vec<(ThreadId, NodeId)>,
}

/// A group in both models.
#[derive(Clone, Copy)]
struct Pair(GroupId, NodeId);

const BOTH: Pair = Pair(ROOT, TOP);

impl Both {
    fn new() -> Self {
        Self { exact: Bench::new(1), core: 0, fluid: Shares::new(1.0), hogs: Vec::new() }
    }

    /// `limit` in thousandths of a core.
    fn group(&mut self, parent: Pair, shares: u64, limit: Option<u64>) -> Pair {
        let quota = limit.map(|limit| Quota { quota: limit * PERIOD / 1000, period: PERIOD, burst: 0 });
        let cap = limit.map_or(f64::INFINITY, |limit| limit as f64 / 1000.0);
        Pair(
            self.exact.cpu.add_group(GroupSpec { parent: parent.0, shares, quota }),
            self.fluid.add_group(parent.1, Claim { weight: shares as f64 / 1024.0, cap }),
        )
    }

    /// A thread that computes for ever: its weight is that of nice 0.
    fn hog(&mut self, group: Pair) {
        let task = self.fluid.add_task(group.1, Claim { weight: 1.0, cap: 1.0 });
        self.fluid.start(task, GIVEN);
        self.hogs.push((self.exact.hog(group.0, self.core), task));
    }

    /// Lets ten seconds pass, and holds the CPU times against each other.
    fn agree(mut self, what: &str) {
        const SECONDS: u64 = 10;
        self.exact.pass(SECONDS * 1000 * MS);
        self.exact.cpu.settle();
        self.fluid.pass(SECONDS as f64);
        for (thread, task) in self.hogs {
            let exact = self.exact.cpu.cpu_ns(thread) as f64 / 1e9;
            let fluid = GIVEN - self.fluid.left(task);
            let error = (exact / fluid - 1.0).abs();
            assert!(error <= 0.02, "{what}, task {task}: {exact} s, the fluid model says {fluid} s");
        }
    }
}

#[test]
fn exact_and_fluid_agree_on_one_core_by_weights_groups_and_quotas() {
    let mut both = Both::new();
    (0..3).for_each(|_| both.hog(BOTH));
    both.agree("three hogs");

    let mut both = Both::new();
    for shares in [256, 1024, 4096] {
        let group = both.group(BOTH, shares, None);
        both.hog(group);
        both.hog(group);
    }
    both.agree("weights");

    let mut both = Both::new();
    let outer = both.group(BOTH, 2048, None);
    for shares in [512, 1536] {
        let inner = both.group(outer, shares, None);
        both.hog(inner);
    }
    both.hog(BOTH);
    both.agree("groups in groups");

    let mut both = Both::new();
    // One thread: several in a group that is throttled do not find their turns, and the kernel is not fluid.
    let capped = both.group(BOTH, 4096, Some(300));
    both.hog(capped);
    let other = both.group(BOTH, 1024, None);
    both.hog(other);
    both.agree("a quota");
}

#[test]
fn exact_and_fluid_agree_on_random_trees_of_groups() {
    for seed in 0..40 {
        let mut dice = SplitMix64::named(seed, "tree");
        let mut both = Both::new();
        let mut groups = vec![BOTH];
        for _ in 0..1 + dice.below(5) {
            let parent = groups[dice.below(groups.len() as u64) as usize];
            let shares = 256 * (1 + dice.below(8));
            let group = both.group(parent, shares, None);
            both.hog(group);
            groups.push(group);
        }
        both.agree(&format!("tree {seed}"));
    }
}

/// Three levels as on paper: each group's part of what is above it is its weight among its busy siblings'.
#[test]
fn three_levels_divide_a_core_as_the_product_of_their_parts() {
    // (shares of tenant, of its group within, hogs there); weights are halves, quarters and so on.
    let tree: [(u64, &[(u64, usize)]); 3] =
        [(1024, &[(1024, 1), (3072, 2)]), (2048, &[(512, 1), (512, 1)]), (1024, &[(100, 3)])];
    let all: u64 = tree.iter().map(|(shares, _)| shares).sum();
    let mut both = Both::new();
    let guard = both.group(BOTH, 1024, None);
    let mut expected = Vec::new();
    for (shares, inner) in tree {
        let tenant = both.group(guard, shares, None);
        let within: u64 = inner.iter().map(|(shares, _)| shares).sum();
        for &(part, hogs) in inner {
            let group = both.group(tenant, part, None);
            for _ in 0..hogs {
                both.hog(group);
                let whole = shares as f64 / all as f64 * part as f64 / within as f64;
                expected.push(whole / hogs as f64);
            }
        }
    }
    const SECONDS: u64 = 20;
    both.exact.pass(SECONDS * 1000 * MS);
    both.exact.cpu.settle();
    both.fluid.pass(SECONDS as f64);
    for ((thread, task), expected) in both.hogs.into_iter().zip(expected) {
        let exact = both.exact.cpu.cpu_ns(thread) as f64 / 1e9 / SECONDS as f64;
        let fluid = (GIVEN - both.fluid.left(task)) / SECONDS as f64;
        assert!((exact / expected - 1.0).abs() <= 0.02, "task {task}: {exact} of a core, not {expected}");
        assert!((fluid - expected).abs() < 1e-9, "task {task}: {fluid} of a core, not {expected}");
    }
}
