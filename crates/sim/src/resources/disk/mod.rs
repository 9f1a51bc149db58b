//! A disk: operations pass the bounds of their group and of the machine, wait for the device, are served one after the
//! other, and come back a while later.
//!
//! **Law.** The device is a single server before a delay: a service time for each operation and each byte, in which it does
//! nothing else, then a time that passes for all of them at once. So one operation alone takes both, and very many come out
//! at the rate of the service. A device that batches tells of what it has served only when nothing more waits, of all of it at
//! once: so n at once take what one takes, and n − 1 services. It serves in order of arrival, unless it weighs: then by start-time fair queueing, each
//! group's share of the service in proportion to its weight as long as it always has some operation waiting.
//!
//! **Source.** The times are calibrated (`catamaran_scenario::calibration::DiskCosts`); Goyal, Vin, Cheng, "Start-time fair
//! queuing", SIGCOMM 1996, for the weights, of which the kernel's `bfq` is a relative (`Documentation/block/bfq-iosched.rst`:
//! B-WF2Q+); without it requests are served as they come (`block/mq-deadline.c` reorders only what has waited for long).
//!
//! **Judge.** Closed forms: one at a time, very many at a time, shares by weight; the machine.

mod station;
mod throttle;

use std::collections::{BTreeMap, VecDeque};

pub(crate) use station::{Begun, Station};
pub(crate) use throttle::{Bounds, Jiffies, Throttle};

use crate::kernel::Instant;

/// Whoever asks for operations.
pub(crate) type Owner = usize;

/// An operation on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Op {
    /// Who is told when it is done.
    pub(crate) owner: Owner,
    /// The group that it is charged to.
    pub(crate) group: usize,
    pub(crate) writes: bool,
    /// Bytes that bounds count.
    pub(crate) bytes: u64,
    /// For how long the device does nothing else.
    pub(crate) service: u64,
    /// What passes after that.
    pub(crate) latency: u64,
}

/// What happens at a disk later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiskEvent {
    /// A timer of these bounds.
    Timer(usize),
    /// The device is done with what it served.
    Served,
    /// The operation of that owner has come back.
    Done(Owner),
}

/// What a device is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Kind {
    /// It serves groups by weight, not in order.
    pub(crate) weighs: bool,
    /// It tells of all that it served when nothing more waits.
    pub(crate) batches: bool,
}

/// Operations of one group that wait for the device.
#[derive(Debug, Clone)]
struct Queue {
    weight: u64,
    /// Finish tag of the last that came.
    finish: f64,
    /// Start tag, order of arrival, operation.
    waiting: VecDeque<(f64, u64, Op)>,
}

/// A disk with its bounds.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    throttles: Vec<Throttle>,
    /// The bounds that a group's operations pass, its own first.
    passes: BTreeMap<usize, Vec<usize>>,
    queues: BTreeMap<usize, Queue>,
    kind: Kind,
    /// What is served and not told yet.
    untold: Vec<Op>,
    serving: Option<Op>,
    virtual_time: f64,
    arrivals: u64,
    /// What has to be looked at later.
    pub(crate) timers: Vec<(Instant, DiskEvent)>,
}

impl Disk {
    /// A disk without bounds and groups.
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            throttles: Vec::new(),
            passes: BTreeMap::new(),
            queues: BTreeMap::new(),
            kind,
            untold: Vec::new(),
            serving: None,
            virtual_time: 0.0,
            arrivals: 0,
            timers: Vec::new(),
        }
    }

    /// Adds bounds; their number.
    pub(crate) fn add_bounds(&mut self, bounds: &Bounds, jiffies: Jiffies) -> usize {
        self.throttles.push(Throttle::new(bounds, jiffies));
        self.throttles.len() - 1
    }

    /// A group of that weight, whose operations pass these bounds in order.
    pub(crate) fn add_group(&mut self, group: usize, weight: u64, passes: Vec<usize>) {
        self.passes.insert(group, passes);
        self.queues.insert(group, Queue { weight: weight.max(1), finish: 0.0, waiting: VecDeque::new() });
    }

    /// Whether the device has nothing to do, so that it has to be told of the next operation.
    pub(crate) fn is_idle(&self) -> bool {
        self.serving.is_none()
    }

    /// An operation comes.
    pub(crate) fn submit(&mut self, now: Instant, op: Op) {
        self.pass(now, op, 0);
    }

    /// From the bounds at place `from` of its group's on.
    fn pass(&mut self, now: Instant, op: Op, from: usize) {
        let passes = self.passes.get(&op.group).cloned().unwrap_or_default();
        for &number in passes.iter().skip(from) {
            let Some(throttle) = self.throttles.get_mut(number) else { continue };
            if throttle.submit(now, op).is_none() {
                let timer = throttle.next_timer(now);
                self.timers.extend(timer.map(|at| (at, DiskEvent::Timer(number))));
                return;
            }
        }
        self.arrive(now, op);
    }

    /// Carries out what was to be looked at; who is to be told that its operation is done.
    pub(crate) fn handle(&mut self, now: Instant, event: DiskEvent) -> Option<Owner> {
        match event {
            DiskEvent::Timer(number) => {
                let through = self.throttles.get_mut(number).map(|throttle| throttle.let_through(now));
                for op in through.unwrap_or_default() {
                    let place =
                        self.passes.get(&op.group).and_then(|all| all.iter().position(|one| *one == number));
                    self.pass(now, op, place.map_or(0, |place| place + 1));
                }
                let timer = self.throttles.get_mut(number).and_then(|throttle| throttle.next_timer(now));
                self.timers.extend(timer.map(|at| (at, DiskEvent::Timer(number))));
                None
            }
            DiskEvent::Served => {
                self.untold.extend(self.serving.take());
                self.serve(now);
                if !self.kind.batches || self.serving.is_none() {
                    let told = self.untold.drain(..);
                    self.timers.extend(told.map(|op| (now + op.latency, DiskEvent::Done(op.owner))));
                }
                None
            }
            DiskEvent::Done(owner) => Some(owner),
        }
    }

    fn arrive(&mut self, now: Instant, op: Op) {
        let (virtual_time, order) = (self.virtual_time, self.arrivals);
        self.arrivals += 1;
        if let Some(queue) = self.queues.get_mut(&op.group) {
            let start = queue.finish.max(virtual_time);
            queue.finish = start + op.service as f64 / queue.weight as f64;
            queue.waiting.push_back((start, order, op));
        }
        if self.serving.is_none() {
            self.serve(now);
        }
    }

    /// Takes up the next operation, if there is one.
    fn serve(&mut self, now: Instant) {
        let heads = self.queues.iter().filter_map(|(group, queue)| {
            let (start, order, _) = queue.waiting.front()?;
            Some((if self.kind.weighs { *start } else { 0.0 }, *order, *group))
        });
        let first = heads.min_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let Some((_, _, group)) = first else { return };
        let Some((start, _, op)) = self.queues.get_mut(&group).and_then(|queue| queue.waiting.pop_front())
        else {
            return;
        };
        self.virtual_time = start;
        self.serving = Some(op);
        self.timers.push((now + op.service, DiskEvent::Served));
    }
}

#[cfg(test)]
mod tests;
