//! M/M/1: one core, first come, first served.

use std::collections::VecDeque;

use super::{SEED, SERVICE_SEED};
use crate::bench::Sojourns;
use crate::resources::cpu::share::{Claim, Shares, TOP};
use crate::workload::Exponential;

/// Customers per mean service time.
const LOAD: f64 = 0.9;

pub(crate) fn mm1(customers: u64) -> Sojourns {
    let mut shares = Shares::new(1.0);
    let server = shares.add_task(TOP, Claim { weight: 1.0, cap: 1.0 });
    let (mut gaps, mut services) = (Exponential::from(SEED, 0), Exponential::from(SERVICE_SEED, 0));
    // When those arrived who are there, the one being served first.
    let mut there: VecDeque<f64> = VecDeque::new();
    let mut arrival_s = gaps.next() / LOAD;
    let (mut arrived, mut sum_s) = (0, 0.0);
    while arrived < customers || !there.is_empty() {
        let served_s = shares.next().unwrap_or(f64::INFINITY);
        if arrived < customers && arrival_s < served_s {
            shares.pass(arrival_s);
            if there.is_empty() {
                shares.start(server, services.next());
            }
            there.push_back(arrival_s);
            arrived += 1;
            arrival_s += gaps.next() / LOAD;
        } else {
            shares.complete();
            sum_s += shares.now() - there.pop_front().unwrap_or_else(|| shares.now());
            if !there.is_empty() {
                shares.start(server, services.next());
            }
        }
    }
    Sojourns { mean_sojourn_s: sum_s / customers as f64, work_items: customers }
}
