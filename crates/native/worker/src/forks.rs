//! The one thread of a `fork` workload: children at regular times, each of which sleeps and exits.
//!
//! **Law.** That of `fork_work` in the crate `catamaran-scenario`. A dead child is told by SIGCHLD, which is blocked and waited for
//! together with the time of the next fork (`sigtimedwait`), so that the thread wakes for either. Only the oldest child is asked
//! whether it is dead: to ask for any walks through all of them (`do_wait` in Linux `kernel/exit.c`).
//! **What stays behind.** Nothing: a child dies with the thread that made it (`PR_SET_PDEATHSIG`).

#![allow(unsafe_code)]

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use catamaran_worker::clock::now_ns;
use catamaran_worker::tape::{Tape, head, phase};

use crate::work::Phase;

const SECOND_NS: u64 = 1_000_000_000;

/// Has the ends of children wait until they are asked for, in this thread and those that it makes.
pub(crate) fn hold_ends() -> io::Result<()> {
    let ends = ends();
    // SAFETY: the set lives for the call, and nobody wants the old mask.
    match unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const ends, std::ptr::null_mut()) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// The set of the one signal that tells of children.
fn ends() -> libc::sigset_t {
    // SAFETY: all zeros is a set, and both calls write to one that lives here.
    unsafe {
        let mut ends: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut ends);
        libc::sigaddset(&raw mut ends, libc::SIGCHLD);
        ends
    }
}

/// The forks of one phase.
pub(crate) struct Forks<'a> {
    tape: &'a Tape,
    at: usize,
    began: &'a [AtomicU64],
    returned: &'a [AtomicU64],
    slept: &'a [AtomicU64],
    reaped: &'a [AtomicU64],
    rate: f64,
    lifetime_ns: u64,
    most: u64,
    safe: u64,
    origin_ns: u64,
    began_ns: u64,
    /// The children that are there, the oldest first, each with the number of its fork.
    children: VecDeque<(libc::pid_t, usize)>,
    next: usize,
}

impl<'a> Forks<'a> {
    pub(crate) fn read(tape: &'a Tape, phase: Phase, began_ns: u64) -> Self {
        let get = |word| tape.get(phase.at + word);
        let [began, returned, slept, reaped] = phase.arrays(tape);
        Self {
            tape,
            at: phase.at,
            began,
            returned,
            slept,
            reaped,
            rate: f64::from_bits(get(phase::FORK_RATE)),
            lifetime_ns: get(phase::LIFETIME_NS),
            most: get(phase::MOST),
            safe: get(phase::SAFE),
            origin_ns: tape.get(head::ORIGIN_NS),
            began_ns,
            children: VecDeque::new(),
            next: 0,
        }
    }

    /// Forks and reaps until the clock shows `end_ns`, or all is done; then no child is left.
    pub(crate) fn carry_out(mut self, end_ns: u64) -> Result<(), String> {
        let answer = self.fork_and_reap(end_ns);
        self.end_all();
        answer
    }

    fn fork_and_reap(&mut self, end_ns: u64) -> Result<(), String> {
        loop {
            self.reap();
            let now = now_ns();
            if now >= end_ns {
                return Ok(());
            }
            if self.children.len() as u64 >= self.safe {
                return Err(format!(
                    "it has {} children, as many as this machine can safely bear: it is too slow for their rate",
                    self.safe
                ));
            }
            let has_room = self.most == 0 || (self.children.len() as u64) < self.most;
            let due_ns = self.due_ns().filter(|_| has_room);
            match due_ns {
                Some(due_ns) if due_ns <= now => self.fork(),
                None if self.children.is_empty() => return Ok(()),
                _ => wait_for_an_end(due_ns.map_or(end_ns, |due_ns| due_ns.min(end_ns)) - now),
            }
        }
    }

    /// When the next fork is due (ns of the clock); none after the last.
    fn due_ns(&self) -> Option<u64> {
        let due_ns = (self.next as f64 * SECOND_NS as f64 / self.rate) as u64;
        (self.next < self.began.len()).then_some(self.began_ns + due_ns)
    }

    /// Now, as it stands on the tape.
    fn stamp(&self, words: &[AtomicU64], number: usize) {
        set(words, number, now_ns() - self.origin_ns + 1);
    }

    fn fork(&mut self) {
        let number = self.next;
        self.next += 1;
        self.stamp(self.began, number);
        // SAFETY: neither call has arguments that could be wrong.
        let (parent, child) = unsafe { (libc::getpid(), libc::fork()) };
        match child {
            0 => self.live(parent, number),
            child if child > 0 => self.children.push_back((child, number)),
            _ => set(self.reaped, number, phase::FAILED_REFUSED),
        }
        self.stamp(self.returned, number);
    }

    /// The life of a child. Whatever the other threads of its parent held when it was made is held for ever here: it does
    /// nothing that could wait for them.
    fn live(&self, parent: libc::pid_t, number: usize) -> ! {
        // SAFETY: numbers only; a parent that is gone before the kernel was told is found out by its number.
        let is_alone = unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            libc::getppid() != parent
        };
        if !is_alone {
            if let Some(sum) = self.tape.words().get(self.at + phase::START_CPU_NS) {
                sum.fetch_add(own_cpu_ns(), Ordering::Relaxed);
            }
            if self.lifetime_ns > 0 {
                let lifetime = timespec(self.lifetime_ns);
                // SAFETY: the length lives for the call; nobody wants to know what was left of it.
                unsafe {
                    libc::clock_nanosleep(libc::CLOCK_MONOTONIC, 0, &raw const lifetime, std::ptr::null_mut())
                };
            }
            self.stamp(self.slept, number);
        }
        // SAFETY: it ends here, and runs nothing of its parent's.
        unsafe { libc::_exit(0) }
    }

    /// Takes from the kernel the children that are dead, in their order.
    fn reap(&mut self) {
        while let Some(&(child, number)) = self.children.front() {
            let looked_ns = now_ns();
            // SAFETY: a child of this process that nobody else waits for; nobody wants its status.
            if unsafe { libc::waitpid(child, std::ptr::null_mut(), libc::WNOHANG) } == 0 {
                return;
            }
            let now = now_ns();
            set(self.reaped, number, now - self.origin_ns + 1);
            if let Some(sum) = self.tape.words().get(self.at + phase::REAP_NS) {
                sum.fetch_add(now - looked_ns, Ordering::Relaxed);
            }
            self.children.pop_front();
        }
    }

    fn end_all(&mut self) {
        for (child, _) in &self.children {
            // SAFETY: a child that was not reaped: its number is not another's.
            unsafe { libc::kill(*child, libc::SIGKILL) };
        }
        for (child, _) in self.children.drain(..) {
            // SAFETY: as when it is reaped at its own end.
            unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
        }
    }
}

fn set(words: &[AtomicU64], number: usize, value: u64) {
    if let Some(word) = words.get(number) {
        word.store(value, Ordering::Release);
    }
}

/// Sleeps until a child ends, or so long.
fn wait_for_an_end(at_most_ns: u64) {
    let (ends, timeout) = (ends(), timespec(at_most_ns));
    // SAFETY: both live for the call; nobody wants to know more than that there was a signal, or none.
    unsafe { libc::sigtimedwait(&raw const ends, std::ptr::null_mut(), &raw const timeout) };
}

fn own_cpu_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    (time.tv_sec as u64).wrapping_mul(SECOND_NS).wrapping_add(time.tv_nsec as u64)
}

fn timespec(ns: u64) -> libc::timespec {
    libc::timespec {
        tv_sec: i64::try_from(ns / SECOND_NS).unwrap_or(i64::MAX),
        tv_nsec: (ns % SECOND_NS) as i64,
    }
}
