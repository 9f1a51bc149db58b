//! The open-loop server: a FIFO queue before `threads` workers.
//!
//! **Law.** Request k arrives at its intended time whatever the server does. A worker that is free takes the next request,
//! waiting for its arrival if need be. An arrival that finds `queue` requests waiting fails; so does a request that nobody
//! has begun within `timeout`. Latency runs from the intended arrival to completion. When the server dies, what it had begun or
//! queued is lost, and whatever arrives before it is there again is refused (`ECONNREFUSED`: nobody listens).
//! **Judge.** M/M/1, M/D/1 in the tests of `experiment`; the native worker, which follows the same rule.

use crate::kernel::Instant;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) arrival: Instant,
    pub(crate) demand: u64,
    pub(crate) started: Option<Instant>,
    pub(crate) completed: Option<Instant>,
    pub(crate) failed: Option<Instant>,
    /// The worker that took it up.
    pub(crate) thread: Option<usize>,
    /// Whether its client was there to send it.
    pub(crate) sent: bool,
}

impl Served {
    /// One of which nothing has become yet.
    pub(super) fn blank(arrival: Instant, demand: u64) -> Self {
        Self { arrival, demand, started: None, completed: None, failed: None, thread: None, sent: true }
    }
}

/// What a worker does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Works on this request.
    Serve(usize),
    /// Sleeps until this request arrives.
    Await(usize, Instant),
    /// All arrivals are taken.
    Nothing,
}

/// The requests of one server phase.
#[derive(Debug, Clone)]
pub(super) struct Server {
    requests: Vec<Served>,
    taken: usize,
    /// Start times of those that were begun, ascending: a FIFO queue begins them in order.
    starts: Vec<Instant>,
    queue: usize,
    timeout: Option<u64>,
    /// When its phase began; arrivals are given from then on.
    began: Instant,
}

impl Server {
    pub(super) fn new(
        arrivals: impl Iterator<Item = (Instant, u64)>,
        queue: u32,
        timeout: Option<u64>,
    ) -> Self {
        // Not collected: each is made in its place, where WebAssembly would call somebody to copy it there.
        let mut requests = Vec::new();
        for (arrival, demand) in arrivals {
            requests.push(Served::blank(arrival, demand));
        }
        Self { requests, taken: 0, starts: Vec::new(), queue: queue as usize, timeout, began: 0 }
    }

    /// Moves all arrivals, which are given from the beginning of the phase, to its beginning.
    pub(super) fn shift(&mut self, begin: Instant) {
        self.began = begin;
        for request in &mut self.requests {
            request.arrival += begin;
        }
    }

    /// It ends by force. Where its clients stay, those to come find nobody; else they go away with it.
    pub(super) fn stop(&mut self, now: Instant, clients_stay: bool) {
        let open = |request: &&mut Served| request.completed.is_none() && request.failed.is_none();
        for request in self.requests.iter_mut().filter(open) {
            let is_to_come = request.arrival >= now && request.started.is_none();
            request.failed = Some(request.arrival.max(now));
            request.sent &= clients_stay || !is_to_come;
        }
    }

    /// It listens again: what arrives from `now` on finds it.
    pub(super) fn resume(&mut self, now: Instant) {
        self.taken = self.requests.partition_point(|request| request.arrival < now);
        for request in self.requests.iter_mut().skip(self.taken) {
            (request.failed, request.sent) = (None, true);
        }
    }

    /// Becomes as it was before its phase began; answers what became of the requests that had arrived by `now`.
    pub(super) fn start_over(&mut self, now: Instant) -> Vec<Served> {
        let past = self.requests.iter().filter(|request| request.arrival < now).copied().collect();
        let began = std::mem::take(&mut self.began);
        for request in &mut self.requests {
            *request = Served::blank(request.arrival - began, request.demand);
        }
        self.taken = 0;
        self.starts.clear();
        past
    }

    pub(super) fn requests(&self) -> &[Served] {
        &self.requests
    }

    /// Requests that can ever wait at the same time.
    pub(super) fn places(&self) -> usize {
        self.queue.min(self.requests.len())
    }

    /// A worker is free at `now`.
    pub(super) fn take(&mut self, thread: usize, now: Instant) -> Next {
        while let Some(request) = self.requests.get(self.taken) {
            let index = self.taken;
            self.taken += 1;
            if request.arrival > now {
                return Next::Await(index, request.arrival);
            }
            match self.refused(index, now) {
                Some(at) => self.requests[index].failed = Some(at),
                None => {
                    self.begin(index, thread, now);
                    return Next::Serve(index);
                }
            }
        }
        Next::Nothing
    }

    /// When a request failed that would be begun at `now`, if it did.
    fn refused(&self, index: usize, now: Instant) -> Option<Instant> {
        let arrival = self.requests[index].arrival;
        if self.begun_after(arrival) >= self.queue {
            return Some(arrival);
        }
        self.timeout.filter(|timeout| now - arrival > *timeout).map(|timeout| arrival + timeout)
    }

    /// How many requests were begun after `instant`: the latest are looked at first, for that is where it is.
    fn begun_after(&self, instant: Instant) -> usize {
        let (all, mut few) = (self.starts.len(), 1);
        while few < all && self.starts[all - few] > instant {
            few *= 2;
        }
        let latest = &self.starts[all.saturating_sub(few)..];
        latest.len() - latest.partition_point(|&start| start <= instant)
    }

    /// A worker begins a request.
    pub(super) fn begin(&mut self, index: usize, thread: usize, now: Instant) {
        self.requests[index].started = Some(now);
        self.requests[index].thread = Some(thread);
        let after = self.starts.len() - self.begun_after(now);
        self.starts.insert(after, now);
    }

    pub(super) fn complete(&mut self, index: usize, now: Instant) {
        self.requests[index].completed = Some(now);
    }

    pub(super) fn demand(&self, index: usize) -> u64 {
        self.requests[index].demand
    }
}

#[cfg(test)]
mod tests {
    use super::{Next, Server};

    #[test]
    fn an_arrival_at_a_full_queue_fails() {
        // One waits from 10 on; the next two arrivals find it waiting.
        let mut server = Server::new([(0, 5), (10, 5), (11, 5), (12, 5), (90, 5)].into_iter(), 1, None);
        assert_eq!(server.take(0, 0), Next::Serve(0));
        assert_eq!(server.take(0, 50), Next::Serve(1));
        assert_eq!(server.take(0, 60), Next::Await(4, 90));
        let failed: Vec<_> = server.requests().iter().map(|request| request.failed).collect();
        assert_eq!(failed, [None, None, Some(11), Some(12), None]);
    }

    #[test]
    fn a_request_that_nobody_begins_in_time_fails() {
        let mut server = Server::new([(0, 5), (1, 5), (40, 5)].into_iter(), 9, Some(20));
        assert_eq!(server.take(0, 0), Next::Serve(0));
        assert_eq!(server.take(0, 50), Next::Serve(2));
    }

    #[test]
    fn a_dead_server_refuses_what_comes_until_it_is_there_again() {
        let arrivals = [(0, 5), (1, 5), (2, 5), (30, 5), (60, 5), (90, 5)];
        // When it stops, whether its clients stay, and what fails when; it is there again at 50.
        let table = [
            (true, [None, Some(10), Some(10), Some(30), None, None], 6),
            (false, [None, Some(10), Some(10), Some(30), None, None], 5),
        ];
        for (clients_stay, failed, sent) in table {
            let mut server = Server::new(arrivals.into_iter(), 9, None);
            assert_eq!(server.take(0, 0), Next::Serve(0));
            server.complete(0, 5);
            assert_eq!(server.take(0, 5), Next::Serve(1));
            server.stop(10, clients_stay);
            server.resume(50);
            let became = server.requests();
            assert_eq!(became.iter().map(|request| request.failed).collect::<Vec<_>>(), failed);
            assert_eq!(became.iter().filter(|request| request.sent).count(), sent);
            assert_eq!(server.take(0, 70), Next::Serve(4));
        }
    }

    #[test]
    fn one_that_starts_over_has_its_clients_anew() {
        let mut server = Server::new([(0, 5), (40, 5)].into_iter(), 9, None);
        server.shift(100);
        assert_eq!(server.take(0, 101), Next::Serve(0));
        server.stop(110, true);
        let past = server.start_over(120);
        assert_eq!(past.iter().map(|request| request.failed).collect::<Vec<_>>(), [Some(110)]);
        server.shift(200);
        assert_eq!(server.take(0, 200), Next::Serve(0));
        assert_eq!(server.take(0, 210), Next::Await(1, 240));
    }
}
