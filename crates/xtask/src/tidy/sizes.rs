//! Sizes as a ratchet: what is over the bar is listed in `ratchet.toml` with its size, and may only shrink.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::Fault;
use super::functions::functions;
use super::tree::{File, Tree};
use crate::shell::Workspace;

/// Lines from which a file must be listed.
const FILE_BAR: usize = 400;
/// Lines that no file may have.
const FILE_LIMIT: usize = 800;
/// Lines from which a function must be listed.
const FUNCTION_BAR: usize = 70;

/// Where the exceptions are kept.
const RATCHET: &str = "crates/xtask/ratchet.toml";
const HEAD: &str = "# Files over 400 lines and functions over 70, with their sizes. An entry may only shrink: `cargo xtask tidy\n\
    # --tighten` lowers the figures and drops what is no longer over the bar; it never raises one.\n";

/// Languages whose files are measured.
const MEASURED: [&str; 6] = [".rs", ".mjs", ".js", ".css", ".html", ".sh"];

/// The exceptions: `path` to lines, `path::function` to lines.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Ratchet {
    #[serde(default)]
    files: BTreeMap<String, usize>,
    #[serde(default)]
    functions: BTreeMap<String, usize>,
}

pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let listed: Ratchet = match toml::from_str(tree.text(RATCHET).unwrap_or_default()) {
        Ok(listed) => listed,
        Err(error) => return vec![Fault::new(RATCHET, 0, error.to_string())],
    };
    let found = measure(tree);
    let mut faults = compare(&listed.files, &found.files, "file", FILE_BAR);
    faults.extend(compare(&listed.functions, &found.functions, "function", FUNCTION_BAR));
    for File { path, text } in measured(tree) {
        let lines = text.lines().count();
        if lines > FILE_LIMIT {
            let what = format!("{lines} lines; no file may have over {FILE_LIMIT}: split it by question");
            faults.push(Fault::new(path, 0, what));
        }
    }
    faults
}

/// The files whose size matters.
fn measured(tree: &Tree) -> impl Iterator<Item = &File> {
    MEASURED.iter().flat_map(|ending| tree.ending(ending))
}

/// What is over the bars now.
fn measure(tree: &Tree) -> Ratchet {
    let mut found = Ratchet::default();
    for File { path, text } in measured(tree) {
        // A table of tests may grow by a row; only the limit holds for it.
        let is_table = path.split('/').any(|folder| folder == "tests") && path.ends_with(".rs");
        let lines = text.lines().count();
        if lines > FILE_BAR && !is_table {
            found.files.insert(path.clone(), lines);
        }
        if path.ends_with(".rs") && !is_table {
            for long in functions(text).iter().filter(|function| function.lines > FUNCTION_BAR) {
                // Namesakes in one file share an entry, which then holds the longest.
                let entry = found.functions.entry(format!("{path}::{}", long.name)).or_default();
                *entry = long.lines.max(*entry);
            }
        }
    }
    found
}

fn compare(
    listed: &BTreeMap<String, usize>,
    found: &BTreeMap<String, usize>,
    kind: &str,
    bar: usize,
) -> Vec<Fault> {
    let grown = found.iter().filter_map(|(name, lines)| {
        let what = match listed.get(name) {
            None => format!("this {kind} has {lines} lines, over {bar}: split it (or list it in {RATCHET} with the reason)"),
            Some(allowed) if lines > allowed => format!("this {kind} grew from {allowed} lines to {lines}: it may only shrink"),
            Some(allowed) if lines < allowed => format!("shrank from {allowed} lines to {lines}: type `cargo xtask tidy --tighten`"),
            Some(_) => return None,
        };
        Some(Fault::new(name, 0, what))
    });
    let gone = listed.keys().filter(|name| !found.contains_key(*name)).map(|name| {
        let what = format!("{kind} {name} is no longer over {bar} lines: type `cargo xtask tidy --tighten`");
        Fault::new(RATCHET, 0, what)
    });
    grown.chain(gone).collect()
}

/// Lowers the listed sizes to what they are now.
pub(super) fn tighten(workspace: &Workspace, tree: &Tree) -> Result<()> {
    let text = tightened(tree.text(RATCHET).unwrap_or_default(), &measure(tree))?;
    std::fs::write(workspace.root().join(RATCHET), text).context(RATCHET)
}

fn tightened(listed: &str, found: &Ratchet) -> Result<String> {
    let listed: Ratchet = toml::from_str(listed).context(RATCHET)?;
    let lower = |listed: BTreeMap<String, usize>, found: &BTreeMap<String, usize>| {
        let kept = listed.into_iter().filter_map(|(name, allowed)| {
            let lines = *found.get(&name)?;
            Some((name, allowed.min(lines)))
        });
        kept.collect()
    };
    let tight = Ratchet {
        files: lower(listed.files, &found.files),
        functions: lower(listed.functions, &found.functions),
    };
    Ok(format!("{HEAD}\n{}", toml::to_string(&tight)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(lines: usize) -> String {
        "//\n".repeat(lines)
    }

    fn faults(ratchet: &str, file: &str) -> Vec<String> {
        check(&Tree::of(&[(RATCHET, ratchet), ("a.rs", file)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn sizes_may_only_shrink() {
        for (ratchet, lines, said) in [
            ("", 400, ""),
            ("", 401, "a.rs: this file has 401 lines, over 400"),
            ("files.'a.rs' = 401", 401, ""),
            ("files.'a.rs' = 401", 402, "grew from 401 lines to 402"),
            ("files.'a.rs' = 500", 450, "shrank from 500 lines to 450"),
            ("files.'a.rs' = 500", 300, "file a.rs is no longer over 400"),
            ("files.'a.rs' = 801", 801, "no file may have over 800"),
            ("flies.'a.rs' = 1", 1, "unknown field `flies`"),
        ] {
            let found = faults(ratchet, &long(lines)).join("\n");
            assert!(
                found.contains(said) && found.is_empty() == said.is_empty(),
                "{ratchet} {lines}: {found}"
            );
        }
    }

    #[test]
    fn tables_of_tests_may_grow_up_to_the_limit() {
        for (lines, good) in [(800, true), (801, false)] {
            let tree = Tree::of(&[("crates/a/tests/table.rs", &long(lines))]);
            assert_eq!(check(&tree).is_empty(), good, "{lines}");
        }
    }

    #[test]
    fn functions_are_on_the_ratchet_too() {
        let file = format!("fn f() {{\n{}}}\n", long(70));
        assert!(faults("", &file).join("").contains("a.rs::f: this function has 72 lines"));
        assert!(faults("functions.'a.rs::f' = 72", &file).is_empty());
    }

    #[test]
    fn tightening_never_raises() {
        let found =
            Ratchet { files: [("a".to_owned(), 500), ("b".to_owned(), 600)].into(), ..Ratchet::default() };
        let text = tightened("[files]\na = 450\nb = 700\nc = 800", &found).unwrap();
        let back: Ratchet = toml::from_str(&text).unwrap();
        assert_eq!(back.files, [("a".to_owned(), 450), ("b".to_owned(), 600)].into());
    }
}
