//! What guests say on their serial lines, by the groups of tests that they ran.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::tally::Tally;

/// How a guest says that a group has been run; its number follows.
const END_OF_GROUP: &str = "guest: that was group ";
/// Its sign of life; the line that it comes in goes on in the next one.
const AT_WORK: char = '\x05';
/// In the name under which a guest reports a test program that failed, as it does where one of its tests has.
const AS_A_WHOLE: &str = " as a whole (";

/// What guests said of the groups that they ran to their end.
#[derive(Default)]
pub(super) struct Said {
    groups: BTreeMap<usize, Vec<String>>,
    /// Lines of the group that is being run.
    pending: Vec<String>,
    /// The beginning of a line whose end is still to come.
    begun: String,
    /// How often a guest said that it is at work.
    signs: usize,
    /// When something was heard of this guest last.
    heard: Option<Instant>,
    silence: Duration,
}

impl Said {
    /// Another guest begins: what the last one said of a group that it did not end is no more.
    pub(super) fn boots(&mut self) {
        self.pending.clear();
        self.begun.clear();
        self.heard = None;
    }

    /// How often guests said that they were at work, and the longest time between two things that one of them said.
    pub(super) fn signs_of_life(&self) -> (usize, Duration) {
        (self.signs, self.silence)
    }

    /// Takes what stands before an end of line; `show` is given each line that is whole.
    pub(super) fn take(&mut self, text: &str, show: impl FnOnce(&str)) {
        let now = Instant::now();
        let since = self.heard.replace(now).map(|heard| now.duration_since(heard));
        self.silence = self.silence.max(since.unwrap_or_default());
        let text = text.trim_end_matches('\r');
        if let Some(begun) = text.strip_suffix(AT_WORK) {
            self.begun += begun;
            self.signs += 1;
            return;
        }
        let line = std::mem::take(&mut self.begun) + text;
        show(&line);
        match line.strip_prefix(END_OF_GROUP).and_then(|number| number.parse().ok()) {
            Some(number) => drop(self.groups.insert(number, std::mem::take(&mut self.pending))),
            None => self.pending.push(line),
        }
    }

    /// Which of these groups no guest has run to its end.
    pub(super) fn missing(&self, wanted: &[usize]) -> Vec<usize> {
        wanted.iter().copied().filter(|number| !self.groups.contains_key(number)).collect()
    }

    /// What came of each group.
    pub(super) fn tallies(&self) -> BTreeMap<usize, Tally> {
        self.groups.iter().map(|(number, lines)| (*number, tally(lines))).collect()
    }

    /// Whether a group was run here once more, in which tests of `first` had failed: then what these did now.
    pub(super) fn repeat(&self, group: usize, first: &mut Tally) {
        if let Some(lines) = self.groups.get(&group) {
            first.repeat(0, lines.iter().map(String::as_str));
        }
    }
}

fn tally(lines: &[String]) -> Tally {
    let mut tally = Tally::default();
    lines.iter().for_each(|line| tally.line(line));
    if tally.failed.len() > 1 {
        tally.failed.retain(|failure| !failure.name.contains(AS_A_WHOLE));
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(texts: &[&str]) -> Said {
        let mut said = Said::default();
        texts.iter().for_each(|text| said.take(text, |_| ()));
        said
    }

    #[test]
    fn what_a_guest_that_stood_still_said_of_its_last_group_is_not_counted() {
        let mut said = said(&[
            "test a ... \u{5}",
            "\u{5}",
            "ok\r",
            "guest: that was group 0\r",
            "test b ... FAILED",
            "test c ... \u{5}",
        ]);
        assert_eq!(said.missing(&[0, 1]), [1]);
        assert_eq!(said.signs_of_life().0, 3);
        said.boots();
        ["test b ... ok", "guest: that was group 1"].iter().for_each(|text| said.take(text, |_| ()));
        assert_eq!(said.missing(&[0, 1]), Vec::<usize>::new());
        let passed: Vec<_> = said.tallies().values().map(|tally| tally.passed).collect();
        assert_eq!(passed, [1, 1]);
    }

    #[test]
    fn a_test_that_failed_is_looked_at_once_more() {
        let whole = "test /tests/x in /g as a whole (exit status: 101) ... FAILED";
        let mut first =
            said(&["test a ... ok", "test b ... FAILED", whole, "guest: that was group 3"]).tallies();
        let tally = first.get_mut(&3).expect("the group");
        assert_eq!(tally.names_failed(0), ["b"], "the program failed because of its test");
        said(&["test a ... FAILED", "test b ... ok", "guest: that was group 3"]).repeat(3, tally);
        assert_eq!((tally.passed, tally.failed.len(), tally.repeated.len()), (2, 0, 1));
        let mut alone = said(&["test a ... ok", whole, "guest: that was group 0"]).tallies();
        let tally = alone.get_mut(&0).expect("the group");
        said(&["test a ... ok", "guest: that was group 0"]).repeat(0, tally);
        assert_eq!(
            tally.failed.len(),
            1,
            "a program that ended badly says nothing of itself when it ends well"
        );
    }
}
