//! Bounds on bytes and operations a second: the kernel's throttling, slice by slice.
//!
//! **Law.** Time is counted in jiffies. A group's slice has a beginning and what was dispatched since. At any time as much
//! may have been dispatched as the bound allows for the time since the beginning, rounded up to whole slices: a slice's
//! allowance can be used up at once, and then nothing comes through until the next. An operation that does not fit waits, and
//! so do all behind it in the same direction; a timer at whole jiffies lets through what fits by then. What is older than a
//! slice is trimmed away, so that unused allowance is kept for one slice at most.
//!
//! **Source.** Linux 6.18 `block/blk-throttle.c`: `tg_update_slice`, `tg_within_bps_limit`, `tg_within_iops_limit`,
//! `throtl_trim_slice` (one slice is kept back), `throtl_charge_bps_bio`, `throtl_pending_timer_fn`.
//!
//! **Judge.** Over many slices the bound is met; the machine, by the scenarios of `tests/accuracy`.

use std::collections::VecDeque;

use super::Op;
use crate::kernel::Instant;

/// Most that comes through in a second; each where it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Bounds {
    /// Bytes read.
    pub(crate) read: Option<u64>,
    /// Bytes written.
    pub(crate) write: Option<u64>,
    /// Operations, of reads and of writes each.
    pub(crate) ops: Option<u64>,
}

impl Bounds {
    pub(crate) fn is_none(&self) -> bool {
        self == &Self::default()
    }
}

/// How the kernel counts time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Jiffies {
    /// Length of one (ns).
    pub(crate) tick: u64,
    /// How long the first began before the run (ns).
    pub(crate) phase: u64,
    /// Jiffies of a slice.
    pub(crate) slice: u64,
}

impl Jiffies {
    fn at(&self, now: Instant) -> u64 {
        (now + self.phase) / self.tick
    }

    /// When a jiffy begins.
    fn begins(&self, jiffy: u64) -> Instant {
        (jiffy * self.tick).saturating_sub(self.phase)
    }

    /// So much of a bound of `rate` a second in so many jiffies.
    fn share(&self, rate: u64, jiffies: u64) -> u64 {
        let share = u128::from(rate) * u128::from(jiffies) * u128::from(self.tick) / 1_000_000_000;
        u64::try_from(share).unwrap_or(u64::MAX)
    }

    /// Whole jiffies in which a bound of `rate` a second lets so many bytes through.
    fn until(&self, rate: u64, bytes: u64) -> u64 {
        let a_second = u128::from(bytes) * 1_000_000_000;
        let jiffies = a_second / (u128::from(rate.max(1)) * u128::from(self.tick));
        // No run lasts as long.
        u64::try_from(jiffies).unwrap_or(u64::MAX).min(1 << 40)
    }
}

/// One direction of a group.
#[derive(Debug, Clone, Default)]
struct Lane {
    bytes_most: Option<u64>,
    ops_most: Option<u64>,
    start: u64,
    end: u64,
    bytes: u64,
    ops: u64,
    /// Operations that wait, and whether the bytes of each are charged.
    waiting: VecDeque<(Op, bool)>,
}

impl Lane {
    fn update_slice(&mut self, jiffies: &Jiffies, jiffy: u64) {
        let is_over = jiffy < self.start || jiffy > self.end;
        if is_over && self.waiting.is_empty() {
            (self.bytes, self.ops, self.start, self.end) = (0, 0, jiffy, jiffy + jiffies.slice);
        } else {
            self.extend(jiffies, jiffy + jiffies.slice);
        }
    }

    fn extend(&mut self, jiffies: &Jiffies, to: u64) {
        self.end = to.next_multiple_of(jiffies.slice);
    }

    /// Jiffies until an operation fits; `charged` tells, and is told, whether its bytes are.
    fn wait(&mut self, jiffies: &Jiffies, jiffy: u64, op: &Op, charged: &mut bool) -> u64 {
        if let (Some(most), false) = (self.bytes_most, *charged) {
            self.update_slice(jiffies, jiffy);
            let elapsed = jiffy - self.start;
            let rounded = elapsed.max(1).next_multiple_of(jiffies.slice);
            let allowed = jiffies.share(most, rounded);
            if self.bytes + op.bytes > allowed {
                let extra = self.bytes + op.bytes - allowed;
                let wait = jiffies.until(most, extra).max(1) + rounded - elapsed;
                self.extend(jiffies, jiffy + wait);
                return wait;
            }
            self.bytes += op.bytes;
            *charged = true;
        }
        let Some(most) = self.ops_most else { return 0 };
        self.update_slice(jiffies, jiffy);
        let elapsed = jiffy - self.start;
        let rounded = (elapsed + 1).next_multiple_of(jiffies.slice);
        if self.ops < jiffies.share(most, rounded) {
            return 0;
        }
        let wait = rounded - elapsed;
        self.extend(jiffies, jiffy + wait);
        wait
    }

    /// An operation comes through.
    fn dispatch(&mut self, jiffies: &Jiffies, jiffy: u64) {
        self.ops += 1;
        if jiffy < self.start || jiffy > self.end {
            return;
        }
        self.extend(jiffies, jiffy + jiffies.slice);
        let elapsed = (jiffy - self.start) / jiffies.slice * jiffies.slice;
        if elapsed < 2 * jiffies.slice {
            return;
        }
        let gone = elapsed - jiffies.slice;
        let trimmed = |most: Option<u64>| most.map_or(u64::MAX, |most| jiffies.share(most, gone));
        self.bytes = self.bytes.saturating_sub(trimmed(self.bytes_most));
        self.ops = self.ops.saturating_sub(trimmed(self.ops_most));
        self.start += gone;
    }
}

/// The bounds of one group.
#[derive(Debug, Clone)]
pub(crate) struct Throttle {
    jiffies: Jiffies,
    /// Reads, writes.
    lanes: [Lane; 2],
    /// The jiffy of the timer.
    timer: Option<u64>,
}

impl Throttle {
    pub(crate) fn new(bounds: &Bounds, jiffies: Jiffies) -> Self {
        let lane = |bytes_most| Lane { bytes_most, ops_most: bounds.ops, ..Lane::default() };
        Self { jiffies, lanes: [lane(bounds.read), lane(bounds.write)], timer: None }
    }

    /// An operation comes: it is answered if it may go on at once, else it waits.
    pub(super) fn submit(&mut self, now: Instant, op: Op) -> Option<Op> {
        let jiffy = self.jiffies.at(now);
        let lane = &mut self.lanes[usize::from(op.writes)];
        let mut charged = false;
        if lane.waiting.is_empty() && lane.wait(&self.jiffies, jiffy, &op, &mut charged) == 0 {
            lane.dispatch(&self.jiffies, jiffy);
            return Some(op);
        }
        lane.waiting.push_back((op, charged));
        None
    }

    /// What fits by now, in order, reads first.
    pub(super) fn let_through(&mut self, now: Instant) -> Vec<Op> {
        let jiffy = self.jiffies.at(now);
        let mut through = Vec::new();
        for lane in &mut self.lanes {
            while let Some((op, mut charged)) = lane.waiting.pop_front() {
                // The kernel looks at an operation while it is still in the queue.
                lane.waiting.push_front((op, charged));
                let wait = lane.wait(&self.jiffies, jiffy, &op, &mut charged);
                lane.waiting.pop_front();
                if wait > 0 {
                    lane.waiting.push_front((op, charged));
                    break;
                }
                lane.dispatch(&self.jiffies, jiffy);
                through.push(op);
            }
        }
        self.timer = None;
        through
    }

    /// When the first that waits fits; none where nothing waits or that is known already.
    pub(super) fn next_timer(&mut self, now: Instant) -> Option<Instant> {
        let jiffy = self.jiffies.at(now);
        let mut first = None;
        for lane in &mut self.lanes {
            let Some((op, mut charged)) = lane.waiting.front().copied() else { continue };
            let at = jiffy + lane.wait(&self.jiffies, jiffy, &op, &mut charged).max(1);
            if let Some(front) = lane.waiting.front_mut() {
                front.1 = charged;
            }
            first = Some(first.map_or(at, |first: u64| first.min(at)));
        }
        let at = first?;
        if self.timer.is_some_and(|timer| timer <= at) {
            return None;
        }
        self.timer = Some(at);
        Some(self.jiffies.begins(at))
    }
}
