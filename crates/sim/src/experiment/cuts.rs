//! What ends with a phase, and what a piece of work costs beside itself.

use super::world::{Event, TENANTS_SECOND, World};
use crate::kernel::Instant;
use crate::resources::cpu::ThreadId;
use crate::workload::Program;

impl World {
    /// Has a thread stop at what it begins now when the time of its phase is over.
    pub(super) fn cut_at(&mut self, thread: ThreadId, until: Option<Instant>) {
        if let (Some(at), Some(phase)) = (until, self.phase_of(thread)) {
            let life = self.life_of(thread);
            self.queue.push(at, TENANTS_SECOND, Event::Cut { thread, phase, life });
        }
    }

    /// CPU time that a piece of work costs beyond itself: that of a request, and that of the sleep before it.
    pub(super) fn overhead(&mut self, thread: ThreadId, request: bool) -> u64 {
        let slept = std::mem::take(&mut self.slept[thread]);
        let request = if request { self.request_overhead } else { 0 };
        request + if slept { self.sleep_overhead } else { 0 }
    }

    fn program_of(&mut self, thread: ThreadId) -> Option<&mut Program> {
        let (index, _) = *self.owners.get(thread)?;
        Some(&mut self.instances.get_mut(index)?.as_mut()?.program)
    }

    pub(super) fn phase_of(&self, thread: ThreadId) -> Option<usize> {
        let (index, _) = *self.owners.get(thread)?;
        Some(self.instances.get(index)?.as_ref()?.program.phase())
    }

    /// A thread whose time is over notices it as soon as it has a core.
    pub(super) fn cut(&mut self, thread: ThreadId, phase: usize, life: u32) {
        if self.phase_of(thread) == Some(phase) && !self.is_stale(thread, life) {
            self.stop_touching(thread);
            let slept = self.stop_talking(thread);
            if let Some(program) = self.program_of(thread) {
                program.give_up_talking();
            }
            self.engine.give_work(thread, 0.0, 0);
            if slept {
                self.engine.wake(thread);
            }
        }
    }
}
