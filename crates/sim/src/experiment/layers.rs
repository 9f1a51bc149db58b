//! Where threads meet the files of layers: the page cache, what it has to read, and what is copied up.
//!
//! **Law.** A thread that wants pages of such a file finds them, or waits for whoever is reading them, or reads them itself: as
//! far as the file and the room for memory go, 128 KiB at a time where it reads in order, else what it wants. It is charged for what
//! it reads. Where the file is beneath the roots of all, the first one that opens it for writing from above has it copied up: read in
//! pieces of 1 MiB, written into the page cache of a file of its own, and then to the device, whose cache is written out; the other
//! threads of the same tenant wait until then, and nobody else notices.
//! **Source.** Linux `mm/filemap.c` (`filemap_get_pages`), `mm/readahead.c`; `fs/overlayfs/copy_up.c` (`ovl_copy_up_file`:
//! `OVL_COPY_UP_CHUNK_SIZE`, `vfs_fsync`); OOM-5, OOM-6. **Judge.** Closed forms (`tests/laws/layers.rs`).
//! **Where the model is wrong.** Reading ahead begins with less and goes on while what was read is copied. A file system that shares extents
//! (reflink) copies nothing up. A write that is not flushed costs the device nothing, as with a tenant's own file. A guest's new page costs
//! no fault of the machine's kernel.

mod copying;
mod ends;

use std::collections::{BTreeMap, BTreeSet};

use catamaran_report::timeline::WaitFor;
use catamaran_scenario::file_work::{self, READ_AHEAD_BYTES};
use catamaran_scenario::{Plan, Platform};

use super::disk::{DiskWorld, Step};
use super::log::Note;
use super::world::World;
use crate::platform::layers::{self, Tree};
use crate::resources::cpu::ThreadId;
use crate::resources::memory::{Charge, FileId};
use crate::workload::{FileOp, InLayer};

/// What a thread does with a layer's file, beside what it does with any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LayerStep {
    /// Has the file copied up, or waits for it.
    CopyUp(usize),
    /// It is there.
    CopiedUp(usize),
    /// An operation, once it is clear on which file.
    On(FileOp, InLayer),
    /// Has pages of a file there.
    Fill(Fill),
    /// Pages that were read are there.
    Arrived { file: FileId, first: u64, pages: u64 },
    /// The device has moved so many bytes, or is to write them.
    Moved(u64),
}

/// Pages that a thread wants (numbers of pages).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fill {
    file: FileId,
    next: u64,
    end: u64,
    /// How far it may be read ahead; nothing is read where all is to be written.
    ahead: Option<u64>,
}

/// Pages that are being read.
#[derive(Debug, Clone)]
struct Coming {
    by: ThreadId,
    file: FileId,
    first: u64,
    pages: u64,
    waiting: Vec<ThreadId>,
}

/// How far a copy is.
#[derive(Debug, Clone)]
enum Copy {
    Going { by: ThreadId, waiting: Vec<ThreadId> },
    Done,
}

/// The files of layers on a machine.
#[derive(Debug, Clone)]
pub(super) struct Layers {
    tree: Tree,
    starts_anew: bool,
    page_bytes: u64,
    /// Bytes of each layer.
    sizes: Vec<u64>,
    /// By layer, and whose they are; none for the file of all.
    files: BTreeMap<(usize, Option<usize>), FileId>,
    coming: Vec<Coming>,
    /// By instance and layer.
    copies: BTreeMap<(usize, usize), Copy>,
    /// Who has waited for the device, and that was told.
    told: BTreeSet<(usize, FileId)>,
}

impl Layers {
    /// None where nobody uses any.
    pub(super) fn of(plan: &Plan, platform: Platform, page_bytes: u64) -> Option<Self> {
        let sizes: Vec<u64> = file_work::layers(plan).iter().map(|layer| layer.size.0).collect();
        Some(Self {
            tree: layers::tree(platform).ok().filter(|_| !sizes.is_empty())?,
            starts_anew: layers::starts_anew(platform),
            page_bytes: page_bytes.max(1),
            sizes,
            files: BTreeMap::new(),
            coming: Vec::new(),
            copies: BTreeMap::new(),
            told: BTreeSet::new(),
        })
    }

    fn size(&self, layer: usize) -> u64 {
        self.sizes.get(layer).copied().unwrap_or(0)
    }

    /// Whether a thread is reading for the page cache.
    pub(super) fn is_reading(&self, thread: ThreadId) -> bool {
        self.coming.iter().any(|one| one.by == thread)
    }

    /// Whether an instance has a file of its own for a layer.
    fn is_own(&self, index: usize, layer: usize) -> bool {
        match self.tree {
            Tree::Common => false,
            Tree::Own | Tree::Guest => true,
            Tree::Overlay => matches!(self.copies.get(&(index, layer)), Some(Copy::Done)),
        }
    }

    fn pages(&self, bytes: u64) -> u64 {
        bytes.div_ceil(self.page_bytes)
    }

    /// The first page from `from` on, and before `to`, that is being read.
    fn next_coming(&self, file: FileId, from: u64, to: u64) -> u64 {
        let of_file = self.coming.iter().filter(|one| one.file == file && one.first >= from);
        of_file.map(|one| one.first).min().unwrap_or(to).min(to)
    }
}

impl DiskWorld {
    /// The steps of an operation on a layer's file, the first last.
    pub(super) fn steps_in_layer(&self, op: FileOp, place: InLayer) -> Vec<Step> {
        let copies = op.writes && self.layers.as_ref().is_some_and(|layers| layers.tree == Tree::Overlay);
        let mut steps = vec![Step::Layer(LayerStep::On(op, place))];
        steps.extend(copies.then_some(Step::Layer(LayerStep::CopyUp(place.layer))));
        steps
    }

    /// Puts steps before what a thread has still to do, the first of them first.
    fn put_before(
        &mut self,
        thread: ThreadId,
        steps: impl IntoIterator<Item = Step, IntoIter: DoubleEndedIterator>,
    ) {
        if let Some(left) = self.flying.get_mut(&thread) {
            left.extend(steps.into_iter().rev());
        }
    }
}

impl World {
    /// The next step of an operation is about a layer's file.
    pub(super) fn layer_step(&mut self, thread: ThreadId, step: LayerStep) {
        let Some(&(index, _)) = self.owners.get(thread) else { return };
        match step {
            LayerStep::CopyUp(layer) => return self.copy_up(thread, index, layer),
            LayerStep::CopiedUp(layer) => return self.copied_up(index, layer),
            LayerStep::On(op, place) => self.begin_on(thread, index, op, place),
            LayerStep::Fill(fill) => return self.fill(thread, index, fill),
            LayerStep::Arrived { file, first, pages } => {
                let waiting = self.arrived(thread, file, (first, pages));
                self.operate_on(thread);
                return self.go_on_with(&waiting);
            }
            LayerStep::Moved(bytes) => self.add_moved(index, bytes),
        }
        self.operate_on(thread);
    }

    fn add_moved(&mut self, index: usize, bytes: u64) {
        if let Some(instance) = self.instances.get_mut(index).and_then(Option::as_mut) {
            instance.program.add_moved(bytes);
        }
    }

    /// The file of a layer for one instance, or for all.
    fn file_of(&mut self, layer: usize, whose: Option<usize>) -> Option<FileId> {
        let layers = self.disk.as_mut()?.layers.as_mut()?;
        let pages = layers.pages(layers.size(layer));
        let model = &mut self.memory.as_mut()?.model;
        Some(*layers.files.entry((layer, whose)).or_insert_with(|| model.add_file(pages)))
    }

    /// What an operation comes to, now that it is clear on which file.
    fn begin_on(&mut self, thread: ThreadId, index: usize, op: FileOp, place: InLayer) {
        let is_own = |layers: &Layers| layers.is_own(index, place.layer);
        let own = self.disk.as_ref().and_then(|disk| disk.layers.as_ref()).is_some_and(is_own);
        let Some(file) = self.file_of(place.layer, own.then_some(index)) else { return };
        let Some(disk) = &mut self.disk else { return };
        let Some(layers) = &disk.layers else { return };
        let page = layers.page_bytes;
        let whole = place.at.is_multiple_of(page) && op.bytes.is_multiple_of(page);
        let end = layers.pages(place.at + op.bytes);
        let in_order = !op.writes && !place.random;
        let ahead = if in_order { layers.pages(layers.size(place.layer)) } else { end };
        let fill = Fill { file, next: place.at / page, end, ahead: (!op.writes || !whole).then_some(ahead) };
        let steps = disk.steps(FileOp { in_layer: None, ..op }, index);
        let moved = op.writes.then_some(Step::Layer(LayerStep::Moved(op.bytes)));
        let fill = std::iter::once(Step::Layer(LayerStep::Fill(fill)));
        let steps: Vec<Step> = fill.chain(steps.into_iter().rev()).chain(moved).collect();
        disk.put_before(thread, steps);
    }

    /// Has pages of a file there, as many at a time as there is room for.
    fn fill(&mut self, thread: ThreadId, index: usize, fill: Fill) {
        let (Some(disk), Some(memory)) = (&mut self.disk, &mut self.memory) else { return };
        let (Some(layers), Some(&(_, process))) = (&mut disk.layers, memory.holders.get(&index)) else {
            return;
        };
        let Some((from, _)) = memory.model.gap(fill.file, fill.next, fill.end) else {
            return self.operate_on(thread);
        };
        let fill = Fill { next: from, ..fill };
        let holds =
            |one: &&mut Coming| one.file == fill.file && (one.first..one.first + one.pages).contains(&from);
        if let Some(coming) = layers.coming.iter_mut().find(holds) {
            coming.waiting.push(thread);
            disk.put_before(thread, [Step::Layer(LayerStep::Fill(fill))]);
            disk.begins_to_wait(thread, self.now, WaitFor::NotCached);
            return self.engine.block(thread);
        }
        let window = |ahead: u64| ahead.min(from + layers.pages(READ_AHEAD_BYTES));
        let most = layers.next_coming(fill.file, from, fill.ahead.map_or(fill.end, window));
        let to = memory.model.gap(fill.file, from, most).map_or(from + 1, |(_, to)| to);
        memory.model.set_now(self.now);
        let charge = match layers.tree {
            Tree::Guest => memory.model.charge(process, to - from, false),
            _ => memory.model.charge_files(process, to - from),
        };
        let again = Step::Layer(LayerStep::Fill(fill));
        match charge {
            Charge::Granted { pages, delay_ns } => {
                self.granted(thread, index, fill, pages);
                if delay_ns > 0 { self.stall(thread, delay_ns) } else { self.operate_on(thread) }
            }
            Charge::Reclaiming { ns } => {
                disk.put_before(thread, [again]);
                self.stall(thread, ns.max(1));
            }
            Charge::Waiting => {
                disk.put_before(thread, [again]);
                self.wait_for_memory(thread);
            }
            Charge::Killed(victims) => {
                disk.put_before(thread, [again]);
                self.wait_for_memory(thread);
                victims.into_iter().for_each(|victim| self.kill(victim));
            }
        }
    }

    /// There is room for so many of the pages that a thread wants: it reads them, or writes them at once.
    fn granted(&mut self, thread: ThreadId, index: usize, fill: Fill, pages: u64) {
        let (file, first) = (fill.file, fill.next);
        let rest = Step::Layer(LayerStep::Fill(Fill { next: fill.end.min(first + pages), ..fill }));
        if fill.ahead.is_none() {
            self.are_there(index, file, (first, pages));
            if let Some(disk) = &mut self.disk {
                disk.put_before(thread, [rest]);
            }
            return;
        }
        let Some(disk) = &mut self.disk else { return };
        let Some(layers) = &mut disk.layers else { return };
        let bytes = pages * layers.page_bytes;
        layers.coming.push(Coming { by: thread, file, first, pages, waiting: Vec::new() });
        let is_first = layers.told.insert((index, file));
        let mut steps = disk.way_to_the_device(bytes, false, index);
        // The pages are there when the device has them, before their reader has a core.
        let arrived = Step::Layer(LayerStep::Arrived { file, first, pages });
        steps.insert(steps.len().saturating_sub(1), arrived);
        steps.extend([Step::Layer(LayerStep::Moved(bytes)), rest]);
        disk.put_before(thread, steps);
        if is_first {
            self.note(Note::NotCached(index), None);
        }
    }

    /// Pages of a file are there, and an instance has paid for them.
    fn are_there(&mut self, index: usize, file: FileId, (first, pages): (u64, u64)) {
        let tree = self.disk.as_ref().and_then(|disk| Some(disk.layers.as_ref()?.tree));
        let Some(memory) = &mut self.memory else { return };
        let Some(&(_, process)) = memory.holders.get(&index) else { return };
        match tree {
            Some(Tree::Guest) => memory.model.hold_in(file, first, pages),
            _ => memory.model.read_in(process, file, first, pages),
        }
    }

    /// What a thread has read is there; who waited for it.
    fn arrived(&mut self, thread: ThreadId, file: FileId, span: (u64, u64)) -> Vec<ThreadId> {
        let Some(&(index, _)) = self.owners.get(thread) else { return Vec::new() };
        let layers = self.disk.as_mut().and_then(|disk| disk.layers.as_mut());
        let Some(layers) = layers else { return Vec::new() };
        let place =
            layers.coming.iter().position(|one| one.by == thread && one.file == file && one.first == span.0);
        let Some(coming) = place.map(|place| layers.coming.remove(place)) else { return Vec::new() };
        self.are_there(index, file, span);
        coming.waiting
    }

    /// Threads have what they waited for; one that was killed meanwhile goes its own way.
    fn go_on_with(&mut self, waiting: &[ThreadId]) {
        for &thread in waiting {
            if self.is_operating(thread) && !self.is_killed(thread) {
                self.operate_on(thread);
            }
        }
    }
}
