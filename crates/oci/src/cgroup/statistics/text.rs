//! Forms of the kernel's files: single figures, figures by key, lists.

use std::collections::BTreeMap;

use super::super::Folder;
use super::{Psi, PsiLine};

/// The figure in a file; 0 where there is none, the largest for `max`.
pub(super) fn figure(folder: &Folder, file: &str) -> u64 {
    let text = folder.read(file).unwrap_or_default();
    match text.trim() {
        "max" => u64::MAX,
        text => text.parse().unwrap_or(0),
    }
}

/// `key figure` in each line.
pub(super) fn keyed(folder: &Folder, file: &str) -> BTreeMap<String, u64> {
    let text = folder.read(file).unwrap_or_default();
    let pair = |line: &str| {
        let (key, value) = line.split_once(' ')?;
        Some((key.to_owned(), value.trim().parse().ok()?))
    };
    text.lines().filter_map(pair).collect()
}

/// `1 2 3`
pub(super) fn figures(text: &str) -> Vec<u64> {
    text.split_ascii_whitespace().filter_map(|figure| figure.parse().ok()).collect()
}

/// `0-2,5`: CPUs and memory nodes.
pub(super) fn list(text: &str) -> Vec<u16> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse::<u16>().ok()?..=last.parse().ok()?)
    };
    text.trim().split(',').filter_map(range).flatten().collect()
}

/// `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, and `full` likewise.
pub(super) fn pressure(folder: &Folder, file: &str) -> Option<Psi> {
    let text = folder.read(file).ok()?;
    let line = |word: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(word)).unwrap_or_default();
        let value = |key| line.split(' ').find_map(|pair| pair.split_once('=').filter(|pair| pair.0 == key));
        let share = |key| value(key).and_then(|pair| pair.1.parse().ok()).unwrap_or(0.0);
        PsiLine {
            avg10: share("avg10"),
            avg60: share("avg60"),
            avg300: share("avg300"),
            total: value("total").and_then(|pair| pair.1.parse().ok()).unwrap_or(0),
        }
    };
    text.starts_with("some ").then(|| Psi { some: line("some "), full: line("full ") })
}
