//! What the threads of tenants are given to do, each in its guest.

use super::Guests;
use crate::resources::cpu::ThreadId;

impl Guests {
    pub(in crate::experiment) fn give_work(&mut self, thread: ThreadId, ns: f64, overhead_ns: u64) {
        let (index, own) = self.threads[thread];
        self.enter(index).give_work(own, ns, overhead_ns);
    }

    pub(in crate::experiment) fn spin(&mut self, thread: ThreadId) {
        let (index, own) = self.threads[thread];
        self.enter(index).spin(own);
    }

    /// Whether a thread has a virtual CPU that runs.
    pub(in crate::experiment) fn is_at_work(&self, thread: ThreadId) -> bool {
        let (index, own) = self.threads[thread];
        let guest = &self.guests[index];
        guest.cpu.is_running(own) && guest.seats[guest.cpu.core_of(own)].on
    }

    pub(in crate::experiment) fn wake(&mut self, thread: ThreadId) {
        let (index, own) = self.threads[thread];
        self.enter(index).wake(own);
    }

    pub(in crate::experiment) fn block(&mut self, thread: ThreadId) {
        let (index, own) = self.threads[thread];
        self.enter(index).block(own);
    }
}
