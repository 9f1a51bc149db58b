//! Relative links in Markdown lead to files that are there.

use super::Fault;
use super::tree::{File, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    tree.ending(".md").flat_map(|file| dead_links(tree, file)).collect()
}

fn dead_links(tree: &Tree, file: &File) -> Vec<Fault> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut faults = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        for target in targets(line) {
            let path = target.split(['#', '?']).next().unwrap_or_default();
            let elsewhere = target.contains("://") || target.starts_with("mailto:") || path.is_empty();
            if !elsewhere && !resolve(folder, path).is_some_and(|path| tree.holds(&path)) {
                faults.push(Fault::new(&file.path, number + 1, format!("the link `{target}` leads nowhere")));
            }
        }
    }
    faults
}

/// What stands in the brackets of `[text](target)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next())
}

/// A path relative to `folder`, from the top folder; `None` where it leaves it.
fn resolve(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    let all = if let Some(absolute) = path.strip_prefix('/') {
        absolute.to_owned()
    } else {
        format!("{folder}/{path}")
    };
    for part in all.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_links_are_found() {
        let text = "[a](b.md) [w](https://x.y/z) [h](#head)\n![p](../pic.svg \"title\") [gone](c.md#there)\n[out](../../x)\n";
        let tree = Tree::of(&[("docs/a.md", text), ("docs/b.md", ""), ("pic.svg", "")]);
        let said: Vec<_> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "docs/a.md:2: the link `c.md#there` leads nowhere",
                "docs/a.md:3: the link `../../x` leads nowhere"
            ]
        );
    }
}
