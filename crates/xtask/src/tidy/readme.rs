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
        ["catamaran", task, ..] | ["sudo", "catamaran", task, ..] => return unknown_catamaran(task, tree),
        _ => return None,
    };
    let known = Arguments::command();
    let found = known.get_subcommands().any(|subcommand| subcommand.get_name() == *task);
    (!found).then(|| format!("`{command}`: xtask has no task `{task}`"))
}

/// Where `catamaran` declares its commands, as clap reads them.
const COMMANDS: &str = "crates/cli/src/args.rs";

fn unknown_catamaran(task: &str, tree: &Tree) -> Option<String> {
    let declared =
        tree.text(COMMANDS).and_then(|text| text.split_once("enum Command {")?.1.split_once("\n}"));
    let variants = declared.map(|(variants, _)| variants).unwrap_or_default();
    let names = variants.lines().filter_map(|line| line.trim().strip_suffix(','));
    let known = names.map(|name| name.split('(').next().unwrap_or_default().to_lowercase());
    let found = task.starts_with('-') || known.into_iter().any(|name| name == task);
    (!found).then(|| format!("`catamaran {task}`: {COMMANDS} declares no such command"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_do_not_exist_are_found() {
        let args = "pub(crate) enum Command {\n    /// Simulate\n    Sim(Sim),\n    Clean,\n}\n";
        for (text, expected) in [
            ("```sh\ncargo xtask tidy  # always\nls\n```", ""),
            ("```console\n$ cargo xtask tidy\ncargo xtask nonsense\n```\ncargo xtask nonsense", ""),
            (
                "text\n```sh\ncargo xtask nonsense\n```",
                "README.md:3: `cargo xtask nonsense`: xtask has no task",
            ),
            ("```console\n$ catamaran sim tests/gone.toml\n```", "names tests/gone.toml, which is not there"),
            ("```sh\ncatamaran clean\nsudo catamaran sim lesson:cgroups\ncatamaran --help\n```", ""),
            (
                "```sh\nsudo catamaran simulate\n```",
                "`catamaran simulate`: crates/cli/src/args.rs declares no such",
            ),
        ] {
            let found = check(&Tree::of(&[("README.md", text), (COMMANDS, args)]))
                .iter()
                .map(ToString::to_string)
                .collect::<String>();
            assert!(found.contains(expected) && found.is_empty() == expected.is_empty(), "{text}: {found}");
        }
    }
}
