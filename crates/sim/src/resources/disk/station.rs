//! A station before a disk: one thread that takes up requests in order of arrival, one at a time.
//!
//! **Law.** A single server, first come, first served. What it serves stays with it until it is let go, be that when its
//! service ends or later. **Judge.** Closed forms in the tests of laws.

use std::collections::VecDeque;

use super::Owner;

/// The thread, what it is at, and who waits for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Station {
    /// Owner and service time (ns).
    waiting: VecDeque<(Owner, u64)>,
    serving: Option<Owner>,
    /// Counts what it has taken up.
    taken: u64,
}

/// A service that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Begun {
    /// Its number.
    pub(crate) number: u64,
    /// How long it lasts (ns).
    pub(crate) service: u64,
}

impl Station {
    /// A request comes: answers the service that begins with it, if it need not wait.
    pub(crate) fn join(&mut self, owner: Owner, service: u64) -> Option<Begun> {
        self.waiting.push_back((owner, service));
        self.take_up()
    }

    /// The present service goes on for so much longer (ns).
    pub(crate) fn goes_on(&self, service: u64) -> Option<Begun> {
        self.serving.map(|_| Begun { number: self.taken, service })
    }

    /// The service of that number ends: whose it is, unless it was given up.
    pub(crate) fn served(&self, number: u64) -> Option<Owner> {
        self.serving.filter(|_| number == self.taken)
    }

    /// Lets go of what an owner has there, in service or waiting: answers the service that begins then.
    pub(crate) fn let_go(&mut self, owner: Owner) -> Option<Begun> {
        self.waiting.retain(|(other, _)| *other != owner);
        if self.serving == Some(owner) {
            self.serving = None;
        }
        self.take_up()
    }

    fn take_up(&mut self) -> Option<Begun> {
        if self.serving.is_some() {
            return None;
        }
        let (owner, service) = self.waiting.pop_front()?;
        self.serving = Some(owner);
        self.taken += 1;
        Some(Begun { number: self.taken, service })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_after_the_other_and_those_that_go_are_passed_over() {
        let mut station = Station::default();
        assert_eq!(station.join(7, 10), Some(Begun { number: 1, service: 10 }));
        assert_eq!((station.join(8, 20), station.join(9, 30)), (None, None));
        assert_eq!(station.served(1), Some(7));
        assert_eq!(station.let_go(8), None, "the one in service is still there");
        assert_eq!(station.let_go(7), Some(Begun { number: 2, service: 30 }));
        assert_eq!((station.served(1), station.served(2)), (None, Some(9)), "an old end is nobody's");
        assert_eq!(station.let_go(9), None);
        assert_eq!(station.served(2), None);
    }
}
