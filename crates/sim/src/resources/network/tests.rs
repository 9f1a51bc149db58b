//! The link beside closed forms, and beside a twin that counts small steps.

use std::collections::VecDeque;

use super::{Link, LinkEvent, Parcel};
use crate::kernel::Instant;
use crate::kernel::rng::SplitMix64;

/// When each message has come: (sender, bytes, instant).
fn carried(bandwidth: u64, latency: u64, sent: &[(Instant, u32, u64)]) -> Vec<(u32, u64, Instant)> {
    let mut link = Link::new(Some(bandwidth), latency);
    let mut pending: Vec<(Instant, usize, LinkEvent<u32>)> = Vec::new();
    let (mut to_send, mut came, mut order) = (sent.iter().copied().collect::<VecDeque<_>>(), Vec::new(), 0);
    loop {
        pending.sort_by_key(|(at, order, _)| (*at, *order));
        let next = pending.first().map(|(at, ..)| *at);
        match to_send.front().copied() {
            Some((at, flow, bytes)) if next.is_none_or(|next| at <= next) => {
                to_send.pop_front();
                link.send(at, Parcel { flow, bytes });
            }
            _ => {
                let Some(now) = next else { return came };
                let (_, _, event) = pending.remove(0);
                came.extend(link.handle(now, event).map(|parcel| (parcel.flow, parcel.bytes, now)));
            }
        }
        for (at, event) in link.timers.drain(..) {
            order += 1;
            pending.push((at, order, event));
        }
    }
}

#[test]
fn one_sender_has_all_of_it_and_n_have_the_nth_part() {
    // 1 byte a nanosecond.
    let table: [(&[(Instant, u32, u64)], &[(u32, u64, Instant)]); 4] = [
        (&[(5, 0, 1000)], &[(0, 1000, 1105)]),
        (&[(0, 0, 1000), (0, 0, 500)], &[(0, 1000, 1100), (0, 500, 1600)]),
        (&[(0, 0, 1000), (0, 1, 1000), (0, 2, 1000)], &[(0, 1000, 3100), (1, 1000, 3100), (2, 1000, 3100)]),
        // The second gets half from 400 on: 600 there at 1600; then 400 alone.
        (&[(0, 0, 1000), (400, 1, 1000)], &[(0, 1000, 1700), (1, 1000, 2100)]),
    ];
    for (sent, came) in table {
        assert_eq!(carried(1_000_000_000, 100, sent), came, "{sent:?}");
    }
}

#[test]
fn a_link_without_a_bandwidth_only_takes_time() {
    let mut link = Link::new(None, 50);
    link.send(10, Parcel { flow: 7, bytes: u64::MAX });
    assert_eq!(link.timers, [(60, LinkEvent::Come(Parcel { flow: 7, bytes: u64::MAX }))]);
}

/// The slow twin: a byte after the other, in turns.
fn byte_by_byte(sent: &[(Instant, u32, u64)], flows: u32) -> Vec<(u32, u64, Instant)> {
    let mut lines: Vec<VecDeque<(u64, f64)>> = vec![VecDeque::new(); flows as usize];
    let (mut came, mut next, mut now) = (Vec::new(), 0, 0);
    while next < sent.len() || lines.iter().any(|line| !line.is_empty()) {
        while sent.get(next).is_some_and(|(at, ..)| *at <= now) {
            let (_, flow, bytes) = sent[next];
            lines[flow as usize].push_back((bytes, bytes as f64));
            next += 1;
        }
        let busy = lines.iter().filter(|line| !line.is_empty()).count();
        for (flow, line) in lines.iter_mut().enumerate() {
            let Some((bytes, left)) = line.front_mut() else { continue };
            *left -= 1.0 / busy as f64;
            if *left < 1e-6 {
                came.push((flow as u32, *bytes, now + 1));
                line.pop_front();
            }
        }
        now += 1;
    }
    came
}

#[test]
fn as_its_slow_twin() {
    let mut dice = SplitMix64::named(1, "link");
    for _ in 0..200 {
        let mut at = 0;
        let sent: Vec<(Instant, u32, u64)> = (0..12)
            .map(|_| {
                at += dice.below(300);
                (at, dice.below(4) as u32, 1 + dice.below(400))
            })
            .collect();
        let (mut fast, mut slow) = (carried(1_000_000_000, 0, &sent), byte_by_byte(&sent, 4));
        fast.sort_unstable();
        slow.sort_unstable();
        assert_eq!(fast.len(), slow.len());
        for (fast, slow) in fast.iter().zip(&slow) {
            // The twin has whole nanoseconds in which nobody comes or goes.
            assert!(
                fast.0 == slow.0 && fast.1 == slow.1 && fast.2.abs_diff(slow.2) <= 12,
                "{sent:?}: {fast:?} {slow:?}"
            );
        }
    }
}
