//! Counting what test runners print. libtest, wasm-bindgen's runner and our reporter for Node all print libtest's lines.

/// A test that did not run, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Skip {
    pub(crate) name: String,
    pub(crate) reason: String,
}

/// What was counted so far.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    /// Names of what failed.
    pub(crate) failed: Vec<String>,
    pub(crate) skipped: Vec<Skip>,
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
        }
    }

    fn outcome(&mut self, name: &str, outcome: &str) {
        let (word, reason) =
            outcome.split_once(", ").unwrap_or((outcome, "marked `#[ignore]` without a reason"));
        match word {
            "ok" => self.passed += 1,
            // wasm-bindgen's runner leaves the last letters out.
            "FAILED" | "FAIL" => self.failed.push(name.to_owned()),
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
            self.failed.push(name.to_owned());
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
        assert_eq!(tally.failed, ["c", "web_home"]);
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
}
