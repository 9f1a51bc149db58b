//! The event queue: ordered by (time, priority, sequence), so that two events never change places between runs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Instant;

/// Pending events of kind `E`.
#[derive(Debug, Clone)]
pub(crate) struct EventQueue<E> {
    heap: BinaryHeap<Reverse<Pending<E>>>,
    sequence: u64,
}

#[derive(Debug, Clone)]
struct Pending<E> {
    key: (Instant, u8, u64),
    event: E,
}

impl<E> PartialEq for Pending<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}
impl<E> Eq for Pending<E> {}
impl<E> PartialOrd for Pending<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<E> Ord for Pending<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

impl<E> EventQueue<E> {
    pub(crate) fn new() -> Self {
        Self { heap: BinaryHeap::new(), sequence: 0 }
    }

    /// Adds an event. At equal times a lower priority number comes first, then the one that was added first.
    pub(crate) fn push(&mut self, at: Instant, priority: u8, event: E) {
        self.heap.push(Reverse(Pending { key: (at, priority, self.sequence), event }));
        self.sequence += 1;
    }

    /// When the next event comes.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse(pending)| pending.key.0)
    }

    /// Takes the next event with its time.
    pub(crate) fn pop(&mut self) -> Option<(Instant, E)> {
        self.heap.pop().map(|Reverse(pending)| (pending.key.0, pending.event))
    }
}

#[cfg(test)]
mod tests {
    use super::EventQueue;

    #[test]
    fn time_then_priority_then_order_of_arrival() {
        let mut queue = EventQueue::new();
        for (at, priority, name) in [(5, 1, "c"), (5, 0, "b"), (9, 0, "e"), (5, 1, "d"), (1, 9, "a")] {
            queue.push(at, priority, name);
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [(1, "a"), (5, "b"), (5, "c"), (5, "d"), (9, "e")]);
    }
}
