//! The open-loop server without a generator thread. The requests are known beforehand, so nothing has to put them in a
//! queue: a free thread takes the earliest request that has arrived, or sleeps until one arrives. Whether a request
//! found the queue full is found out when its turn comes, from the times at which the ones before it left the queue.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use catamaran_worker::clock::{now_ns, sleep_until};
use catamaran_worker::tape::{Tape, head, phase};

use crate::work::{Hand, Phase};

/// Which request is next, and who left the queue when.
pub(crate) struct Queue {
    /// The next request to take up.
    take: usize,
    /// The next request that no sleeping thread will wake for.
    wake: usize,
    /// Requests let into the queue so far.
    admitted: usize,
    /// When the last of them left it (ns of the clock), a ring of as many as may wait. These times never decrease, so
    /// the queue is full exactly when the oldest of the ring had not left it.
    left_ns: Vec<u64>,
}

/// What a free thread does next.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Answers this request.
    Take(usize),
    /// Sleeps until this request arrives.
    Sleep(usize),
    /// Nothing is left.
    End,
}

impl Queue {
    pub(crate) fn new(phase: &Phase) -> Self {
        Self { take: 0, wake: 0, admitted: 0, left_ns: vec![u64::MAX; phase.queue.min(phase.requests)] }
    }

    /// Lets a request that arrived at `arrival_ns` and leaves at `leaves_ns` into the queue, or not.
    fn admit(&mut self, arrival_ns: u64, leaves_ns: u64) -> bool {
        let size = self.left_ns.len();
        let Some(oldest) = self.admitted.checked_rem(size).and_then(|place| self.left_ns.get_mut(place))
        else {
            return false;
        };
        if self.admitted >= size && *oldest > arrival_ns {
            return false;
        }
        *oldest = leaves_ns;
        self.admitted += 1;
        true
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
    end_ns: u64,
    timeout_ns: u64,
}

impl<'a> Requests<'a> {
    pub(crate) fn new(tape: &'a Tape, phase: Phase, began_ns: u64, end_ns: u64) -> Self {
        let array = |number: usize| tape.array(phase.arrays + number * phase.requests, phase.requests);
        Self {
            arrival: array(0),
            demand: array(1),
            started: array(2),
            ended: array(3),
            origin_ns: tape.get(head::ORIGIN_NS),
            began_ns,
            end_ns,
            timeout_ns: if phase.timeout_ns == 0 { u64::MAX } else { phase.timeout_ns },
        }
    }

    /// One thread's work until nothing is left for it.
    pub(crate) fn serve(&self, queue: &Mutex<Queue>, hand: &mut Hand<'_>) {
        let mut now = now_ns();
        loop {
            let next = self.next(&mut queue.lock().unwrap_or_else(PoisonError::into_inner), now);
            match next {
                Next::Take(request) => {
                    hand.make(word(self.demand, request));
                    now = now_ns();
                    self.note(self.ended, request, now);
                }
                Next::Sleep(request) => {
                    sleep_until(self.arrival_ns(request));
                    now = now_ns();
                }
                Next::End => return,
            }
        }
    }

    fn next(&self, queue: &mut Queue, now: u64) -> Next {
        while queue.take < self.arrival.len() && now < self.end_ns {
            let request = queue.take;
            let arrival_ns = self.arrival_ns(request);
            if arrival_ns > now {
                let wake = queue.wake.max(queue.take);
                queue.wake = wake + 1;
                return if wake < self.arrival.len() { Next::Sleep(wake) } else { Next::End };
            }
            queue.take += 1;
            let late_ns = arrival_ns.saturating_add(self.timeout_ns);
            if !queue.admit(arrival_ns, now.min(late_ns)) {
                self.fail(request, phase::FAILED_FULL);
            } else if now >= late_ns {
                self.fail(request, phase::FAILED_LATE);
            } else {
                self.note(self.started, request, now);
                return Next::Take(request);
            }
        }
        Next::End
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
                end_ns: u64::MAX,
                timeout_ns,
            }
        }
        fn ended(&self) -> Vec<u64> {
            self.words[3].iter().map(|word| word.load(Ordering::Relaxed)).collect()
        }
    }

    fn queue(size: usize) -> Queue {
        Queue { take: 0, wake: 0, admitted: 0, left_ns: vec![u64::MAX; size] }
    }

    #[test]
    fn an_idle_thread_sleeps_for_the_next_arrival_and_a_second_one_for_the_one_after() {
        let bench = Bench::new(&[10, 20]);
        let (requests, mut queue) = (bench.requests(u64::MAX), queue(8));
        assert_eq!(requests.next(&mut queue, 0), Next::Sleep(0));
        assert_eq!(requests.next(&mut queue, 0), Next::Sleep(1));
        assert_eq!(requests.next(&mut queue, 0), Next::End, "every arrival has a thread that wakes for it");
        assert_eq!(requests.next(&mut queue, 21), Next::Take(0), "whoever comes first takes the earliest");
        assert_eq!(requests.next(&mut queue, 22), Next::Take(1));
    }

    #[test]
    fn an_arrival_that_finds_the_queue_full_fails() {
        // One waits at most. 0 starts at 0; 1 waits from 1 to 100; 2 arrives at 50 and finds it there; 3 arrives later.
        let bench = Bench::new(&[0, 1, 50, 101]);
        let (requests, mut queue) = (bench.requests(u64::MAX), queue(1));
        assert_eq!(requests.next(&mut queue, 0), Next::Take(0));
        assert_eq!(requests.next(&mut queue, 100), Next::Take(1));
        assert_eq!(requests.next(&mut queue, 200), Next::Take(3));
        assert_eq!(bench.ended(), [0, 0, phase::FAILED_FULL, 0]);
    }

    #[test]
    fn a_request_not_begun_in_time_fails_and_leaves_the_queue_then() {
        // One waits at most, for 10 ns at most: 1 leaves at 11, so that 2, arriving at 12, finds room.
        let bench = Bench::new(&[0, 1, 5, 12]);
        let (requests, mut queue) = (bench.requests(10), queue(1));
        assert_eq!(requests.next(&mut queue, 0), Next::Take(0));
        assert_eq!(requests.next(&mut queue, 20), Next::Take(3));
        assert_eq!(bench.ended(), [0, phase::FAILED_LATE, phase::FAILED_FULL, 0]);
    }
}
