//! The house rules that a tool can watch. Each rule is a file of its own with a test on bad input.

mod arrows;
mod decisions;
mod functions;
mod licences;
mod links;
mod markers;
mod readme;
mod rooms;
mod sizes;
mod source;
mod spdx;
mod specification;
mod tree;
mod unsafe_code;

use std::fmt;

use anyhow::{Result, bail};

use crate::shell::Workspace;
use tree::Tree;

/// A place where a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// File from the top folder.
    pub(crate) path: String,
    /// Line from 1; 0: the file as a whole.
    pub(crate) line: usize,
    /// What was found and what to do.
    pub(crate) what: String,
}

impl Fault {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(out, "{}: {}", self.path, self.what),
            line => write!(out, "{}:{line}: {}", self.path, self.what),
        }
    }
}

/// A rule that needs nothing but the files.
type Rule = fn(&Tree) -> Vec<Fault>;

/// The rules with their names.
const RULES: [(&str, Rule); 9] = [
    ("crate arrows", arrows::check),
    ("rooms of the simulator", rooms::check),
    ("unsafe only in native", unsafe_code::check),
    ("sizes", sizes::check),
    ("nothing left to do in the code", markers::check),
    ("decision records", decisions::check),
    ("commands in the documents", readme::check),
    ("promises have tests", specification::check),
    ("links in the documents", links::check),
];

/// What breaks which rule.
pub(crate) fn faults(workspace: &Workspace) -> Result<Vec<(&'static str, Vec<Fault>)>> {
    let tree = Tree::read(workspace)?;
    let mut all: Vec<_> = RULES.iter().map(|(name, rule)| (*name, rule(&tree))).collect();
    let licences = licences::check(workspace, &tree);
    let unreadable = |error| vec![Fault::new("deny.toml", 0, format!("{error:#}"))];
    all.push(("licences and sources", licences.unwrap_or_else(unreadable)));
    Ok(all)
}

/// `cargo xtask tidy`.
///
/// # Errors
/// Where a rule is broken.
pub(crate) fn tidy(workspace: &Workspace, tighten: bool) -> Result<()> {
    if tighten {
        sizes::tighten(workspace, &Tree::read(workspace)?)?;
    }
    let mut broken = 0;
    for (rule, faults) in faults(workspace)? {
        let word = if faults.is_empty() { "kept" } else { "BROKEN" };
        println!("{word:<7} {rule}");
        faults.iter().for_each(|fault| println!("  {fault}"));
        broken += faults.len();
    }
    if broken > 0 {
        bail!("{broken} breaches of the house rules (ARCHITECTURE.md says why they are there)");
    }
    Ok(())
}
