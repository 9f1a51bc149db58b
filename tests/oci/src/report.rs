//! What people and `cargo xtask test` read: a line for each case in libtest's form, a table, counts; or all of it as JSON.

use serde_json::{Value, json};

use crate::judge::Judgement;
use crate::suite::Outcome;

/// An outcome with how it counts.
pub(crate) type Judged = (Outcome, Judgement);

/// `test runc::chapter::case ... ok`, as libtest would say it.
pub(crate) fn line(outcome: &Outcome, judgement: &Judgement) -> String {
    let (runtime, name) = (&outcome.runtime, &outcome.name);
    match judgement {
        Judgement::Passed => format!("test {runtime}::{name} ... ok"),
        Judgement::Differs(clause) => {
            format!("{runtime}::{name} differs: {clause}\ntest {runtime}::{name} ... ok")
        }
        Judgement::Failed(why) => {
            format!(
                "{runtime}::{name}: {}\n  clause: {}\ntest {runtime}::{name} ... FAILED",
                why.trim(),
                outcome.clause
            )
        }
        Judgement::Skipped(why) => format!("test {runtime}::{name} ... ignored, {}", why.replace('\n', " ")),
    }
}

/// A row for each case, a column for each runtime, and the counts.
pub(crate) fn table(judged: &[Judged], runtimes: &[String]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (outcome, _) in judged {
        if !names.contains(&outcome.name.as_str()) {
            names.push(&outcome.name);
        }
    }
    let width = names.iter().map(|name| name.len()).max().unwrap_or_default().max("differs".len());
    let row = |head: &str, cells: Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!(" {cell:>9}")).collect();
        format!("{head:<width$}{cells}\n")
    };
    let mut text = row("case", runtimes.to_vec());
    for name in &names {
        let cell = |runtime: &String| {
            let found = judged.iter().find(|(one, _)| one.name == *name && one.runtime == *runtime);
            found.map_or("", |(_, judgement)| word(judgement)).to_owned()
        };
        text += &row(name, runtimes.iter().map(cell).collect());
    }
    for counted in ["pass", "differs", "FAIL", "skip"] {
        let count = |runtime: &String| {
            let of = judged
                .iter()
                .filter(|(one, judgement)| one.runtime == *runtime && word(judgement) == counted);
            of.count().to_string()
        };
        text += &row(counted, runtimes.iter().map(count).collect());
    }
    text + &format!("{} cases\n", names.len())
}

fn word(judgement: &Judgement) -> &'static str {
    match judgement {
        Judgement::Passed => "pass",
        Judgement::Differs(_) => "differs",
        Judgement::Failed(_) => "FAIL",
        Judgement::Skipped(_) => "skip",
    }
}

/// Everything as JSON.
pub(crate) fn json(judged: &[Judged]) -> Value {
    let rows = judged.iter().map(|(outcome, judgement)| {
        let why = match judgement {
            Judgement::Passed => None,
            Judgement::Differs(why) | Judgement::Failed(why) | Judgement::Skipped(why) => Some(why),
        };
        json!({
            "case": outcome.name,
            "clause": outcome.clause,
            "runtime": outcome.runtime,
            "version": outcome.version,
            "outcome": word(judgement),
            "why": why,
            "milliseconds": u64::try_from(outcome.took.as_millis()).ok(),
        })
    });
    Value::Array(rows.collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn judged(name: &str, runtime: &str, judgement: Judgement) -> Judged {
        let (name, runtime, version) = (name.to_owned(), runtime.to_owned(), String::new());
        (Outcome { name, clause: "c", runtime, version, verdict: Ok(()), took: Duration::ZERO }, judgement)
    }

    #[test]
    fn cases_are_rows_and_runtimes_columns() {
        let all = [
            judged("a::b", "runc", Judgement::Passed),
            judged("a::b", "crun", Judgement::Differs("x".into())),
            judged("a::c", "runc", Judgement::Failed("w".into())),
            judged("a::c", "crun", Judgement::Skipped("s".into())),
        ];
        let text = table(&all, &["runc".to_owned(), "crun".to_owned()]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "case         runc      crun",
                "a::b         pass   differs",
                "a::c         FAIL      skip",
                "pass            1         0",
                "differs         0         1",
                "FAIL            1         0",
                "skip            0         1",
                "2 cases"
            ]
        );
        let lines: Vec<String> = all.iter().map(|(outcome, judgement)| line(outcome, judgement)).collect();
        assert!(
            lines.iter().all(|line| line.lines().next_back().is_some_and(|last| last.starts_with("test ")))
        );
        assert_eq!(json(&all)[2]["why"], "w");
    }
}
