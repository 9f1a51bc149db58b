//! What ends with a phase, what a piece of work costs beside itself, and what of all that was done was work.

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

    /// Work done and the CPU time that it took (ns), of all threads but those of instances that touch memory, work on a
    /// file or fork, which is no such work.
    pub(super) fn work_and_cpu(&self) -> (f64, u64) {
        let works = |(index, _): &(usize, usize)| {
            let instance = self.instances.get(*index).and_then(Option::as_ref);
            instance.is_some_and(|instance| {
                !instance.program.touches() && !instance.program.operates() && !instance.program.forks()
            })
        };
        let threads = (0..self.owners.len()).filter(|&thread| self.owners.get(thread).is_some_and(works));
        let cpu_ns = match threads.clone().count() == self.owners.len() {
            true => self.engine.busy_ns(self.owners.len()),
            false => threads.clone().map(|thread| self.engine.cpu_ns(thread)).sum(),
        };
        let work: f64 = threads.map(|thread| self.engine.work_ns(thread)).sum();
        (work, cpu_ns)
    }
}
