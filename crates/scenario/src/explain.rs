//! The format's documentation, field by field, from the same table that the parser reads by.

mod find;
mod show;

use serde::Serialize;

use crate::diagnostic::Diagnostic;
use crate::schema::tree::{self, Node, What};
use crate::schema::{Field, ROOT, Takes, Unless};

/// What there is to know about a field, a table of fields, or one case of a table (such as a kind of workload).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Explained {
    /// `tenant.cpu.limit`; `NAME` stands for a platform; empty for the whole file.
    pub path: String,
    /// What type of value it is, in a word or three.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Units that the value is written with, where it has any.
    pub unit: Option<&'static str>,
    /// What is accepted.
    pub accepted: String,
    /// Whether the file must give it.
    pub required: bool,
    /// Its default as TOML.
    pub default: Option<&'static str>,
    /// What it means that the file does not give it, where that is no value of its own.
    pub if_absent: Option<&'static str>,
    /// What it means.
    pub meaning: &'static str,
    /// An example, as a line of TOML.
    pub example: Option<String>,
    /// The kernel file, the OCI or the Kubernetes field that it becomes, where it becomes one.
    pub becomes: Option<&'static str>,
    /// The fields and cases right below; for the whole file, all that are below.
    pub fields: Vec<Self>,
}

/// The documentation of a field or a table by its path: `tenant.cpu.limit`, `tenant.cpu`, `workload.server.arrivals.rate`, a path
/// out of a diagnostic (`tenant.web.cpu.limit`), or nothing for the whole format.
///
/// # Errors
/// Where there is no such field, or several.
pub fn explain(field: &str) -> Result<Explained, Diagnostic> {
    if field.trim().is_empty() {
        return Ok(whole());
    }
    let node = find::find(field.trim())?;
    let fields = node.children().iter().map(|child| of(child, Vec::new())).collect();
    Ok(of(&node, fields))
}

/// Every path that [`explain`] knows, in the order of the format.
#[must_use]
pub fn paths() -> Vec<String> {
    fn below(nodes: &[Node], paths: &mut Vec<String>) {
        for node in nodes {
            paths.push(node.path());
            below(&node.children(), paths);
        }
    }
    let mut paths = Vec::new();
    below(&tree::roots(), &mut paths);
    paths
}

fn whole() -> Explained {
    let mut seen = Vec::new();
    Explained {
        path: String::new(),
        kind: "table",
        unit: None,
        accepted: "a TOML file of at most 1 MiB".into(),
        required: true,
        default: None,
        if_absent: None,
        meaning: ROOT.meaning,
        example: None,
        becomes: None,
        fields: tree::roots().iter().map(|node| with_all_below(node, &mut seen)).collect(),
    }
}

/// With all fields below. Cases are shown where they are met first, at the table itself before those within its fields.
fn with_all_below(node: &Node, seen: &mut Vec<What>) -> Explained {
    let is_case = |child: &Node| matches!(child.what, What::Case { .. });
    let mut children = node.children();
    children.retain(|child| !is_case(child) || !seen.iter().any(|before| before.is(child.what)));
    seen.extend(children.iter().filter(|child| is_case(child)).map(|child| child.what));
    let fields = children.iter().map(|child| with_all_below(child, seen)).collect();
    of(node, fields)
}

fn of(node: &Node, fields: Vec<Explained>) -> Explained {
    match node.what {
        What::Field(field) => of_field(field, node.path(), fields),
        What::Case { by, word, table } => Explained {
            path: node.path(),
            kind: "case",
            unit: None,
            accepted: format!("with {by} = {word:?}"),
            required: false,
            default: None,
            if_absent: None,
            meaning: table.meaning,
            example: None,
            becomes: None,
            fields,
        },
    }
}

fn of_field(field: &Field, path: String, fields: Vec<Explained>) -> Explained {
    let (default, if_absent) = match field.unless_given {
        Unless::Required => (None, None),
        Unless::Absent(what) => (None, Some(what)),
        Unless::Default(value) => (Some(value), None),
    };
    let not_empty = |text: &'static str| (!text.is_empty()).then_some(text);
    Explained {
        path,
        kind: field.takes.kind(),
        unit: field.takes.unit(),
        accepted: accepted(field.takes),
        required: matches!(field.unless_given, Unless::Required),
        default,
        if_absent,
        meaning: field.meaning,
        example: not_empty(field.example).map(|example| format!("{} = {example}", field.name)),
        becomes: not_empty(field.becomes),
        fields,
    }
}

fn accepted(takes: Takes) -> String {
    match takes {
        Takes::Platforms => {
            let names: Vec<_> = crate::Platform::ALL.iter().map(|platform| platform.name()).collect();
            format!("{}: {}", takes.accepted(), names.join(", "))
        }
        _ => takes.accepted(),
    }
}

#[cfg(test)]
mod drift;
