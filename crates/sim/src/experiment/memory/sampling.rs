//! At each sample: what everyone is charged; and how far the scanner of equal pages has come since the last one.

use super::{SAMPLE_NS, World};
use crate::experiment::world::{Event, TENANTS_SECOND};
use crate::platform::sharing;

impl World {
    /// Begins to take samples, where anything can come of it.
    pub(in crate::experiment) fn begin_to_sample(&mut self) {
        let is_scanned = self.memory.as_ref().is_some_and(super::MemoryWorld::is_scanned);
        let has_cache = self.disk.as_ref().is_some_and(|disk| disk.layers.is_some());
        if is_scanned
            || has_cache
            || self.instances.iter().flatten().any(|instance| instance.program.touches())
        {
            self.queue.push(SAMPLE_NS, TENANTS_SECOND, Event::Sample);
        }
    }

    /// Notes what everyone is charged, now and in a while again.
    pub(in crate::experiment) fn sample(&mut self) {
        let now = self.now;
        if let Some(memory) = &mut self.memory {
            if memory.is_scanned() && now > 0 {
                memory.model.set_now(now);
                memory.model.scan(sharing::scanned_in(SAMPLE_NS));
            }
            memory.sample();
        }
        self.queue.push(self.now + SAMPLE_NS, TENANTS_SECOND, Event::Sample);
    }
}
