//! When threads wait for the disk, for whoever asks why.

use std::collections::BTreeMap;

use catamaran_report::timeline::{Wait, WaitFor};

use super::disk::DiskWorld;
use super::world::World;
use crate::kernel::Instant;
use crate::resources::cpu::ThreadId;

/// Waits that are over, and those that are not.
#[derive(Debug, Clone, Default)]
pub(super) struct Waits {
    open: BTreeMap<ThreadId, (Instant, WaitFor)>,
    over: Vec<(ThreadId, WaitFor, Instant, Instant)>,
}

impl DiskWorld {
    /// A thread begins to wait, unless it does already: who waits for a copy waits for the disk meanwhile.
    pub(super) fn begins_to_wait(&mut self, thread: ThreadId, now: Instant, what: WaitFor) {
        if let Some(waits) = &mut self.waits {
            waits.open.entry(thread).or_insert((now, what));
        }
    }

    /// A thread has what it waited for: a copy, or anything else.
    pub(super) fn has_waited(&mut self, thread: ThreadId, now: Instant, for_copy: bool) {
        let Some(Waits { open, over }) = &mut self.waits else { return };
        if let Some(&(since, what)) = open.get(&thread)
            && (what == WaitFor::CopyUp) == for_copy
        {
            open.remove(&thread);
            if since < now {
                over.push((thread, what, since, now));
            }
        }
    }

    /// A thread waits no more, its life being over.
    pub(super) fn gives_up_waiting(&mut self, thread: ThreadId) {
        if let Some(waits) = &mut self.waits {
            waits.open.remove(&thread);
        }
    }
}

/// What there is to tell of a world's waits, by their beginnings.
pub(super) fn waits(world: &World) -> Vec<Wait> {
    let waits = world.disk.as_ref().and_then(|disk| disk.waits.as_ref());
    let wait = |&(thread, what, start_ns, end_ns): &(ThreadId, WaitFor, Instant, Instant)| {
        let &(tenant, own) = world.owners.get(thread)?;
        Some(Wait { tenant: tenant as u32, thread: own as u32, what, start_ns, end_ns })
    };
    let mut all: Vec<Wait> = waits.iter().flat_map(|waits| waits.over.iter().filter_map(wait)).collect();
    all.sort_by_key(|wait| (wait.start_ns, wait.tenant, wait.thread));
    all
}
