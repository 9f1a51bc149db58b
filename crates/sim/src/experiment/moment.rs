//! A world at a moment before its end.

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
}
