//! A world at a moment before its end.

use std::collections::BTreeSet;

use super::engine::Engine;
use super::migrate::Place;
use super::world::{Instance, World};
use crate::kernel::Instant;

impl World {
    /// When the next thing happens: an event, or the end.
    pub(super) fn next_at(&self) -> Instant {
        self.queue.next_at().map_or(self.end, |at| at.min(self.end))
    }

    /// The same world as if the run ended then.
    pub(super) fn stopped_at(&self, at: Instant) -> Self {
        let mut stopped = self.clone();
        if self.over {
            return stopped;
        }
        stopped.end = at;
        for instance in stopped.instances.iter_mut().flatten() {
            instance.program.stop_at(at);
        }
        stopped.advance_to(at);
        stopped.finish();
        stopped
    }

    /// The instances that are here.
    pub(super) fn held(&self) -> BTreeSet<usize> {
        let here = |one: &Instance| one.place == Place::Here;
        let all = self.instances.iter().enumerate();
        all.filter(|(_, one)| one.as_ref().is_some_and(here)).map(|(index, _)| index).collect()
    }

    /// What can be seen of each thread (since when the request that it answers has been there; whether it has a core), and of
    /// each instance (when it ended; how often it was throttled).
    pub(super) fn seen(&self) -> Vec<(Option<Instant>, u64)> {
        let thread = |thread: usize| {
            let (index, own) = *self.owners.get(thread)?;
            let answering = self.instances.get(index)?.as_ref()?.program.answering(own);
            Some((answering, u64::from(self.engine.is_running(thread))))
        };
        let instance = |instance: &Instance| {
            let killed = instance.killed.map(|_| 0);
            let throttled = self.engine.throttling(instance.group).map_or(0, |throttling| throttling.periods);
            (killed.or(instance.program.finished()), throttled)
        };
        let threads = (0..self.owners.len()).filter_map(thread);
        threads.chain(self.instances.iter().flatten().map(instance)).collect()
    }

    /// Work done and the CPU time that it took (ns), of all threads but those of instances that touch memory or work on a
    /// file, which is no such work.
    pub(super) fn work_and_cpu(&self) -> (f64, u64) {
        // One that has moved while it ran took its accounts along.
        let works = |instance: &Instance| {
            let program = &instance.program;
            let serves = program.operates() || program.answers();
            let no_turns = serves || program.touches() || program.spins() || program.forks();
            !no_turns && (instance.place == Place::Here || !self.moves.is_live())
        };
        let at_work = |index: usize| self.instances.get(index).and_then(Option::as_ref).is_some_and(works);
        let threads = (0..self.owners.len())
            .filter(|&thread| self.owners.get(thread).is_some_and(|(index, _)| at_work(*index)));
        let work: f64 = threads.clone().map(|thread| self.engine.work_ns(thread)).sum();
        let cpu_ns = match &self.engine {
            // A guest's own account of its threads has what was stolen from it in it.
            Engine::Guests(guests) => (0..self.instances.len())
                .filter(|&index| at_work(index))
                .map(|index| guests.cpu_ns(index))
                .sum(),
            engine => threads.map(|thread| engine.cpu_ns(thread)).sum(),
        };
        (work, cpu_ns)
    }
}
