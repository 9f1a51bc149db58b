//! The tape: one shared-memory file per tenant, a plain array of 64-bit words. The runner writes the work on it before
//! the tenant starts; the worker writes what it did while it goes, so that whatever ends the worker, its last word can
//! still be read.
//!
//! | words | what |
//! |---|---|
//! | `0..HEAD_WORDS` | head: [`MAGIC`], counts, offsets, the common start, stamps ([`head`]) |
//! | `phases` × [`phase::WORDS`] | what to do, in order ([`phase`]) |
//! | `threads` × [`thread::WORDS`] | what each thread did, a cache line each ([`thread`]) |
//! | 4 arrays a server phase | arrival, demand; start, completion ([`phase::ARRAYS`]) |
//! | 4 arrays a fork phase | begin, return of each fork; end of its child's sleep, when it was reaped |
//! | 2 arrays a disk or network phase | start, completion of each operation or request |
//! | 2 texts a program phase | what it is called with; what it said last ([`crate::program`]) |

#![allow(unsafe_code)]

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use rustix::thread::futex;

/// First word of a tape, with the layout's version in its last byte.
pub const MAGIC: u64 = 0x6361_7461_6d61_7202;
/// Words of the head.
pub const HEAD_WORDS: usize = 64;
/// Start-up instants that a tape has room for.
pub const STAMPS: usize = 16;
/// Most words of a tape (1 GiB): a scenario that needs more requests than that is refused, never allocated.
pub const WORDS_MAX: usize = 1 << 27;

/// Words of the head.
pub mod head {
    /// [`super::MAGIC`].
    pub const MAGIC: usize = 0;
    /// Threads.
    pub const THREADS: usize = 1;
    /// Phases.
    pub const PHASES: usize = 2;
    /// Instant at which the workload begins (ns of `CLOCK_MONOTONIC`); 0 until the runner has set it.
    pub const BEGIN_NS: usize = 3;
    /// Zero of every time on the tape (ns of `CLOCK_MONOTONIC`): the run's common start.
    pub const ORIGIN_NS: usize = 4;
    /// When the workload was done (ns from the origin, plus 1); 0 while it is not.
    pub const DONE: usize = 5;
    /// 1 when the workers shall begin; a futex.
    pub const GO: usize = 6;
    /// Number of the tenant's process as the runner sees it; 0 before it is there. The kernel writes it, before the process
    /// runs (`CLONE_PARENT_SETTID`): whatever becomes of the launcher, the runner knows whom to end.
    pub const TENANT: usize = 7;
    /// TCP port on which the last of the threads serves the clients of other tenants; 0: nobody does, and every thread works.
    pub const PORT: usize = 8;
    /// Connections that it serves before it is done.
    pub const CLIENTS: usize = 9;
    /// What the disk moved for the process, of layers' files (bytes, plus 1); 0 while it is not known.
    pub const DISK_BYTES: usize = 10;
    /// Memory of the guest in which the work is done (bytes); 0: the process does it itself.
    pub const GUEST_BYTES: usize = 11;
    /// First of [`super::STAMPS`] start-up instants (ns of `CLOCK_MONOTONIC`).
    pub const STAMP: usize = 16;
}

/// Words of a phase.
pub mod phase {
    /// Words a phase.
    pub const WORDS: usize = 16;
    /// One of the kinds below.
    pub const KIND: usize = 0;
    /// Threads that take part; the others wait for the next phase.
    pub const THREADS: usize = 1;
    /// How long it lasts (ns); 0: until its work is done.
    pub const LASTS_NS: usize = 2;
    /// Turns of each thread ([`COMPUTE`]).
    pub const TURNS: usize = 3;
    /// Requests ([`SERVER`]).
    pub const REQUESTS: usize = 4;
    /// Word at which the arrays begin ([`SERVER`]).
    pub const ARRAYS: usize = 5;
    /// Requests that may wait ([`SERVER`]).
    pub const QUEUE: usize = 6;
    /// A request not begun this long after its arrival fails (ns); 0: never ([`SERVER`]).
    pub const TIMEOUT_NS: usize = 7;
    /// When it began (ns from the origin, plus 1); 0 while it has not.
    pub const BEGAN: usize = 8;

    /// Turns between two turns at the lock; 0: there is none ([`COMPUTE`]).
    pub const EVERY_TURNS: usize = 9;
    /// Turns with the lock ([`COMPUTE`]).
    pub const HOLD_TURNS: usize = 10;

    /// Touched first (bytes; [`MEMORY`]).
    pub const START_BYTES: usize = 9;
    /// Touched per second after that (bytes; [`MEMORY`]).
    pub const LEAK: usize = 10;
    /// Most that is touched (bytes; [`MEMORY`]).
    pub const MOST_BYTES: usize = 11;
    /// Between two looks at what is due (ns; [`MEMORY`]).
    pub const STEP_NS: usize = 12;
    /// 1: at each step all of it is touched anew ([`MEMORY`]).
    pub const OVER_AND_OVER: usize = 13;
    /// A page (bytes; [`MEMORY`]).
    pub const PAGE_BYTES: usize = 14;
    /// Touches of pages so far ([`MEMORY`]); written by the worker.
    pub const TOUCHES: usize = 15;

    /// Bytes of an operation ([`DISK`]). Words 9 to 15 mean something else in each kind.
    pub const BLOCK_BYTES: usize = 9;
    /// Blocks of the file ([`DISK`]).
    pub const FILE_BLOCKS: usize = 10;
    /// Most bytes a second; 0: as fast as it goes ([`DISK`]).
    pub const RATE: usize = 11;
    /// What an operation is: a sum of the five below ([`DISK`]).
    pub const OPERATION: usize = 12;
    /// What the places of random operations are drawn from ([`DISK`]).
    pub const SEED: usize = 13;
    /// The next operation that nobody has taken up ([`DISK`]); written by the worker.
    pub const NEXT: usize = 14;

    /// Bytes of a message ([`NETWORK`]).
    pub const MESSAGE_BYTES: usize = 9;
    /// Bytes to send, message after message; 0: [`REQUESTS`] are sent, each when the response to the one before was read
    /// ([`NETWORK`]).
    pub const STREAM_BYTES: usize = 10;
    /// Whom it speaks to: an IPv4 address as a number ([`NETWORK`]).
    pub const ADDRESS: usize = 11;
    /// On which TCP port ([`NETWORK`]).
    pub const TO_PORT: usize = 12;

    /// Forks a second, as the bits of a floating-point number ([`FORK`]).
    pub const FORK_RATE: usize = 9;
    /// How long a child sleeps (ns; [`FORK`]).
    pub const LIFETIME_NS: usize = 10;
    /// Most children at once; 0: as many as come ([`FORK`]).
    pub const MOST: usize = 11;
    /// CPU time of all children from their beginning to their sleep (ns; [`FORK`]); written by them.
    pub const START_CPU_NS: usize = 12;
    /// Time that it took to reap those that were dead (ns; [`FORK`]); written by the worker.
    pub const REAP_NS: usize = 13;
    /// Children at which the tenant gives up, for the machine's sake ([`FORK`]).
    pub const SAFE: usize = 14;

    /// It writes.
    pub const WRITES: u64 = 1;
    /// At a random place.
    pub const RANDOM: u64 = 2;
    /// It waits until the device has written its cache out.
    pub const FLUSHES: u64 = 4;
    /// Through the page cache.
    pub const CACHED: u64 = 8;
    /// On the file of a layer.
    pub const LAYER: u64 = 16;

    /// Nothing.
    pub const IDLE: u64 = 0;
    /// Turns of the fixed loop.
    pub const COMPUTE: u64 = 1;
    /// Requests.
    pub const SERVER: u64 = 2;
    /// Touching memory.
    pub const MEMORY: u64 = 3;
    /// Operations on a file, one [`REQUESTS`] each.
    pub const DISK: u64 = 4;
    /// Messages to another tenant.
    pub const NETWORK: u64 = 5;

    /// Forks of children that sleep, one [`REQUESTS`] each.
    pub const FORK: u64 = 6;

    /// A program of the user's own ([`crate::program`]).
    pub const PROGRAM: u64 = 7;

    /// Arrays of a server phase, each of [`REQUESTS`] words: intended arrival (ns from the phase's beginning), demand
    /// (turns), start (ns from the origin, plus 1; 0: not taken up), end (as the start, or a failure below).
    pub const ARRAY_COUNT: usize = 4;
    /// Arrays of a disk or network phase, each of [`REQUESTS`] words: start and end of each operation or request (ns from the
    /// origin, plus 1; 0: not yet).
    pub const REQUEST_ARRAY_COUNT: usize = 2;
    /// Arrays of a fork phase, each of [`REQUESTS`] words: begin of a fork, its return in the parent, end of the child's sleep, when
    /// it was reaped (ns from the origin, plus 1; 0: not yet), or a failure below.
    pub const FORK_ARRAY_COUNT: usize = 4;
    /// End of a request that found the queue full.
    pub const FAILED_FULL: u64 = u64::MAX;
    /// End of a request that waited too long.
    pub const FAILED_LATE: u64 = u64::MAX - 1;
    /// End of a request whose connection ended before its response.
    pub const FAILED_BROKEN: u64 = u64::MAX - 2;
    /// End of a fork that the kernel refused, and of a request that came when nobody listened: of a server that was started again,
    /// the runner writes it before the server begins.
    pub const FAILED_REFUSED: u64 = u64::MAX - 3;
}

/// Words of a thread.
pub mod thread {
    /// Words a thread: one cache line.
    pub const WORDS: usize = 8;
    /// Turns made so far.
    pub const TURNS: usize = 0;
    /// CPU time of the thread when it ended (ns, schedstat).
    pub const CPU_NS: usize = 1;
    /// Run-queue wait of the thread when it ended (ns, schedstat).
    pub const WAIT_NS: usize = 2;
    /// 1 when the two above are final: read by the thread itself just before its end.
    pub const ENDED: usize = 3;
    /// State of the fixed loop, so that no compiler can leave it out.
    pub const SINK: usize = 4;
    /// Payload sent and received over the network so far (bytes).
    pub const NETWORK_BYTES: usize = 5;
}

/// Where things are on a tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Threads, at least 1.
    pub threads: usize,
    /// Phases, at least 1.
    pub phases: usize,
}

impl Layout {
    /// First word of a phase.
    #[must_use]
    pub const fn phase(self, index: usize) -> usize {
        HEAD_WORDS + index * phase::WORDS
    }
    /// First word of a thread.
    #[must_use]
    pub const fn thread(self, index: usize) -> usize {
        self.phase(self.phases) + index * thread::WORDS
    }
    /// First word after everything but the arrays.
    #[must_use]
    pub const fn arrays(self) -> usize {
        self.thread(self.threads)
    }
}

/// A mapped tape.
#[derive(Debug)]
pub struct Tape {
    start: *mut AtomicU64,
    words: usize,
}

// SAFETY: a `Tape` owns its mapping, which stays valid until it is dropped, and gives out nothing but shared
// references to atomics.
unsafe impl Send for Tape {}
// SAFETY: as above; atomics may be used from any thread.
unsafe impl Sync for Tape {}

impl Tape {
    /// Maps the file `fd` whole and shared.
    ///
    /// # Errors
    /// What `fstat` or `mmap` answered; `EINVAL` where the file is smaller than a head or larger than [`WORDS_MAX`].
    pub fn map(fd: BorrowedFd<'_>) -> rustix::io::Result<Self> {
        let words = rustix::fs::fstat(fd.as_fd())?.st_size as usize / size_of::<u64>();
        if !(HEAD_WORDS..=WORDS_MAX).contains(&words) {
            return Err(rustix::io::Errno::INVAL);
        }
        // SAFETY: the address is chosen by the kernel, the length is that of the file, and the mapping is only ever
        // used as atomics, so another process that writes to it cannot break a Rust guarantee.
        let start = unsafe {
            mmap(
                std::ptr::null_mut(),
                words * size_of::<u64>(),
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED | MapFlags::POPULATE,
                fd,
                0,
            )
        }?;
        Ok(Self { start: start.cast(), words })
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &[AtomicU64] {
        // SAFETY: `start` is page-aligned, the mapping holds `words` words, lives as long as `self`, and any bit
        // pattern is an `AtomicU64`.
        unsafe { std::slice::from_raw_parts(self.start, self.words) }
    }

    /// The word at `index`; 0 beyond the end, which only a damaged tape can ask for.
    #[must_use]
    pub fn get(&self, index: usize) -> u64 {
        self.words().get(index).map_or(0, |word| word.load(Ordering::Acquire))
    }

    /// Sets the word at `index`; nothing beyond the end.
    pub fn set(&self, index: usize, value: u64) {
        if let Some(word) = self.words().get(index) {
            word.store(value, Ordering::Release);
        }
    }

    /// `length` words from `first`; none where they are not all on the tape.
    #[must_use]
    pub fn array(&self, first: usize, length: usize) -> &[AtomicU64] {
        first.checked_add(length).and_then(|end| self.words().get(first..end)).unwrap_or_default()
    }

    /// The layout by the counts in the head.
    #[must_use]
    pub fn layout(&self) -> Layout {
        let count = |word| (self.get(word) as usize).min(self.words);
        Layout { threads: count(head::THREADS), phases: count(head::PHASES) }
    }

    /// Waits until [`Self::go`] was called, here or in another process.
    pub fn wait_for_go(&self) {
        while self.get(head::GO) == 0 {
            let _ = futex::wait(self.futex(), futex::Flags::empty(), 0, None);
        }
    }

    /// Lets all who wait go.
    pub fn go(&self) {
        self.set(head::GO, 1);
        let _ = futex::wake(self.futex(), futex::Flags::empty(), u32::MAX >> 1);
    }

    /// The low half of [`head::GO`], as the kernel's futexes are 32 bits wide.
    fn futex(&self) -> &AtomicU32 {
        const { assert!(cfg!(target_endian = "little")) };
        // SAFETY: the head is always mapped, the low half of an aligned 64-bit word is an aligned 32-bit word, and it
        // lives as long as `self`.
        unsafe { AtomicU32::from_ptr(self.start.cast::<u32>().add(head::GO * 2)) }
    }

    /// Where the kernel is to write the number of the tenant's process, as a `pid_t` of 32 bits: the low half of
    /// [`head::TENANT`].
    #[must_use]
    pub fn tenant_number(&self) -> *mut i32 {
        const { assert!(cfg!(target_endian = "little")) };
        self.words().get(head::TENANT).map_or(std::ptr::null_mut(), |word| word.as_ptr().cast())
    }

    /// Notes the start-up instant number `stamp` as `at_ns`.
    pub fn stamp(&self, stamp: usize, at_ns: u64) {
        if stamp < STAMPS {
            self.set(head::STAMP + stamp, at_ns);
        }
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `map` with this address and length, and no reference outlives `self`.
        let _ = unsafe { munmap(self.start.cast(), self.words * size_of::<u64>()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_tape_follow_each_other_without_overlap() {
        let layout = Layout { threads: 3, phases: 2 };
        assert_eq!(layout.phase(0), HEAD_WORDS);
        assert_eq!(layout.phase(1), HEAD_WORDS + phase::WORDS);
        assert_eq!(layout.thread(0), layout.phase(2));
        assert_eq!(layout.thread(2) + thread::WORDS, layout.arrays());
        assert_eq!(layout.thread(0) % thread::WORDS, 0, "threads are on cache lines of their own");
        const { assert!(head::STAMP + STAMPS <= HEAD_WORDS) };
    }
}
