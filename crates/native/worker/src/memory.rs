//! Touching memory by the schedule on the tape: the start at once, then every step what is due by then.

#![allow(unsafe_code)]

use catamaran_worker::clock::{now_ns, sleep_until};
use catamaran_worker::tape::{Tape, phase};
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous};

use crate::microvm::Processor;

/// Bytes of one mapping.
const CHUNK_BYTES: usize = 16 << 20;
/// Pages touched between two looks at the clock.
const PAGES_A_LOOK: u64 = 64;
/// The same in a guest: to ring its doorbell costs as much as some dozen first touches.
const PAGES_A_LOOK_IN_GUEST: u64 = 1024;

/// What has to be touched by when, as `catamaran_scenario::leak` has it.
#[derive(Debug, Clone, Copy)]
struct Schedule {
    start_bytes: u64,
    /// Bytes a second.
    leak: u64,
    most_bytes: u64,
    page_bytes: u64,
    step_ns: u64,
    over_and_over: bool,
}

impl Schedule {
    fn pages_due(&self, since_ns: u64) -> u64 {
        let leaked = u128::from(self.leak) * u128::from(since_ns) / 1_000_000_000;
        let due = (u128::from(self.start_bytes) + leaked).min(u128::from(self.most_bytes));
        (due as u64).div_ceil(self.page_bytes)
    }

    fn goes_on(&self) -> bool {
        self.over_and_over || (self.leak > 0 && self.most_bytes > self.start_bytes)
    }
}

/// A tenant that leaks.
pub(crate) struct Leak<'a> {
    tape: &'a Tape,
    at: usize,
    schedule: Schedule,
    /// Pages touched.
    pages: u64,
    /// Touches so far, those of pages that were touched before counted in.
    touches: u64,
}

impl<'a> Leak<'a> {
    /// As it stands on the tape in the phase at word `at`.
    pub(crate) fn read(tape: &'a Tape, at: usize) -> Self {
        let get = |word| tape.get(at + word);
        let schedule = Schedule {
            start_bytes: get(phase::START_BYTES),
            leak: get(phase::LEAK),
            most_bytes: get(phase::MOST_BYTES),
            page_bytes: get(phase::PAGE_BYTES).max(1),
            step_ns: get(phase::STEP_NS).max(1),
            over_and_over: get(phase::OVER_AND_OVER) != 0,
        };
        Self { tape, at, schedule, pages: 0, touches: 0 }
    }

    /// Touches until the clock shows `end_ns`, memory of the guest where there is one; what was touched stays until the process
    /// ends. The error of memory that could not be had.
    pub(crate) fn carry_out(mut self, guest: Option<&mut Processor<'_>>, end_ns: u64) -> Result<(), String> {
        let page_bytes = self.schedule.page_bytes;
        match guest {
            Some(guest) => self.touch_in(&mut Guest { page_bytes, guest }, end_ns),
            None => self.touch_in(&mut Memory::new(page_bytes as usize), end_ns),
        }
    }

    fn touch_in(&mut self, memory: &mut impl Touch, end_ns: u64) -> Result<(), String> {
        self.touch_up_to(memory, self.schedule.pages_due(0), end_ns)?;
        let since_ns = now_ns();
        while self.schedule.goes_on() && now_ns() < end_ns {
            // Steps that were missed are made up for at once.
            let step = (now_ns() - since_ns) / self.schedule.step_ns;
            self.touch_up_to(memory, self.schedule.pages_due(step * self.schedule.step_ns), end_ns)?;
            if self.schedule.over_and_over {
                self.touch_again(memory, end_ns)?;
            }
            sleep_until((since_ns + (step + 1) * self.schedule.step_ns).min(end_ns));
        }
        sleep_until(end_ns);
        Ok(())
    }

    fn touch_up_to<M: Touch>(&mut self, memory: &mut M, pages: u64, end_ns: u64) -> Result<(), String> {
        while self.pages < pages && now_ns() < end_ns {
            let count = M::PAGES_A_LOOK.min(pages - self.pages);
            memory.touch(self.pages, count)?;
            self.pages += count;
            self.touches += count;
            self.tape.set(self.at + phase::TOUCHES, self.touches);
        }
        Ok(())
    }

    fn touch_again<M: Touch>(&mut self, memory: &mut M, end_ns: u64) -> Result<(), String> {
        let mut page = 0;
        while page < self.pages && now_ns() < end_ns {
            let count = (64 * M::PAGES_A_LOOK).min(self.pages - page);
            memory.touch(page, count)?;
            self.touches += count;
            page += count;
        }
        self.tape.set(self.at + phase::TOUCHES, self.touches);
        Ok(())
    }
}

/// Memory that is touched page by page.
trait Touch {
    /// Pages touched between two looks at the clock.
    const PAGES_A_LOOK: u64;

    /// Touches `count` pages from the one of number `first` on, all below which were touched before.
    fn touch(&mut self, first: u64, count: u64) -> Result<(), String>;
}

/// That of a guest.
struct Guest<'a, 'm> {
    page_bytes: u64,
    guest: &'a mut Processor<'m>,
}

impl Touch for Guest<'_, '_> {
    const PAGES_A_LOOK: u64 = PAGES_A_LOOK_IN_GUEST;

    fn touch(&mut self, first: u64, count: u64) -> Result<(), String> {
        self.guest.touch(first.saturating_mul(self.page_bytes), count, self.page_bytes)
    }
}

/// Anonymous memory that is never given back.
struct Memory {
    page_bytes: usize,
    chunks: Vec<*mut u64>,
}

impl Touch for Memory {
    const PAGES_A_LOOK: u64 = PAGES_A_LOOK;

    fn touch(&mut self, first: u64, count: u64) -> Result<(), String> {
        for page in first..first.saturating_add(count) {
            if page >= self.chunks.len() as u64 * self.pages_a_chunk() {
                let chunk = map().map_err(|error| format!("cannot map {CHUNK_BYTES} bytes: {error}"))?;
                self.chunks.push(chunk);
            }
            self.write(page);
        }
        Ok(())
    }
}

impl Memory {
    fn new(page_bytes: usize) -> Self {
        Self { page_bytes, chunks: Vec::new() }
    }

    fn pages_a_chunk(&self) -> u64 {
        (CHUNK_BYTES / self.page_bytes).max(1) as u64
    }

    /// Writes to a page; nothing where there is none.
    fn write(&self, page: u64) {
        let (chunk, within) = (page / self.pages_a_chunk(), page % self.pages_a_chunk());
        let Some(start) = self.chunks.get(chunk as usize) else { return };
        // SAFETY: the page lies within a mapping of `CHUNK_BYTES` that is never given back and that nobody else knows;
        // a page begins at a multiple of 8.
        unsafe { start.byte_add(within as usize * self.page_bytes).write_volatile(page + 1) };
    }
}

fn map() -> rustix::io::Result<*mut u64> {
    let bytes = CHUNK_BYTES;
    let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::NORESERVE);
    // SAFETY: the kernel chooses an address where nothing else is.
    let start = unsafe { mmap_anonymous(std::ptr::null_mut(), bytes, access, flags) }?;
    // Page by page, whatever the machine thinks of huge pages; a kernel without them does not know the advice.
    // SAFETY: the range is the mapping just made; the advice changes no contents.
    let _ = unsafe { madvise(start, bytes, Advice::LinuxNoHugepage) };
    Ok(start.cast())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_due_are_those_of_the_scenarios_schedule() {
        let schedule = Schedule {
            start_bytes: 4097,
            leak: 4096 * 100,
            most_bytes: 4096 * 5,
            page_bytes: 4096,
            step_ns: 10_000_000,
            over_and_over: false,
        };
        let due: Vec<u64> = [0, 10_000_000, 25_000_000, u64::MAX].map(|ns| schedule.pages_due(ns)).to_vec();
        assert_eq!(due, [2, 3, 4, 5]);
        assert!(schedule.goes_on() && !Schedule { leak: 0, ..schedule }.goes_on());
    }

    #[test]
    fn each_touched_page_holds_its_number() {
        let mut memory = Memory::new(4096);
        let all = memory.pages_a_chunk() + 2;
        memory.touch(0, all - 1).unwrap();
        memory.touch(all - 1, 1).unwrap();
        memory.write(1 << 40);
        let second = memory.chunks[1];
        // SAFETY: two pages of the second chunk were just touched.
        let found = unsafe { (second.read(), second.byte_add(4096).read()) };
        assert_eq!(found, (all - 1, all));
    }
}
