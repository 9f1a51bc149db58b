//! The causal trace: what happened, and the entry that caused it.

use super::Instant;

/// Index of an entry.
pub(crate) type Cause = u32;

/// One entry; the reader turns it into words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry<W> {
    pub(crate) at: Instant,
    pub(crate) what: W,
    pub(crate) because: Option<Cause>,
}

/// Entries in the order in which they happened. A trace that is switched off records nothing and costs nothing.
#[derive(Debug, Clone)]
pub(crate) struct Trace<W> {
    entries: Vec<Entry<W>>,
    on: bool,
}

impl<W> Trace<W> {
    pub(crate) fn new(on: bool) -> Self {
        Self { entries: Vec::new(), on }
    }

    /// Notes `what`; answers the entry's index, to be named as a cause later.
    pub(crate) fn note(&mut self, at: Instant, what: W, because: Option<Cause>) -> Option<Cause> {
        if !self.on {
            return None;
        }
        let index = u32::try_from(self.entries.len()).ok()?;
        self.entries.push(Entry { at, what, because });
        Some(index)
    }

    /// When an entry happened.
    pub(crate) fn at(&self, entry: Cause) -> Option<Instant> {
        self.entries.get(entry as usize).map(|entry| entry.at)
    }

    /// What happened so far.
    pub(crate) fn entries(&self) -> &[Entry<W>] {
        &self.entries
    }

    pub(crate) fn into_entries(self) -> Vec<Entry<W>> {
        self.entries
    }
}
