//! The event queue: ordered by (time, priority, sequence), so that two events never change places between runs.
//!
//! **How.** A heap of four children a place, keys packed into two words: half the levels of a binary one, and the children
//! lie side by side in memory. The place of the event that was taken last stays open: most events lead to another one, and
//! that goes down from there in one pass, where taking the last one's place and joining at the end would be two.
//!
//! **Source.** LaMarca and Ladner, "The influence of caches on the performance of heaps" (1996).

use std::cmp::Ordering;

use super::Instant;

const ARITY: usize = 4;
/// Bits of the sequence number below the priority: enough for a million years of a million events each second.
const SEQUENCE_BITS: u32 = 56;

/// Pending events of kind `E`.
#[derive(Debug, Clone)]
pub(crate) struct EventQueue<E> {
    heap: Vec<Pending<E>>,
    /// The first place is that of an event which was taken.
    open: bool,
    sequence: u64,
}

#[derive(Debug, Clone, Copy)]
struct Pending<E> {
    at: Instant,
    /// Priority and sequence.
    order: u64,
    event: E,
}

impl<E> Pending<E> {
    fn key(&self) -> Key {
        Key(self.at, self.order)
    }
}

/// Time first. Times seldom are equal, so the processor guesses the branch well; WebAssembly has no comparison of 128 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key(Instant, u64);

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }

    fn lt(&self, other: &Self) -> bool {
        if self.0 == other.0 { self.1 < other.1 } else { self.0 < other.0 }
    }
}

impl<E: Copy> EventQueue<E> {
    pub(crate) fn new() -> Self {
        Self { heap: Vec::new(), open: false, sequence: 0 }
    }

    /// Adds an event. At equal times a lower priority number comes first, then the one that was added first.
    pub(crate) fn push(&mut self, at: Instant, priority: u8, event: E) {
        let pending = Pending { at, order: u64::from(priority) << SEQUENCE_BITS | self.sequence, event };
        self.sequence += 1;
        if std::mem::take(&mut self.open) {
            self.down(pending);
        } else {
            self.heap.push(pending);
            self.up(pending);
        }
    }

    /// When the next event comes.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        let first = usize::from(self.open);
        let least = self.heap.iter().skip(first).take(ARITY).min_by_key(|pending| pending.key());
        least.map(|pending| pending.at)
    }

    /// Takes the next event with its time.
    pub(crate) fn pop(&mut self) -> Option<(Instant, E)> {
        self.close();
        let first = self.heap.first()?;
        self.open = true;
        Some((first.at, first.event))
    }

    /// Takes out all events of which that is true, in their order.
    pub(crate) fn extract(&mut self, is: impl Fn(&E) -> bool) -> Vec<(Instant, E)> {
        self.close();
        // What is in order is a heap.
        self.heap.sort_unstable_by_key(Pending::key);
        let (out, left): (Vec<_>, Vec<_>) = self.heap.drain(..).partition(|pending| is(&pending.event));
        self.heap = left;
        out.into_iter().map(|pending| (pending.at, pending.event)).collect()
    }

    /// Fills the first place, where it is open.
    fn close(&mut self) {
        if std::mem::take(&mut self.open)
            && let Some(last) = self.heap.pop()
            && !self.heap.is_empty()
        {
            self.down(last);
        }
    }

    /// From the last place up to where it belongs.
    fn up(&mut self, pending: Pending<E>) {
        let mut place = self.heap.len() - 1;
        while place > 0 {
            let parent = (place - 1) / ARITY;
            if self.heap[parent].key() < pending.key() {
                break;
            }
            self.heap[place] = self.heap[parent];
            place = parent;
        }
        self.heap[place] = pending;
    }

    /// From the first place down to where it belongs.
    fn down(&mut self, pending: Pending<E>) {
        let (mut place, key) = (0, pending.key());
        loop {
            let first = place * ARITY + 1;
            let child = match self.heap.get(first..first + ARITY) {
                Some([a, b, c, d]) => {
                    let left = usize::from(b.key() < a.key());
                    let right = 2 + usize::from(d.key() < c.key());
                    let least = self.heap[first + right].key() < self.heap[first + left].key();
                    first + if least { right } else { left }
                }
                _ => match (first..self.heap.len()).min_by_key(|&child| self.heap[child].key()) {
                    Some(child) => child,
                    None => break,
                },
            };
            if key < self.heap[child].key() {
                break;
            }
            self.heap[place] = self.heap[child];
            place = child;
        }
        self.heap[place] = pending;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::EventQueue;
    use crate::kernel::rng::SplitMix64;

    #[test]
    fn time_then_priority_then_order_of_arrival() {
        let mut queue = EventQueue::new();
        for (at, priority, name) in [(5, 1, "c"), (5, 0, "b"), (9, 0, "e"), (5, 1, "d"), (1, 9, "a")] {
            queue.push(at, priority, name);
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [(1, "a"), (5, "b"), (5, "c"), (5, "d"), (9, "e")]);
    }

    #[test]
    fn what_is_taken_out_and_what_is_left_stay_in_order() {
        let mut dice = SplitMix64::named(2, "queue");
        for popped in [0, 1, 300] {
            let (mut queue, mut twin) = (EventQueue::new(), BTreeSet::new());
            for sequence in 0..1000_u64 {
                let at = dice.below(50);
                queue.push(at, 0, sequence);
                twin.insert((at, sequence));
            }
            for _ in 0..popped {
                assert_eq!(queue.pop(), twin.pop_first());
            }
            let (out, left): (Vec<_>, Vec<_>) = twin.into_iter().partition(|(_, event)| event % 3 == 0);
            assert_eq!(queue.extract(|event| event % 3 == 0), out);
            queue.push(60, 0, 1000);
            let rest: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
            assert_eq!(rest, [left, vec![(60, 1000)]].concat());
        }
    }

    #[test]
    fn any_mixture_of_pushes_and_pops_is_as_with_a_sorted_set() {
        let mut dice = SplitMix64::named(1, "queue");
        for most in [1, 2, 5, 6, 22, 1_000] {
            let (mut queue, mut twin) = (EventQueue::new(), BTreeSet::new());
            for sequence in 0..20_000_u64 {
                if twin.len() < most && dice.below(2) == 0 {
                    let (at, priority) = (dice.below(50), dice.below(3) as u8);
                    queue.push(at, priority, sequence);
                    twin.insert((at, priority, sequence));
                } else {
                    let next = twin.pop_first().map(|(at, _, sequence)| (at, sequence));
                    assert_eq!(queue.pop(), next);
                }
            }
        }
    }
}
