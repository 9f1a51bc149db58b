//! Nothing in the code says that something is left to do: that is what issues are for.

use super::Fault;
use super::source::{code, identifiers};
use super::tree::Tree;

/// Macros that stand for missing code, or for a person looking at it.
const MACROS: [&str; 3] = ["todo", "unimplemented", "dbg"];

/// Words in comments, written in two halves here so that this file keeps its own rule.
const WORDS: [(&str, &str); 3] = [("FIX", "ME"), ("TO", "DO"), ("XX", "X")];

/// Files in which the words are looked for.
const READ: [&str; 6] = [".rs", ".toml", ".mjs", ".js", ".css", ".html"];

pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in READ.iter().flat_map(|ending| tree.ending(ending)) {
        for (number, line) in file.text.lines().enumerate() {
            if let Some((first, second)) =
                WORDS.iter().find(|(first, second)| has_word(line, &format!("{first}{second}")))
            {
                let what =
                    format!("`{first}{second}`: do it now, or open an issue and say so in plain words");
                faults.push(Fault::new(&file.path, number + 1, what));
            }
        }
    }
    for file in tree.ending(".rs") {
        let code = code(&file.text);
        for (number, line) in code.lines().enumerate() {
            let called = |name: &str| {
                identifiers(line).any(|(at, word)| word == name && line[at + word.len()..].starts_with('!'))
            };
            if let Some(name) = MACROS.iter().find(|name| called(name)) {
                faults.push(Fault::new(
                    &file.path,
                    number + 1,
                    format!("`{name}!` is not for code that lands"),
                ));
            }
        }
    }
    faults
}

fn has_word(line: &str, word: &str) -> bool {
    identifiers(line).any(|(_, found)| found == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_to_do_is_found() {
        let (fix, to) = (["FIX", "ME"].concat(), ["TO", "DO"].concat());
        for (path, text, line) in [
            ("a.rs", format!("\n// {fix}: later"), Some(2)),
            ("a.css", format!("/* {to} */"), Some(1)),
            ("a.rs", "fn f() { todo!() }".to_owned(), Some(1)),
            ("a.rs", "fn f() { std::unimplemented!() }".to_owned(), Some(1)),
            ("a.rs", "let s = \"dbg!\"; // dbg!(x)".to_owned(), None),
            ("a.rs", "fn todo() {} fn dbg_x() {}".to_owned(), None),
        ] {
            let faults = check(&Tree::of(&[(path, &text)]));
            assert_eq!(faults.first().map(|fault| fault.line), line, "{text}");
        }
    }
}
