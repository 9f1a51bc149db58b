//! What an instance takes when it starts, and what keeps it from starting: ports and libraries.

use super::world::World;

impl World {
    /// Takes what an instance wants for it, or notes what it clashes with.
    pub(super) fn start(&mut self, index: usize) {
        let instances = &self.instances;
        let lives = |other: usize| {
            let other = instances.get(other).and_then(Option::as_ref);
            other.is_some_and(|other| !other.is_over())
        };
        let wants = instances.get(index).and_then(|one| one.as_ref()?.wants.as_ref());
        let clash = wants.and_then(|tenant| self.taken.start(index, tenant, lives));
        if let (Some(clash), Some(Some(instance))) = (clash, self.instances.get_mut(index)) {
            instance.clash = Some((self.now, clash));
        }
    }
}
