//! The documentation and the parser cannot drift apart: each field is put into a scenario of its own, and tried.

use crate::Plan;
use crate::edit;
use crate::schema::tree::{self, Node, Part, What};
use crate::schema::{Field, ROOT, Table, Takes, Unless};

/// What stands for the field in a scenario.
#[derive(Clone, Copy)]
enum Leaf<'a> {
    Value(&'a str),
    Omitted,
}

/// A value that no field takes.
const WRONG: &str = "2020-01-01";

fn fields() -> Vec<(Node, &'static Field)> {
    let field = |node: Node| match node.what {
        What::Field(field) => Some((node, field)),
        What::Case { .. } => None,
    };
    tree::all().into_iter().filter_map(field).collect()
}

/// A scenario with the field at `parts`, and besides only what is required then.
fn scenario(parts: &[Part], leaf: Leaf<'_>) -> String {
    let mut lines = pairs(&ROOT, parts, leaf);
    let goes_by = |name: &str| parts.first().is_some_and(|part| part.text() == name);
    if !goes_by("host") {
        lines.push("host = { cores = 2, nodes = 3 }".into());
    }
    if !goes_by("image") {
        let layers = "[{ id = \"base\", size = \"30MiB\" }]";
        lines.push(format!("image = [{{ name = \"shop:1.2\", layers = {layers} }}]"));
    }
    // A layer is one of the tenant's image.
    let image =
        if parts.last().is_some_and(|part| part.text() == "layer") { "image = \"shop:1.2\", " } else { "" };
    // Tenants that examples name, wherever the one at hand is not called so.
    let shop = "{ name = \"shop\", workload = { kind = \"idle\" } }";
    let web = "{ name = \"web\", workload = { kind = \"idle\" } }";
    for line in &mut lines {
        if let Some(list) = line.strip_prefix("tenant = [") {
            let more =
                if list.contains("name = \"shop\"") { web.to_owned() } else { format!("{shop}, {web}") };
            let own = list.trim_end_matches(']').replacen("{ ", &format!("{{ {image}"), 1);
            *line = format!("tenant = [{own}, {more}]");
        }
    }
    lines.join("\n")
}

/// `key = value` for the field on the way to the leaf, and for all that is required beside it.
fn pairs(table: &'static Table, parts: &[Part], leaf: Leaf<'_>) -> Vec<String> {
    let (case, parts) = case_of(table, parts);
    let name = parts.first().map_or("", |part| part.text());
    let all = table.fields.iter().chain(case.iter().flat_map(|(_, table)| table.fields));
    let mut pairs = Vec::new();
    for field in all {
        let value = if field.name == name {
            on_the_way(field, &parts[1..], leaf)
        } else if let Some(value) = demanded(field, table, case.map(|(word, _)| word), name) {
            Some(value)
        } else {
            matches!(field.unless_given, Unless::Required).then(|| field.example.to_owned())
        };
        pairs.extend(value.map(|value| format!("{} = {value}", field.name)));
    }
    pairs
}

/// The case that a path goes by; where it goes by none, the one of the example.
fn case_of<'a>(
    table: &'static Table,
    parts: &'a [Part],
) -> (Option<(&'static str, &'static Table)>, &'a [Part]) {
    let Some(cases) = table.cases else { return (None, parts) };
    let case = |word: &str| cases.tables.iter().find(|(name, _)| *name == word).copied();
    match parts.first() {
        Some(Part::Case(word)) => (case(word), &parts[1..]),
        Some(part) if Some(part.text()) == cases.instead => (None, parts),
        _ => (table.field(cases.by).and_then(|field| case(field.example.trim_matches('"'))), parts),
    }
}

fn on_the_way(field: &Field, rest: &[Part], leaf: Leaf<'_>) -> Option<String> {
    if rest.is_empty() {
        return match leaf {
            Leaf::Value(value) => Some(value.to_owned()),
            Leaf::Omitted => None,
        };
    }
    let inner =
        |table: &'static Table, rest: &[Part]| format!("{{ {} }}", pairs(table, rest, leaf).join(", "));
    Some(match (field.takes, What::Field(field_of(field)).table()) {
        (Takes::Tables(table), _) => format!("[{}]", inner(table, rest)),
        (Takes::ByPlatform(_), Some(table)) => format!("{{ vm = {} }}", inner(table, &rest[1..])),
        (_, Some(table)) => inner(table, rest),
        _ => panic!("{} has nothing below", field.name),
    })
}

/// The same field, as the static that it is.
fn field_of(field: &Field) -> &'static Field {
    fields()
        .into_iter()
        .map(|(_, known)| known)
        .find(|known| std::ptr::eq(*known, field))
        .expect("a known field")
}

/// What one field demands of another, by rules that the table of fields only tells in words.
fn demanded(field: &Field, table: &'static Table, case: Option<&str>, name: &str) -> Option<String> {
    let is_by = table.cases.is_some_and(|cases| cases.by == field.name);
    let endless = matches!(case, Some("idle" | "server" | "memory" | "fork"));
    let value = match (field.name, name) {
        _ if is_by => return case.map(|case| format!("{case:?}")),
        ("process", "size") => "\"burst\"",
        ("distribution", "sigma") => "\"lognormal\"",
        ("limit", "burst") => "\"1\"",
        ("requests", _) if case == Some("network") && name != "bytes" => "5",
        ("cpu", _) if case == Some("set-limit") && name != "memory" => "\"1\"",
        ("for", _) if endless => "\"9s\"",
        ("archive", "name" | "cached") => "\"a\"",
        _ => return None,
    };
    Some(value.to_owned())
}

/// The path into that scenario.
fn path_into(node: &Node, wrong: bool) -> String {
    let tenant_name = wrong && node.path() == "tenant.name";
    let last = node.parts.len() - 1;
    let part = |(index, part): (usize, &Part)| match part {
        Part::Case(_) => None,
        Part::Platform => Some("vm".to_owned()),
        Part::Array("tenant") if index < last && !tenant_name => Some("tenant.shop".to_owned()),
        Part::Array(name) if index < last => Some(format!("{name}[0]")),
        part => Some(part.text().to_owned()),
    };
    node.parts.iter().enumerate().filter_map(part).collect::<Vec<_>>().join(".")
}

fn parse(text: &str) -> Plan {
    Plan::from_toml(text, "x.toml").unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn every_field_is_explained_in_full() {
    for (node, field) in fields() {
        let explained = super::explain(&node.path()).unwrap_or_else(|error| panic!("{error}"));
        assert!(!explained.meaning.is_empty() && explained.example.is_some(), "{}", node.path());
        assert!(super::paths().contains(&node.path()), "{}", field.name);
    }
}

#[test]
fn every_example_is_accepted() {
    for (node, field) in fields() {
        parse(&scenario(&node.parts, Leaf::Value(field.example)));
    }
}

#[test]
fn every_field_is_read() {
    for (node, _) in fields() {
        let text = scenario(&node.parts, Leaf::Value(WRONG));
        let error = Plan::from_toml(&text, "x.toml").expect_err(&text);
        assert_eq!(
            (error.path.as_str(), error.problem.as_str()),
            (path_into(&node, true).as_str(), "found a date or time"),
            "{text}"
        );
    }
}

#[test]
fn every_field_makes_a_difference() {
    for (node, field) in fields() {
        let with = parse(&scenario(&node.parts, Leaf::Value(field.example)));
        let without = scenario(&node.parts, Leaf::Omitted);
        match Plan::from_toml(&without, "x.toml") {
            Ok(without) => assert_ne!(
                with.digest(),
                without.digest(),
                "{} = {} is the default",
                node.path(),
                field.example
            ),
            Err(error) => {
                let required = match field.unless_given {
                    Unless::Required => true,
                    Unless::Absent(text) => text.contains("required"),
                    Unless::Default(_) => false,
                };
                assert!(required, "{}: {error}", node.path());
            }
        }
    }
}

#[test]
fn every_field_is_set_and_got() {
    for (node, field) in fields() {
        let text = scenario(&node.parts, Leaf::Value(field.example));
        let path = path_into(&node, false);
        let value = edit::get(&text, &path).unwrap_or_else(|error| panic!("{error}")).expect("it is given");
        // A tenant's own name is part of the path by which it is named.
        let again = edit::set(&text, &path, &value).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(parse(&again).digest(), parse(&text).digest(), "{path} = {value}");
    }
}
