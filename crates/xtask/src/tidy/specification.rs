//! SPECIFICATION.md: every promise is a row `| number | promise | proof |`, whose proof names tests and commands that are
//! there, or says "pending".

use std::collections::BTreeSet;

use super::Fault;
use super::readme::unknown_command;
use super::tree::Tree;

const FILE: &str = "SPECIFICATION.md";

pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let Some(text) = tree.text(FILE) else {
        return vec![Fault::new(FILE, 0, "is missing")];
    };
    let mut faults = Vec::new();
    let mut numbers = BTreeSet::new();
    for (at, line) in text.lines().enumerate() {
        let Some((number, proof)) = promise(line) else { continue };
        let mut fault = |what: String| faults.push(Fault::new(FILE, at + 1, what));
        if !numbers.insert(number) {
            fault(format!("promise {number} is there twice"));
        }
        let proofs = quoted(proof);
        if proofs.is_empty() && !proof.contains("pending") {
            fault(format!("promise {number} names no test and does not say \"pending\""));
        }
        proofs.iter().filter_map(|name| missing(tree, name)).for_each(&mut fault);
    }
    if numbers.is_empty() {
        faults.push(Fault::new(FILE, 0, "holds no promise (rows `| 1.1 | promise | proof |`)"));
    }
    faults
}

/// Number and proof of a row of promises; `None` for other lines.
fn promise(line: &str) -> Option<(&str, &str)> {
    let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
    let (number, proof) = (*cells.first()?, *cells.last()?);
    (cells.len() >= 3 && number.starts_with(|first: char| first.is_ascii_digit())).then_some((number, proof))
}

/// What stands in backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Why a proof is none: an unknown command, or a test that is nowhere.
fn missing(tree: &Tree, proof: &str) -> Option<String> {
    if proof.starts_with("cargo ") {
        return unknown_command(proof, tree);
    }
    if proof.contains('/') {
        return (!tree.holds(proof)).then(|| format!("the proof `{proof}` is no file"));
    }
    let name = proof.rsplit("::").next().unwrap_or(proof);
    let function = format!("fn {name}(");
    let is_title = |line: &str| {
        let title = line.trim_start().strip_prefix("test(").and_then(|rest| rest.strip_prefix(['"', '`']));
        // A title that is made in a loop ends in what differs: `… (${language})`.
        title
            .and_then(|title| title.strip_prefix(proof))
            .is_some_and(|rest| rest.starts_with(['"', '`']) || rest.starts_with(" ("))
    };
    let found = tree.ending(".rs").any(|file| file.text.contains(&function))
        || tree.ending(".mjs").any(|file| file.text.lines().any(is_title));
    (!found).then(|| format!("there is no test `{proof}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_name_tests_that_exist() {
        let files = [("a.rs", "#[test]\nfn proved() {}"), ("b.mjs", "  test(`home moves (${screen})`, f)")];
        for (row, expected) in [
            ("| 1 | p | `proved` |", ""),
            ("| 1 | p | `room::tests::proved`, `home moves` |", ""),
            ("| 1 | p | pending |", ""),
            ("| 1 | p | `a.rs/` |", ""),
            ("| 1 | p | soon |", "names no test"),
            ("| 1 | p | `home` |", "there is no test `home`"),
            ("| 1 | p | `gone` |", "there is no test `gone`"),
            ("| 1 | p | `docs/gone.md` |", "is no file"),
            ("| 1 | p | pending |\n| 1 | q | pending |", "promise 1 is there twice"),
            ("| number | promise | proof |", "holds no promise"),
        ] {
            let all = [files.as_slice(), &[(FILE, row)]].concat();
            let found = check(&Tree::of(&all)).iter().map(ToString::to_string).collect::<String>();
            assert!(found.contains(expected) && found.is_empty() == expected.is_empty(), "{row}: {found}");
        }
        assert_eq!(check(&Tree::of(&[])).len(), 1);
    }
}
