//! Equal pages that are merged, and unused ones that are given back.
//!
//! **Law.** A scanner goes round the pages of all processes that have any to merge. At a first look it notes what is in a page; at a second,
//! a round later, one that has not changed is merged with its equal: of the pages that all such processes hold alike one copy is kept, and of
//! those that were given and are not used none. Who holds that copy and ends leaves it to another one. A balloon takes unused pages
//! from all processes, from each in proportion to what it has, when less than a share of the memory is free, until another share is.
//! **Source.** Linux `mm/ksm.c` (`scan_get_next_rmap_item`, `cmp_and_merge_page`: a page goes into the unstable tree when its checksum
//! is that of the last round); Waldspurger, OSDI 2002. **Judge.** Closed forms: so many rounds, so many pages.
//! **Left out.** The time that a balloon takes to grow.

use super::{Memory, MemoryNote, Process, ProcessId, ROOT, State};

/// When unused memory is taken back, as shares of the whole that are free.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Balloon {
    pub(crate) below: f64,
    pub(crate) until: f64,
}

/// How far the scanner is with a process (pages).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scanned {
    /// Of this round.
    position: u64,
    /// Whether it has been through it before.
    before: bool,
    /// Pages of those that all hold alike that it no longer has for itself.
    merged: u64,
    /// Pages that it had not used.
    blank: u64,
}

/// The scanner.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scanner {
    /// The process whose turn it is, or the next one that is there.
    at: ProcessId,
    /// Who holds the copy of what all hold alike.
    holder: Option<ProcessId>,
    /// What was saved when the last round ended (pages).
    told: u64,
}

/// A part of `whole` by `step` of `of`, all of it at the end.
fn part(whole: u64, step: u64, of: u64) -> u64 {
    u64::try_from(u128::from(whole) * u128::from(step) / u128::from(of.max(1))).unwrap_or(whole)
}

impl Process {
    /// Pages that it was given and does not use.
    fn unused(&self) -> u64 {
        self.reserve.saturating_sub(self.resident + self.tables())
    }

    fn is_scanned(&self) -> bool {
        self.state == State::Alive && self.alike > 0
    }

    /// Pages that there are to look at.
    fn extent(&self) -> u64 {
        (self.own + self.scanned.merged + self.scanned.blank + self.touched()).max(1)
    }
}

impl Memory {
    /// Looks at so many pages.
    pub(crate) fn scan(&mut self, pages: u64) {
        let mut left = pages;
        while left > 0 {
            let from = self.scanner.at;
            let later = (from..self.processes.len()).find(|&process| self.processes[process].is_scanned());
            let Some(process) = later else {
                // From the first one again, if there is any.
                let none = !self.processes.iter().any(Process::is_scanned);
                self.end_of_round();
                if none {
                    return;
                }
                continue;
            };
            self.scanner.at = process;
            let record = &self.processes[process];
            let ahead = record.extent().saturating_sub(record.scanned.position).max(1);
            let step = left.min(ahead);
            left -= step;
            if record.scanned.before {
                self.merge(process, step, ahead);
            }
            let scanned = &mut self.processes[process].scanned;
            scanned.position += step;
            if step == ahead {
                (scanned.position, scanned.before) = (0, true);
                self.scanner.at = process + 1;
            }
        }
    }

    fn end_of_round(&mut self) {
        self.scanner.at = 0;
        let alive = self.processes.iter().filter(|process| process.state == State::Alive);
        let saved = alive.map(|process| process.scanned.merged + process.scanned.blank).sum();
        if saved != self.scanner.told {
            self.scanner.told = saved;
            let bytes = saved * self.machine.page_bytes;
            self.trace.note(self.now, MemoryNote::Merged { bytes }, None);
        }
    }

    /// Merges what is found in `step` of the `ahead` pages that a process has still to be looked at.
    fn merge(&mut self, process: ProcessId, step: u64, ahead: u64) {
        let holds = self.scanner.holder.is_some_and(|holder| self.processes[holder].state == State::Alive);
        let record = &mut self.processes[process];
        let blank = part(record.unused(), step, ahead).min(record.own);
        record.own -= blank;
        record.reserve -= blank;
        record.scanned.blank += blank;
        let group = record.group;
        if !holds {
            // What it had found with others is its own again.
            let back = std::mem::take(&mut record.scanned.merged);
            record.own += back;
            self.scanner.holder = Some(process);
            self.uncount(group, blank);
            return self.count(group, back);
        }
        let alike = match self.scanner.holder {
            Some(holder) if holder == process => 0,
            _ => part(record.alike.saturating_sub(record.scanned.merged), step, ahead).min(record.own),
        };
        record.own -= alike;
        record.scanned.merged += alike;
        self.uncount(group, blank + alike);
    }

    /// Has processes give back what they do not use, where memory is short.
    pub(super) fn inflate(&mut self) {
        let Some(Balloon { below, until }) = self.balloon else { return };
        let root = &self.groups[ROOT];
        let share = |share: f64| (root.max as f64 * share) as u64;
        let free = root.max.saturating_sub(root.usage);
        if free >= share(below) {
            return;
        }
        let wanted = share(until) - free;
        let unused = |process: &Process| if process.state == State::Alive { process.unused() } else { 0 };
        let all: u64 = self.processes.iter().map(unused).sum();
        let wanted = wanted.min(all);
        let (mut left, mut taken) = (all, 0);
        for process in 0..self.processes.len() {
            let record = &mut self.processes[process];
            let own = unused(record);
            // In proportion to what is left, so that nothing of the whole is lost.
            let given = part(wanted - taken, own, left).min(record.own);
            left -= own;
            record.own -= given;
            record.reserve -= given;
            taken += given;
            let group = record.group;
            self.uncount(group, given);
        }
        if taken > 0 {
            let bytes = taken * self.machine.page_bytes;
            self.trace.note(self.now, MemoryNote::Ballooned { bytes }, None);
        }
    }
}
