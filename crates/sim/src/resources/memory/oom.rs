//! The out-of-memory killer.
//!
//! **Law.** Badness = resident pages + pages in swap + page tables + oom_score_adj · (pages of the bound / 1000). The greatest
//! dies; of equals the one that is looked at last; one with oom_score_adj −1000 never. With `memory.oom.group` on a group
//! between the victim and the bound, everyone in the uppermost such group dies. While a victim still holds memory no other is
//! chosen. **Source.** `oom_badness`, `oom_evaluate_task`, `oom_kill_process` in Linux `mm/oom_kill.c`;
//! `mem_cgroup_get_oom_group`, `mem_cgroup_get_max` in `mm/memcontrol.c`.

use super::{GroupId, Memory, ProcessId, State};

/// `OOM_SCORE_ADJ_MIN`.
const NEVER: i64 = -1000;
/// What `oom_score_adj` counts in.
const ADJ_PARTS: i64 = 1000;

impl Memory {
    /// Who is killed when `bound` has no room; none where nobody may be.
    pub(super) fn victims(&self, bound: GroupId) -> Option<Vec<ProcessId>> {
        let total = self.total_pages(bound);
        let candidates = (0..self.processes.len()).filter(|&process| {
            let record = &self.processes[process];
            record.state == State::Alive && record.oom_score_adj > NEVER && self.is_below(record.group, bound)
        });
        // `max_by_key` answers the last of equals, as the kernel does.
        let victim = candidates.max_by_key(|&process| self.badness(process, total))?;
        let Some(together) = self.killed_together(victim, bound) else { return Some(vec![victim]) };
        let dies = |&process: &ProcessId| {
            let record = &self.processes[process];
            record.state == State::Alive
                && record.oom_score_adj > NEVER
                && self.is_below(record.group, together)
        };
        Some((0..self.processes.len()).filter(dies).collect())
    }

    /// Badness of a process in pages, where a bound of `total` pages is reached.
    pub(super) fn badness(&self, process: ProcessId, total: i64) -> i64 {
        let record = &self.processes[process];
        let pages = record.own_rss + record.touched() + record.swapped;
        i64::try_from(pages).unwrap_or(i64::MAX).saturating_add(record.oom_score_adj * (total / ADJ_PARTS))
    }

    /// Pages that a bound lets its group have, swap included (`mem_cgroup_get_max`).
    pub(super) fn total_pages(&self, bound: GroupId) -> i64 {
        let group = &self.groups[bound];
        let swap = group.swap_max.min(self.groups[super::ROOT].swap_max);
        i64::try_from(group.max.saturating_add(swap)).unwrap_or(i64::MAX)
    }

    /// The uppermost group, from the victim's up to the bound, whose processes are killed together.
    fn killed_together(&self, victim: ProcessId, bound: GroupId) -> Option<GroupId> {
        let below = self.path(self.processes[victim].group).filter(|&group| self.is_below(group, bound));
        below.filter(|&group| self.groups[group].killed_together).last()
    }

    pub(super) fn kill(&mut self, process: ProcessId) {
        self.processes[process].state = State::Dying;
    }

    pub(super) fn somebody_dies_below(&self, bound: GroupId) -> bool {
        let dies =
            |process: &super::Process| process.state == State::Dying && self.is_below(process.group, bound);
        self.processes.iter().any(dies)
    }
}
