//! The one thread of a `network` workload: message after message over its connection.
//!
//! **Law.** That of [`catamaran_scenario::network_work`]. Nothing begins after the end of its phase, and what is under way then is
//! given up. Its connection's end is its own: what it had asked for and was not answered fails.
//! **Judge.** The native worker, which follows the same rule.

use catamaran_scenario::network_work::NetworkWork;

use super::Served;
use crate::kernel::Instant;

/// What a thread asks of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Talk {
    /// Bytes that it sends; none where it has sent everything and waits until all of it was read.
    pub(crate) bytes: u64,
    /// Whether it waits for as many bytes in return.
    pub(crate) answered: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Talker {
    work: NetworkWork,
    /// Messages that were begun.
    begun: u64,
    /// The request that is under way.
    asking: bool,
    /// Whether it has said that there is no more.
    closed: bool,
    requests: Vec<Served>,
}

impl Talker {
    pub(super) fn new(work: NetworkWork) -> Self {
        Self { work, begun: 0, asking: false, closed: false, requests: Vec::new() }
    }

    /// What it does at `now`, when whatever it did before is done, in a phase until `until`; none when it is done with all.
    pub(super) fn next(&mut self, now: Instant, until: Instant) -> Option<Talk> {
        if let (true, Some(last)) = (std::mem::take(&mut self.asking), self.requests.last_mut()) {
            last.completed = Some(now);
        }
        if now >= until || self.closed {
            return None;
        }
        let answered = self.work.answered;
        if self.begun == self.work.messages {
            self.closed = true;
            return (!answered).then_some(Talk { bytes: 0, answered });
        }
        let bytes = self.work.bytes_of(self.begun);
        self.begun += 1;
        if answered {
            self.asking = true;
            self.requests.push(Served { started: Some(now), thread: Some(0), ..Served::blank(now, 0) });
        }
        Some(Talk { bytes, answered })
    }

    /// Its phase is over: what is under way is neither answered nor failed.
    pub(super) fn give_up(&mut self) {
        self.asking = false;
    }

    /// Its life ends by force, or its peer's: what is under way fails.
    pub(super) fn stop(&mut self, now: Instant) {
        if let (true, Some(last)) = (std::mem::take(&mut self.asking), self.requests.last_mut()) {
            last.failed = Some(now);
        }
    }

    /// When the request was sent that is under way.
    pub(super) fn asking_since(&self) -> Option<Instant> {
        self.requests.last().filter(|_| self.asking).map(|request| request.arrival)
    }

    /// Whether what it sends is answered, message by message.
    pub(super) fn is_answered(&self) -> bool {
        self.work.answered
    }

    /// Most bytes that it reads at once.
    pub(super) fn buffer_bytes(&self) -> u64 {
        let most = catamaran_scenario::network_work::PIECE_BYTES;
        if self.work.answered { self.work.message_bytes.min(most) } else { 0 }
    }

    /// The requests that were sent; none of a stream.
    pub(super) fn requests(&self) -> &[Served] {
        &self.requests
    }

    /// All of it is to be done again; the requests of the life that ended.
    pub(super) fn start_over(&mut self) -> Vec<Served> {
        (self.begun, self.asking, self.closed) = (0, false, false);
        std::mem::take(&mut self.requests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talker(messages: u64, last_bytes: u64, answered: bool) -> Talker {
        let to = "shop".to_owned();
        Talker::new(NetworkWork { to, messages, message_bytes: 100, last_bytes, answered })
    }

    #[test]
    fn requests_follow_each_other_and_none_begins_after_the_phase() {
        let mut talker = talker(9, 100, true);
        let ask = Some(Talk { bytes: 100, answered: true });
        assert_eq!([talker.next(5, 50), talker.next(20, 50), talker.next(50, 50)], [ask, ask, None]);
        let latencies: Vec<u64> =
            talker.requests().iter().map(|one| one.completed.unwrap() - one.arrival).collect();
        assert_eq!(latencies, [15, 30]);
        talker.next(50, 60);
        talker.stop(55);
        assert_eq!(talker.requests().last().unwrap().failed, Some(55));
    }

    #[test]
    fn a_stream_ends_when_all_of_it_was_read() {
        let mut talker = talker(2, 7, false);
        let send = |bytes| Some(Talk { bytes, answered: false });
        let asked: Vec<Option<Talk>> = (1..5).map(|now| talker.next(now, 50)).collect();
        assert_eq!(asked, [send(100), send(7), send(0), None]);
        assert!(talker.requests().is_empty());
    }
}
