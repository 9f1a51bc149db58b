//! Closed forms: what one operation takes, what many take, shares by weight, rates by bounds.

use super::*;
use crate::kernel::queue::EventQueue;

const MS: u64 = 1_000_000;
const S: u64 = 1_000_000_000;
const JIFFIES: Jiffies = Jiffies { tick: 4 * MS, phase: 0, slice: 25 };

fn read(owner: usize, group: usize, bytes: u64) -> Op {
    Op { owner, group, writes: false, bytes, service: 10_000, latency: 30_000 }
}

/// A bench on which each owner asks for its next operation when the last is done; how many each had until `end`, and when.
fn closed(mut disk: Disk, ops: &[Op], end: Instant) -> Vec<Vec<Instant>> {
    let mut done = vec![Vec::new(); ops.len()];
    let mut queue = EventQueue::new();
    for op in ops {
        disk.submit(0, *op);
    }
    loop {
        for (at, event) in disk.timers.drain(..) {
            queue.push(at, 0, event);
        }
        let Some((now, event)) = queue.pop() else { return done };
        if now >= end {
            return done;
        }
        if let Some(owner) = disk.handle(now, event) {
            done[owner].push(now);
            disk.submit(now, ops[owner]);
        }
    }
}

fn disk(weighs: bool, weights: &[u64], bounds: Option<Bounds>) -> Disk {
    let mut disk = Disk::new(Kind { weighs, batches: false });
    let passes: Vec<usize> = bounds.map(|bounds| disk.add_bounds(&bounds, JIFFIES)).into_iter().collect();
    for (group, weight) in weights.iter().enumerate() {
        disk.add_group(group, *weight, if group == 0 { passes.clone() } else { Vec::new() });
    }
    disk
}

#[test]
fn one_at_a_time_takes_service_and_latency() {
    let done = closed(disk(false, &[1], None), &[read(0, 0, 4096)], 41_000);
    assert_eq!(done, [[40_000]]);
}

#[test]
fn many_at_a_time_come_out_at_the_rate_of_the_service() {
    let ops: Vec<Op> = (0..16).map(|owner| read(owner, 0, 4096)).collect();
    let done = closed(disk(false, &[1], None), &ops, S);
    let all: usize = done.iter().map(Vec::len).sum();
    assert!((99_990..=100_000).contains(&all), "{all} of 100,000 a second");
}

#[test]
fn a_batch_takes_what_one_takes_and_a_service_for_each_other() {
    let mut disk = Disk::new(Kind { weighs: false, batches: true });
    disk.add_group(0, 1, Vec::new());
    let ops: Vec<Op> = (0..4).map(|owner| read(owner, 0, 4096)).collect();
    let done = closed(disk, &ops, 150_000);
    assert_eq!(done, vec![vec![70_000, 140_000]; 4]);
}

#[test]
fn two_that_keep_the_device_busy_share_it_by_weight_only_where_it_weighs() {
    let ops: Vec<Op> = (0..32).map(|owner| read(owner, owner / 16, 4096)).collect();
    let share = |weighs| {
        let done = closed(disk(weighs, &[300, 100], None), &ops, S);
        let of = |group: usize| done[16 * group..][..16].iter().map(Vec::len).sum::<usize>();
        of(0) as f64 / (of(0) + of(1)) as f64
    };
    assert!((share(true) - 0.75).abs() < 0.001, "{}", share(true));
    assert!((share(false) - 0.5).abs() < 0.001, "{}", share(false));
}

#[test]
fn bounds_are_met_over_many_slices_and_used_up_in_bursts() {
    let bytes = Bounds { read: Some(4_096_000), ..Bounds::default() };
    let ops = Bounds { ops: Some(1000), ..Bounds::default() };
    for bounds in [bytes, ops] {
        let done = closed(disk(false, &[1], Some(bounds)), &[read(0, 0, 4096)], 10 * S);
        let all = done[0].len();
        assert!((9_900..=10_110).contains(&all), "{all} of 10,000 in 10 s ({bounds:?})");
        // The first slice's hundred come as fast as the device gives them, the next a slice later.
        assert!(done[0][99] < 5 * MS && done[0][100] >= 100 * MS, "{:?}", &done[0][99..=100]);
    }
}

#[test]
fn a_bound_of_reads_lets_writes_through() {
    let bounds = Bounds { read: Some(4096), ..Bounds::default() };
    let write = Op { writes: true, ..read(1, 0, 4096) };
    let done = closed(disk(false, &[1], Some(bounds)), &[read(0, 0, 4096), write], S);
    assert!(done[1].len() > 20_000 && done[0].len() <= 1, "{} {}", done[0].len(), done[1].len());
}

#[test]
fn an_operation_above_a_slices_allowance_waits_for_as_many_as_it_takes() {
    let bounds = Bounds { write: Some(1 << 20), ..Bounds::default() };
    let write = Op { writes: true, ..read(0, 0, 1 << 20) };
    let done = closed(disk(false, &[1], Some(bounds)), &[write], 10 * S);
    assert!((9..=11).contains(&done[0].len()), "{} of 1 MiB a second in 10 s", done[0].len());
    assert!(done[0][0] > 900 * MS, "{:?}", done[0][0]);
}
