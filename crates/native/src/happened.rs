//! What happened to the tenants of a run, each with its cause, as it is heard of; in the report by time.

use catamaran_report::report::EventRow;

/// A place among what was noted.
pub(crate) type Cause = usize;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// When (ns from the origin).
    at_ns: u64,
    actor: String,
    what: &'static str,
    target: String,
    because: Option<Cause>,
}

/// All that happened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Log(Vec<Entry>);

impl Log {
    /// Notes that `actor` did `what` to `target`; where that is to be found.
    pub(crate) fn note(
        &mut self,
        at_ns: u64,
        (actor, what, target): (&str, &'static str, &str),
        because: Option<Cause>,
    ) -> Cause {
        let (actor, target) = (actor.to_owned(), target.to_owned());
        self.0.push(Entry { at_ns, actor, what, target, because });
        self.0.len() - 1
    }

    /// When that happened (ns from the origin).
    pub(crate) fn at_ns(&self, cause: Cause) -> u64 {
        self.0.get(cause).map_or(0, |entry| entry.at_ns)
    }

    /// When the last of it happened (ns from the origin); 0 where nothing did.
    pub(crate) fn last_ns(&self) -> u64 {
        self.0.iter().map(|entry| entry.at_ns).max().unwrap_or(0)
    }

    /// Rows for the report, by time; of one instant, those that were heard of first come first.
    pub(crate) fn rows(&self) -> Vec<EventRow> {
        let mut order: Vec<(usize, &Entry)> = self.0.iter().enumerate().collect();
        order.sort_by_key(|(_, entry)| entry.at_ns);
        let mut place = vec![None; order.len()];
        for (new, (old, _)) in order.iter().enumerate() {
            if let Some(place) = place.get_mut(*old) {
                *place = u32::try_from(new).ok();
            }
        }
        let row = |(_, entry): (usize, &Entry)| EventRow {
            at_s: entry.at_ns as f64 / 1e9,
            actor: entry.actor.clone(),
            what: entry.what.to_owned(),
            target: entry.target.clone(),
            because: entry.because.and_then(|cause| *place.get(cause)?),
            bytes: None,
        };
        order.into_iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_by_time_and_keep_their_causes() {
        let mut log = Log::default();
        let asked = log.note(10, ("scenario", "kill", "web"), None);
        let killed = log.note(10, ("kernel", "killed", "web"), Some(asked));
        log.note(12, ("runtime", "restart", "web"), Some(killed));
        // Heard of later, as ends are.
        let out = log.note(5, ("kernel", "out-of-memory", "leaky"), None);
        log.note(5, ("kernel", "oom-kill", "leaky"), Some(out));
        assert_eq!((log.at_ns(killed), log.last_ns()), (10, 12));
        let rows = log.rows();
        let found: Vec<_> = rows.iter().map(|row| (row.what.as_str(), row.because)).collect();
        let expected = [
            ("out-of-memory", None),
            ("oom-kill", Some(0)),
            ("kill", None),
            ("killed", Some(2)),
            ("restart", Some(3)),
        ];
        assert_eq!(found, expected);
    }
}
