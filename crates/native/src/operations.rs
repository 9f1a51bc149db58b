//! What a tenant's tape tells of its operations on its file, and of its requests over the network.

use catamaran_worker::tape::{Tape, phase};

/// Start and end (ns from the origin) of each operation of the disk or network phase at word `at` that began before `end_ns`; the end
/// is none where it came later or never.
fn begun(tape: &Tape, at: usize, end_ns: u64) -> impl Iterator<Item = (u64, Option<u64>)> + '_ {
    let count = tape.get(at + phase::REQUESTS) as usize;
    let arrays = tape.get(at + phase::ARRAYS) as usize;
    let instant = move |word| tape.get(word).checked_sub(1).filter(|at_ns| *at_ns < end_ns);
    (0..count).filter_map(move |k| Some((instant(arrays + k)?, instant(arrays + count + k))))
}

/// Adds the latencies (ns) of what was completed before `end_ns`; how many had begun.
pub(crate) fn latencies(tape: &Tape, at: usize, end_ns: u64, latencies_ns: &mut Vec<u64>) -> u64 {
    let mut sent = 0;
    for (start, end) in begun(tape, at, end_ns) {
        sent += 1;
        latencies_ns.extend(end.map(|end| end.saturating_sub(start)));
    }
    sent
}

/// Bytes moved by what was completed before `end_ns`, in all disk phases.
pub(crate) fn disk_bytes(tape: &Tape, end_ns: u64) -> u64 {
    let layout = tape.layout();
    let phases = (0..layout.phases).map(|number| layout.phase(number));
    let disk = phases.filter(|at| tape.get(at + phase::KIND) == phase::DISK);
    let done = disk.map(|at| {
        let completed = begun(tape, at, end_ns).filter(|(_, end)| end.is_some()).count() as u64;
        completed * tape.get(at + phase::BLOCK_BYTES)
    });
    done.sum()
}
