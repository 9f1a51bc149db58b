//! Memory: pages are charged to a process's group and to all groups above it, as Linux control groups have it.
//!
//! **Law.** A page is charged when it is first touched, a page table with every 512th. A charge that a bound somewhere above
//! has no room for asks for reclaim below that bound: anonymous pages go to swap as far as there is any; where nothing can be
//! reclaimed, the process below that bound with the greatest badness is killed, and whoever needs room waits for its memory.
//! Beyond `high` the one who charges is delayed, and nobody is killed.
//!
//! **Source.** Linux `mm/memcontrol.c` (`try_charge_memcg`, `mem_cgroup_handle_over_high`), `mm/oom_kill.c`,
//! `mm/page_counter.c`; `Documentation/admin-guide/cgroup-v2.rst`.
//!
//! **Left out.** The stock of charged pages that each core keeps for a group counts in peaks only: it is given back as soon as a
//! bound is met (`drain_all_stock`). Pages of files: `cache.rs`.
//!
//! **Judge.** The machine at hand by `catamaran compare`; a slow twin, page by page, in the tests of this room.

mod cache;
mod charge;
mod high;
mod merge;
mod oom;
mod reclaim;
mod resize;
#[cfg(test)]
mod tests;

use crate::kernel::Instant;
use crate::kernel::trace::{Entry, Trace};

pub(crate) use cache::FileId;
pub(crate) use merge::Balloon;
pub(crate) use resize::Resized;

/// Index of a group; [`ROOT`] is there from the start.
pub(crate) type GroupId = usize;
/// Index of a process.
pub(crate) type ProcessId = usize;
/// The group that every other one descends from.
pub(crate) const ROOT: GroupId = 0;

/// Pages whose entries one page table holds: 512 of 8 bytes in a page of 4 KiB (`PTRS_PER_PTE`).
const ENTRIES_PER_TABLE: u64 = 512;

/// The machine, as far as memory goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Machine {
    pub(crate) cores: u64,
    pub(crate) page_bytes: u64,
    /// Ticks a second: delays are whole ticks.
    pub(crate) hz: u64,
    /// Waiting for one page to be swapped out, and in (ns).
    pub(crate) swap_out_ns: f64,
    pub(crate) swap_in_ns: f64,
}

/// Bounds of a group (bytes); none where it has no such bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Bounds {
    pub(crate) max: Option<u64>,
    pub(crate) high: Option<u64>,
    pub(crate) swap: Option<u64>,
    /// `memory.oom.group`.
    pub(crate) killed_together: bool,
}

/// A group's bounds and counters, in pages.
#[derive(Debug, Clone)]
struct Group {
    parent: Option<GroupId>,
    max: u64,
    high: u64,
    swap_max: u64,
    killed_together: bool,
    usage: u64,
    swapped: u64,
    peak: u64,
    /// Whether it was ever beyond `high`.
    has_been_high: bool,
    /// Pages of files that it was charged for.
    files: cache::Runs,
    /// Whether anything of that was ever given up for a charge below it.
    has_given_up: bool,
}

/// A process to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ProcessSpec {
    pub(crate) group: GroupId,
    /// Charged for it being there (bytes).
    pub(crate) own_bytes: u64,
    /// Charged beside that while it starts, where the bounds leave room (bytes).
    pub(crate) start_bytes: u64,
    /// What it weighs for the killer before it holds anything (bytes).
    pub(crate) own_rss_bytes: u64,
    /// Touches its pages over and over.
    pub(crate) hot: bool,
    pub(crate) oom_score_adj: i64,
    /// Cores on which it is charged, as far as the machine has them; 0 counts as 1.
    pub(crate) spread: u64,
    /// What of its own it is charged on another core than the rest, where it is charged on several (bytes).
    pub(crate) cloned_bytes: u64,
    /// Kernels that keep page tables beneath its own.
    pub(crate) kernels_beneath: u64,
    /// What of its own it does not use: what it touches lies there first (bytes).
    pub(crate) reserve_bytes: u64,
    /// What of its own every such process holds alike, and is looked for; 0 where nobody looks (bytes).
    pub(crate) alike_bytes: u64,
}

/// Whether a process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Alive,
    /// Killed; its memory is still charged.
    Dying,
    Gone,
}

/// A process and its anonymous pages.
#[derive(Debug, Clone)]
struct Process {
    group: GroupId,
    own: u64,
    own_rss: u64,
    hot: bool,
    oom_score_adj: i64,
    spread: u64,
    cloned: u64,
    kernels: u64,
    reserve: u64,
    alike: u64,
    scanned: merge::Scanned,
    resident: u64,
    swapped: u64,
    state: State,
}

impl Process {
    /// Page tables for all that it ever touched.
    fn tables(&self) -> u64 {
        self.kernels * (self.resident + self.swapped).div_ceil(ENTRIES_PER_TABLE)
    }

    /// What it touched, with the tables, beyond what it had been given before.
    fn touched(&self) -> u64 {
        (self.resident + self.tables()).saturating_sub(self.reserve)
    }

    fn charged(&self) -> u64 {
        self.own + self.touched()
    }
}

/// What came of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Charge {
    /// So many pages may be touched, after a delay (ns).
    Granted { pages: u64, delay_ns: u64 },
    /// Room is being made for so long (ns); then try again.
    Reclaiming { ns: u64 },
    /// These were killed; wait for the memory of one of them.
    Killed(Vec<ProcessId>),
    /// Somebody was killed before; wait for its memory.
    Waiting,
}

/// What happened, for the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemoryNote {
    /// A group went beyond `high` for the first time, by this process.
    High { group: GroupId, by: ProcessId },
    /// A group had no room left for what this process touched.
    Out { group: GroupId, by: ProcessId },
    /// A process was killed for it.
    Kill { process: ProcessId },
    /// Pages of files below a group were given up for the first time.
    GivenUp { group: GroupId },
    /// Another round of the scanner is over: so much is saved now (bytes).
    Merged { bytes: u64 },
    /// So much was given back (bytes).
    Ballooned { bytes: u64 },
}

/// Groups and processes.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    machine: Machine,
    now: Instant,
    groups: Vec<Group>,
    processes: Vec<Process>,
    trace: Trace<MemoryNote>,
    scanner: merge::Scanner,
    balloon: Option<Balloon>,
    cache: cache::Cache,
}

impl Memory {
    /// A machine whose root group has these bounds.
    pub(crate) fn new(machine: Machine, root: Bounds) -> Self {
        let mut memory = Self {
            machine,
            now: 0,
            groups: Vec::new(),
            processes: Vec::new(),
            trace: Trace::new(true),
            scanner: merge::Scanner::default(),
            balloon: None,
            cache: cache::Cache::default(),
        };
        memory.push_group(None, root);
        memory
    }

    /// The same with a balloon in each process, or none.
    pub(crate) fn with_balloon(self, balloon: Option<Balloon>) -> Self {
        Self { balloon, ..self }
    }

    pub(crate) fn add_group(&mut self, parent: GroupId, bounds: Bounds) -> GroupId {
        self.push_group(Some(parent), bounds)
    }

    fn push_group(&mut self, parent: Option<GroupId>, bounds: Bounds) -> GroupId {
        // The kernel rounds bounds down to whole pages (`page_counter_memparse`).
        let pages = |bytes: Option<u64>| bytes.map_or(u64::MAX, |bytes| bytes / self.machine.page_bytes);
        self.groups.push(Group {
            parent,
            max: pages(bounds.max),
            high: pages(bounds.high),
            swap_max: pages(bounds.swap),
            killed_together: bounds.killed_together,
            usage: 0,
            swapped: 0,
            peak: 0,
            has_been_high: false,
            files: cache::Runs::new(),
            has_given_up: false,
        });
        self.groups.len() - 1
    }

    /// Charges what nobody gives back to a group, whatever the bounds say (bytes).
    pub(crate) fn hold(&mut self, group: GroupId, bytes: u64) {
        self.count(group, bytes.div_ceil(self.machine.page_bytes));
    }

    /// What was charged so often by [`Self::hold`] is given back (bytes of each).
    pub(crate) fn let_go(&mut self, group: GroupId, times: u64, bytes: u64) {
        self.uncount(group, times * bytes.div_ceil(self.machine.page_bytes));
    }

    /// A process with what it is charged for being there, whatever the bounds say: [`Self::make_fit`] says what follows.
    pub(crate) fn add_process(&mut self, spec: ProcessSpec) -> ProcessId {
        let own = spec.own_bytes.div_ceil(self.machine.page_bytes);
        self.processes.push(Process {
            group: spec.group,
            own,
            own_rss: spec.own_rss_bytes.div_ceil(self.machine.page_bytes),
            hot: spec.hot,
            oom_score_adj: spec.oom_score_adj,
            spread: spec.spread,
            cloned: spec.cloned_bytes / self.machine.page_bytes,
            kernels: 1 + spec.kernels_beneath,
            reserve: spec.reserve_bytes / self.machine.page_bytes,
            alike: (spec.alike_bytes / self.machine.page_bytes).min(own),
            scanned: merge::Scanned::default(),
            resident: 0,
            swapped: 0,
            state: State::Alive,
        });
        self.count(spec.group, own);
        let start = spec.start_bytes.div_ceil(self.machine.page_bytes);
        for above in self.path(spec.group).collect::<Vec<_>>() {
            let group = &mut self.groups[above];
            group.peak = group.peak.max((group.usage + start).min(group.max));
        }
        self.processes.len() - 1
    }

    /// Has a process hold so many pages that another machine has sent, whatever the bounds say.
    pub(crate) fn take_over(&mut self, process: ProcessId, pages: u64) {
        let before = self.processes[process].charged();
        self.processes[process].resident += pages;
        self.count(self.processes[process].group, self.processes[process].charged() - before);
    }

    /// Bytes that may still be charged to a group.
    pub(crate) fn room_bytes(&self, group: GroupId) -> u64 {
        self.room(group).saturating_mul(self.machine.page_bytes)
    }

    /// Moves the model's clock.
    pub(crate) fn set_now(&mut self, now: Instant) {
        self.now = now;
    }

    /// Charged to a group now (bytes).
    pub(crate) fn usage_bytes(&self, group: GroupId) -> u64 {
        self.groups[group].usage * self.machine.page_bytes
    }

    /// Most that was ever charged to a group (bytes).
    pub(crate) fn peak_bytes(&self, group: GroupId) -> u64 {
        let peak = self.groups[group].peak;
        (peak + self.stocked(group)) * self.machine.page_bytes
    }

    /// Pages that a group is charged at its peak beyond what is held: a core charges a whole stock at a time for the group that
    /// is charged and all above it, and each core but the last one on which a process was charged keeps one for it. Where
    /// it was cloned on another core than the one on which its program started, each has as many stocks as its part takes.
    fn stocked(&self, group: GroupId) -> u64 {
        let cores = |process: &Process| process.spread.min(self.machine.cores).saturating_sub(1);
        let is_apart = |process: &Process| process.cloned > 0 && cores(process) > 0;
        let further = |process: &Process| cores(process) - u64::from(is_apart(process));
        let (gone, there): (Vec<&Process>, Vec<&Process>) = self
            .processes
            .iter()
            .filter(|process| process.group == group)
            .partition(|process| process.state == State::Gone);
        // One that comes after another has gone finds the stocks that are left.
        let before = gone.into_iter().map(further).max().unwrap_or(0);
        let apart = there.iter().copied().filter(|process| is_apart(process)).map(|process| process.cloned);
        let own = there.iter().copied().map(further).sum::<u64>().max(before);
        let children = (0..self.groups.len()).filter(|child| self.groups[*child].parent == Some(group));
        let below: u64 = children.map(|child| self.stocked(child)).sum();
        let peak = self.groups[group].peak;
        let apart = apart.sum::<u64>().min(peak);
        let rounded = |pages: u64| pages.next_multiple_of(charge::BATCH);
        let whole = if below == 0 { rounded(peak - apart) + rounded(apart) } else { peak };
        let most = self.path(group).map(|above| self.groups[above].max).min().unwrap_or(u64::MAX);
        let stocks = (whole + own * charge::BATCH + below).min(most).saturating_sub(peak);
        // What was charged for being there is charged whatever the bounds say.
        stocks.min(charge::STOCKS * self.machine.cores * charge::BATCH)
    }

    /// Pages of a process that are in memory.
    pub(crate) fn resident_pages(&self, process: ProcessId) -> u64 {
        self.processes[process].resident
    }

    /// Pages of a process that are in swap.
    pub(crate) fn swapped_pages(&self, process: ProcessId) -> u64 {
        self.processes[process].swapped
    }

    /// What happened so far.
    pub(crate) fn trace(&self) -> &[Entry<MemoryNote>] {
        self.trace.entries()
    }

    /// A group and all above it.
    fn path(&self, group: GroupId) -> impl Iterator<Item = GroupId> {
        std::iter::successors(Some(group), |&group| self.groups[group].parent)
    }

    fn is_below(&self, group: GroupId, ancestor: GroupId) -> bool {
        self.path(group).any(|above| above == ancestor)
    }

    /// Charges `pages` to a group and all above it.
    fn count(&mut self, group: GroupId, pages: u64) {
        for above in self.path(group).collect::<Vec<_>>() {
            let group = &mut self.groups[above];
            group.usage += pages;
            group.peak = group.peak.max(group.usage);
        }
    }

    fn uncount(&mut self, group: GroupId, pages: u64) {
        for above in self.path(group).collect::<Vec<_>>() {
            self.groups[above].usage -= pages;
        }
    }

    /// The memory of a process is gone.
    pub(crate) fn release(&mut self, process: ProcessId) {
        let record = &mut self.processes[process];
        if record.state == State::Gone {
            return;
        }
        record.state = State::Gone;
        let (group, charged, swapped) = (record.group, record.charged(), record.swapped);
        self.uncount(group, charged);
        self.unswap(group, swapped);
    }
}
