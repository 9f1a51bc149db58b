//! The open-loop server: a FIFO queue before `threads` workers.
//!
//! **Law.** Request k arrives at its intended time whatever the server does. A worker that is free takes the next request,
//! waiting for its arrival if need be. An arrival that finds `queue` requests waiting fails; so does a request that nobody
//! has begun within `timeout`. Latency runs from the intended arrival to completion.
//! **Judge.** M/M/1, M/D/1 in the tests of `experiment`; the native worker, which follows the same rule.

use crate::kernel::Instant;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) arrival: Instant,
    pub(crate) demand: u64,
    pub(crate) started: Option<Instant>,
    pub(crate) completed: Option<Instant>,
    pub(crate) failed: bool,
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
}

impl Server {
    pub(super) fn new(
        arrivals: impl Iterator<Item = (Instant, u64)>,
        queue: u32,
        timeout: Option<u64>,
    ) -> Self {
        let blank =
            |(arrival, demand)| Served { arrival, demand, started: None, completed: None, failed: false };
        Self {
            requests: arrivals.map(blank).collect(),
            taken: 0,
            starts: Vec::new(),
            queue: queue as usize,
            timeout,
        }
    }

    /// Moves all arrivals, which are given from the beginning of the phase, to its beginning.
    pub(super) fn shift(&mut self, begin: Instant) {
        for request in &mut self.requests {
            request.arrival += begin;
        }
    }

    pub(super) fn requests(&self) -> &[Served] {
        &self.requests
    }

    /// Requests that can ever wait at the same time.
    pub(super) fn places(&self) -> usize {
        self.queue.min(self.requests.len())
    }

    /// A worker is free at `now`.
    pub(super) fn take(&mut self, now: Instant) -> Next {
        while let Some(request) = self.requests.get(self.taken) {
            let index = self.taken;
            self.taken += 1;
            if request.arrival > now {
                return Next::Await(index, request.arrival);
            }
            if self.is_refused(index, now) {
                self.requests[index].failed = true;
            } else {
                self.begin(index, now);
                return Next::Serve(index);
            }
        }
        Next::Nothing
    }

    fn is_refused(&self, index: usize, now: Instant) -> bool {
        let arrival = self.requests[index].arrival;
        let waiting = self.starts.len() - self.starts.partition_point(|&start| start <= arrival);
        waiting >= self.queue || self.timeout.is_some_and(|timeout| now - arrival > timeout)
    }

    /// A worker begins a request.
    pub(super) fn begin(&mut self, index: usize, now: Instant) {
        self.requests[index].started = Some(now);
        let after = self.starts.partition_point(|&start| start <= now);
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
        assert_eq!(server.take(0), Next::Serve(0));
        assert_eq!(server.take(50), Next::Serve(1));
        assert_eq!(server.take(60), Next::Await(4, 90));
        let failed: Vec<bool> = server.requests().iter().map(|request| request.failed).collect();
        assert_eq!(failed, [false, false, true, true, false]);
    }

    #[test]
    fn a_request_that_nobody_begins_in_time_fails() {
        let mut server = Server::new([(0, 5), (1, 5), (40, 5)].into_iter(), 9, Some(20));
        assert_eq!(server.take(0), Next::Serve(0));
        assert_eq!(server.take(50), Next::Serve(2));
    }
}
