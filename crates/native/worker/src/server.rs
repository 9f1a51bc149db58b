//! The open-loop server without a generator thread. The requests are known beforehand, so nothing has to put them in a
//! queue: a thread that is free takes the next request, and sleeps until it arrives if need be. Whether a request found
//! the queue full is found out when its turn comes, from the times at which those before it left the queue. The
//! simulator's server follows the same rule.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use catamaran_worker::clock::{now_ns, sleep_until};
use catamaran_worker::tape::{Tape, head, phase};

use crate::work::{Hand, Phase};

/// Which request is next, and who left the queue when.
pub(crate) struct Queue {
    /// The next request.
    next: usize,
    /// Requests that have left the queue so far.
    left: usize,
    /// When the last of them left it (ns of the clock), a ring of as many as may wait. These times never decrease, so
    /// an arrival found the queue full exactly when the oldest of the ring had not left it.
    left_ns: Vec<u64>,
}

/// What a free thread does next.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Answers this request, which waited for a thread.
    Serve(usize),
    /// Sleeps until this request arrives, then answers it.
    Await(usize),
    /// Nothing is left.
    Nothing,
}

impl Queue {
    pub(crate) fn new(phase: &Phase) -> Self {
        Self::with_size(phase.queue.min(phase.requests))
    }

    fn with_size(size: usize) -> Self {
        Self { next: 0, left: 0, left_ns: vec![u64::MAX; size] }
    }

    /// Whether a request that arrived at `arrival_ns` found no room.
    fn was_full(&self, arrival_ns: u64) -> bool {
        let size = self.left_ns.len();
        self.left >= size && self.oldest().is_none_or(|oldest_ns| *oldest_ns > arrival_ns)
    }

    fn leave(&mut self, at_ns: u64) {
        let place = self.left.checked_rem(self.left_ns.len());
        if let Some(oldest_ns) = place.and_then(|place| self.left_ns.get_mut(place)) {
            *oldest_ns = at_ns;
        }
        self.left += 1;
    }

    fn oldest(&self) -> Option<&u64> {
        self.left_ns.get(self.left.checked_rem(self.left_ns.len())?)
    }
}

/// The requests of one server phase.
pub(crate) struct Requests<'a> {
    arrival: &'a [AtomicU64],
    demand: &'a [AtomicU64],
    started: &'a [AtomicU64],
    ended: &'a [AtomicU64],
    origin_ns: u64,
    began_ns: u64,
    timeout_ns: u64,
}

impl<'a> Requests<'a> {
    pub(crate) fn new(tape: &'a Tape, phase: Phase, began_ns: u64) -> Self {
        let [arrival, demand, started, ended] = phase.arrays(tape);
        Self {
            arrival,
            demand,
            started,
            ended,
            origin_ns: tape.get(head::ORIGIN_NS),
            began_ns,
            timeout_ns: if phase.timeout_ns == 0 { u64::MAX } else { phase.timeout_ns },
        }
    }

    /// One thread's work until nothing is left for it.
    pub(crate) fn serve(&self, queue: &Mutex<Queue>, hand: &mut Hand<'_>) {
        let queue = || queue.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now = now_ns();
        loop {
            let next = self.take(&mut queue(), now);
            let request = match next {
                Next::Nothing => return,
                Next::Serve(request) => request,
                Next::Await(request) => {
                    sleep_until(self.arrival_ns(request));
                    now = now_ns();
                    if !self.begin(&mut queue(), request, now) {
                        continue;
                    }
                    request
                }
            };
            hand.make(word(self.demand, request));
            now = now_ns();
            self.note(self.ended, request, now);
        }
    }

    /// Takes the next request that can still be answered.
    fn take(&self, queue: &mut Queue, now: u64) -> Next {
        while queue.next < self.arrival.len() {
            let request = queue.next;
            queue.next += 1;
            if word(self.ended, request) != 0 {
                // It came when nobody listened.
                continue;
            }
            let arrival_ns = self.arrival_ns(request);
            if arrival_ns > now {
                return Next::Await(request);
            }
            if queue.was_full(arrival_ns) {
                self.fail(request, phase::FAILED_FULL);
            } else if self.begin(queue, request, now) {
                return Next::Serve(request);
            }
        }
        Next::Nothing
    }

    /// A thread begins a request, unless it has waited too long: then it left the queue when its time was over.
    fn begin(&self, queue: &mut Queue, request: usize, now: u64) -> bool {
        let late_ns = self.arrival_ns(request).saturating_add(self.timeout_ns);
        queue.leave(now.min(late_ns));
        if now > late_ns {
            self.fail(request, phase::FAILED_LATE);
            return false;
        }
        self.note(self.started, request, now);
        true
    }

    fn arrival_ns(&self, request: usize) -> u64 {
        self.began_ns.saturating_add(word(self.arrival, request))
    }

    fn note(&self, array: &[AtomicU64], request: usize, at_ns: u64) {
        if let Some(word) = array.get(request) {
            word.store(at_ns - self.origin_ns + 1, Ordering::Release);
        }
    }

    fn fail(&self, request: usize, how: u64) {
        if let Some(word) = self.ended.get(request) {
            word.store(how, Ordering::Release);
        }
    }
}

fn word(array: &[AtomicU64], index: usize) -> u64 {
    array.get(index).map_or(0, |word| word.load(Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Arrivals (ns), then what a thread does that comes to the queue at the given instants.
    struct Bench {
        words: Vec<Vec<AtomicU64>>,
    }

    impl Bench {
        fn new(arrivals: &[u64]) -> Self {
            let array =
                |fill: &dyn Fn(usize) -> u64| (0..arrivals.len()).map(|k| AtomicU64::new(fill(k))).collect();
            Self { words: vec![array(&|k| arrivals[k]), array(&|_| 1), array(&|_| 0), array(&|_| 0)] }
        }
        fn requests(&self, timeout_ns: u64) -> Requests<'_> {
            Requests {
                arrival: &self.words[0],
                demand: &self.words[1],
                started: &self.words[2],
                ended: &self.words[3],
                origin_ns: 0,
                began_ns: 0,
                timeout_ns,
            }
        }
        fn ended(&self) -> Vec<u64> {
            self.words[3].iter().map(|word| word.load(Ordering::Relaxed)).collect()
        }
    }

    #[test]
    fn idle_threads_wait_for_one_request_each() {
        let bench = Bench::new(&[10, 20]);
        let (requests, mut queue) = (bench.requests(u64::MAX), Queue::with_size(8));
        assert_eq!(requests.take(&mut queue, 0), Next::Await(0));
        assert_eq!(requests.take(&mut queue, 0), Next::Await(1));
        assert_eq!(requests.take(&mut queue, 0), Next::Nothing);
    }

    #[test]
    fn a_request_that_came_when_nobody_listened_is_passed_over() {
        // One waits at most: those that were refused before take no place in the queue.
        let bench = Bench::new(&[0, 10, 11, 90]);
        for request in &bench.words[3][..2] {
            request.store(phase::FAILED_REFUSED, Ordering::Relaxed);
        }
        let (requests, mut queue) = (bench.requests(u64::MAX), Queue::with_size(1));
        assert_eq!(requests.take(&mut queue, 50), Next::Serve(2));
        assert_eq!(requests.take(&mut queue, 60), Next::Await(3));
        assert_eq!(bench.ended(), [phase::FAILED_REFUSED, phase::FAILED_REFUSED, 0, 0]);
    }

    #[test]
    fn an_arrival_that_finds_the_queue_full_fails() {
        // One waits at most. 0 starts at 0; 1 waits from 10 to 50; 2 and 3 arrive meanwhile; 4 arrives later.
        let bench = Bench::new(&[0, 10, 11, 12, 90]);
        let (requests, mut queue) = (bench.requests(u64::MAX), Queue::with_size(1));
        assert_eq!(requests.take(&mut queue, 0), Next::Serve(0));
        assert_eq!(requests.take(&mut queue, 50), Next::Serve(1));
        assert_eq!(requests.take(&mut queue, 60), Next::Await(4));
        assert_eq!(bench.ended(), [0, 0, phase::FAILED_FULL, phase::FAILED_FULL, 0]);
    }

    #[test]
    fn without_a_queue_only_a_thread_that_waits_takes_a_request() {
        let bench = Bench::new(&[1, 2, 50]);
        let (requests, mut queue) = (bench.requests(u64::MAX), Queue::with_size(0));
        assert_eq!(requests.take(&mut queue, 0), Next::Await(0));
        assert!(requests.begin(&mut queue, 0, 1));
        assert_eq!(requests.take(&mut queue, 40), Next::Await(2));
        assert_eq!(bench.ended(), [0, phase::FAILED_FULL, 0]);
    }

    #[test]
    fn a_request_not_begun_in_time_fails_and_leaves_the_queue_then() {
        // One waits at most, for 10 ns at most: 1 leaves at 11, so that 2 finds no room at 5 and 3 finds some at 12.
        let bench = Bench::new(&[0, 1, 5, 12]);
        let (requests, mut queue) = (bench.requests(10), Queue::with_size(1));
        assert_eq!(requests.take(&mut queue, 0), Next::Serve(0));
        assert_eq!(requests.take(&mut queue, 20), Next::Serve(3));
        assert_eq!(bench.ended(), [0, phase::FAILED_LATE, phase::FAILED_FULL, 0]);
    }

    #[test]
    fn a_thread_that_wakes_too_late_fails_its_request() {
        let bench = Bench::new(&[5]);
        let (requests, mut queue) = (bench.requests(10), Queue::with_size(1));
        assert_eq!(requests.take(&mut queue, 0), Next::Await(0));
        assert!(!requests.begin(&mut queue, 0, 16));
        assert_eq!(bench.ended(), [phase::FAILED_LATE]);
    }
}
