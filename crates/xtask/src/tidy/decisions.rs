//! Decision records: `docs/decisions/NNNN-title.md`, each number once, each beginning with its heading.

use std::collections::BTreeMap;

use super::Fault;
use super::tree::Tree;

const FOLDER: &str = "docs/decisions/";

pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for file in &tree.files {
        let Some(name) = file.path.strip_prefix(FOLDER) else { continue };
        let Some(number) = number(name) else {
            faults.push(Fault::new(&file.path, 0, "a decision record is named NNNN-title.md"));
            continue;
        };
        if let Some(other) = seen.insert(number, &file.path) {
            faults.push(Fault::new(&file.path, 0, format!("number {number} is taken by {other}")));
        }
        if !file.text.starts_with(&format!("# {number} ")) {
            faults.push(Fault::new(&file.path, 1, format!("must begin with `# {number} Title`")));
        }
    }
    faults
}

fn number(name: &str) -> Option<&str> {
    let (number, title) = name.strip_suffix(".md")?.split_once('-')?;
    let digits = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    (digits && !title.is_empty()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_given_once() {
        let tree = Tree::of(&[
            ("docs/decisions/0101-a.md", "# 0101 A\n"),
            ("docs/decisions/0101-b.md", "# 0101 B\n"),
            ("docs/decisions/0102-c.md", "# C\n"),
            ("docs/decisions/notes.md", ""),
        ]);
        let said: Vec<_> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "docs/decisions/0101-b.md: number 0101 is taken by docs/decisions/0101-a.md",
                "docs/decisions/0102-c.md:1: must begin with `# 0102 Title`",
                "docs/decisions/notes.md: a decision record is named NNNN-title.md",
            ]
        );
    }
}
