//! Reclaim: anonymous pages go to swap; without swap there is nothing to reclaim.
//!
//! **Law.** Pages that are touched once go before pages that are touched over and over; within either kind each process gives
//! in proportion to what it holds, as on an LRU list of pages that nobody prefers. **Source.** Linux `mm/vmscan.c`
//! (`shrink_lruvec`, `get_scan_count`), `mm/swap.c`; `SWAP_CLUSTER_MAX` of `include/linux/swap.h`.

use super::{GroupId, Memory, ProcessId, State};

/// Least pages that are reclaimed at once (`SWAP_CLUSTER_MAX`).
const CLUSTER: u64 = 32;

impl Memory {
    /// Swaps out at least a cluster of pages below a group, as far as it goes; how many.
    pub(super) fn reclaim(&mut self, below: GroupId, wanted: u64) -> u64 {
        let candidates = |hot: bool| -> Vec<ProcessId> {
            let fits = |process: &ProcessId| {
                let record = &self.processes[*process];
                record.state == State::Alive
                    && record.hot == hot
                    && record.resident > 0
                    && self.is_below(record.group, below)
                    && self.swap_room(record.group) > 0
            };
            (0..self.processes.len()).filter(fits).collect()
        };
        let cold = candidates(false);
        let from = if cold.is_empty() { candidates(true) } else { cold };
        let held: u64 = from.iter().map(|&process| self.processes[process].resident).sum();
        let wanted = wanted.max(CLUSTER);
        let mut reclaimed = 0;
        for process in from {
            let part = u128::from(wanted) * u128::from(self.processes[process].resident);
            let part = u64::try_from(part / u128::from(held.max(1))).unwrap_or(wanted).max(1);
            reclaimed += self.swap_out(process, part.min(wanted - reclaimed));
        }
        reclaimed
    }

    /// Pages that a group may still have in swap.
    fn swap_room(&self, group: GroupId) -> u64 {
        let room = |above: GroupId| self.groups[above].swap_max.saturating_sub(self.groups[above].swapped);
        self.path(group).map(room).min().unwrap_or(0)
    }

    fn swap_out(&mut self, process: ProcessId, pages: u64) -> u64 {
        let group = self.processes[process].group;
        let pages = pages.min(self.processes[process].resident).min(self.swap_room(group));
        self.processes[process].resident -= pages;
        self.processes[process].swapped += pages;
        self.uncount(group, pages);
        for above in self.path(group).collect::<Vec<_>>() {
            self.groups[above].swapped += pages;
        }
        pages
    }

    /// Pages of a group that are no longer in swap.
    pub(super) fn unswap(&mut self, group: GroupId, pages: u64) {
        for above in self.path(group).collect::<Vec<_>>() {
            self.groups[above].swapped -= pages;
        }
    }
}
