//! Threads that use their core and do no work.
//!
//! **Law.** A thread that spins is runnable or runs as any other, is charged for it, and does nothing. It looks around whenever it
//! comes onto a core, and when it is told to. **Judge.** `whoever_spins_is_charged_and_does_nothing`.

use super::{Cpu, ThreadId};

/// Longer than any run (ns), and short enough for a difference of two to be exact below a nanosecond.
const FOR_EVER_NS: f64 = 1e15;

impl Cpu {
    /// Has a thread spin until it is given work.
    pub(crate) fn spin(&mut self, thread: ThreadId) {
        self.give_work(thread, FOR_EVER_NS, 0);
        self.threads[thread].spins = true;
        if self.is_running(thread) {
            self.arm(self.threads[thread].core);
        }
    }

    /// Whether a thread that was to be told what next still is: one that spun may have been given work since, or have lost its
    /// core.
    pub(crate) fn is_to_be_told(&self, thread: ThreadId) -> bool {
        let record = &self.threads[thread];
        if record.spins { self.is_running(thread) } else { record.remaining <= 0.0 }
    }

    /// A thread that is to be told what next.
    pub(crate) fn next_idle_hand(&mut self) -> Option<ThreadId> {
        while let Some(thread) = self.idle_hands.pop_front() {
            if self.is_to_be_told(thread) {
                return Some(thread);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::ROOT;
    use super::super::bench::{Bench, MS};

    #[test]
    fn whoever_spins_is_charged_and_does_nothing() {
        let mut bench = Bench::new(1);
        let (spinner, other) = (bench.hog(ROOT, 0), bench.hog(ROOT, 0));
        bench.pass(10 * MS);
        bench.cpu.settle();
        bench.cpu.idle_hands.clear();
        let before = bench.cpu.work_ns(spinner);
        bench.cpu.spin(spinner);
        bench.pass(1010 * MS);
        bench.cpu.settle();
        assert!((bench.cpu.work_ns(spinner) - before) < 0.5, "it does nothing");
        let had = bench.cpu.cpu_ns(spinner) as f64 / 1e6;
        assert!((had - 505.0).abs() < 5.0, "{had} ms of 1010, as much as {}", bench.cpu.cpu_ns(other));
        assert!(bench.cpu.idle_hands.contains(&spinner), "it looks around when it comes onto its core");
        assert!(!bench.cpu.is_to_be_told(other), "whoever has work is told nothing");
        bench.cpu.give_work(spinner, 1e6, 0);
        assert_eq!(bench.cpu.next_idle_hand(), None, "nor one that has work again");
    }
}
