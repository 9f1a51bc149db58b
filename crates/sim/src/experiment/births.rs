//! Threads that come to be while others run, in whichever model of the CPU; and what children are charged.

use super::engine::Engine;
use super::guests::Guests;
use super::memory::MemoryWorld;
use crate::resources::cpu::ThreadId;

impl Engine {
    /// A thread beside `parent`, for its children; it begins by [`Self::fork`].
    pub(super) fn add_child(&mut self, parent: ThreadId) -> ThreadId {
        match self {
            Engine::Exact(cpu) => cpu.add_child(parent),
            Engine::Guests(guests) => guests.add_child(parent),
            Engine::Fluid(fluid) => fluid.add_thread(),
        }
    }

    /// Whether a thread that `parent` has made finds its core idle.
    pub(super) fn would_fork_idle(&mut self, child: ThreadId, parent: ThreadId) -> bool {
        match self {
            Engine::Exact(cpu) => cpu.would_fork_idle(child, parent),
            Engine::Guests(guests) => guests.would_wake_idle(child),
            Engine::Fluid(_) => false,
        }
    }

    /// Whether a child that `parent` makes now has its core interrupted; where cores are not told apart, as on a machine at rest.
    pub(super) fn would_child_idle(&mut self, parent: ThreadId) -> bool {
        match self {
            Engine::Exact(cpu) => cpu.would_fork_idle(parent, parent),
            Engine::Guests(guests) => guests.would_child_idle(parent),
            Engine::Fluid(_) => true,
        }
    }

    /// A thread begins, which `parent` has just made.
    pub(super) fn fork(&mut self, child: ThreadId, parent: ThreadId) {
        match self {
            Engine::Exact(cpu) => cpu.fork(child, parent),
            Engine::Guests(guests) => guests.fork(child, parent),
            Engine::Fluid(fluid) => fluid.wake(child),
        }
    }

    /// A thread is no more, until it begins anew.
    pub(super) fn die(&mut self, thread: ThreadId) {
        match self {
            Engine::Exact(cpu) => cpu.die(thread),
            Engine::Guests(guests) => guests.die(thread),
            Engine::Fluid(fluid) => fluid.block(thread),
        }
    }
}

impl Guests {
    /// A thread beside `parent` in its guest, for its children.
    fn add_child(&mut self, parent: ThreadId) -> ThreadId {
        let (number, (index, own)) = (self.threads.len(), self.threads[parent]);
        let guest = &mut self.guests[index];
        let own = guest.cpu.add_child(own);
        guest.owners.push(number);
        self.threads.push((index, own));
        number
    }

    /// Whether a child that `parent` makes now finds its virtual CPU idle.
    fn would_child_idle(&mut self, parent: ThreadId) -> bool {
        let (index, own) = self.threads[parent];
        self.enter(index).would_fork_idle(own, own)
    }

    fn fork(&mut self, child: ThreadId, parent: ThreadId) {
        let ((index, own), (_, parent)) = (self.threads[child], self.threads[parent]);
        self.enter(index).fork(own, parent);
    }

    fn die(&mut self, thread: ThreadId) {
        self.halt(thread);
        let (index, own) = self.threads[thread];
        self.enter(index).die(own);
    }
}

impl MemoryWorld {
    /// A child of an instance is charged to its group.
    pub(super) fn hold_child(&mut self, index: usize, bytes: u64) {
        if let Some(&(group, _)) = self.holders.get(&index) {
            self.model.hold(group, bytes);
        }
    }

    /// So many children are charged no more.
    pub(super) fn let_go_of_children(&mut self, index: usize, children: u64, bytes: u64) {
        if let Some(&(group, _)) = self.holders.get(&index) {
            self.model.let_go(group, children, bytes);
        }
    }
}
