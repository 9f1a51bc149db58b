//! One link with a bandwidth and a latency, shared by all who send over it.
//!
//! **Law.** Whatever is sent, in either direction, goes through one line, first come, first served, at the link's bandwidth; it is
//! there when its last byte is through and a latency has passed. Of one sender (a direction of a connection) no more is let
//! into the line while it has two full pieces in it: TCP holds the rest back in its socket. So whoever sends
//! all the time gets an equal part (max-min fairness), and whoever sends little waits behind a few pieces of each other at
//! most. Each segment has headers, which take their part of the bandwidth.
//! **Source.** Linux `net/ipv4/tcp_output.c` (`tcp_small_queue_check`: twice the size of a packet, which holds 64 KiB at most; `sk_wmem_alloc`
//! begins at 1, so that two such packets are more than that),
//! `net/sched/sch_tbf.c` (one line), `net/core/dev.c` (`qdisc_pkt_len_init`: the headers of all segments count); for max-min
//! fairness Bertsekas and Gallager, "Data Networks" (1992), 6.5.2.
//! **Judge.** Lindley's recursion; a slow twin that counts bytes; equal parts of unequal senders.
//! **Left out.** Acknowledgements; losses; the burst that a token bucket lets through.

use std::collections::{BTreeMap, VecDeque};

use catamaran_scenario::network_work::PIECE_BYTES;

use crate::kernel::Instant;

/// While a sender has so much in the line, no more of it is let in (bytes): two buffers of the largest size, as
/// `tcp_small_queue_check` in Linux `net/ipv4/tcp_output.c` has it (`2 * skb->truesize`).
const IN_LINE_BYTES: u64 = 2 * PIECE_BYTES;
/// Headers of a segment: Ethernet, IPv4, TCP with time stamps (bytes).
const HEADER_BYTES: u64 = 14 + 20 + 32;

/// A message on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parcel<F> {
    /// Who sends it: one direction of a connection.
    pub(crate) flow: F,
    pub(crate) bytes: u64,
}

/// What happens at a link later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkEvent<F> {
    /// The first of the line is through.
    Through,
    /// A message has come.
    Come(Parcel<F>),
}

/// What a link can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinkSpec {
    /// Bytes a second; none where it takes any amount at once.
    pub(crate) bandwidth: Option<u64>,
    /// ns.
    pub(crate) latency: u64,
    /// Bytes of a message that a segment holds.
    pub(crate) segment_bytes: u64,
}

/// What one sender has on its way.
#[derive(Debug, Clone, Default)]
struct Sender {
    in_line: u64,
    /// What it holds back.
    held: VecDeque<u64>,
}

/// A link.
#[derive(Debug, Clone)]
pub(crate) struct Link<F> {
    spec: LinkSpec,
    senders: BTreeMap<F, Sender>,
    line: VecDeque<Parcel<F>>,
    /// What has to be looked at later.
    pub(crate) timers: Vec<(Instant, LinkEvent<F>)>,
}

impl<F: Copy + Ord> Link<F> {
    pub(crate) fn new(spec: LinkSpec) -> Self {
        Self { spec, senders: BTreeMap::new(), line: VecDeque::new(), timers: Vec::new() }
    }

    /// A message sets out.
    pub(crate) fn send(&mut self, now: Instant, parcel: Parcel<F>) {
        if self.spec.bandwidth.is_none() {
            return self.timers.push((now.saturating_add(self.spec.latency), LinkEvent::Come(parcel)));
        }
        self.senders.entry(parcel.flow).or_default().held.push_back(parcel.bytes);
        let idles = self.line.is_empty();
        self.let_in(parcel.flow);
        if idles {
            self.serve(now);
        }
    }

    /// Carries out what was to be looked at; the message that has come, if one has.
    pub(crate) fn handle(&mut self, now: Instant, event: LinkEvent<F>) -> Option<Parcel<F>> {
        if let LinkEvent::Come(parcel) = event {
            return Some(parcel);
        }
        let through = self.line.pop_front()?;
        self.timers.push((now.saturating_add(self.spec.latency), LinkEvent::Come(through)));
        if let Some(sender) = self.senders.get_mut(&through.flow) {
            sender.in_line = sender.in_line.saturating_sub(through.bytes);
        }
        self.let_in(through.flow);
        self.serve(now);
        None
    }

    /// Lets into the line what a sender may have there.
    fn let_in(&mut self, flow: F) {
        let Some(sender) = self.senders.get_mut(&flow) else { return };
        while sender.in_line < IN_LINE_BYTES
            && let Some(bytes) = sender.held.pop_front()
        {
            sender.in_line += bytes;
            self.line.push_back(Parcel { flow, bytes });
        }
        if sender.in_line == 0 && sender.held.is_empty() {
            self.senders.remove(&flow);
        }
    }

    /// Takes up the first of the line.
    fn serve(&mut self, now: Instant) {
        if let (Some(parcel), Some(bandwidth)) = (self.line.front(), self.spec.bandwidth) {
            let ns = u128::from(self.on_the_wire(parcel.bytes)) * 1_000_000_000;
            let ns = u64::try_from(ns.div_ceil(u128::from(bandwidth.max(1)))).unwrap_or(u64::MAX);
            self.timers.push((now.saturating_add(ns), LinkEvent::Through));
        }
    }

    /// Bytes of a message with the headers of its segments; one of nothing has one, too.
    fn on_the_wire(&self, bytes: u64) -> u64 {
        bytes + HEADER_BYTES * bytes.div_ceil(self.spec.segment_bytes.max(1)).max(1)
    }
}

#[cfg(test)]
mod tests;
