//! How memory is taken from those who end.

use super::{Event, How, Instance, ProcessId, REAPER_DELAY_NS, TENANTS_SECOND, ThreadId, World};

impl World {
    /// A process is killed for memory.
    pub(in crate::experiment) fn kill(&mut self, process: ProcessId) {
        let Some(index) = self.memory.as_ref().and_then(|memory| memory.owner_of_process(process)) else {
            return;
        };
        self.take_from_memory(None);
        let cause = self.last_kill(index);
        self.end(index, How::Memory, cause);
        let life = self.instances.get(index).and_then(Option::as_ref).map_or(0, |one| one.lives.life);
        self.queue.push(self.now + REAPER_DELAY_NS, TENANTS_SECOND, Event::Reap(index, life));
    }

    /// A killed thread comes to its end.
    pub(in crate::experiment) fn exit(&mut self, thread: ThreadId) {
        self.engine.block(thread);
        let Some(&(index, 0)) = self.owners.get(thread) else { return };
        if let Some(killed) = self.instances.get_mut(index).and_then(|one| one.as_mut()?.killed.as_mut()) {
            killed.gone = Some(self.now);
            let cause = killed.cause;
            self.disconnect(index, cause);
        }
        self.reap(index);
        self.follow_up(index);
    }

    /// The memory of an instance is taken from it, where it is still in the life in which it was killed.
    pub(in crate::experiment) fn reap_in(&mut self, index: usize, life: u32) {
        let same = |one: &Instance| one.lives.life == life;
        if self.instances.get(index).and_then(Option::as_ref).is_some_and(same) {
            self.reap(index);
        }
    }

    /// The memory of a killed instance is taken from it; whoever waited for room tries again.
    pub(in crate::experiment) fn reap(&mut self, index: usize) {
        let Some(memory) = &mut self.memory else { return };
        if let Some(&(_, process)) = memory.holders.get(&index) {
            memory.model.release(process);
        }
        for thread in std::mem::take(&mut memory.waiting) {
            self.touch_on(thread);
        }
    }

    /// What it takes an instance to give its memory back (ns).
    pub(in crate::experiment) fn release_ns(&self, index: usize) -> u64 {
        let held = self.memory.as_ref().and_then(|memory| Some((memory, memory.holders.get(&index)?.1)));
        held.map_or(0, |(memory, process)| {
            (memory.model.resident_pages(process) as f64 * memory.costs.release_ns) as u64
        })
    }
}
