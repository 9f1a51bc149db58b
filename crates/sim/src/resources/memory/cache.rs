//! The page cache: pages of files, kept for whoever comes next, and given up before anyone is killed for memory.
//!
//! **Law.** A page of a file is there once for all who use that file. Whoever has it read is charged for it, with all groups above;
//! others use it for nothing, and it stays charged when the one who is goes on without it, or ends. A charge that a bound above has
//! no room for gives up pages of files below that bound, those that were read first; only then anything goes to swap, or anyone
//! is killed. A page that was given up has to be read again, and is charged to whoever does.
//! **Source.** OOM-5: `Documentation/admin-guide/cgroup-v2.rst` ("Memory Ownership"); Linux `mm/filemap.c` (`filemap_add_folio`),
//! `mm/vmscan.c` (`prepare_scan_control`: `cache_trim_mode`, no anonymous page goes while inactive pages of files are left).
//! **Judge.** Closed forms; a slow twin, page by page.
//! **Where the model is wrong.** A page that is read twice goes to the active list, and stays longer than one that was read after it. What was
//! written counts as written back when its page is wanted.

use std::collections::VecDeque;

use super::{Charge, GroupId, Memory, MemoryNote, ProcessId};

/// Index of a file.
pub(crate) type FileId = usize;

/// Which pages of a file are there, a bit for each.
#[derive(Debug, Clone, Default)]
struct File {
    there: Vec<u64>,
}

impl File {
    fn holds(&self, page: u64) -> bool {
        let word = self.there.get((page / 64) as usize).copied().unwrap_or(0);
        word >> (page % 64) & 1 == 1
    }

    fn set(&mut self, first: u64, pages: u64, there: bool) {
        for page in first..first + pages {
            if let Some(word) = self.there.get_mut((page / 64) as usize) {
                let bit = 1 << (page % 64);
                *word = if there { *word | bit } else { *word & !bit };
            }
        }
    }
}

/// Pages of a file that one group was charged for at one time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    file: FileId,
    first: u64,
    pages: u64,
    /// Number among all that were read.
    age: u64,
}

/// The files.
#[derive(Debug, Clone, Default)]
pub(super) struct Cache {
    files: Vec<File>,
    age: u64,
    /// Pages that can be given up.
    held: u64,
}

/// What a group was charged for of files, the oldest first.
pub(super) type Runs = VecDeque<Run>;

impl Memory {
    /// A file of so many pages, none of which is there.
    pub(crate) fn add_file(&mut self, pages: u64) -> FileId {
        self.cache.files.push(File { there: vec![0; pages.div_ceil(64) as usize] });
        self.cache.files.len() - 1
    }

    /// The first pages in a row, from `first` on and before `end`, that are not there: from, and to which.
    pub(crate) fn gap(&self, file: FileId, first: u64, end: u64) -> Option<(u64, u64)> {
        let file = self.cache.files.get(file)?;
        let from = (first..end).find(|&page| !file.holds(page))?;
        let to = (from..end).find(|&page| file.holds(page)).unwrap_or(end);
        Some((from, to))
    }

    /// Charges a process's group for at most `wanted` pages of files that are to be read; older ones are given up for them.
    pub(crate) fn charge_files(&mut self, process: ProcessId, wanted: u64) -> Charge {
        let group = self.processes[process].group;
        while self.room(group) < wanted {
            let missing = wanted - self.room(group);
            if self.give_up_files(self.full(group), missing) == 0 {
                break;
            }
        }
        let pages = wanted.min(self.room(group));
        if pages == 0 {
            return self.make_room(process, wanted);
        }
        self.count(group, pages);
        let delay_ns = self.over_high(process, pages);
        Charge::Granted { pages, delay_ns }
    }

    /// Pages that a process's group was charged for are there.
    pub(crate) fn read_in(&mut self, process: ProcessId, file: FileId, first: u64, pages: u64) {
        let group = self.processes[process].group;
        self.hold_in(file, first, pages);
        let Cache { age, held, .. } = &mut self.cache;
        *age += 1;
        *held += pages;
        self.groups[group].files.push_back(Run { file, first, pages, age: *age });
    }

    /// Pages are there that somebody holds as his own memory: a kernel above this one.
    pub(crate) fn hold_in(&mut self, file: FileId, first: u64, pages: u64) {
        if let Some(file) = self.cache.files.get_mut(file) {
            file.set(first, pages, true);
        }
    }

    /// None of a file is there any more: it was removed, or with it the kernel that had it.
    pub(crate) fn forget(&mut self, file: FileId) {
        if let Some(file) = self.cache.files.get_mut(file) {
            file.there.fill(0);
        }
        for group in 0..self.groups.len() {
            let of_file = |run: &&Run| run.file == file;
            let pages: u64 = self.groups[group].files.iter().filter(of_file).map(|run| run.pages).sum();
            if pages > 0 {
                self.groups[group].files.retain(|run| run.file != file);
                self.cache.held -= pages;
                self.uncount(group, pages);
            }
        }
    }

    /// Gives up at most `wanted` pages of files below a group, those first that were read first; how many.
    pub(super) fn give_up_files(&mut self, below: GroupId, wanted: u64) -> u64 {
        let mut given = 0;
        while given < wanted && self.cache.held > 0 {
            let has = |group: &GroupId| !self.groups[*group].files.is_empty() && self.is_below(*group, below);
            let age = |group: &GroupId| self.groups[*group].files.front().map(|run| run.age);
            let Some(group) = (0..self.groups.len()).filter(has).min_by_key(age) else { break };
            let Some(run) = self.groups[group].files.front_mut() else { break };
            let (file, first, pages) = (run.file, run.first, run.pages.min(wanted - given));
            (run.first, run.pages) = (first + pages, run.pages - pages);
            if run.pages == 0 {
                self.groups[group].files.pop_front();
            }
            if let Some(file) = self.cache.files.get_mut(file) {
                file.set(first, pages, false);
            }
            self.cache.held -= pages;
            self.uncount(group, pages);
            given += pages;
        }
        if given > 0 && !std::mem::replace(&mut self.groups[below].has_given_up, true) {
            self.trace.note(self.now, MemoryNote::GivenUp { group: below }, None);
        }
        given
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Bounds, Charge, Machine, Memory, ProcessSpec, ROOT};
    use crate::kernel::rng::SplitMix64;

    const PAGE: u64 = 4096;

    /// A root and two groups below it with one process each, bounded in pages.
    fn memory(root: u64, own: [u64; 2]) -> Memory {
        let machine = Machine { cores: 1, page_bytes: PAGE, hz: 250, swap_out_ns: 0.0, swap_in_ns: 0.0 };
        let bound = |pages: u64| Bounds { max: Some(pages * PAGE), swap: Some(0), ..Bounds::default() };
        let mut memory = Memory::new(machine, bound(root));
        for pages in own {
            let group = memory.add_group(ROOT, bound(pages));
            memory.add_process(ProcessSpec { group, ..ProcessSpec::default() });
        }
        memory
    }

    /// Page by page: who holds which page of which file, the oldest first.
    #[derive(Default)]
    struct Twin(Vec<(usize, usize, u64)>);

    impl Twin {
        fn held(&self, process: Option<usize>) -> u64 {
            self.0.iter().filter(|one| process.is_none_or(|process| one.0 == process)).count() as u64
        }

        /// Reads a page, where it is not there; the oldest below a full bound gives way.
        fn read(&mut self, process: usize, file: usize, page: u64, root: u64, own: [u64; 2]) {
            if self.0.iter().any(|one| (one.1, one.2) == (file, page)) {
                return;
            }
            while self.held(Some(process)) >= own[process] {
                let place = self.0.iter().position(|one| one.0 == process).unwrap();
                self.0.remove(place);
            }
            while self.held(None) >= root {
                self.0.remove(0);
            }
            self.0.push((process, file, page));
        }
    }

    #[test]
    fn pages_of_files_come_and_go_as_page_by_page() {
        for seed in 0..40 {
            let mut dice = SplitMix64::from(seed, 0);
            let (root, own) = (20 + dice.below(60), [8 + dice.below(40), 8 + dice.below(40)]);
            let mut memory = memory(root, own);
            let mut twin = Twin::default();
            let files = [memory.add_file(70), memory.add_file(70)];
            for step in 0..400 {
                let (process, file) = (dice.below(2) as usize, dice.below(2) as usize);
                let page = dice.below(70);
                twin.read(process, file, page, root, own);
                if let Some((from, to)) = memory.gap(files[file], page, page + 1) {
                    let granted = memory.charge_files(process, to - from);
                    assert_eq!(granted, Charge::Granted { pages: 1, delay_ns: 0 });
                    memory.read_in(process, files[file], from, 1);
                }
                for (file, id) in files.into_iter().enumerate() {
                    let there = |page: &u64| memory.gap(id, *page, page + 1).is_none();
                    let found: Vec<u64> = (0..70).filter(there).collect();
                    let mut expected: Vec<u64> =
                        twin.0.iter().filter(|one| one.1 == file).map(|one| one.2).collect();
                    expected.sort_unstable();
                    assert_eq!(found, expected, "seed {seed}, step {step}");
                }
                let used = [ROOT, 1, 2].map(|group| memory.usage_bytes(group) / PAGE);
                assert_eq!(used, [twin.held(None), twin.held(Some(0)), twin.held(Some(1))]);
            }
            files.into_iter().for_each(|file| memory.forget(file));
            assert_eq!(memory.usage_bytes(ROOT), 0, "what was forgotten is charged to nobody");
        }
    }

    #[test]
    fn anonymous_pages_take_the_place_of_files_and_not_the_other_way_round() {
        // A bound of 100 pages with 60 of a file; pages touched, whether anyone dies of it, pages of the file that are left.
        for (touched, dies, left) in [(30, false, 60), (80, false, 19), (99, false, 0), (100, true, 0)] {
            let mut memory = memory(1000, [100, 100]);
            let file = memory.add_file(60);
            assert!(matches!(memory.charge_files(0, 60), Charge::Granted { pages: 60, .. }));
            memory.read_in(0, file, 0, 60);
            let (mut wanted, mut died) = (touched, false);
            while wanted > 0 && !died {
                match memory.charge(0, wanted, false) {
                    Charge::Granted { pages, .. } => wanted -= pages,
                    other => died = other == Charge::Killed(vec![0]),
                }
            }
            assert_eq!(died, dies, "{touched} touched");
            // The oldest go first, so that those that are left are the last.
            let there = |page: &u64| memory.gap(file, *page, page + 1).is_none();
            let found: Vec<u64> = (0..60).filter(there).collect();
            assert_eq!(found, (60 - found.len() as u64..60).collect::<Vec<_>>());
            assert!(found.len() as u64 <= left, "{touched} touched: {} left", found.len());
            if !dies {
                // A page table is with them; where it is tight 64 pages go at a time.
                assert!(found.len() as u64 + 64 >= left, "{touched} touched: {} left", found.len());
                assert!(memory.usage_bytes(1) <= 100 * PAGE);
            }
        }
    }
}
