//! The program of every container of the conformance suite: `probe DEED ARGUMENT… -- DEED ARGUMENT…`.
//!
//! It carries the deeds out in order and prints one JSON array with what came of each. It is static and links no C library of
//! the machine, so that a root file system needs nothing else.

mod deeds;
mod see;
mod wait;

use std::io::Write as _;
use std::process::ExitCode;

use serde_json::Value;

fn main() -> ExitCode {
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let mut answers = Vec::new();
    let mut code = 0;
    for deed in words.split(|word| word == "--") {
        match deeds::carry_out(deed) {
            deeds::Answer::Value(value) => answers.push(value),
            deeds::Answer::Exit(wanted) => code = wanted,
            // Whoever waits has said so already, on a line of its own.
            deeds::Answer::Said => {}
        }
    }
    if !answers.is_empty() {
        // Nobody is left to be told where standard output is closed.
        let _ = writeln!(std::io::stdout(), "{}", Value::Array(answers));
    }
    ExitCode::from(code)
}
