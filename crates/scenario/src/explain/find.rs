//! From what a person types to a field of the format.

use crate::diagnostic::{Diagnostic, Problem, nearest, quoted};
use crate::schema::tree::{self, Node, Part};

/// Longest path that is looked for, in parts.
const PARTS_MAX: usize = 20;

/// How freely a path is matched.
#[derive(Clone, Copy)]
struct Freedom {
    /// A name or an index may follow an array's name, as in paths into a file.
    instances: bool,
    /// The path may begin at any table.
    suffix: bool,
}

/// From the strictest to the freest; the first that finds anything counts.
const FREEDOMS: [Freedom; 4] = [
    Freedom { instances: false, suffix: false },
    Freedom { instances: true, suffix: false },
    Freedom { instances: false, suffix: true },
    Freedom { instances: true, suffix: true },
];

/// The one field or case that is meant.
pub(super) fn find(path: &str) -> Result<Node, Diagnostic> {
    let wanted: Vec<&str> = path.split('.').map(without_index).collect();
    let refuse = |problem: Problem| problem.at(None, path.chars().take(200).collect::<String>());
    if wanted.len() > PARTS_MAX {
        return Err(refuse(unknown(&wanted)));
    }
    let nodes = tree::all();
    for freedom in FREEDOMS {
        let found = distinct(nodes.iter().filter(|node| is_meant(node, &wanted, freedom)));
        match found.as_slice() {
            [] => {}
            [node] => return Ok((*node).clone()),
            several => return Err(refuse(ambiguous(several))),
        }
    }
    Err(refuse(unknown(&wanted)))
}

/// `event[0]` without its index.
fn without_index(part: &str) -> &str {
    part.strip_suffix(']').and_then(|rest| rest.split_once('[')).map_or(part, |(name, _)| name)
}

/// One entry of the table of fields that is found at several paths counts once, at the shortest.
fn distinct<'a>(nodes: impl Iterator<Item = &'a Node>) -> Vec<&'a Node> {
    let mut found: Vec<&Node> = Vec::new();
    for node in nodes {
        if !found.iter().any(|before| before.what.is(node.what)) {
            found.push(node);
        }
    }
    found
}

fn is_meant(node: &Node, wanted: &[&str], freedom: Freedom) -> bool {
    let starts = if freedom.suffix { node.parts.len() } else { 1 };
    (0..starts)
        .any(|start| node.parts.get(start..).is_some_and(|parts| matches(parts, wanted, freedom.instances)))
}

fn matches(parts: &[Part], wanted: &[&str], instances: bool) -> bool {
    let (Some((part, parts)), Some((word, rest))) = (parts.split_first(), wanted.split_first()) else {
        return parts.is_empty() && wanted.is_empty();
    };
    let named = match part {
        Part::Platform => *word == "NAME" || crate::Platform::from_name(word).is_some(),
        part => part.text() == *word,
    };
    let is_case = matches!(part, Part::Case(_));
    (named && matches(parts, rest, instances))
        || (named && instances && matches!(part, Part::Array(_)) && skips_instance(parts, rest))
        // A case is not named in paths into a file, but it is never the last part of one.
        || (is_case && !parts.is_empty() && matches(parts, wanted, instances))
}

fn skips_instance(parts: &[Part], rest: &[&str]) -> bool {
    rest.split_first().is_some_and(|(_, rest)| !rest.is_empty() && matches(parts, rest, true))
}

fn ambiguous(nodes: &[&Node]) -> Problem {
    let paths: Vec<String> = nodes.iter().map(|node| node.path()).collect();
    Problem::new("several fields are meant").accepts(paths.join(", ")).advises("name one of them")
}

fn unknown(wanted: &[&str]) -> Problem {
    let known = longest_known(wanted);
    let (below, slip) = match &known {
        Some((node, length)) => (node.children(), wanted.get(*length)),
        None => (tree::roots(), wanted.first()),
    };
    let slip = slip.copied().unwrap_or_default();
    let names: Vec<&str> = below.iter().filter_map(last).collect();
    let what = known.map(|(node, _)| format!(" of {}", node.path())).unwrap_or_default();
    if names.is_empty() {
        return Problem::new(format!("{} is no field{what}, which is no table", quoted(slip)))
            .advises("end the path before it");
    }
    let everywhere = tree::all();
    let suggestion =
        nearest(slip, names.iter().copied()).or_else(|| nearest(slip, everywhere.iter().filter_map(last)));
    Problem::new(format!("{} is no field{what}", quoted(slip))).accepts(names.join(", ")).suggests(suggestion)
}

fn last(node: &Node) -> Option<&'static str> {
    node.parts.last().map(|part| part.text())
}

/// The node of the longest beginning of a path that is known, and how many parts of the path that is.
fn longest_known(wanted: &[&str]) -> Option<(Node, usize)> {
    let nodes = tree::all();
    let known = |length: usize| {
        let begun = wanted.get(..length).unwrap_or_default();
        let found =
            FREEDOMS.iter().find_map(|freedom| nodes.iter().find(|node| is_meant(node, begun, *freedom)));
        found.map(|node| (node.clone(), length))
    };
    (1..wanted.len().min(PARTS_MAX)).rev().find_map(known)
}
