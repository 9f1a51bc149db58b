//! Another bound for a group whose processes are there.
//!
//! **Law.** Version 2: the bound holds at once; what is beyond it is reclaimed, and where that does not do the process below
//! it with the greatest badness is killed. Version 1: what can't be reclaimed has the bound stay as it was (EBUSY); nobody is
//! killed. **Source.** `memory_max_write` and `mem_cgroup_resize_max` in Linux `mm/memcontrol.c` and `mm/memcontrol-v1.c`.

use super::{GroupId, Memory, MemoryNote, ProcessId};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resized {
    /// The bound holds.
    Done,
    /// The bound holds, and these were killed for it.
    Killed(Vec<ProcessId>),
    /// EBUSY: the bound is what it was.
    Refused,
}

impl Memory {
    /// Sets the greatest usage of a group (bytes), as version 1 or version 2 has it.
    pub(crate) fn set_max(&mut self, group: GroupId, bytes: u64, version_1: bool) -> Resized {
        let max = bytes / self.machine.page_bytes;
        while self.groups[group].usage > max {
            let beyond = self.groups[group].usage - max;
            if self.give_up_files(group, beyond) == 0 && self.reclaim(group, beyond) == 0 {
                break;
            }
        }
        if self.groups[group].usage > max && version_1 {
            return Resized::Refused;
        }
        self.groups[group].max = max;
        if self.groups[group].usage <= max || self.somebody_dies_below(group) {
            return Resized::Done;
        }
        let by = (0..self.processes.len()).find(|&process| self.processes[process].group == group);
        let (Some(victims), Some(by)) = (self.victims(group), by) else { return Resized::Done };
        let cause = self.trace.note(self.now, MemoryNote::Out { group, by }, None);
        for &victim in &victims {
            self.kill(victim);
            self.trace.note(self.now, MemoryNote::Kill { process: victim }, cause);
        }
        Resized::Killed(victims)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Bounds, Charge, Machine, Memory, ProcessSpec, ROOT};
    use super::Resized;

    const PAGE: u64 = 4096;

    #[test]
    fn a_smaller_bound_kills_on_version_2_and_is_refused_on_version_1() {
        // (swap of the machine, new bound in pages, version 1, what comes of it); 513 pages are charged, a table with them.
        let table = [
            (0, 600, false, Resized::Done),
            (0, 100, false, Resized::Killed(vec![0])),
            (0, 100, true, Resized::Refused),
            (0, 600, true, Resized::Done),
            (1000, 100, true, Resized::Done),
            (1000, 100, false, Resized::Done),
        ];
        for (swap, pages, version_1, expected) in table {
            let machine = Machine { cores: 1, page_bytes: PAGE, hz: 250, swap_out_ns: 0.0, swap_in_ns: 0.0 };
            let root = Bounds { swap: Some(swap * PAGE), ..Bounds::default() };
            let mut memory = Memory::new(machine, root);
            let group = memory.add_group(ROOT, Bounds { max: Some(700 * PAGE), ..Bounds::default() });
            let process = memory.add_process(ProcessSpec { group, ..ProcessSpec::default() });
            let mut left = 512;
            while left > 0 {
                let Charge::Granted { pages, .. } = memory.charge(process, left, false) else {
                    panic!("no room")
                };
                left -= pages;
            }
            let what = format!("swap {swap}, {pages} pages, version 1 {version_1}");
            assert_eq!(memory.set_max(group, pages * PAGE, version_1), expected, "{what}");
            let holds = if expected == Resized::Refused { 700 } else { pages };
            assert_eq!(memory.groups[group].max, holds, "{what}");
        }
    }
}
