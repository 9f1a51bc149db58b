//! Cores that are lent: they run while something beneath lets them, and stand still in between.
//!
//! **Law.** On a core that stands nothing happens: no work is done, nobody is switched to, no tick comes. The clock goes on,
//! so that a thread that waits there waits longer, and the thread that has the core is charged for the time in which it
//! stood.
//!
//! **Source.** `update_rq_clock_task` in Linux `kernel/sched/core.c`, which deducts that time only with
//! CONFIG_PARAVIRT_TIME_ACCOUNTING; Debian's kernels have it off (`config-6.1.0-56-cloud-amd64`).
//!
//! **Judge.** A lent core that always runs is a core: the tests of laws hold one against the other to the nanosecond.

use super::{CoreId, Cpu, State, ThreadId};

/// Work below this is below what the clock can tell (ns).
const NOTHING_NS: f64 = 0.5;

/// What a lent core was given since it was last looked at, and what it asks for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lent {
    /// What was done beneath, in nanoseconds at the speed of one busy core.
    done_ns: f64,
    /// What its thread needs from beneath until it is done, where that has changed.
    wanted: Option<f64>,
}

impl Cpu {
    /// The same machine with cores that are lent, and stand for now.
    pub(crate) fn lent(mut self) -> Self {
        self.loan = Some(vec![Lent::default(); self.cores.len()]);
        for core in &mut self.cores {
            core.stands = true;
        }
        self
    }

    /// Work has been done beneath a lent core (ns at the speed of one busy core).
    pub(crate) fn feed(&mut self, core: CoreId, done_ns: f64) {
        if let Some(loan) = &mut self.loan {
            loan[core].done_ns += done_ns;
        }
    }

    /// A lent core stands from now on.
    pub(crate) fn stand(&mut self, core: CoreId) {
        self.record_stretch(core);
        self.cores[core].stands = true;
    }

    /// A lent core runs from now on, and makes up for the switch that was asked for while it stood.
    pub(crate) fn go(&mut self, core: CoreId) {
        self.cores[core].stands = false;
        self.cores[core].on_since = self.now;
        self.reschedule_all();
        // What it spins for may have come free while it stood.
        let running = self.cores[core].running.filter(|&thread| self.threads[thread].spins);
        self.idle_hands.extend(running);
    }

    /// What the thread on a lent core needs from beneath (ns of work there), if that has changed since the last answer.
    pub(crate) fn wanted(&mut self, core: CoreId) -> Option<f64> {
        self.loan.as_mut()?[core].wanted.take()
    }

    /// What was wanted has been done.
    pub(crate) fn reached(&mut self, core: CoreId) {
        self.progress(core);
        let Some(thread) = self.cores[core].running else { return };
        let record = &mut self.threads[thread];
        if record.remaining > NOTHING_NS {
            // A tick took some of the time.
            self.arm(core);
        } else {
            record.remaining = 0.0;
            self.idle_hands.push_back(thread);
        }
    }

    /// Asks once more for what the thread on a lent core needs: what was beneath it has forgotten.
    pub(crate) fn ask_anew(&mut self, core: CoreId) {
        self.arm(core);
    }

    /// Whether a core has, or is about to have, a thread to run.
    pub(crate) fn has_business(&self, core: CoreId) -> bool {
        !self.is_idle(core)
    }

    /// Whether a core has switched to a thread.
    pub(crate) fn has_thread(&self, core: CoreId) -> bool {
        self.cores[core].running.is_some()
    }

    /// CPU time that is taken from a thread before it does any more work (ns).
    pub(crate) fn burden(&mut self, thread: ThreadId, ns: u64) {
        self.threads[thread].overhead += ns as f64;
    }

    /// The core that a thread is on, or slept on.
    pub(crate) fn core_of(&self, thread: ThreadId) -> CoreId {
        self.threads[thread].core
    }

    /// Whether a thread has a core.
    pub(crate) fn is_running(&self, thread: ThreadId) -> bool {
        self.cores[self.threads[thread].core].running == Some(thread)
    }

    /// Whether a thread has nothing to do.
    pub(crate) fn is_asleep(&self, thread: ThreadId) -> bool {
        self.threads[thread].state == State::Asleep
    }

    /// Work that a thread has still to do (ns at the speed of one busy core).
    pub(crate) fn left(&mut self, thread: ThreadId) -> f64 {
        if self.is_running(thread) {
            self.progress(self.threads[thread].core);
        }
        self.threads[thread].remaining
    }

    /// Keeps a list of the threads that came onto a core or left one.
    pub(crate) fn watch_switches(&mut self) {
        self.switched = Some(Vec::new());
    }

    /// Threads that came onto a core or left one since the last answer, in order.
    pub(crate) fn take_switched(&mut self) -> Vec<ThreadId> {
        self.switched.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(super) fn note_switch(&mut self, previous: Option<ThreadId>, next: Option<ThreadId>) {
        if let Some(switched) = &mut self.switched {
            switched.extend(previous.into_iter().chain(next));
        }
    }

    /// The time in which work could be done in the last `delta` of a core (ns at the speed beneath).
    pub(super) fn workable(&mut self, core: CoreId, delta: u64) -> f64 {
        match &mut self.loan {
            Some(loan) => std::mem::take(&mut loan[core].done_ns),
            None => delta as i64 as f64,
        }
    }

    /// Asks beneath for what the thread on a lent core needs; answers false for a core that is not lent.
    pub(super) fn ask_beneath(&mut self, core: CoreId, left: f64) -> bool {
        match &mut self.loan {
            Some(loan) => {
                loan[core].wanted = Some(left);
                true
            }
            None => false,
        }
    }
}
