//! Charging pages, as `try_charge_memcg` does.

use super::{Charge, ENTRIES_PER_TABLE, GroupId, Memory, MemoryNote, ProcessId};

/// Pages that are charged at once where room is short (`MEMCG_CHARGE_BATCH`, `include/linux/memcontrol.h`).
pub(super) const BATCH: u64 = 64;
/// The same far from any bound, where no one notices: at most a 64th of the room that is left.
const BATCH_MOST: u64 = 8192;
/// Groups of which a core keeps a stock at a time (`NR_MEMCG_STOCK`, `mm/memcontrol.c`, since 6.16; one before).
pub(super) const STOCKS: u64 = 7;

impl Memory {
    /// Asks for at most `wanted` pages for a process to touch; `from_swap`: pages of its own that come back from there.
    pub(crate) fn charge(&mut self, process: ProcessId, wanted: u64, from_swap: bool) -> Charge {
        self.inflate();
        let group = self.processes[process].group;
        let room = self.room(group);
        let far = self.room_below_high(group).min(room) / BATCH;
        let wanted = wanted.min(far.clamp(BATCH, BATCH_MOST));
        let (pages, cost) = self.affordable(process, wanted, room, from_swap);
        if pages == 0 {
            // What was read of files is there to be read again.
            if self.give_up_files(self.full(group), wanted) > 0 {
                return self.charge(process, wanted, from_swap);
            }
            return self.make_room(process, wanted);
        }
        self.count(group, cost);
        self.processes[process].resident += pages;
        if from_swap {
            self.processes[process].swapped -= pages;
            self.unswap(group, pages);
        }
        let delay_ns = self.over_high(process, pages);
        Charge::Granted { pages, delay_ns }
    }

    /// Has a process that was just added fit: while a bound above it is exceeded the kernel kills below that bound. Nobody
    /// has begun yet, so that the victims' memory is there at once; the victims.
    pub(crate) fn make_fit(&mut self, process: ProcessId) -> Vec<ProcessId> {
        self.inflate();
        let group = self.processes[process].group;
        let mut all = Vec::new();
        let exceeded = |memory: &Self| {
            let is_exceeded = |above: &GroupId| memory.groups[*above].usage > memory.groups[*above].max;
            memory.path(group).find(is_exceeded)
        };
        while let Some(bound) = exceeded(self) {
            let beyond = self.groups[bound].usage - self.groups[bound].max;
            if self.give_up_files(bound, beyond) > 0 {
                continue;
            }
            let Some(victims) = self.victims(bound) else { break };
            let cause = self.trace.note(self.now, MemoryNote::Out { group: bound, by: process }, None);
            for victim in victims {
                self.kill(victim);
                self.trace.note(self.now, MemoryNote::Kill { process: victim }, cause);
                self.release(victim);
                all.push(victim);
            }
        }
        if !all.is_empty() {
            // The kernel makes room before it counts.
            for above in self.path(group).collect::<Vec<_>>() {
                let record = &mut self.groups[above];
                record.peak = record.peak.min(record.max.max(record.usage));
            }
        }
        all
    }

    /// As many of `wanted` pages as there is `room` for with their page tables, and what both cost.
    fn affordable(&self, process: ProcessId, wanted: u64, room: u64, from_swap: bool) -> (u64, u64) {
        let record = &self.processes[process];
        let (held, touched) = (record.resident + record.swapped, record.touched());
        let cost = |pages: u64| match from_swap {
            true => pages,
            false => {
                let tables = record.kernels * (held + pages).div_ceil(ENTRIES_PER_TABLE);
                (record.resident + pages + tables).saturating_sub(record.reserve) - touched
            }
        };
        let given = record.reserve.saturating_sub(record.resident + record.tables());
        let mut pages = wanted.min(room.saturating_add(given));
        while pages > 0 && cost(pages) > room {
            pages -= 1;
        }
        (pages, cost(pages))
    }

    /// Pages that may still be charged to a group.
    pub(super) fn room(&self, group: GroupId) -> u64 {
        let room = |above: GroupId| self.groups[above].max.saturating_sub(self.groups[above].usage);
        self.path(group).map(room).min().unwrap_or(0)
    }

    /// The lowest bound above a group that has no room for another page with its table.
    pub(super) fn full(&self, group: GroupId) -> GroupId {
        let least = self.room(group);
        let is_full =
            |above: &GroupId| self.groups[*above].max.saturating_sub(self.groups[*above].usage) == least;
        self.path(group).find(is_full).unwrap_or(group)
    }

    /// Reclaims below the bound that has no room, or kills there.
    pub(super) fn make_room(&mut self, process: ProcessId, wanted: u64) -> Charge {
        let full = self.full(self.processes[process].group);
        let reclaimed = self.reclaim(full, wanted);
        if reclaimed > 0 {
            return Charge::Reclaiming { ns: (reclaimed as f64 * self.machine.swap_out_ns) as u64 };
        }
        if self.somebody_dies_below(full) {
            return Charge::Waiting;
        }
        let Some(victims) = self.victims(full) else { return Charge::Waiting };
        let cause = self.trace.note(self.now, MemoryNote::Out { group: full, by: process }, None);
        for &victim in &victims {
            self.kill(victim);
            self.trace.note(self.now, MemoryNote::Kill { process: victim }, cause);
        }
        Charge::Killed(victims)
    }
}
