//! Outcomes beside what was written down: `deviations.toml` names where a runtime differs, and the clause that decides.

use serde::Deserialize;

use crate::check::Fault;
use crate::suite::Outcome;

/// Stands for every case.
const ANY: &str = "*";

/// The file, as it was when the suite was built.
const WRITTEN: &str = include_str!("../deviations.toml");

/// Where a runtime of a version differs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deviation {
    /// `chapter::case`, or `*`: any whose fault says what `says` has.
    case: String,
    runtime: String,
    /// With what a distribution adds after `+` left out; none: of every version.
    #[serde(default)]
    version: Option<String>,
    /// The clause that decides, and how the runtime differs.
    clause: String,
    /// On which control groups it was seen, `v1` or `v2`; none: on both.
    #[serde(default)]
    cgroup: Option<String>,
    /// Whether it differs at times only, so that nothing follows from its not differing.
    #[serde(default)]
    at_times: bool,
    /// What the fault has among its words, of a deviation that may show in any case.
    #[serde(default)]
    says: Option<String>,
}

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deviations {
    #[serde(default)]
    deviation: Vec<Deviation>,
}

/// How an outcome counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judgement {
    Passed,
    /// It differs as written down; the clause that decides.
    Differs(String),
    Failed(String),
    Skipped(String),
}

impl Deviations {
    /// What is written in the file.
    ///
    /// # Errors
    /// Where it is not as it must be.
    pub(crate) fn written() -> Result<Self, String> {
        Self::read(WRITTEN)
    }

    fn read(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| format!("deviations.toml: {error}"))
    }

    /// Names of cases that the file knows and the suite does not.
    pub(crate) fn unknown<'a>(&'a self, names: &[String]) -> Vec<&'a str> {
        let all = self.deviation.iter().map(|one| one.case.as_str());
        all.filter(|case| *case != ANY && !names.iter().any(|name| name == case)).collect()
    }

    /// Whether anything is written of this runtime in this version.
    fn knows(&self, outcome: &Outcome) -> bool {
        self.deviation.iter().any(|one| one.is_of(outcome))
    }

    /// How an outcome counts on control groups of that version.
    pub(crate) fn judge(&self, outcome: &Outcome, cgroup: &str) -> Judgement {
        let mut here = self
            .deviation
            .iter()
            .filter(|one| one.is_of(outcome) && one.cgroup.as_deref().is_none_or(|of| of == cgroup));
        let entry =
            here.clone().find(|one| one.case == outcome.name).or_else(|| here.find(|one| one.shows(outcome)));
        match (&outcome.verdict, entry) {
            (Ok(()), None) => Judgement::Passed,
            (Ok(()), Some(entry)) if entry.at_times => Judgement::Passed,
            (Ok(()), Some(entry)) => Judgement::Failed(format!(
                "deviations.toml says that it differs ({}); it does not any more",
                entry.clause
            )),
            (Err(Fault::Wrong(_)), Some(entry)) => Judgement::Differs(entry.clause.clone()),
            (Err(Fault::Wrong(why)), None) if self.others_only(outcome) => {
                let Outcome { runtime, version, .. } = outcome;
                Judgement::Skipped(format!("nothing is written down of {runtime} {version}: {why}"))
            }
            (Err(Fault::Wrong(why)), None) => Judgement::Failed(why.clone()),
            (Err(Fault::Skip(why)), _) => Judgement::Skipped(why.clone()),
        }
    }

    /// Whether the file speaks of other versions of this runtime only: then nobody has looked at this one yet.
    fn others_only(&self, outcome: &Outcome) -> bool {
        !self.knows(outcome) && self.deviation.iter().any(|one| one.runtime == outcome.runtime)
    }
}

impl Deviation {
    /// Whether it may show in any case, and has shown here.
    fn shows(&self, outcome: &Outcome) -> bool {
        let Err(Fault::Wrong(why)) = &outcome.verdict else { return false };
        self.case == ANY && self.says.as_ref().is_some_and(|says| why.contains(says.as_str()))
    }

    fn is_of(&self, outcome: &Outcome) -> bool {
        let version = outcome.version.split('+').next().unwrap_or_default();
        self.runtime == outcome.runtime && self.version.as_deref().is_none_or(|of| of == version)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::check::{Verdict, skip, wrong};

    fn outcome(runtime: &str, version: &str, verdict: Verdict) -> Outcome {
        let (name, runtime, version) = ("a::b".to_owned(), runtime.to_owned(), version.to_owned());
        Outcome { name, clause: "c", runtime, version, verdict, took: Duration::ZERO }
    }

    const FILE: &str =
        "[[deviation]]\ncase = 'a::b'\nruntime = 'runc'\nversion = '1.1.5'\nclause = 'x'\ncgroup = 'v1'";

    #[test]
    fn a_deviation_counts_for_its_version_and_only_while_it_is_true() {
        let file = Deviations::read(FILE).unwrap();
        let judge =
            |runtime, version, verdict, cgroup| file.judge(&outcome(runtime, version, verdict), cgroup);
        assert_eq!(judge("runc", "1.1.5+ds1", wrong("w"), "v1"), Judgement::Differs("x".into()));
        assert_eq!(judge("runc", "1.1.5", wrong("w"), "v2"), Judgement::Failed("w".into()));
        assert!(matches!(judge("runc", "1.1.5", Ok(()), "v1"), Judgement::Failed(_)));
        assert_eq!(judge("runc", "1.1.5", Ok(()), "v2"), Judgement::Passed);
        assert!(matches!(judge("runc", "1.3.0", wrong("w"), "v1"), Judgement::Skipped(_)));
        assert_eq!(judge("ours", "0.1.0", wrong("w"), "v1"), Judgement::Failed("w".into()));
        assert_eq!(judge("runc", "1.1.5", skip("s"), "v1"), Judgement::Skipped("s".into()));
    }

    #[test]
    fn what_shows_in_any_case_is_known_by_its_words() {
        let file = FILE.replace("a::b", "*") + "\nsays = 'left behind'";
        let file = Deviations::read(&file).unwrap();
        let judge = |verdict| file.judge(&outcome("runc", "1.1.5", verdict), "v1");
        assert_eq!(judge(wrong("left behind: a group")), Judgement::Differs("x".into()));
        assert_eq!(judge(wrong("w")), Judgement::Failed("w".into()));
        assert_eq!((judge(Ok(())), file.unknown(&[])), (Judgement::Passed, Vec::new()));
    }

    #[test]
    fn what_differs_at_times_may_not_differ() {
        let file = Deviations::read(&format!("{FILE}\nat_times = true")).unwrap();
        let judge = |verdict| file.judge(&outcome("runc", "1.1.5", verdict), "v1");
        assert_eq!(judge(wrong("w")), Judgement::Differs("x".into()));
        assert_eq!(judge(Ok(())), Judgement::Passed);
    }

    #[test]
    fn a_deviation_of_every_version_excuses_nothing_else() {
        let file = Deviations::read(&FILE.replace("version = '1.1.5'\n", "")).unwrap();
        let judge = |version, verdict| file.judge(&outcome("runc", version, verdict), "v1");
        assert_eq!(judge("1.1.5", wrong("w")), Judgement::Differs("x".into()));
        assert_eq!(judge("1.3.0", wrong("w")), Judgement::Differs("x".into()));
        assert!(matches!(judge("1.3.0", Ok(())), Judgement::Failed(_)));
        let other = Outcome { name: "a::c".to_owned(), ..outcome("runc", "1.3.0", wrong("w")) };
        assert_eq!(file.judge(&other, "v1"), Judgement::Failed("w".into()));
    }

    #[test]
    fn the_file_can_be_read_and_names_cases_that_are_there() {
        let names: Vec<String> = crate::cases::all().into_iter().map(|(name, _)| name).collect();
        assert_eq!(Deviations::written().unwrap().unknown(&names), Vec::<&str>::new());
        assert!(Deviations::read("[[deviation]]\ncase = 'x'").is_err());
    }
}
