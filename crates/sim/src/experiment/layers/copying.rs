//! A layer's file is copied up.

use catamaran_report::timeline::WaitFor;

use super::{Copy, Fill, LayerStep};
use crate::experiment::disk::{DiskWorld, Step};
use crate::experiment::log::Note;
use crate::experiment::world::World;
use crate::resources::cpu::ThreadId;
use crate::resources::memory::FileId;
use crate::workload::FileOp;

/// `OVL_COPY_UP_CHUNK_SIZE` (bytes).
const CHUNK: u64 = 1 << 20;

impl DiskWorld {
    /// What it takes to copy a file of so many bytes for an instance, in order.
    fn copy(
        &self,
        bytes: u64,
        (beneath, own): (FileId, FileId),
        (index, layer): (usize, usize),
    ) -> Vec<Step> {
        let Some(layers) = &self.layers else { return Vec::new() };
        let chunks = || (0..bytes.div_ceil(CHUNK)).map(|number| number * CHUNK);
        let mut steps = Vec::new();
        for at in chunks() {
            let (next, end) = (at / layers.page_bytes, layers.pages(bytes.min(at + CHUNK)));
            let fill = |file, ahead| Step::Layer(LayerStep::Fill(Fill { file, next, end, ahead }));
            let written =
                FileOp { bytes: CHUNK.min(bytes - at), writes: true, cached: true, ..FileOp::default() };
            steps.push(fill(beneath, Some(layers.pages(bytes))));
            steps.extend(self.steps(written, index));
            steps.push(fill(own, None));
        }
        let by = self.written_back_by(index);
        steps.extend(chunks().flat_map(|at| self.way_to_the_device(CHUNK.min(bytes - at), true, by)));
        steps.extend(self.flush(index));
        steps.extend([LayerStep::Moved(bytes), LayerStep::CopiedUp(layer)].map(Step::Layer));
        steps
    }
}

impl World {
    /// Has a layer's file copied up for an instance, unless it is; other threads wait.
    pub(super) fn copy_up(&mut self, thread: ThreadId, index: usize, layer: usize) {
        let Some(disk) = &mut self.disk else { return };
        disk.begins_to_wait(thread, self.now, WaitFor::CopyUp);
        let Some(layers) = &mut disk.layers else { return };
        let bytes = layers.size(layer);
        match layers.copies.get_mut(&(index, layer)) {
            Some(Copy::Done) => {
                disk.has_waited(thread, self.now, true);
                return self.operate_on(thread);
            }
            Some(Copy::Going { waiting, .. }) => {
                waiting.push(thread);
                return self.engine.block(thread);
            }
            None => {
                layers.copies.insert((index, layer), Copy::Going { by: thread, waiting: Vec::new() });
            }
        }
        self.note(Note::CopyUp(index, bytes), None);
        let (beneath, own) = (self.file_of(layer, None), self.file_of(layer, Some(index)));
        if let (Some(beneath), Some(own), Some(disk)) = (beneath, own, &mut self.disk) {
            let steps = disk.copy(bytes, (beneath, own), (index, layer));
            disk.put_before(thread, steps);
        }
        self.operate_on(thread);
    }

    /// The copy is there, and the one who made it goes on with it, and whoever waited.
    pub(super) fn copied_up(&mut self, index: usize, layer: usize) {
        self.note(Note::CopiedUp(index), None);
        let Some(disk) = &mut self.disk else { return };
        let copies = disk.layers.as_mut().map(|layers| &mut layers.copies);
        let done = copies.and_then(|copies| copies.insert((index, layer), Copy::Done));
        let Some(Copy::Going { by, waiting }) = done else { return };
        for &thread in std::iter::once(&by).chain(&waiting) {
            disk.has_waited(thread, self.now, true);
        }
        self.operate_on(by);
        self.go_on_with(&waiting);
    }
}
