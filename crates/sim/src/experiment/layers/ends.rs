//! How threads and instances that use layers' files end.

use super::{Copy, FileId, Tree};
use crate::experiment::world::World;
use crate::resources::cpu::ThreadId;

impl World {
    /// A thread's life ends: what it reads is there all the same, what it copies is not.
    pub(in crate::experiment) fn stop_at_layers(&mut self, thread: ThreadId) {
        let Some(&(index, _)) = self.owners.get(thread) else { return };
        let Some(layers) = self.disk.as_mut().and_then(|disk| disk.layers.as_mut()) else { return };
        layers.coming.iter_mut().for_each(|one| one.waiting.retain(|waiting| *waiting != thread));
        let own = layers.coming.iter().filter(|one| one.by == thread);
        let own: Vec<(FileId, u64, u64)> = own.map(|one| (one.file, one.first, one.pages)).collect();
        let begun = |(key, copy): (&(usize, usize), &Copy)| {
            matches!(copy, Copy::Going { by, .. } if *by == thread).then_some(*key)
        };
        let begun: Vec<(usize, usize)> = layers.copies.iter().filter_map(begun).collect();
        for copy in layers.copies.values_mut() {
            if let Copy::Going { waiting, .. } = copy {
                waiting.retain(|waiting| *waiting != thread);
            }
        }
        for (_, layer) in begun {
            self.forget_file(layer, index);
        }
        for (file, first, pages) in own {
            let waiting = self.arrived(thread, file, (first, pages));
            self.go_on_with(&waiting);
        }
    }

    /// An instance's own file of a layer is no more.
    fn forget_file(&mut self, layer: usize, index: usize) {
        let Some(layers) = self.disk.as_mut().and_then(|disk| disk.layers.as_mut()) else { return };
        layers.copies.remove(&(index, layer));
        let file = layers.files.get(&(layer, Some(index)));
        if let (Some(&file), Some(memory)) = (file, &mut self.memory) {
            memory.model.forget(file);
        }
    }

    /// An instance begins its next life: a guest's page cache is empty then, and what was made anew has nothing copied up.
    pub(in crate::experiment) fn layers_of_next_life(&mut self, index: usize, replaced: bool) {
        let Some(layers) = self.disk.as_ref().and_then(|disk| disk.layers.as_ref()) else { return };
        let forgets = match layers.tree {
            Tree::Guest => true,
            Tree::Overlay => replaced || layers.starts_anew,
            Tree::Common | Tree::Own => false,
        };
        for layer in 0..layers.sizes.len() {
            if forgets {
                self.forget_file(layer, index);
            }
        }
    }
}
