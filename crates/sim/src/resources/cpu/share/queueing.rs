//! Closed forms of queueing theory as judges.

use std::collections::VecDeque;

use super::{Claim, NodeId, Shares, TOP};
use crate::kernel::rng::SplitMix64;

const CUSTOMERS: usize = 200_000;
const BATCHES: usize = 40;
const LOAD: f64 = 0.6;
const WHOLE: Claim = Claim { weight: 1.0, cap: 1.0 };

fn uniform(dice: &mut SplitMix64) -> f64 {
    ((dice.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// Demands of mean 1.
#[derive(Debug, Clone, Copy)]
enum Demand {
    Constant,
    Exponential,
    /// Nine in ten need 1/3, one in ten 7: a squared variation of 4.
    Mixed,
}

impl Demand {
    fn draw(self, dice: &mut SplitMix64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Exponential => -libm::log(uniform(dice)),
            Self::Mixed => {
                if dice.below(10) == 0 {
                    7.0
                } else {
                    1.0 / 3.0
                }
            }
        }
    }
}

/// A Poisson stream of customers, and their times at the server.
struct Door {
    dice: SplitMix64,
    demand: Demand,
    next_s: f64,
    left: usize,
}

impl Door {
    fn new(demand: Demand) -> Self {
        let dice = SplitMix64::named(11, "door");
        Self { dice, demand, next_s: 0.0, left: CUSTOMERS }
    }

    /// The next arrival, if it is before `end`.
    fn before(&mut self, end: Option<f64>) -> Option<(f64, f64)> {
        if self.left == 0 || end.is_some_and(|end| end <= self.next_s) {
            return None;
        }
        self.left -= 1;
        let arrival = (self.next_s, self.demand.draw(&mut self.dice));
        self.next_s -= libm::log(uniform(&mut self.dice)) / LOAD;
        Some(arrival)
    }
}

/// First come, first served, on one core.
fn in_turn(demand: Demand) -> Vec<f64> {
    let (mut shares, mut door) = (Shares::new(1.0), Door::new(demand));
    let server = shares.add_task(TOP, WHOLE);
    let (mut there, mut sojourns) = (VecDeque::new(), Vec::new());
    loop {
        let end = shares.next();
        if let Some((at, work)) = door.before(end) {
            shares.pass(at);
            if there.is_empty() {
                shares.start(server, work);
            }
            there.push_back((at, work));
        } else {
            let Some(_) = shares.complete() else { return sojourns };
            sojourns.push(shares.now() - there.pop_front().unwrap().0);
            if let Some((_, work)) = there.front() {
                shares.start(server, *work);
            }
        }
    }
}

/// Everyone at once, on one core.
fn together(demand: Demand) -> Vec<f64> {
    let (mut shares, mut door) = (Shares::new(1.0), Door::new(demand));
    let (mut spare, mut arrived): (Vec<NodeId>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut sojourns = Vec::new();
    loop {
        let end = shares.next();
        if let Some((at, work)) = door.before(end) {
            shares.pass(at);
            let task = spare.pop().unwrap_or_else(|| shares.add_task(TOP, WHOLE));
            arrived.resize(arrived.len().max(task as usize + 1), 0.0);
            arrived[task as usize] = at;
            shares.start(task, work);
        } else {
            let Some(task) = shares.complete() else { return sojourns };
            sojourns.push(shares.now() - arrived[task as usize]);
            spare.push(task);
        }
    }
}

/// The mean is within its 99.9 % interval of what theory says, by batches, and the interval is narrow enough to say something.
fn confirm(what: &str, sojourns: &[f64], expected: f64) {
    /// Student's t with 39 degrees of freedom.
    const QUANTILE: f64 = 3.558;
    let mean_of = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let batches: Vec<f64> = sojourns.chunks_exact(CUSTOMERS / BATCHES).map(mean_of).collect();
    assert_eq!(batches.len(), BATCHES, "{what}");
    let mean = mean_of(&batches);
    let squares: Vec<f64> = batches.iter().map(|batch| (batch - mean) * (batch - mean)).collect();
    let half_width = QUANTILE * (mean_of(&squares) / (BATCHES - 1) as f64).sqrt();
    assert!(half_width < 0.06 * expected, "{what}: ±{half_width} says nothing");
    assert!((mean - expected).abs() <= half_width, "{what}: {mean} ± {half_width} instead of {expected}");
}

/// Pollaczek and Khinchine: 1 + ρ(1 + c²)/2(1 − ρ).
#[test]
fn in_turn_it_is_mm1_and_md1() {
    for (demand, squared_variation) in
        [(Demand::Exponential, 1.0), (Demand::Constant, 0.0), (Demand::Mixed, 4.0)]
    {
        let expected = 1.0 + LOAD * (1.0 + squared_variation) / (2.0 * (1.0 - LOAD));
        confirm(&format!("{demand:?} in turn"), &in_turn(demand), expected);
    }
}

/// 1/(1 − ρ), whatever the shape.
#[test]
fn together_it_is_mg1_ps_whatever_the_shape() {
    for demand in [Demand::Exponential, Demand::Constant, Demand::Mixed] {
        confirm(&format!("{demand:?} together"), &together(demand), 1.0 / (1.0 - LOAD));
    }
}
