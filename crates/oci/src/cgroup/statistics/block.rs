//! Operations on block devices, from whatever keeps count of them.

use super::super::Folder;
use super::{Blkio, BlkioEntry};

/// Ends of names of files and the figures that they hold.
type Table = [(&'static str, fn(&mut Blkio) -> &mut Vec<BlkioEntry>); 8];

const TABLE: Table = [
    ("io_service_bytes_recursive", |io| &mut io.io_service_bytes_recursive),
    ("io_serviced_recursive", |io| &mut io.io_serviced_recursive),
    ("io_queued_recursive", |io| &mut io.io_queue_recursive),
    ("io_service_time_recursive", |io| &mut io.io_service_time_recursive),
    ("io_wait_time_recursive", |io| &mut io.io_wait_time_recursive),
    ("io_merged_recursive", |io| &mut io.io_merged_recursive),
    ("time_recursive", |io| &mut io.io_time_recursive),
    ("sectors_recursive", |io| &mut io.sectors_recursive),
];

/// Version 1. The scheduler counts where it is BFQ or CFQ, and else what throttles.
pub(super) fn v1(folder: &Folder) -> Blkio {
    let mut found = Blkio::default();
    for keeper in ["blkio.bfq.", "blkio.", "blkio.throttle."] {
        for (name, figures) in TABLE {
            let text = folder.read(&format!("{keeper}{name}")).unwrap_or_default();
            figures(&mut found).extend(text.lines().filter_map(entry));
        }
        if !found.io_serviced_recursive.is_empty() || !found.io_service_bytes_recursive.is_empty() {
            break;
        }
        found = Blkio::default();
    }
    found
}

/// `8:0 Read 4096`, or without what was done; not the line `Total 4096`.
fn entry(line: &str) -> Option<BlkioEntry> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let (device, op, value) = match words.as_slice() {
        [device, value] => (device, "", value),
        [device, op, value] => (device, *op, value),
        _ => return None,
    };
    let (major, minor) = number(device)?;
    Some(BlkioEntry { major, minor, op: op.to_owned(), value: value.parse().ok()? })
}

fn number(device: &str) -> Option<(u64, u64)> {
    let (major, minor) = device.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Version 2: `8:0 rbytes=1 wbytes=2 rios=3 wios=4 …`
pub(super) fn v2(folder: &Folder) -> Blkio {
    let mut found = Blkio::default();
    for line in folder.read("io.stat").unwrap_or_default().lines() {
        let mut words = line.split_ascii_whitespace();
        let Some((major, minor)) = words.next().and_then(number) else { continue };
        for (key, value) in words.filter_map(|word| word.split_once('=')) {
            let Ok(value) = value.parse() else { continue };
            let (figures, op) = match key {
                "rbytes" => (&mut found.io_service_bytes_recursive, "Read"),
                "wbytes" => (&mut found.io_service_bytes_recursive, "Write"),
                "rios" => (&mut found.io_serviced_recursive, "Read"),
                "wios" => (&mut found.io_serviced_recursive, "Write"),
                _ => continue,
            };
            figures.push(BlkioEntry { major, minor, op: op.to_owned(), value });
        }
    }
    found
}
