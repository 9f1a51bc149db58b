//! A program of the user's own as it stands on the tape: what it is called with, when it was ready, how it ended, and what it
//! said last.
//!
//! | words of the phase | what |
//! |---|---|
//! | [`phase::ARRAYS`] | word at which its two texts begin: arguments, then [`OUTPUT_BYTES_MAX`] bytes of output |
//! | the constants below | the order, then what the worker noted of it |

use crate::tape::{Tape, phase};

/// How long it gets from SIGTERM to SIGKILL (ns), when the run or its phase is over.
pub const GRACE_NS: u64 = 2_000_000_000;
/// Most bytes that are kept of what it says: the last ones.
pub const OUTPUT_BYTES_MAX: usize = 4096;
/// Where a program that is named without a folder is looked for, and its `PATH` (that of containers: `docker run` and runc's `spec`
/// give the same).
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// CPU time of the program and its descendants that were waited for (ns, plus 1), once they are all gone.
const CPU_NS: usize = 6;
/// 1: it gets no more capabilities than a container's program.
const CONFINED: usize = 7;
/// Bytes of its arguments, each with a zero byte after it.
const TEXT_BYTES: usize = 9;
/// TCP port on which it is ready; 0: once it is executed.
const PROBE: usize = 10;
/// When it is stopped, from the common start (ns).
const STOP_NS: usize = 11;
/// When it was asked for (ns from the origin, plus 1).
const ASKED: usize = 12;
/// When it was ready (the same).
const READY: usize = 13;
/// How it ended: [`IS_OVER`], [`WAS_STOPPED`], and the kernel's wait status; or [`NEVER_THERE`].
const STATUS: usize = 14;
/// Bytes that it has said in all.
const SAID_BYTES: usize = 15;

/// It has ended.
const IS_OVER: u64 = 1 << 32;
/// It could not be started.
const NEVER_THERE: u64 = 1 << 34;
/// It was stopped, as its time was over.
const WAS_STOPPED: u64 = 1 << 33;

/// What to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The program's path and its arguments; none holds a zero byte.
    pub argv: Vec<String>,
    /// TCP port that is open when it is ready; none: it is ready once it is executed.
    pub probe: Option<u16>,
    /// When it is stopped, from the common start (ns).
    pub stop_ns: u64,
    /// Whether it gets no more capabilities than a container's program, whatever its worker has.
    pub confined: bool,
}

impl Call {
    fn text_bytes(&self) -> usize {
        self.argv.iter().map(|word| word.len() + 1).sum()
    }

    /// Words that its texts take on a tape.
    #[must_use]
    pub fn array_words(&self) -> usize {
        words(self.text_bytes()) + words(OUTPUT_BYTES_MAX)
    }

    /// Writes it as the phase at word `at`, its texts from word `arrays` on.
    pub fn write(&self, tape: &Tape, at: usize, arrays: usize) {
        let text: Vec<u8> = self.argv.iter().flat_map(|word| word.bytes().chain([0])).collect();
        put(tape, arrays, &text);
        for (word, value) in [
            (phase::KIND, phase::PROGRAM),
            (phase::ARRAYS, arrays as u64),
            (TEXT_BYTES, text.len() as u64),
            (PROBE, self.probe.unwrap_or(0).into()),
            (STOP_NS, self.stop_ns),
            (CONFINED, self.confined.into()),
        ] {
            tape.set(at + word, value);
        }
    }
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The kernel's wait status.
    pub status: i32,
    /// Whether it was stopped, as its time was over.
    pub stopped: bool,
}

impl End {
    /// Its exit code; none where a signal ended it.
    #[must_use]
    pub fn code(self) -> Option<i32> {
        libc::WIFEXITED(self.status).then(|| libc::WEXITSTATUS(self.status))
    }

    /// The signal that ended it; none where it exited.
    #[must_use]
    pub fn signal(self) -> Option<i32> {
        libc::WIFSIGNALED(self.status).then(|| libc::WTERMSIG(self.status))
    }

    /// In words: `exit code 3`, `signal 9`.
    #[must_use]
    pub fn words(self) -> String {
        match self.signal() {
            Some(signal) => format!("signal {signal}"),
            None => format!("exit code {}", self.code().unwrap_or(-1)),
        }
    }
}

/// The phase of a program on a tape.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    tape: &'a Tape,
    at: usize,
}

impl<'a> Words<'a> {
    /// That at word `at`.
    #[must_use]
    pub const fn at(tape: &'a Tape, at: usize) -> Self {
        Self { tape, at }
    }

    /// All of a tape, in order.
    pub fn all(tape: &'a Tape) -> impl Iterator<Item = Self> + 'a {
        let layout = tape.layout();
        let phases = (0..layout.phases).map(move |number| layout.phase(number));
        phases.filter(|at| tape.get(at + phase::KIND) == phase::PROGRAM).map(|at| Self::at(tape, at))
    }

    fn get(self, word: usize) -> u64 {
        self.tape.get(self.at + word)
    }

    fn set(self, word: usize, value: u64) {
        self.tape.set(self.at + word, value);
    }

    /// What to call.
    #[must_use]
    pub fn call(self) -> Call {
        let text = take(self.tape, self.get(phase::ARRAYS) as usize, self.get(TEXT_BYTES) as usize);
        let words = text.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
        let mut argv: Vec<String> = words.collect();
        // After the last zero byte there is nothing.
        argv.pop();
        let probe = self.get(PROBE) as u16;
        Call {
            argv,
            probe: (probe != 0).then_some(probe),
            stop_ns: self.get(STOP_NS),
            confined: self.get(CONFINED) == 1,
        }
    }

    /// Notes when it was asked for (ns from the origin).
    pub fn note_asked(self, at_ns: u64) {
        self.set(ASKED, at_ns + 1);
    }

    /// Notes when it was ready (ns from the origin).
    pub fn note_ready(self, at_ns: u64) {
        self.set(READY, at_ns + 1);
    }

    /// Notes how it ended.
    pub fn note_end(self, end: End) {
        let stopped = if end.stopped { WAS_STOPPED } else { 0 };
        self.set(STATUS, IS_OVER | stopped | u64::from(end.status.cast_unsigned()));
    }

    /// Notes that it could not be started.
    pub fn note_never_there(self) {
        self.set(STATUS, NEVER_THERE);
    }

    /// Notes the CPU time of all its processes (ns), once they are gone.
    pub fn note_cpu(self, cpu_ns: u64) {
        self.set(CPU_NS, cpu_ns + 1);
    }

    /// Keeps the last of what it said: `tail` is the end of `said` bytes in all.
    pub fn keep(self, tail: &[u8], said: u64) {
        let tail = tail.get(tail.len().saturating_sub(OUTPUT_BYTES_MAX)..).unwrap_or_default();
        put(self.tape, self.output(), tail);
        self.set(SAID_BYTES, said);
    }

    /// Word at which its output begins.
    fn output(self) -> usize {
        (self.get(phase::ARRAYS) as usize).saturating_add(words(self.get(TEXT_BYTES) as usize))
    }

    /// When it was asked for (ns from the origin); none where it was not yet.
    #[must_use]
    pub fn asked_ns(self) -> Option<u64> {
        self.get(ASKED).checked_sub(1)
    }

    /// When it was ready (ns from the origin); none where it was not.
    #[must_use]
    pub fn ready_ns(self) -> Option<u64> {
        self.get(READY).checked_sub(1)
    }

    /// How it ended; none where it has not.
    #[must_use]
    pub fn end(self) -> Option<End> {
        let word = self.get(STATUS);
        let status = (word as u32).cast_signed();
        (word & IS_OVER != 0).then_some(End { status, stopped: word & WAS_STOPPED != 0 })
    }

    /// Whether it could not be started.
    #[must_use]
    pub fn was_never_there(self) -> bool {
        self.get(STATUS) == NEVER_THERE
    }

    /// CPU time of all its processes (ns), once they are gone.
    #[must_use]
    pub fn cpu_ns(self) -> Option<u64> {
        self.get(CPU_NS).checked_sub(1)
    }

    /// The last that it said, at most [`OUTPUT_BYTES_MAX`] bytes.
    #[must_use]
    pub fn said(self) -> String {
        let bytes = (self.get(SAID_BYTES) as usize).min(OUTPUT_BYTES_MAX);
        String::from_utf8_lossy(&take(self.tape, self.output(), bytes)).into_owned()
    }
}

/// Words that so many bytes take.
const fn words(bytes: usize) -> usize {
    bytes.div_ceil(size_of::<u64>())
}

/// Writes bytes from a word on.
fn put(tape: &Tape, first: usize, bytes: &[u8]) {
    for (number, chunk) in bytes.chunks(size_of::<u64>()).enumerate() {
        let mut word = [0; size_of::<u64>()];
        word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        tape.set(first.saturating_add(number), u64::from_le_bytes(word));
    }
}

/// So many bytes from a word on; none where they are not all on the tape.
fn take(tape: &Tape, first: usize, bytes: usize) -> Vec<u8> {
    let from = tape.array(first, words(bytes)).iter();
    let mut taken: Vec<u8> =
        from.flat_map(|word| word.load(std::sync::atomic::Ordering::Acquire).to_le_bytes()).collect();
    taken.truncate(bytes);
    taken
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use rustix::fs::{MemfdFlags, memfd_create};

    use super::*;
    use crate::tape::{Layout, head};

    #[test]
    fn a_program_and_what_it_said_survive_the_tape() {
        let argv = ["/bin/sh", "-c", "", "é"].map(str::to_owned).into();
        let call = Call { argv, probe: Some(80), stop_ns: 7, confined: true };
        let layout = Layout { threads: 1, phases: 1 };
        let file = memfd_create("tape", MemfdFlags::CLOEXEC).unwrap();
        let length = (layout.arrays() + call.array_words()) as u64 * 8;
        rustix::fs::ftruncate(&file, length).unwrap();
        let tape = Tape::map(file.as_fd()).unwrap();
        tape.set(head::THREADS, 1);
        tape.set(head::PHASES, 1);
        call.write(&tape, layout.phase(0), layout.arrays());
        let words = Words::all(&tape).next().expect("a program");
        assert_eq!(words.call(), call);
        assert_eq!((words.end(), words.ready_ns(), words.cpu_ns()), (None, None, None));
        words.keep(b"hello", 5);
        assert_eq!(words.said(), "hello");
        let long = vec![b'x'; OUTPUT_BYTES_MAX + 9];
        words.keep(&long, 1 << 40);
        assert_eq!(words.said().len(), OUTPUT_BYTES_MAX);
        assert_eq!(words.call(), call, "output does not run over into the arguments");
        words.note_end(End { status: 3 << 8, stopped: false });
        assert_eq!(words.end().map(End::words).as_deref(), Some("exit code 3"));
        words.note_end(End { status: 9, stopped: true });
        assert_eq!(words.end(), Some(End { status: 9, stopped: true }));
        assert_eq!(words.end().map(End::words).as_deref(), Some("signal 9"));
        assert!(!words.was_never_there());
        words.note_never_there();
        assert_eq!((words.end(), words.was_never_there()), (None, true));
    }

    #[test]
    fn a_damaged_tape_has_no_text() {
        let file = memfd_create("tape", MemfdFlags::CLOEXEC).unwrap();
        rustix::fs::ftruncate(&file, 8 * 256).unwrap();
        let tape = Tape::map(file.as_fd()).unwrap();
        tape.set(phase::ARRAYS, u64::MAX);
        tape.set(TEXT_BYTES, u64::MAX);
        tape.set(SAID_BYTES, u64::MAX);
        let words = Words::at(&tape, 0);
        assert_eq!((words.call().argv, words.said()), (Vec::new(), String::new()));
    }
}
