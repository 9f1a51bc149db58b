//! The threads of a `disk` workload, each with one operation in flight.
//!
//! **Law.** That of [`catamaran_scenario::file_work`]: a thread that has finished its operation takes the next one, and begins
//! it no sooner than the rate has it. **Judge.** The native worker, which follows the same rule.

use catamaran_scenario::Plan;
use catamaran_scenario::file_work::{self, FileWork};
use catamaran_scenario::plan::Workload;

use super::Served;
use crate::kernel::Instant;
use crate::kernel::rng::SplitMix64;

/// A place in the file of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InLayer {
    /// Number of the layer among those of the plan.
    pub(crate) layer: usize,
    /// First byte.
    pub(crate) at: u64,
    /// Whether what comes next is anywhere.
    pub(crate) random: bool,
}

/// An operation that a thread asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct FileOp {
    pub(crate) bytes: u64,
    pub(crate) writes: bool,
    pub(crate) cached: bool,
    /// Whether it waits until the device has written its cache out.
    pub(crate) flushes: bool,
    /// None in a file of the tenant's own.
    pub(crate) in_layer: Option<InLayer>,
}

/// What a thread does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Operate(FileOp),
    Sleep(Instant),
    Rest,
}

#[derive(Debug, Clone, Copy, Default)]
struct Hand {
    /// The operation that it has taken up and not begun.
    taken: Option<u64>,
    /// Place among the operations of the one that is in flight.
    flying: Option<usize>,
}

/// Which file it is, and the stream of its places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Places {
    seed: u64,
    layer: Option<usize>,
}

impl Places {
    pub(super) fn of(
        plan: &Plan,
        (tenant, replica, phase): (usize, u32, usize),
        workload: &Workload,
    ) -> Self {
        let own = file_work::layers_of(workload).first().copied();
        let layer = own.and_then(|own| file_work::layers(plan).iter().position(|layer| *layer == own));
        Self { seed: FileWork::places_seed(plan.seed(), tenant, replica, phase), layer }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Filer {
    work: FileWork,
    places: Places,
    next: u64,
    hands: Vec<Hand>,
    done: Vec<Served>,
    /// Bytes that were moved in lives before this one; of a layer's file in this one, too.
    moved_before: u64,
}

impl Filer {
    pub(super) fn new(work: FileWork, places: Places) -> Self {
        Self {
            work,
            places,
            next: 0,
            hands: vec![Hand::default(); work.depth as usize],
            done: Vec::new(),
            moved_before: 0,
        }
    }

    /// What `thread` does at `now`, when whatever it did before is done, in a phase from `began` to `until`.
    pub(super) fn next(&mut self, thread: usize, now: Instant, began: Instant, until: Instant) -> Step {
        let Some(hand) = self.hands.get_mut(thread) else { return Step::Rest };
        if let Some(op) = hand.flying.take().and_then(|place| self.done.get_mut(place)) {
            op.completed = Some(now);
        }
        let number = match hand.taken.take() {
            Some(number) => number,
            None if self.next < self.work.operations && now < until => {
                self.next += 1;
                self.next - 1
            }
            None => return Step::Rest,
        };
        let due = began.saturating_add(self.work.due_ns(number)).min(until);
        if now < due {
            hand.taken = Some(number);
            return Step::Sleep(due);
        }
        if now >= until {
            return Step::Rest;
        }
        hand.flying = Some(self.done.len());
        self.done.push(Served { started: Some(now), thread: Some(thread), ..Served::blank(now, 0) });
        Step::Operate(FileOp {
            bytes: self.work.block_bytes,
            writes: self.work.writes,
            cached: self.work.cached,
            flushes: self.work.flushes,
            in_layer: self.places.layer.map(|layer| self.place(layer, number)),
        })
    }

    fn place(&self, layer: usize, number: u64) -> InLayer {
        let random = self.work.random;
        let block = if random { SplitMix64::from(self.places.seed, number).next() } else { number };
        InLayer { layer, at: block % self.work.file_blocks * self.work.block_bytes, random }
    }

    /// The operations that were begun.
    pub(super) fn operations(&self) -> &[Served] {
        &self.done
    }

    /// The disk has moved so many bytes for it, to or from the file of a layer.
    pub(super) fn add_moved(&mut self, bytes: u64) {
        self.moved_before += bytes;
    }

    /// Whether its file is one of a layer.
    pub(super) fn is_in_layer(&self) -> bool {
        self.places.layer.is_some()
    }

    /// Bytes moved so far; of a layer's file those that the disk had to move.
    pub(super) fn moved_bytes(&self) -> u64 {
        if self.is_in_layer() {
            return self.moved_before;
        }
        let completed = self.done.iter().filter(|op| op.completed.is_some()).count() as u64;
        self.moved_before + completed * self.work.block_bytes
    }

    /// All its operations are to be done again; those of the life that ended.
    pub(super) fn start_over(&mut self) -> Vec<Served> {
        self.moved_before = self.moved_bytes();
        self.next = 0;
        self.hands.fill(Hand::default());
        std::mem::take(&mut self.done)
    }

    /// Bytes of each thread's buffer.
    pub(super) fn block_bytes(&self) -> u64 {
        self.work.block_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_take_turns_at_the_rate() {
        let work = FileWork {
            operations: 3,
            block_bytes: 1000,
            file_blocks: 3,
            depth: 2,
            writes: false,
            random: false,
            flushes: false,
            cached: false,
            rate: Some(1_000_000),
            layer_bytes: None,
        };
        let mut filer = Filer::new(work, Places::default());
        let op = Step::Operate(FileOp {
            bytes: 1000,
            writes: false,
            cached: false,
            flushes: false,
            in_layer: None,
        });
        let table = [
            (0, 100, op),
            (1, 100, Step::Sleep(1_000_100)),
            (0, 400, Step::Sleep(2_000_100)),
            (1, 1_000_100, op),
            (1, 1_000_900, Step::Rest),
            (0, 2_000_200, op),
            (0, 2_000_300, Step::Rest),
        ];
        for (thread, now, step) in table {
            assert_eq!(filer.next(thread, now, 100, u64::MAX), step, "at {now}");
        }
        let latencies: Vec<u64> =
            filer.operations().iter().map(|op| op.completed.unwrap() - op.arrival).collect();
        assert_eq!((latencies, filer.moved_bytes()), (vec![300, 800, 100], 3000));
    }

    #[test]
    fn nothing_begins_after_the_phase() {
        let work = FileWork {
            operations: 9,
            block_bytes: 512,
            file_blocks: 9,
            depth: 1,
            writes: true,
            random: true,
            flushes: true,
            cached: false,
            rate: None,
            layer_bytes: None,
        };
        let mut filer = Filer::new(work, Places::default());
        assert!(matches!(filer.next(0, 0, 0, 50), Step::Operate(_)));
        assert_eq!(filer.next(0, 50, 0, 50), Step::Rest);
        assert_eq!(filer.operations().len(), 1);
    }
}
