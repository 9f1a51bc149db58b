//! A spin lock that the threads of a `compute` workload share.
//!
//! **Law.** Each thread computes `every`, then waits for the lock, then computes `hold` with it, and so on until its part of the
//! work is done. Who waits spins: it uses its core and computes nothing. The lock is of test-and-set: it is free when its holder
//! gives it back, and the first that finds it free has it: a thread that spins on a core at once (of several the one that has
//! spun for longest; a machine decides that by chance), else whoever next comes by or comes onto a core. So a holder that has
//! lost its core, to another thread or to another guest, keeps all others from it, whoever has cores then burns them
//! (lock-holder pre-emption), and a waiter without a core keeps nobody.
//!
//! **Source.** The native worker, which has such a lock (`crates/native/worker/src/lock.rs`); Uhlig, LeVasseur, Skoglund, Dannowski,
//! "Towards scalable multiprocessor virtual machines", VM 2004, for guests.
//!
//! **Judge.** Closed forms in the tests of laws; the machine, with more threads than cores.
//!
//! **Where the model is wrong.** To take a lock costs nothing, nor does its cache line move. A processor that counts pauses and
//! leaves a guest that spins (pause-loop exiting), and a guest's kernel that yields instead (paravirtual spin locks), are left
//! out: no figure says what they save, and a program's own lock knows neither.

/// What a thread does next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Step {
    /// Computes so much (ns at the speed of one busy core).
    Work(f64),
    /// Waits for the lock on its core.
    Spin,
    /// Has done its part.
    Rest,
}

/// Where a thread is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum At {
    #[default]
    Beginning,
    Without,
    Waiting,
    With,
}

#[derive(Debug, Clone, Copy, Default)]
struct Hand {
    at: At,
    /// What it has done when it has done what it is at, and what there is to be done (ns).
    done: f64,
}

/// What is left of a piece of work by the errors of adding (ns).
const NOTHING_NS: f64 = 0.5;

/// The lock, and those who share it.
#[derive(Debug, Clone)]
pub(super) struct Lock {
    every: f64,
    hold: f64,
    each: f64,
    hands: Vec<Hand>,
    holder: Option<usize>,
    /// Who waits, the longest first.
    spinning: Vec<usize>,
    freed: bool,
}

impl Lock {
    /// One of so many threads of which each computes `each` (ns).
    pub(super) fn new(threads: usize, each: f64, every: f64, hold: f64) -> Self {
        let hands = vec![Hand::default(); threads];
        Self { every, hold, each, hands, holder: None, spinning: Vec::new(), freed: false }
    }

    /// What `thread` does when it has done what it was at, or comes onto a core while it waits; `over`: its time is.
    pub(super) fn next(&mut self, thread: usize, over: bool) -> Step {
        let Some(hand) = self.hands.get_mut(thread) else { return Step::Rest };
        let left = self.each - hand.done;
        if hand.at == At::With {
            self.holder = None;
            self.freed = true;
        }
        if over || left < NOTHING_NS {
            hand.at = At::Beginning;
            hand.done = self.each;
            self.spinning.retain(|other| *other != thread);
            return Step::Rest;
        }
        match (hand.at, self.holder) {
            (At::Beginning | At::With, _) => {
                hand.at = At::Without;
                Self::work(hand, self.every.min(left))
            }
            (At::Without | At::Waiting, None) => {
                hand.at = At::With;
                self.holder = Some(thread);
                self.spinning.retain(|other| *other != thread);
                Self::work(hand, self.hold.min(left))
            }
            (at, Some(_)) => {
                if at == At::Without {
                    hand.at = At::Waiting;
                    self.spinning.push(thread);
                }
                Step::Spin
            }
        }
    }

    fn work(hand: &mut Hand, ns: f64) -> Step {
        hand.done += ns;
        Step::Work(ns)
    }

    /// Who waits, the longest first, if the lock was given back since the last answer.
    pub(super) fn take_freed(&mut self) -> &[usize] {
        if std::mem::take(&mut self.freed) { &self.spinning } else { &[] }
    }

    /// Becomes as it was before anyone began.
    pub(super) fn start_over(&mut self) {
        *self = Self::new(self.hands.len(), self.each, self.every, self.hold);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_and_the_next_that_looks_when_it_is_free() {
        let mut lock = Lock::new(3, 250.0, 100.0, 50.0);
        // (thread, whether its time is over, what it does, who is to look then)
        let table: [(usize, bool, Step, &[usize]); 14] = [
            (0, false, Step::Work(100.0), &[]),
            (1, false, Step::Work(100.0), &[]),
            (2, false, Step::Work(100.0), &[]),
            (0, false, Step::Work(50.0), &[]),
            (1, false, Step::Spin, &[]),
            (2, false, Step::Spin, &[]),
            (1, false, Step::Spin, &[]),
            (0, false, Step::Work(100.0), &[1, 2]),
            (2, false, Step::Work(50.0), &[]),
            (0, false, Step::Rest, &[]),
            (1, true, Step::Rest, &[]),
            (1, false, Step::Rest, &[]),
            (2, true, Step::Rest, &[]),
            (2, false, Step::Rest, &[]),
        ];
        for (place, (thread, over, step, looks)) in table.into_iter().enumerate() {
            assert_eq!(lock.next(thread, over), step, "step {place}");
            assert_eq!(lock.take_freed(), looks, "step {place}");
        }
        lock.start_over();
        assert_eq!(lock.next(1, false), Step::Work(100.0));
    }
}
