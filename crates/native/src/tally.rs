//! What the kernel counts for one tenant: its groups' files, kept open, and the schedstat of each of its threads.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use catamaran_worker::tape::{Tape, thread};

use crate::cgroup::{Accounts, Cgroup, Usage};

/// One look at a tenant.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Look {
    /// What its groups counted.
    pub(crate) usage: Usage,
    /// CPU time and run-queue wait (ns) by thread; the main thread, which only waits for the others, under `None`.
    pub(crate) threads: BTreeMap<Option<usize>, (u64, u64)>,
    /// Turns made.
    pub(crate) turns: u64,
    /// Payload sent and received over the network (bytes).
    pub(crate) network_bytes: u64,
}

/// The open files of one tenant.
#[derive(Debug)]
pub(crate) struct Tally {
    cpu: Option<File>,
    throttling: Option<File>,
    memory: Option<File>,
    schedstat: BTreeMap<Option<usize>, File>,
    /// The last look, kept for threads that vanished without a last word, and for groups that did.
    last: Look,
    /// Of a tenant whose groups others remove: its peak of memory and its kills for it, and what they last said.
    ends: [Option<File>; 2],
    last_ends: [Option<String>; 2],
}

impl Tally {
    /// Opens the files of a tenant whose threads are all there; those of a guest (no `pid`) can't be seen from here.
    pub(crate) fn open(accounts: &Accounts, pid: Option<u32>) -> std::io::Result<Self> {
        let open = |path: &Option<std::path::PathBuf>| path.as_ref().map(File::open).transpose();
        let mut schedstat = BTreeMap::new();
        let threads = pid.map(|pid| fs::read_dir(format!("/proc/{pid}/task"))).transpose()?;
        for entry in threads.into_iter().flatten() {
            let folder = entry?.path();
            schedstat.insert(thread_number(&folder), File::open(folder.join("schedstat"))?);
        }
        Ok(Self {
            cpu: open(&accounts.cpu)?,
            throttling: open(&accounts.throttling)?,
            memory: open(&accounts.memory)?,
            schedstat,
            last: Look::default(),
            ends: [None, None],
            last_ends: [None, None],
        })
    }

    /// Keeps what else has to be known of groups that an engine removes when the tenant ends.
    pub(crate) fn keep(&mut self, accounts: &Accounts) {
        self.ends = [&accounts.memory_peak, &accounts.oom].map(|path| File::open(path.as_ref()?).ok());
    }

    /// The last that was seen of the peak of memory (bytes).
    pub(crate) fn memory_peak_bytes(&self) -> Option<u64> {
        self.last_ends[0].as_ref()?.trim().parse().ok()
    }

    /// The last that was seen of the kills for memory, in the kernel's words.
    pub(crate) fn oom(&self) -> Option<&str> {
        self.last_ends[1].as_deref()
    }

    /// Looks at everything now. Threads that have ended count by their last word on the tape; those that were killed,
    /// by the look before.
    pub(crate) fn look(&mut self, cgroup: &dyn Cgroup, tape: &Tape) -> Look {
        // First, as whoever removes the groups of a tenant that has ended may be at it.
        for (file, last) in self.ends.iter().zip(&mut self.last_ends) {
            if let Some(text) = file.as_ref().and_then(read) {
                *last = Some(text);
            }
        }
        let cpu = self.cpu.as_ref().and_then(read);
        let throttling = self.throttling.as_ref().and_then(read);
        let mut usage = cgroup.usage(cpu.as_deref(), throttling.as_deref());
        usage.memory_bytes = self.memory.as_ref().and_then(read).and_then(|text| text.trim().parse().ok());
        if self.cpu.is_some() && cpu.is_none() {
            usage = self.last.usage;
        }
        let layout = tape.layout();
        let mut look = Look { usage, ..Look::default() };
        for (number, file) in &self.schedstat {
            let at = number.map(|number| layout.thread(number));
            let figures = match at {
                Some(at) if tape.get(at + thread::ENDED) == 1 => {
                    Some((tape.get(at + thread::CPU_NS), tape.get(at + thread::WAIT_NS)))
                }
                _ => read(file).and_then(|text| schedstat(&text)).or(self.last.threads.get(number).copied()),
            };
            look.threads.extend(figures.map(|figures| (*number, figures)));
        }
        (look.turns, look.network_bytes) = moved(tape);
        self.last.clone_from(&look);
        look
    }
}

/// Turns of all threads of a tape, and what they sent and received (bytes).
fn moved(tape: &Tape) -> (u64, u64) {
    let layout = tape.layout();
    let sum = |word| (0..layout.threads).map(|number| tape.get(layout.thread(number) + word)).sum();
    (sum(thread::TURNS), sum(thread::NETWORK_BYTES))
}

impl Look {
    /// Takes what the threads of a guest noted on the tape, once that has been brought back.
    pub(crate) fn read_tape(&mut self, tape: &Tape) {
        let layout = tape.layout();
        let at = |number: usize, word: usize| tape.get(layout.thread(number) + word);
        self.threads = (0..layout.threads)
            .map(|number| (Some(number), (at(number, thread::CPU_NS), at(number, thread::WAIT_NS))))
            .collect();
        (self.turns, self.network_bytes) = moved(tape);
    }

    /// What was consumed since an earlier look: CPU time (ns), by the groups or else by the threads.
    pub(crate) fn cpu_ns_since(&self, before: &Self) -> u64 {
        match (self.usage.cpu_ns, before.usage.cpu_ns) {
            (Some(now), Some(then)) => now.saturating_sub(then),
            _ => self.threads_since(before, |(cpu_ns, _)| cpu_ns),
        }
    }

    /// Run-queue wait of all threads since an earlier look (ns).
    pub(crate) fn waited_ns_since(&self, before: &Self) -> u64 {
        self.threads_since(before, |(_, wait_ns)| wait_ns)
    }

    fn threads_since(&self, before: &Self, figure: fn((u64, u64)) -> u64) -> u64 {
        let then = |number| before.threads.get(number).map_or(0, |figures| figure(*figures));
        self.threads.iter().map(|(number, figures)| figure(*figures).saturating_sub(then(number))).sum()
    }
}

/// The worker calls its threads `w0`, `w1`, ….
fn thread_number(folder: &Path) -> Option<usize> {
    fs::read_to_string(folder.join("comm")).ok()?.trim().strip_prefix('w')?.parse().ok()
}

/// CPU time and run-queue wait (ns).
fn schedstat(text: &str) -> Option<(u64, u64)> {
    let mut figures = text.split_ascii_whitespace().map(str::parse);
    Some((figures.next()?.ok()?, figures.next()?.ok()?))
}

/// A small file of the kernel from its beginning; `None` when what it told of is gone.
fn read(file: &File) -> Option<String> {
    let mut buffer = [0_u8; 1024];
    let length = file.read_at(&mut buffer, 0).ok()?;
    Some(String::from_utf8_lossy(buffer.get(..length)?).into_owned())
}
