//! The samples of README.md are what the program prints. `UPDATE_GOLDEN=1` (`cargo xtask golden`) writes those anew that show all
//! of it; of the others the passage is for people to choose.

#![expect(clippy::expect_used, reason = "tests say what they expect by panicking")]

use std::path::PathBuf;
use std::process::Command;

/// Where a sample begins and ends.
const FENCE: (&str, &str) = ("```console\n$ catamaran ", "```");
/// The line that stands for what is left out.
const LEFT_OUT: &str = "…\n";

/// What is typed, and what is shown of the answer.
struct Sample<'a> {
    arguments: &'a str,
    shown: &'a str,
}

impl Sample<'_> {
    fn is_whole(&self) -> bool {
        !self.shown.contains(LEFT_OUT)
    }

    /// Whether an answer reads like this, what is left out apart.
    fn is_of(&self, answer: &str) -> bool {
        if self.is_whole() {
            return self.shown == answer;
        }
        let mut rest = answer;
        self.shown.split(LEFT_OUT).all(|passage| {
            let after = rest.find(passage).and_then(|at| rest.get(at + passage.len()..));
            rest = after.unwrap_or_default();
            after.is_some()
        })
    }
}

fn samples(text: &str) -> Vec<Sample<'_>> {
    let (begin, end) = FENCE;
    let blocks = text.split(begin).skip(1).filter_map(|rest| rest.split_once(end)).map(|(block, _)| block);
    let sample = |block| str::split_once(block, '\n').map(|(arguments, shown)| Sample { arguments, shown });
    blocks.filter_map(sample).collect()
}

fn top() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// What the program prints to somebody with a terminal of its usual width.
fn answer(arguments: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_catamaran"));
    let output = command.args(arguments.split(' ')).current_dir(top()).env_clear().output();
    String::from_utf8(output.expect("the program starts").stdout).expect("standard output is UTF-8")
}

#[test]
fn samples_of_the_readme_are_what_the_program_prints() {
    let file = top().join("README.md");
    let text = std::fs::read_to_string(&file).expect("README.md");
    let samples = samples(&text);
    assert!(samples.len() >= 3, "{} samples", samples.len());
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let (mut written, mut faults) = (text.clone(), Vec::new());
    for sample in &samples {
        let answer = answer(sample.arguments);
        if update && sample.is_whole() {
            written = written.replace(sample.shown, &answer);
        } else if !sample.is_of(&answer) {
            let (arguments, shown) = (sample.arguments, sample.shown);
            faults.push(format!("`catamaran {arguments}` shows:\n{shown}\nprinted is:\n{answer}"));
        }
    }
    if written != text {
        std::fs::write(&file, written).expect("README.md can be written");
    }
    let advice = "where that is meant, run `cargo xtask golden`, and choose passages anew";
    assert!(faults.is_empty(), "README.md, {}\n{advice}", faults.join("\n"));
}

#[test]
fn a_sample_that_is_out_of_date_is_found() {
    let text = "a\n```console\n$ catamaran sim x\none\ntwo\n```\nb\n```console\n$ catamaran why\n…\ntwo\n…\nfour\n```\n";
    let samples = samples(text);
    let of = |number: usize| samples.get(number).map(|sample| (sample.arguments, sample.shown));
    assert_eq!(of(0), Some(("sim x", "one\ntwo\n")));
    assert_eq!(of(1), Some(("why", "…\ntwo\n…\nfour\n")));
    for (number, answer, expected) in [
        (0, "one\ntwo\n", true),
        (0, "one\ntwo\nthree\n", false),
        (1, "one\ntwo\nthree\nfour\n", true),
        (1, "one\nthree\nfour\n", false),
        (1, "four\ntwo\n", false),
    ] {
        assert_eq!(
            samples.get(number).map(|sample| sample.is_of(answer)),
            Some(expected),
            "{number}: {answer}"
        );
    }
}
