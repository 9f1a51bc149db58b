//! Operations on the tenant's own file: each thread has one in flight, so that as many are as there are threads. Blocking
//! calls need nothing that a container's filter of system calls refuses.

#![allow(unsafe_code)]

use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use catamaran_worker::clock::{now_ns, sleep_until};
use catamaran_worker::file;
use catamaran_worker::tape::{Tape, head, phase};
use rustix::fs::{Mode, OFlags};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

use crate::layer;
use crate::work::Phase;

/// Opens the tenant's file under the two numbers by which the program that comes finds it.
pub(crate) fn hand_over(path: &std::path::Path) -> Result<(), String> {
    for (number, way) in [(file::DIRECT, OFlags::DIRECT), (file::CACHED, OFlags::empty())] {
        let opened = rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC | way, Mode::empty())
            .map_err(|error| format!("cannot open {}: {error}", path.display()))?;
        // SAFETY: nobody in this process, which is about to become another program, has a file of that number.
        if unsafe { libc::dup2(opened.as_raw_fd(), number) } < 0 {
            let error = std::io::Error::last_os_error();
            return Err(format!("cannot open {} as number {number}: {error}", path.display()));
        }
    }
    Ok(())
}

/// Memory that a thread moves from and to; it begins with a page, as O_DIRECT demands.
pub(crate) struct Buffer {
    start: *mut u8,
    bytes: usize,
}

impl Buffer {
    /// So many bytes, all touched; none cost nothing.
    pub(crate) fn map(bytes: usize) -> Result<Self, String> {
        if bytes == 0 {
            return Ok(Self { start: std::ptr::null_mut(), bytes });
        }
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::POPULATE);
        // SAFETY: the kernel chooses an address where nothing else is.
        let start = unsafe { mmap_anonymous(std::ptr::null_mut(), bytes, access, flags) }
            .map_err(|error| format!("cannot map {bytes} bytes: {error}"))?;
        Ok(Self { start: start.cast(), bytes })
    }

    /// The first so many bytes of it, or all where there are fewer.
    pub(crate) fn first_mut(&mut self, most: usize) -> &mut [u8] {
        if self.bytes == 0 {
            return &mut [];
        }
        // SAFETY: the mapping holds as many bytes, all of them set to zero by the kernel, lives as long as `self`, and who
        // borrows it like this is alone with it.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.bytes.min(most)) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.bytes > 0 {
            // SAFETY: the mapping was made by `map` with this address and length, and nobody else knows it.
            let _ = unsafe { munmap(self.start.cast(), self.bytes) };
        }
    }
}

/// The operations of one disk phase.
pub(crate) struct Operations<'a> {
    next: Option<&'a AtomicU64>,
    started: &'a [AtomicU64],
    ended: &'a [AtomicU64],
    block_bytes: u64,
    file_blocks: u64,
    /// Bytes a second; 0 for no bound.
    rate: u64,
    operation: u64,
    seed: u64,
    origin_ns: u64,
    began_ns: u64,
}

impl<'a> Operations<'a> {
    pub(crate) fn read(tape: &'a Tape, phase: Phase, began_ns: u64) -> Self {
        let get = |word| tape.get(phase.at + word);
        let [started, ended] = phase.arrays(tape);
        Self {
            next: tape.words().get(phase.at + phase::NEXT),
            started,
            ended,
            block_bytes: get(phase::BLOCK_BYTES),
            file_blocks: get(phase::FILE_BLOCKS).max(1),
            rate: get(phase::RATE),
            operation: get(phase::OPERATION),
            seed: get(phase::SEED),
            origin_ns: tape.get(head::ORIGIN_NS),
            began_ns,
        }
    }

    /// One thread's work until nothing is left for it, or the clock shows `end_ns`.
    pub(crate) fn carry_out(&self, buffer: &Buffer, end_ns: u64) -> Result<(), String> {
        if buffer.bytes < self.block_bytes as usize {
            return Err("a thread without a buffer".to_owned());
        }
        while let Some(next) = self.next {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let (Some(started), Some(ended)) =
                (self.started.get(number as usize), self.ended.get(number as usize))
            else {
                break;
            };
            let (due_ns, mut now) = (self.due_ns(number).min(end_ns), now_ns());
            // To sleep until what has passed would arm a timer and cost more than many an operation.
            if due_ns > now {
                sleep_until(due_ns);
                now = now_ns();
            }
            if now >= end_ns {
                break;
            }
            started.store(now - self.origin_ns + 1, Ordering::Release);
            self.perform(buffer, number)?;
            ended.store(now_ns() - self.origin_ns + 1, Ordering::Release);
        }
        Ok(())
    }

    /// When the operation may begin (ns of the clock).
    fn due_ns(&self, number: u64) -> u64 {
        let bytes = u128::from(number) * u128::from(self.block_bytes) * 1_000_000_000;
        self.began_ns + bytes.checked_div(u128::from(self.rate)).unwrap_or(0) as u64
    }

    /// At which byte of the file.
    fn place(&self, number: u64) -> u64 {
        let block =
            if self.operation & phase::RANDOM != 0 { file::scatter(self.seed, number) } else { number };
        block % self.file_blocks * self.block_bytes
    }

    fn perform(&self, buffer: &Buffer, number: u64) -> Result<(), String> {
        let descriptor = if self.operation & phase::CACHED != 0 { file::CACHED } else { file::DIRECT };
        // SAFETY: the runner has this process started with a file of this number, which nobody closes; where it did not,
        // the call below says so.
        let file = unsafe { BorrowedFd::borrow_raw(descriptor) };
        let (start, bytes, at) = (buffer.start.cast(), self.block_bytes as usize, self.place(number) as i64);
        let writes = self.operation & phase::WRITES != 0;
        if writes && self.operation & phase::LAYER != 0 {
            layer::open_for_writing()?;
        }
        // SAFETY: the buffer holds as many bytes, is this thread's own, and outlives the call.
        let moved = unsafe {
            if writes {
                libc::pwrite(descriptor, start, bytes, at)
            } else {
                libc::pread(descriptor, start, bytes, at)
            }
        };
        let verb = if writes { "write" } else { "read" };
        match usize::try_from(moved) {
            Err(_) => return Err(format!("cannot {verb} its file: {}", std::io::Error::last_os_error())),
            Ok(moved) if moved != bytes => return Err(format!("its file {verb}s {moved} bytes of {bytes}")),
            Ok(_) => {}
        }
        if self.operation & phase::FLUSHES == 0 {
            return Ok(());
        }
        rustix::fs::fdatasync(file).map_err(|error| format!("cannot sync its file: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations(operation: u64, rate: u64) -> Operations<'static> {
        Operations {
            next: None,
            started: &[],
            ended: &[],
            block_bytes: 4096,
            file_blocks: 8,
            rate,
            operation,
            seed: 7,
            origin_ns: 0,
            began_ns: 1000,
        }
    }

    #[test]
    fn places_are_whole_blocks_of_the_file() {
        let in_order: Vec<u64> = (6..10).map(|number| operations(0, 0).place(number) / 4096).collect();
        assert_eq!(in_order, [6, 7, 0, 1], "the file is gone over again");
        let random: Vec<u64> = (0..64).map(|number| operations(phase::RANDOM, 0).place(number)).collect();
        assert!(random.iter().all(|place| place % 4096 == 0 && *place < 8 * 4096), "{random:?}");
        let hit: std::collections::BTreeSet<u64> = random.into_iter().collect();
        assert_eq!(hit.len(), 8, "64 draws miss none of 8 blocks");
    }

    #[test]
    fn a_rate_says_when_an_operation_may_begin() {
        assert_eq!(operations(0, 0).due_ns(1 << 20), 1000);
        assert_eq!(operations(0, 4_096_000).due_ns(3), 1000 + 3_000_000, "a block each millisecond");
    }
}
