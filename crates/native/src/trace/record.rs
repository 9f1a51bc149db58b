//! Records of the kernel's rings, for events that tell thread, instant and number (`PERF_SAMPLE_TID | TIME | ID`).
//!
//! **Source.** `perf_event_open(2)`, "MMAP layout".

use std::collections::BTreeMap;

const LOST: u32 = 2;
const COMM: u32 = 3;
const EXIT: u32 = 4;
const FORK: u32 = 7;
const SAMPLE: u32 = 9;
const LOST_SAMPLES: u32 = 13;
/// `PERF_RECORD_MISC_COMM_EXEC`: the name is new as a program is.
const BY_EXEC: u16 = 1 << 13;
/// Thread, instant and number at the end of every record but a sample, which begins with them (bytes).
const WHERE_BYTES: usize = 24;

/// A system call that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// `clone` or `clone3`: a process or thread is about to be made.
    Clone,
    /// `mount` or `move_mount` is called.
    Mount,
    /// `mount` is over.
    Mounted,
    /// `pivot_root` is called.
    Pivot,
    /// `pivot_root` is over.
    Pivoted,
    /// `seccomp` or `capset` is called, or what `prctl` has of them.
    Confine,
    /// `execve` is called.
    Execute,
    /// `accept4` is called: by a daemon, when somebody connects.
    Accept,
}

/// Something that a process did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// Made a process.
    Fork {
        /// Its number.
        child: u32,
    },
    /// Became a program called so (at most 15 bytes).
    Begins(String),
    /// Called itself so.
    Calls(String),
    /// Made a system call.
    Call(Call),
    /// Ended.
    Ends,
}

/// What was done, by whom and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// Instant (ns of the clock).
    pub(crate) at_ns: u64,
    /// Number of the process.
    pub(crate) pid: u32,
    pub(crate) what: What,
}

/// Whether a record of that type says that others were lost.
pub(super) fn is_loss(kind: u32) -> bool {
    matches!(kind, LOST | LOST_SAMPLES)
}

/// The event of a record; none of such as say nothing of processes. `calls` are by the number of the kernel's event.
pub(super) fn parse(kind: u32, misc: u16, body: &[u8], calls: &BTreeMap<u64, Call>) -> Option<Event> {
    let half = |at: usize| Some(u32::from_ne_bytes(body.get(at..at + 4)?.try_into().ok()?));
    let word = |at: usize| Some(u64::from_ne_bytes(body.get(at..at + 8)?.try_into().ok()?));
    let end = body.len().checked_sub(WHERE_BYTES);
    match kind {
        SAMPLE => {
            let call = *calls.get(&word(16)?)?;
            Some(Event { at_ns: word(8)?, pid: half(0)?, what: What::Call(call) })
        }
        COMM => {
            // The name of a thread is not its process's.
            let (pid, thread) = (half(0)?, half(4)?);
            let name: Vec<u8> = body.get(8..end?)?.iter().copied().take_while(|byte| *byte != 0).collect();
            let name = String::from_utf8_lossy(&name).into_owned();
            let what = if misc & BY_EXEC != 0 { What::Begins(name) } else { What::Calls(name) };
            (pid == thread).then_some(Event { at_ns: word(end? + 8)?, pid, what })
        }
        EXIT => {
            // Its first thread is gone: threads of a program that calls `exit_group` go with it.
            let (pid, thread) = (half(0)?, half(8)?);
            (pid == thread).then_some(Event { at_ns: word(16)?, pid, what: What::Ends })
        }
        FORK => {
            let (child, parent) = (half(0)?, half(4)?);
            // A thread is no child.
            let what = What::Fork { child };
            (child != parent).then_some(Event { at_ns: word(16)?, pid: parent, what })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(halves: &[u32], name: &[u8], words: &[u64]) -> Vec<u8> {
        let halves = halves.iter().flat_map(|half| half.to_ne_bytes());
        let words = words.iter().flat_map(|word| word.to_ne_bytes());
        halves.chain(name.iter().copied()).chain(words).collect()
    }

    #[test]
    fn records_of_each_kind() {
        let calls = BTreeMap::from([(5, Call::Mount)]);
        let parse = |kind, misc, body: &[u8]| parse(kind, misc, body, &calls);
        let event = |at_ns, pid, what| Some(Event { at_ns, pid, what });
        let comm = |thread| bytes(&[7, thread], b"runc\0\0\0\0", &[0, 99, 5]);
        assert_eq!(parse(COMM, BY_EXEC, &comm(7)), event(99, 7, What::Begins("runc".into())));
        assert_eq!(parse(COMM, 0, &comm(7)), event(99, 7, What::Calls("runc".into())));
        assert_eq!(parse(COMM, 0, &comm(8)), None, "a thread's name");
        let fork = |parent| bytes(&[8, parent, 8, parent], b"", &[98, 0, 99, 5]);
        assert_eq!(parse(FORK, 0, &fork(7)), event(98, 7, What::Fork { child: 8 }));
        assert_eq!(parse(FORK, 0, &fork(8)), None, "a thread");
        let exit = |thread| bytes(&[8, 7, thread, 7], b"", &[98, 0, 99, 5]);
        assert_eq!(parse(EXIT, 0, &exit(8)), event(98, 8, What::Ends));
        assert_eq!(parse(EXIT, 0, &exit(9)), None, "a thread");
        assert_eq!(parse(SAMPLE, 0, &bytes(&[7, 9], b"", &[97, 5])), event(97, 7, What::Call(Call::Mount)));
        assert_eq!(parse(SAMPLE, 0, &bytes(&[7, 9], b"", &[97, 6])), None, "nobody's event");
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_much(kind in 0u32..16, body in proptest::collection::vec(any::<u8>(), 0..64)) {
            parse(kind, 0, &body, &BTreeMap::new());
        }
    }
}
