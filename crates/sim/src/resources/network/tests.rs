//! The link beside Lindley's recursion, and beside a twin that counts bytes.

use std::collections::VecDeque;

use super::{HEADER_BYTES, IN_LINE_BYTES, Link, LinkEvent, LinkSpec, Parcel};
use crate::kernel::Instant;
use crate::kernel::rng::SplitMix64;

/// A byte a nanosecond, and segments that hold any message.
const SPEC: LinkSpec = LinkSpec { bandwidth: Some(1_000_000_000), latency: 100, segment_bytes: u64::MAX };

/// When each message has come: (sender, bytes, instant).
fn carried(spec: LinkSpec, sent: &[(Instant, u32, u64)]) -> Vec<(u32, u64, Instant)> {
    let mut link = Link::new(spec);
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

fn drawn(dice: &mut SplitMix64, most: u64) -> Vec<(Instant, u32, u64)> {
    let mut at = 0;
    let mut one = || {
        at += dice.below(most / 2);
        (at, dice.below(4) as u32, 1 + dice.below(most))
    };
    (0..40).map(|_| one()).collect()
}

#[test]
fn small_messages_go_one_after_the_other_as_lindley_has_it() {
    let mut dice = SplitMix64::named(1, "link");
    for _ in 0..100 {
        let sent = drawn(&mut dice, 1000);
        let mut free = 0;
        let expected = sent.iter().map(|(at, flow, bytes)| {
            free = free.max(*at) + bytes + HEADER_BYTES;
            (*flow, *bytes, free + SPEC.latency)
        });
        assert_eq!(carried(SPEC, &sent), expected.collect::<Vec<_>>());
    }
}

/// The slow twin: a byte after the other, and a look at everybody after each message.
fn byte_by_byte(sent: &[(Instant, u32, u64)]) -> Vec<(u32, u64, Instant)> {
    let (mut line, mut came) = (VecDeque::new(), Vec::new());
    let mut held: Vec<(u32, u64)> = Vec::new();
    let (mut next, mut now) = (0, 0);
    let let_in = |held: &mut Vec<(u32, u64)>, line: &mut VecDeque<(u32, u64, u64)>| {
        let mut place = 0;
        while let Some(&(flow, bytes)) = held.get(place) {
            let in_line: u64 = line.iter().filter(|one| one.0 == flow).map(|one| one.1).sum();
            let is_first = held[..place].iter().all(|one| one.0 != flow);
            if is_first && in_line < IN_LINE_BYTES {
                line.push_back((flow, bytes, bytes + HEADER_BYTES));
                held.remove(place);
            } else {
                place += 1;
            }
        }
    };
    while came.len() < sent.len() {
        while sent.get(next).is_some_and(|(at, ..)| *at <= now) {
            held.push((sent[next].1, sent[next].2));
            next += 1;
            let_in(&mut held, &mut line);
        }
        if let Some((flow, bytes, left)) = line.front_mut() {
            *left -= 1;
            if *left == 0 {
                came.push((*flow, *bytes, now + 1 + SPEC.latency));
                line.pop_front();
                let_in(&mut held, &mut line);
            }
        }
        now += 1;
    }
    came
}

#[test]
fn as_its_slow_twin() {
    let mut dice = SplitMix64::named(2, "link");
    for _ in 0..5 {
        let sent = drawn(&mut dice, IN_LINE_BYTES / 2);
        assert_eq!(carried(SPEC, &sent), byte_by_byte(&sent));
    }
}

#[test]
fn who_sends_all_the_time_gets_an_equal_part_and_nobody_waits_behind_more_than_a_few_pieces() {
    let piece = IN_LINE_BYTES / 2;
    let greedy = |flow, count| std::iter::repeat_n((0, flow, piece), count);
    let mut sent: Vec<(Instant, u32, u64)> = greedy(0, 100).chain(greedy(1, 50)).collect();
    sent.push((1_000_000, 2, 100));
    let came = carried(SPEC, &sent);
    let last = |flow| came.iter().filter(|one| one.0 == flow).map(|one| one.2).max().unwrap();
    let near =
        |found: u64, expected: u64| assert!(found.abs_diff(expected) < expected / 20, "{found} {expected}");
    near(last(1), 100 * piece);
    near(last(0), 150 * piece);
    assert!(last(2) < 1_000_000 + 5 * piece, "two pieces of each: {}", last(2));
}

#[test]
fn headers_take_their_part_and_without_a_bandwidth_only_time_passes() {
    let spec = LinkSpec { segment_bytes: 1448, latency: 0, ..SPEC };
    assert_eq!(carried(spec, &[(0, 0, 2896), (0, 1, 2897)]), [(0, 2896, 3028), (1, 2897, 3028 + 3095)]);
    let mut link = Link::new(LinkSpec { bandwidth: None, latency: 50, segment_bytes: 1 });
    link.send(10, Parcel { flow: 7, bytes: u64::MAX });
    assert_eq!(link.timers, [(60, LinkEvent::Come(Parcel { flow: 7, bytes: u64::MAX }))]);
}
