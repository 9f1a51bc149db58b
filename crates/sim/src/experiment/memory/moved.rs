//! Memory of guests: what is sent when one moves, what is written meanwhile, and how it is taken over.
//!
//! **Law.** What goes over is what the guest has touched: what it is charged while it is idle, as far as that is not its monitor's,
//! and what its tenant has touched with the guest's own page tables; or all that it has. Written in a round is what the tenant
//! has touched for the first time, and all of it where it has begun to touch it anew.
//! **Where the model is wrong.** Where an idle guest was measured, its monitor's part is not told apart, and is sent too.

use super::{MemoryWorld, ProcessId, ROOT, ThreadId, Touching, World};
use crate::experiment::world::{Event, TENANTS_SECOND};
use crate::platform::vm::Guest;

/// Pages whose entries a page table holds.
const ENTRIES_PER_TABLE: u64 = 512;

/// A guest as its memory is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sent {
    /// What an idle one holds that is not its monitor's (bytes).
    pub(super) idle_bytes: u64,
    /// What it has at the most (bytes).
    pub(super) all_bytes: u64,
}

impl Sent {
    pub(super) fn of(guest: &Guest) -> Self {
        let idle_bytes = guest.kernel_bytes.unwrap_or(guest.idle_bytes);
        Self { idle_bytes, all_bytes: guest.memory_bytes }
    }
}

/// What an instance holds, between two nodes.
#[derive(Debug, Clone)]
pub(in crate::experiment) struct MovedMemory {
    pages: u64,
    /// What it is charged (bytes).
    pub(in crate::experiment) charged_bytes: u64,
    /// What its threads are touching; threads by their number in it.
    touching: Vec<(usize, Touching)>,
    /// Threads that waited for room.
    waiting: Vec<usize>,
}

impl MemoryWorld {
    fn process(&self, index: usize) -> Option<ProcessId> {
        self.holders.get(&index).map(|(_, process)| *process)
    }

    /// Bytes that may still be charged on the machine.
    pub(in crate::experiment) fn room_bytes(&self) -> u64 {
        self.model.room_bytes(ROOT)
    }

    /// What an instance holds, to be taken elsewhere.
    pub(in crate::experiment) fn pack(&mut self, index: usize, threads: &[ThreadId]) -> Option<MovedMemory> {
        let (group, process) = *self.holders.get(&index)?;
        let own = |thread: &ThreadId| threads.iter().position(|other| other == thread);
        let waiting = self.waiting.iter().filter_map(own).collect();
        self.waiting.retain(|thread| own(thread).is_none());
        let numbered = threads.iter().enumerate();
        let touching = numbered.filter_map(|(own, thread)| Some((own, self.touching.remove(thread)?)));
        let touching = touching.collect();
        Some(MovedMemory {
            pages: self.model.resident_pages(process),
            charged_bytes: self.model.usage_bytes(group),
            touching,
            waiting,
        })
    }
}

impl World {
    /// What goes over in the first round (bytes).
    pub(in crate::experiment) fn memory_to_send(&self, index: usize, all: bool) -> u64 {
        let Some(memory) = &self.memory else { return 0 };
        if all {
            return memory.sent.all_bytes;
        }
        let pages = memory.process(index).map_or(0, |process| memory.model.resident_pages(process));
        let touched = (pages + pages.div_ceil(ENTRIES_PER_TABLE)) * memory.page_bytes;
        (memory.sent.idle_bytes + touched).min(memory.sent.all_bytes)
    }

    /// From now on is written what counts.
    pub(in crate::experiment) fn forget_writes(&mut self, index: usize) {
        let Some(memory) = &mut self.memory else { return };
        let Some(process) = memory.process(index) else { return };
        memory.touched_anew.remove(&process);
        memory.known.insert(process, memory.model.resident_pages(process));
    }

    /// What was written since (bytes).
    pub(in crate::experiment) fn written(&self, index: usize) -> u64 {
        let Some(memory) = &self.memory else { return 0 };
        let Some(process) = memory.process(index) else { return 0 };
        let known = if memory.touched_anew.contains(&process) { None } else { memory.known.get(&process) };
        let pages = memory.model.resident_pages(process).saturating_sub(known.copied().unwrap_or(0));
        pages * memory.page_bytes
    }

    /// An instance is here with what it held elsewhere.
    pub(in crate::experiment) fn take_memory_over(
        &mut self,
        index: usize,
        moved: MovedMemory,
        threads: &[ThreadId],
    ) {
        let now = self.now;
        let life = threads.first().map_or(0, |thread| self.life_of(*thread));
        let Some(Some(instance)) = self.instances.get(index) else { return };
        let (Some(memory), Some(claim)) = (&mut self.memory, &instance.lives.terms.memory) else { return };
        memory.model.set_now(now);
        memory.admit(index, claim, &instance.program);
        if let Some(process) = memory.process(index) {
            memory.model.take_over(process, moved.pages);
        }
        for (own, touching) in moved.touching {
            threads.get(own).map(|thread| memory.touching.insert(*thread, touching));
        }
        for own in moved.waiting {
            if let Some(&thread) = threads.get(own) {
                self.queue.push(now, TENANTS_SECOND, Event::Wake(thread, life));
            }
        }
    }
}
