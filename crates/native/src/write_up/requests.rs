//! What became of a tenant's requests, over all its lives.
//!
//! **Law.** The clients of a lone server are not its own: arrival k comes at its time, whichever life is there. What a life had begun
//! or queued when it ended is lost, what comes while there is none is refused, and both count as failed; a replica that nobody wants
//! any more takes its clients with it, and one that is started later finds only those that come then. All other requests are those of
//! one life, and begin anew with each.

use catamaran_report::report::Requests;
use catamaran_worker::tape::{Tape, phase};

use super::instant;
use crate::run::{How, Life, Tenant};
use crate::{forks, operations};

/// What is counted.
#[derive(Default)]
struct Count {
    sent: u64,
    failed: u64,
    latencies_ns: Vec<u64>,
}

/// What became of the requests that arrived before the end of the run (`end_ns`, from the origin), in all server, fork and disk
/// phases and those of requests over the network; none where there is none. `until_ns` says when a life ended, or the run.
pub(super) fn of(tenant: &Tenant, end_ns: u64, until_ns: impl Fn(&Life) -> u64) -> Option<Requests> {
    let mut count = Count::default();
    let first = tenant.lives.first()?;
    let layout = first.tape().layout();
    let phases = (0..layout.phases).map(|number| layout.phase(number));
    let phases: Vec<usize> = phases.filter(|at| has_requests(first.tape(), *at)).collect();
    if phases.is_empty() {
        return None;
    }
    match phases.as_slice() {
        [at] if layout.phases == 1 && first.tape().get(at + phase::KIND) == phase::SERVER => {
            count.lone_server(tenant, *at, end_ns, until_ns);
        }
        _ => {
            for life in &tenant.lives {
                phases.iter().for_each(|at| count.life(life, *at, until_ns(life)));
            }
        }
    }
    Some(Requests::from_latencies_ns(count.sent, count.failed, &mut count.latencies_ns))
}

/// Whether the phase at word `at` has requests.
fn has_requests(tape: &Tape, at: usize) -> bool {
    match tape.get(at + phase::KIND) {
        phase::SERVER | phase::FORK | phase::DISK => true,
        phase::NETWORK => tape.get(at + phase::STREAM_BYTES) == 0,
        _ => false,
    }
}

impl Count {
    /// Counts those of one life in one phase.
    fn life(&mut self, life: &Life, at: usize, until_ns: u64) {
        let (tape, before) = (life.tape(), self.latencies_ns.len());
        let (sent, failed) = match tape.get(at + phase::KIND) {
            phase::FORK => {
                let forked = forks::forked(tape, at, until_ns, &mut self.latencies_ns);
                (forked.sent, forked.failed)
            }
            phase::SERVER => {
                let Some(began_ns) = instant(tape, at + phase::BEGAN) else { return };
                let mut own = Self::default();
                for k in 0..tape.get(at + phase::REQUESTS) as usize {
                    let arrival_ns = began_ns + word(tape, at, 0, k);
                    if arrival_ns >= until_ns {
                        break;
                    }
                    own.request(word(tape, at, 3, k), arrival_ns, false);
                }
                self.latencies_ns.append(&mut own.latencies_ns);
                (own.sent, own.failed)
            }
            _ => operations::latencies(tape, at, until_ns, &mut self.latencies_ns),
        };
        let completed = (self.latencies_ns.len() - before) as u64;
        self.sent += sent;
        self.failed += if life.is_cut() { sent - completed } else { failed };
    }

    /// Counts those of a tenant that is a server and nothing else, whose only phase is at word `at`.
    fn lone_server(&mut self, tenant: &Tenant, at: usize, end_ns: u64, until_ns: impl Fn(&Life) -> u64) {
        let Some(first) = tenant.lives.first() else { return };
        let start_ns = instant(first.tape(), at + phase::BEGAN).unwrap_or(tenant.plan.start_at.0);
        let mut lives = tenant.lives.iter().peekable();
        let Some(mut life) = lives.next() else { return };
        let mut life_until_ns = until_ns(life);
        for k in 0..first.tape().get(at + phase::REQUESTS) as usize {
            let arrival_ns = start_ns + word(first.tape(), at, 0, k);
            if arrival_ns >= end_ns {
                return;
            }
            if arrival_ns < first.begun_ns {
                continue;
            }
            while let Some(next) = lives.next_if(|next| next.begun_ns <= arrival_ns) {
                (life, life_until_ns) = (next, until_ns(next));
            }
            if arrival_ns < life_until_ns {
                self.request(word(life.tape(), at, 3, k), arrival_ns, life.is_cut());
            } else if !matches!(life.asked, Some((How::Unwanted, _))) {
                (self.sent, self.failed) = (self.sent + 1, self.failed + 1);
            }
        }
    }

    /// Counts one by the word that tells its end; `is_lost` says what became of it where none was told.
    fn request(&mut self, end: u64, arrival_ns: u64, is_lost: bool) {
        self.sent += 1;
        match end {
            0 => self.failed += u64::from(is_lost),
            phase::FAILED_FULL | phase::FAILED_LATE | phase::FAILED_REFUSED => self.failed += 1,
            end => self.latencies_ns.push((end - 1).saturating_sub(arrival_ns)),
        }
    }
}

/// Word `k` of an array of the phase at word `at`.
fn word(tape: &Tape, at: usize, array: usize, k: usize) -> u64 {
    let count = tape.get(at + phase::REQUESTS) as usize;
    tape.get(tape.get(at + phase::ARRAYS) as usize + array * count + k)
}
