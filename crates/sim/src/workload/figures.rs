//! What can be told of a program from outside: its threads, what it takes, what became of its requests.

use std::borrow::Cow;

use catamaran_scenario::network_work::PIECE_BYTES;

use super::Served;
use super::program::{Program, Stage, Step};
use crate::kernel::Instant;

/// For each request that may wait a worker keeps when one left the queue, by which it knows whether an arrival found it full
/// (bytes).
const BYTES_PER_PLACE: u64 = 8;

impl Program {
    /// Threads that the tenant has.
    pub(crate) fn threads(&self) -> usize {
        self.working_threads() + usize::from(self.answers)
    }

    /// Threads that do its own work.
    pub(crate) fn working_threads(&self) -> usize {
        self.serving.len()
    }

    /// Whether it sends a stream over the network, in some phase.
    pub(crate) fn streams(&self) -> bool {
        self.steps.iter().any(|step| matches!(&step.stage, Stage::Network(talker) if !talker.is_answered()))
    }

    /// What it keeps for the queues of its servers (bytes).
    pub(crate) fn queue_bytes(&self) -> u64 {
        let places = |step: &Step| match &step.stage {
            Stage::Server(server) => server.places() as u64,
            _ => 0,
        };
        self.steps.iter().map(places).sum::<u64>() * BYTES_PER_PLACE
    }

    /// What its threads move from and to, in whole pages (bytes).
    pub(crate) fn buffer_bytes(&self, page_bytes: u64) -> u64 {
        let buffers = |step: &Step| match &step.stage {
            Stage::Disk(filer) => {
                let one = filer.block_bytes().next_multiple_of(page_bytes.max(1));
                one.saturating_mul(u64::from(step.threads))
            }
            Stage::Network(talker) => talker.buffer_bytes().next_multiple_of(page_bytes.max(1)),
            _ => 0,
        };
        let answering = if self.answers { PIECE_BYTES.next_multiple_of(page_bytes.max(1)) } else { 0 };
        self.steps.iter().map(buffers).max().unwrap_or(0) + answering
    }

    /// Bytes that it has moved to and from its file.
    pub(crate) fn moved_bytes(&self) -> u64 {
        let moved = |step: &Step| if let Stage::Disk(filer) = &step.stage { filer.moved_bytes() } else { 0 };
        self.steps.iter().map(moved).sum()
    }

    /// The disk has moved so many bytes to or from a layer's file, in the present phase.
    pub(crate) fn add_moved(&mut self, bytes: u64) {
        if let Some(Step { stage: Stage::Disk(filer), .. }) = self.steps.get_mut(self.current) {
            filer.add_moved(bytes);
        }
    }

    /// Whether it works on the file of a layer, in some phase.
    pub(crate) fn uses_layers(&self) -> bool {
        self.steps.iter().any(|step| matches!(&step.stage, Stage::Disk(filer) if filer.is_in_layer()))
    }

    /// Whether it has a phase of operations on a file or of talking, which makes no turns.
    pub(crate) fn operates(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.stage, Stage::Disk(_) | Stage::Network(_)))
    }

    /// Whether it has a phase of touching memory, which makes no turns.
    pub(crate) fn touches(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.stage, Stage::Memory { .. }))
    }

    /// Whether it touches its memory over and over.
    pub(crate) fn is_hot(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.stage, Stage::Memory { hot: true, .. }))
    }

    /// What became, by `now`, of the requests of all its server phases that were begun, of those that it sent over the network, of its
    /// forks, and of its operations on a file; none if it has no such phase.
    pub(crate) fn requests(&self, now: Instant) -> Option<Vec<Served>> {
        let served = || {
            self.steps.iter().enumerate().filter_map(|(index, step)| match &step.stage {
                Stage::Server(server) => Some((index, Cow::Borrowed(server.requests()))),
                Stage::Disk(filer) => Some((index, Cow::Borrowed(filer.operations()))),
                Stage::Network(talker) if talker.is_answered() => {
                    Some((index, Cow::Borrowed(talker.requests())))
                }
                Stage::Fork(forker) => Some((index, Cow::Owned(forker.forks(now)))),
                _ => None,
            })
        };
        served().next()?;
        // As wholes and not one by one: in WebAssembly each copy of one is a call.
        let mut all = Vec::new();
        for (_, served) in served().filter(|(index, _)| *index <= self.current) {
            all.extend_from_slice(&served);
        }
        all.retain(|request| request.arrival < now);
        all.splice(..0, self.past.iter().copied());
        Some(all)
    }
}
