//! `memory.high`: whoever charges beyond it reclaims, and where that does not help is delayed the more the further it is.
//!
//! **Law.** With o = (usage − high) / high of the worst group above, a charge of n pages is delayed o² · HZ · 2⁶ · n / 64 ticks,
//! at most 2 s, and not at all where that is at most 10 ms. **Source.** `calculate_high_delay`, `calculate_overage` and
//! `__mem_cgroup_handle_over_high` in Linux `mm/memcontrol.c`. **Judge.** The table in the comment there.

use super::{GroupId, Memory, MemoryNote, ProcessId};

/// `MEMCG_CHARGE_BATCH`, `MEMCG_DELAY_PRECISION_SHIFT`, `MEMCG_DELAY_SCALING_SHIFT`.
const BATCH: u128 = 64;
const PRECISION_SHIFT: u32 = 20;
const SCALING_SHIFT: u32 = 14;
/// `MEMCG_MAX_HIGH_DELAY_JIFFIES` (s).
const DELAY_MOST_S: u128 = 2;

/// Ticks of delay for a charge of `pages` in a group with `usage` and `high` (all in pages).
pub(super) fn delay_ticks(usage: u64, high: u64, pages: u64, hz: u64) -> u64 {
    if usage <= high {
        return 0;
    }
    let overage = (u128::from(usage - high) << PRECISION_SHIFT) / u128::from(high.max(1));
    let ticks = (overage * overage * u128::from(hz)) >> (PRECISION_SHIFT + SCALING_SHIFT);
    let ticks = (ticks * u128::from(pages) / BATCH).min(DELAY_MOST_S * u128::from(hz));
    // At most 2 s of ticks, which are within u64 whatever HZ is.
    if ticks <= u128::from(hz / 100) { 0 } else { ticks as u64 }
}

impl Memory {
    /// Pages that a group may still be charged before a `high` above it is crossed; 0 where one is.
    pub(super) fn room_below_high(&self, group: GroupId) -> u64 {
        let room = |above: GroupId| self.groups[above].high.saturating_sub(self.groups[above].usage);
        self.path(group).map(room).min().unwrap_or(0)
    }

    /// After a charge of `pages`: the delay of the one who charged (ns).
    pub(super) fn over_high(&mut self, process: ProcessId, pages: u64) -> u64 {
        let path: Vec<GroupId> = self.path(self.processes[process].group).collect();
        let mut reclaimed = 0;
        for &above in &path {
            if self.groups[above].usage <= self.groups[above].high {
                continue;
            }
            if !std::mem::replace(&mut self.groups[above].has_been_high, true) {
                self.trace.note(self.now, MemoryNote::High { group: above, by: process }, None);
            }
            let given = self.give_up_files(above, pages);
            reclaimed += if given < pages { self.reclaim(above, pages - given) } else { 0 };
        }
        let ticks = |&above: &GroupId| {
            delay_ticks(self.groups[above].usage, self.groups[above].high, pages, self.machine.hz)
        };
        let ticks = path.iter().map(ticks).max().unwrap_or(0);
        let tick_ns = 1_000_000_000 / self.machine.hz.max(1);
        (reclaimed as f64 * self.machine.swap_out_ns) as u64 + ticks * tick_ns
    }
}
