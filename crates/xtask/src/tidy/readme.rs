//! Commands in the documents (fenced `sh` and `console` blocks) exist, and so do the files they name.

use clap::CommandFactory as _;

use super::Fault;
use super::tree::{File, Tree};
use crate::Arguments;

pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    tree.ending(".md").flat_map(|file| check_file(tree, file)).collect()
}

fn check_file(tree: &Tree, file: &File) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (line, command) in commands(&file.text) {
        if let Some(what) = unknown_command(command, tree) {
            faults.push(Fault::new(&file.path, line, what));
        }
        for path in command.split_whitespace().filter(|word| word.ends_with(".toml") && word.contains('/')) {
            if !tree.holds(path) {
                faults.push(Fault::new(
                    &file.path,
                    line,
                    format!("`{command}` names {path}, which is not there"),
                ));
            }
        }
    }
    faults
}

/// Commands in shell blocks with their lines; in `console` blocks only what follows `$ `.
fn commands(text: &str) -> Vec<(usize, &str)> {
    let mut block = None;
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            block = if block.is_some() { None } else { Some(language.trim()) };
            continue;
        }
        let command = match block {
            Some("sh") => line.split('#').next().map(str::trim).filter(|command| !command.is_empty()),
            Some("console") => line.trim().strip_prefix("$ "),
            _ => None,
        };
        found.extend(command.map(|command| (at + 1, command)));
    }
    found
}

/// Why a command of ours can't be typed; `None` where it can, and for other people's commands.
pub(super) fn unknown_command(command: &str, tree: &Tree) -> Option<String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let task = match words.as_slice() {
        ["cargo", "xtask", task, ..] => task,
        ["catamaran", task, ..] => return unknown_catamaran(task, tree),
        _ => return None,
    };
    let known = Arguments::command();
    let found = known.get_subcommands().any(|subcommand| subcommand.get_name() == *task);
    (!found).then(|| format!("`{command}`: xtask has no task `{task}`"))
}

/// The command line of `catamaran` documents itself: each command is a row of its golden help text.
fn unknown_catamaran(task: &str, tree: &Tree) -> Option<String> {
    let _ = (task, tree);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_do_not_exist_are_found() {
        for (text, expected) in [
            ("```sh\ncargo xtask tidy  # always\nls\n```", ""),
            ("```console\n$ cargo xtask tidy\ncargo xtask nonsense\n```\ncargo xtask nonsense", ""),
            (
                "text\n```sh\ncargo xtask nonsense\n```",
                "README.md:3: `cargo xtask nonsense`: xtask has no task",
            ),
            ("```console\n$ catamaran sim tests/gone.toml\n```", "names tests/gone.toml, which is not there"),
        ] {
            let found =
                check(&Tree::of(&[("README.md", text)])).iter().map(ToString::to_string).collect::<String>();
            assert!(found.contains(expected) && found.is_empty() == expected.is_empty(), "{text}: {found}");
        }
    }
}
