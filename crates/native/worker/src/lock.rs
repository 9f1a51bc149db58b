//! The spin lock that the threads of a phase share.
//!
//! Test and test-and-set (Anderson, "The performance of spin lock alternatives", IEEE TPDS 1, 1990): whoever finds it free and is
//! first has it, whoever waits only reads. It knows no turns, so that a waiting thread that has no core keeps nobody from it. There is
//! no pause instruction in the loop: under a hypervisor it may hand the core to another machine, which would hide what is
//! to be seen.

use std::sync::atomic::{AtomicBool, Ordering};

use catamaran_worker::clock::now_ns;

/// Reads between two looks at the clock, where there is an end.
const READS: u32 = 256;

/// A lock, on a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct Lock {
    taken: AtomicBool,
}

impl Lock {
    /// Spins until the lock is had, or until the clock shows `end_ns`; whether it is had.
    pub(crate) fn take(&self, end_ns: u64) -> bool {
        let mut reads = 0_u32;
        loop {
            if !self.taken.load(Ordering::Relaxed) && !self.taken.swap(true, Ordering::Acquire) {
                return true;
            }
            reads = reads.wrapping_add(1);
            if end_ns != u64::MAX && reads.is_multiple_of(READS) && now_ns() >= end_ns {
                return false;
            }
        }
    }

    /// Gives it back.
    pub(crate) fn leave(&self) {
        self.taken.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_whoever_is_late_goes_without() {
        let (lock, inside) = (Lock::default(), AtomicBool::new(false));
        // Each adds by reading and writing apart: two at a time would lose some.
        let count = std::sync::atomic::AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        assert!(lock.take(u64::MAX));
                        assert!(!inside.swap(true, Ordering::Relaxed), "two have it");
                        let before = count.load(Ordering::Relaxed);
                        count.store(before + 1, Ordering::Relaxed);
                        inside.store(false, Ordering::Relaxed);
                        lock.leave();
                    }
                });
            }
        });
        assert_eq!(count.load(Ordering::Relaxed), 4000);
        assert!(lock.take(u64::MAX));
        assert!(!lock.take(1), "the end is past");
    }
}
