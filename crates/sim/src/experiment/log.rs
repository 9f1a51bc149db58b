//! What happened to the tenants of a world, in order, each with its cause: what the scenario asks for, what the kernel does.

use super::world::World;
use crate::kernel::trace::{Cause, Entry, Trace};
use crate::resources::memory::MemoryNote;

/// One entry; instances go by their place among [`World::instances`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Note {
    /// What memory has to tell.
    Memory(MemoryNote),
    /// An event of the scenario, by its place among those of this node.
    Asked(usize),
    /// A process was killed because an event says so.
    Killed(usize),
    /// A process was asked to end, and does.
    Stopped(usize),
    /// A client's connection is reset, its peer being gone.
    Reset(usize),
    /// A client finds nobody who listens.
    Refused(usize),
    /// An instance waits for the disk, since a page that it wants of a layer is not in the page cache; told once for each file.
    NotCached(usize),
    /// A layer's file of so many bytes is copied up for an instance.
    CopyUp(usize, u64),
    /// That is done.
    CopiedUp(usize),
    /// A fork of an instance is refused, for the first time.
    PidsMax(usize),
    /// An instance is gone with its node.
    Lost(usize),
    /// A workload came to its end, and is started again.
    Finished(usize),
    /// An instance that had ended is there again.
    Restarted(usize),
    /// An instance is there: a new one, or one that was replaced.
    Started(usize),
    /// A round of a live migration has begun, with so many bytes.
    Round(usize, u64),
    /// A guest stands still for the last round, of so many bytes.
    Still(usize, u64),
    /// A guest goes on on that node.
    Moved(usize, u32),
    /// A live migration has come to nothing.
    NotMoved(usize),
    /// Another CPU limit holds.
    CpuLimit(usize),
    /// Another memory limit holds.
    MemoryLimit(usize),
    /// The kernel has refused another memory limit.
    MemoryLimitRefused(usize),
}

impl Note {
    /// Bytes that go over, or are given back.
    pub(super) fn bytes(self) -> Option<u64> {
        match self {
            Self::Round(_, bytes)
            | Self::Still(_, bytes)
            | Self::CopyUp(_, bytes)
            | Self::Memory(MemoryNote::Merged { bytes } | MemoryNote::Ballooned { bytes }) => Some(bytes),
            _ => None,
        }
    }
}

/// The entries, and how far those of memory are among them.
#[derive(Debug, Clone)]
pub(super) struct Log {
    entries: Trace<Note>,
    /// Where each entry of memory came to stand.
    of_memory: Vec<Option<Cause>>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self { entries: Trace::new(true), of_memory: Vec::new() }
    }

    pub(super) fn entries(&self) -> &[Entry<Note>] {
        self.entries.entries()
    }
}

impl World {
    /// Notes what happens now, after all that memory has told so far.
    pub(super) fn note(&mut self, note: Note, because: Option<Cause>) -> Option<Cause> {
        self.take_from_memory(None);
        self.log.entries.note(self.now, note, because)
    }

    /// Takes over what memory has told since the last time; what has no cause there is caused by `because`.
    pub(super) fn take_from_memory(&mut self, because: Option<Cause>) {
        let Some(memory) = &self.memory else { return };
        let Log { entries, of_memory } = &mut self.log;
        for entry in memory.model().trace().get(of_memory.len()..).unwrap_or_default() {
            let own = entry.because.and_then(|cause| *of_memory.get(cause as usize)?);
            of_memory.push(entries.note(entry.at, Note::Memory(entry.what), own.or(because)));
        }
    }

    /// The last kill for memory of an instance.
    pub(super) fn last_kill(&self, index: usize) -> Option<Cause> {
        let place = self.log.entries().iter().rposition(|entry| self.is_kill_of(entry.what, index))?;
        u32::try_from(place).ok()
    }

    /// Whether that is a kill for memory of this instance.
    fn is_kill_of(&self, note: Note, index: usize) -> bool {
        let Note::Memory(MemoryNote::Kill { process }) = note else { return false };
        self.memory.as_ref().and_then(|memory| memory.owner_of_process(process)) == Some(index)
    }
}
