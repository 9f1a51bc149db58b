//! Lists of processors and memory nodes, as the kernel writes them (`lib/bitmap.c`, `bitmap_parselist`).

use std::ops::RangeInclusive;

/// Numbers that a list may name; the kernel is built for fewer (`CONFIG_NR_CPUS`).
const LARGEST: u32 = 65_535;

/// The ranges of a list such as `0-3,7`, in its order. An empty list is none. Nothing else is accepted.
#[must_use]
pub fn cpu_list(list: &str) -> Option<Vec<RangeInclusive<u32>>> {
    let list = list.trim();
    if list.is_empty() {
        return Some(Vec::new());
    }
    list.split(',').map(range).collect()
}

fn range(text: &str) -> Option<RangeInclusive<u32>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some(first..=last)
}

fn number(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number <= LARGEST)
}
