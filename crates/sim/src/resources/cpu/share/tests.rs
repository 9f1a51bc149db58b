use super::twin::Twin;
use super::{Claim, NodeId, Shares, TOP};
use crate::kernel::rng::SplitMix64;

const FREE: f64 = f64::INFINITY;

fn claim(weight: f64, cap: f64) -> Claim {
    Claim { weight, cap }
}

/// A tree, and what is asked of its tasks when.
#[derive(Debug, Clone)]
struct Plan {
    capacity: f64,
    /// (parent, claim, whether it is a task) of node 1 and those that follow.
    nodes: Vec<(NodeId, Claim, bool)>,
    /// (when, task, work to do from then on; `None`: stop), in order.
    orders: Vec<(f64, NodeId, Option<f64>)>,
    /// What a task that has ended is given at once.
    follow_up: f64,
}

fn uniform(dice: &mut SplitMix64) -> f64 {
    (dice.below(1 << 30) as f64 + 0.5) / (1_u64 << 30) as f64
}

fn plan(seed: u64) -> Plan {
    let mut dice = SplitMix64::named(seed, "plan");
    // Few different values in some plans, so that classes have several members; all different in others.
    let coarse = dice.below(2) == 0;
    let value = |dice: &mut SplitMix64, scale: f64| match coarse {
        true => scale * (1 + dice.below(3)) as f64 / 2.0,
        false => scale * (0.1 + uniform(dice)),
    };
    let mut groups = vec![0];
    let mut nodes = Vec::new();
    let mut tasks = Vec::new();
    for node in 1..=(3 + dice.below(14)) as NodeId {
        let parent = groups[dice.below(groups.len() as u64) as usize];
        let is_task = node > 2 && dice.below(3) > 0;
        let cap = if !is_task && dice.below(2) == 0 { FREE } else { value(&mut dice, 1.0) };
        nodes.push((parent, claim(value(&mut dice, 2.0), cap), is_task));
        if is_task { tasks.push(node) } else { groups.push(node) }
    }
    let capacity = value(&mut dice, 2.0);
    let mut orders = Vec::new();
    for _ in 0..if tasks.is_empty() { 0 } else { 2 + dice.below(16) } {
        let task = tasks[dice.below(tasks.len() as u64) as usize];
        let work = (dice.below(6) > 0).then(|| 3.0 * uniform(&mut dice));
        orders.push((6.0 * uniform(&mut dice), task, work));
    }
    orders.sort_by(|a, b| a.0.total_cmp(&b.0));
    Plan { capacity, nodes, orders, follow_up: uniform(&mut dice) }
}

/// For each node: when its tasks ended, and (as negative numbers) what was left where an order came between.
type Story = Vec<Vec<f64>>;

/// A task is given one more piece of work after every second end.
fn follows(story: &Story, task: NodeId) -> bool {
    story[task as usize].len() % 2 == 1
}

fn fast(plan: &Plan) -> Story {
    let mut shares = Shares::new(plan.capacity);
    for &(parent, claim, is_task) in &plan.nodes {
        if is_task {
            shares.add_task(parent, claim)
        } else {
            shares.add_group(parent, claim)
        };
    }
    let mut story = vec![Vec::new(); plan.nodes.len() + 1];
    let run = |shares: &mut Shares, story: &mut Story, until: f64| {
        while shares.next().is_some_and(|at| at <= until)
            && let Some(task) = shares.complete()
        {
            story[task as usize].push(shares.now());
            if follows(story, task) {
                shares.start(task, plan.follow_up);
            }
        }
    };
    for &(at, task, work) in &plan.orders {
        run(&mut shares, &mut story, at);
        shares.pass(at);
        let left = match work {
            Some(work) => {
                let left = shares.left(task);
                shares.start(task, work);
                left
            }
            None => shares.stop(task),
        };
        story[task as usize].push(-left);
    }
    run(&mut shares, &mut story, f64::MAX);
    story
}

fn slow(plan: &Plan) -> Story {
    let mut twin = Twin::new(plan.capacity);
    for &(parent, claim, is_task) in &plan.nodes {
        twin.add(parent, claim, is_task);
    }
    let mut story = vec![Vec::new(); plan.nodes.len() + 1];
    let run = |twin: &mut Twin, story: &mut Story, until: f64| {
        while let Some((at, task)) = twin.next().filter(|(at, _)| *at <= until) {
            twin.pass(at);
            story[task as usize].push(at);
            let next = follows(story, task).then_some(plan.follow_up);
            twin.set(task, next);
        }
    };
    for &(at, task, work) in &plan.orders {
        run(&mut twin, &mut story, at);
        twin.pass(at);
        let left = twin.set(task, work);
        story[task as usize].push(-left);
    }
    run(&mut twin, &mut story, f64::MAX);
    story
}

#[test]
fn agrees_with_filling_from_scratch_on_ten_thousand_random_plans() {
    let mut compared = 0;
    for seed in 0..10_000 {
        let plan = plan(seed);
        let (fast, slow) = (fast(&plan), slow(&plan));
        for (node, (fast, slow)) in fast.iter().zip(&slow).enumerate() {
            let context = || format!("seed {seed}, node {node}: {fast:?}, twin {slow:?}\n{plan:?}");
            assert_eq!(fast.len(), slow.len(), "{}", context());
            for (a, b) in fast.iter().zip(slow) {
                assert!((a - b).abs() <= 1e-9 * (1.0 + b.abs()), "{}", context());
            }
            compared += fast.len();
        }
    }
    assert!(compared > 100_000, "only {compared} figures were compared");
}

/// Shares of busy tasks, from what is left after a second of hogging.
fn cores(shares: &mut Shares, tasks: &[NodeId]) -> Vec<f64> {
    const WORK: f64 = 1000.0;
    tasks.iter().for_each(|&task| shares.start(task, WORK));
    shares.pass(shares.now() + 1.0);
    tasks.iter().map(|&task| WORK - shares.stop(task)).collect()
}

#[test]
fn cores_go_by_weight_up_to_the_caps() {
    /// Capacity, (weight, cap) of each task, cores of each.
    type Case<'a> = (f64, &'a [(f64, f64)], &'a [f64]);
    let table: [Case<'_>; 6] = [
        (1.0, &[(1.0, FREE), (3.0, FREE)], &[0.25, 0.75]),
        (8.0, &[(1.0, 1.0), (1.0, 1.0)], &[1.0, 1.0]),
        (2.0, &[(1.0, 1.0), (1.0, 1.0), (2.0, 1.0)], &[0.5, 0.5, 1.0]),
        (2.0, &[(1.0, 0.25), (1.0, 1.0), (2.0, 2.0)], &[0.25, 1.75 / 3.0, 3.5 / 3.0]),
        (4.0, &[(10.0, 0.5), (1.0, 1.0)], &[0.5, 1.0]),
        (1.0, &[(100.0, 0.1), (1.0, 0.2), (1.0, 1.0)], &[0.1, 0.2, 0.7]),
    ];
    for (capacity, claims, expected) in table {
        let mut shares = Shares::new(capacity);
        let tasks: Vec<_> = claims.iter().map(|&(w, cap)| shares.add_task(TOP, claim(w, cap))).collect();
        let found = cores(&mut shares, &tasks);
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{claims:?}: {found} instead of {expected}");
        }
    }
}

#[test]
fn a_group_passes_on_what_it_gets_and_no_more_than_its_quota() {
    let mut shares = Shares::new(4.0);
    let capped = shares.add_group(TOP, claim(1.0, 1.5));
    let inner = shares.add_group(capped, claim(2.0, FREE));
    let tasks = [
        shares.add_task(inner, claim(1.0, 1.0)),
        shares.add_task(inner, claim(3.0, 1.0)),
        shares.add_task(capped, claim(1.0, 1.0)),
        shares.add_task(TOP, claim(1.0, 1.0)),
    ];
    // The quota of 1.5 goes 2 to 1; within, 1 to 3.
    let found = cores(&mut shares, &tasks);
    for (found, expected) in found.iter().zip([0.25, 0.75, 0.5, 1.0]) {
        assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
    }
}

#[test]
fn who_has_ended_and_gets_more_at_once_never_paused() {
    let mut shares = Shares::new(1.0);
    let [a, b] = [1.0, 1.0].map(|weight| shares.add_task(TOP, claim(weight, 1.0)));
    shares.start(a, 1.0);
    shares.start(b, f64::INFINITY);
    for round in 1..=3 {
        assert_eq!(shares.complete(), Some(a));
        assert!((shares.now() - 2.0 * f64::from(round)).abs() < 1e-12);
        shares.start(a, 1.0);
    }
    shares.stop(a);
    assert_eq!(shares.complete(), None, "a hog never ends");
}
