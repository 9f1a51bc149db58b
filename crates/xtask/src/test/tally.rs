//! Counting what test runners print. libtest, wasm-bindgen's runner and our reporter for Node all print libtest's lines.

/// A test that did not run, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Skip {
    pub(crate) name: String,
    pub(crate) reason: String,
}

/// What failed, and the beginning of what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) name: String,
    pub(crate) said: Vec<String>,
}

/// Lines of what a failed test said that are told once more at the end.
const TOLD_AGAIN: usize = 15;
/// Characters of each.
const CHARS: usize = 300;
/// What the first line of Rust's message of a panic holds.
const PANIC: &str = " panicked at ";

/// What was counted so far.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: Vec<Failure>,
    /// What failed first, and passed when it was run once more, by itself. It counts as passed.
    pub(crate) repeated: Vec<Failure>,
    pub(crate) skipped: Vec<Skip>,
    /// Place of the failure whose words are being read.
    reading: Option<usize>,
}

impl Tally {
    /// Takes one line of a runner's output into account.
    pub(crate) fn line(&mut self, line: &str) {
        if let Some((name, outcome)) = line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... ")) {
            self.outcome(name, outcome);
        } else if let Some((name, reason)) =
            line.strip_prefix("skipped: ").and_then(|rest| rest.split_once(": "))
        {
            self.skipped_inside(name, reason);
        } else {
            self.said(line);
        }
    }

    /// What a test said stands below its name, in a list of all that failed.
    fn said(&mut self, line: &str) {
        if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            self.reading = self.failed.iter().position(|failure| failure.name == name);
        } else if ["failures:", "successes:"].contains(&line) {
            self.reading = None;
        } else if let Some(failure) = self.reading.and_then(|place| self.failed.get_mut(place)) {
            if line.contains(PANIC) {
                failure.said.clear();
            }
            if failure.said.len() < TOLD_AGAIN && !line.is_empty() {
                failure.said.push(line.chars().take(CHARS).collect());
            }
        }
    }

    /// Adds what was counted elsewhere.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed.extend(other.failed);
        self.repeated.extend(other.repeated);
        self.skipped.extend(other.skipped);
    }

    /// Something failed that says no more than its name.
    pub(crate) fn fail(&mut self, name: String) {
        self.failed.push(Failure { name, said: Vec::new() });
    }

    /// Names of what failed since `from` failures were there.
    pub(crate) fn names_failed(&self, from: usize) -> Vec<String> {
        self.failed.iter().skip(from).map(|failure| failure.name.clone()).collect()
    }

    /// Takes what came of running once more what failed since `from` failures were there: these lines of a runner, which may have
    /// run other tests beside. Where it did not run each of them, it says nothing.
    pub(crate) fn repeat<'a>(&mut self, from: usize, lines: impl Iterator<Item = &'a str>) {
        let first = self.failed.split_off(from);
        let heads: Vec<String> = first.iter().map(|failure| format!("test {} ... ", failure.name)).collect();
        let mut second = Self::default();
        let of_these = |line: &&str| heads.iter().any(|head| line.starts_with(head));
        lines.filter(of_these).for_each(|line| second.line(line));
        let all_ran = second.passed + second.failed.len() == first.len();
        let fails =
            |failure: &Failure| !all_ran || second.failed.iter().any(|again| again.name == failure.name);
        let (failed, repeated): (Vec<_>, Vec<_>) = first.into_iter().partition(fails);
        self.passed += repeated.len();
        self.failed.extend(failed);
        self.repeated.extend(repeated);
        self.reading = None;
    }

    fn outcome(&mut self, name: &str, outcome: &str) {
        let (word, reason) =
            outcome.split_once(", ").unwrap_or((outcome, "marked `#[ignore]` without a reason"));
        match word {
            "ok" => self.passed += 1,
            // wasm-bindgen's runner leaves the last letters out.
            "FAILED" | "FAIL" => self.fail(name.to_owned()),
            "ignored" => self.skipped.push(Skip { name: name.to_owned(), reason: reason.to_owned() }),
            _ => {}
        }
    }

    /// libtest calls a test passed that says by itself that it could not do its work: it counts as skipped, once.
    fn skipped_inside(&mut self, name: &str, reason: &str) {
        if self.skipped.iter().all(|skip| skip.name != name) {
            self.passed = self.passed.saturating_sub(1);
            self.skipped.push(Skip { name: name.to_owned(), reason: reason.to_owned() });
        }
    }

    /// One thing that was checked outside of a test runner.
    pub(crate) fn check(&mut self, name: &str, good: bool) {
        if good {
            self.passed += 1;
        } else {
            self.fail(name.to_owned());
        }
    }

    /// The line that closes a run of everything; CI reads this form.
    pub(crate) fn closing_line(tallies: &[&Self]) -> String {
        let passed: usize = tallies.iter().map(|tally| tally.passed).sum();
        let failed: usize = tallies.iter().map(|tally| tally.failed.len()).sum();
        let skipped: usize = tallies.iter().map(|tally| tally.skipped.len()).sum();
        format!("{passed} passed, {failed} failed, {skipped} skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_runners_are_counted() {
        let mut tally = Tally::default();
        for line in [
            "running 5 tests",
            "test plan::tests::a ... ok",
            "test plan::tests::b - should panic ... ok",
            "test src/lib.rs - thing (line 3) ... ok",
            "test c ... FAILED",
            "test web_home ... FAIL",
            "test d ... ignored, needs KVM",
            "test e ... ignored",
            "skipped: quota_v2: the machine has no cgroup v2 cpu controller",
            "skipped: quota_v2: the machine has no cgroup v2 cpu controller",
            "test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test has been running for over 60 seconds",
        ] {
            tally.line(line);
        }
        let names: Vec<_> =
            tally.skipped.iter().map(|skip| (skip.name.as_str(), skip.reason.as_str())).collect();
        assert_eq!(tally.passed, 2);
        assert_eq!(tally.names_failed(0), ["c", "web_home"]);
        assert_eq!(
            names,
            [
                ("d", "needs KVM"),
                ("e", "marked `#[ignore]` without a reason"),
                ("quota_v2", "the machine has no cgroup v2 cpu controller")
            ]
        );
        assert_eq!(Tally::closing_line(&[&tally, &Tally::default()]), "2 passed, 2 failed, 3 skipped");
    }
    #[test]
    fn what_failed_is_told_with_its_words() {
        let mut tally = Tally::default();
        for line in [
            "test a ... ok",
            "test c ... FAILED",
            "",
            "successes:",
            "---- a stdout ----",
            "all is well",
            "failures:",
            "",
            "---- c stdout ----",
            "a long story",
            "thread 'c' (7) panicked at tests/c.rs:1:2:",
            "one is not two",
            "failures:",
            "    c",
        ] {
            tally.line(line);
        }
        let said = ["thread 'c' (7) panicked at tests/c.rs:1:2:".to_owned(), "one is not two".to_owned()];
        assert_eq!(tally.failed, [Failure { name: "c".to_owned(), said: said.into() }]);
    }

    #[test]
    fn what_passes_by_itself_counts_as_passed_and_is_named() {
        let mut tally = Tally::default();
        ["test a ... FAILED", "test b ... FAILED", "test c ... FAILED"]
            .iter()
            .for_each(|line| tally.line(line));
        tally.repeat(1, ["test a ... ok", "test b ... ok", "test c ... FAILED"].into_iter());
        assert_eq!((tally.passed, tally.names_failed(0)), (1, vec!["a".to_owned(), "c".to_owned()]));
        assert_eq!(tally.repeated.first().map(|failure| failure.name.as_str()), Some("b"));
        // One of two did not run.
        tally.repeat(0, ["test a ... ok"].into_iter());
        assert_eq!(tally.names_failed(0), ["a", "c"]);
    }
}
