//! The end of a phase whose time is over.

use super::world::{Event, TENANTS_SECOND, World};
use crate::kernel::Instant;
use crate::resources::cpu::ThreadId;

impl World {
    /// Has a thread stop at what it begins now when the time of its phase is over.
    pub(super) fn cut_at(&mut self, thread: ThreadId, until: Option<Instant>) {
        if let (Some(at), Some(phase)) = (until, self.phase_of(thread)) {
            let life = self.life_of(thread);
            self.queue.push(at, TENANTS_SECOND, Event::Cut { thread, phase, life });
        }
    }

    fn phase_of(&self, thread: ThreadId) -> Option<usize> {
        let (index, _) = *self.owners.get(thread)?;
        Some(self.instances.get(index)?.as_ref()?.program.phase())
    }

    /// A thread whose time is over notices it as soon as it has a core.
    pub(super) fn cut(&mut self, thread: ThreadId, phase: usize, life: u32) {
        if self.phase_of(thread) == Some(phase) && !self.is_stale(thread, life) {
            self.stop_touching(thread);
            self.engine.give_work(thread, 0.0, 0);
        }
    }
}
