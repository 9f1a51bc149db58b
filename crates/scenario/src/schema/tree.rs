//! Every field of the format with its path.

use super::{Field, ROOT, Table, Takes};

/// A part of a field's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// A field.
    Field(&'static str),
    /// A field that is an array of tables, whose elements have names or indexes.
    Array(&'static str),
    /// A case of a table, such as a kind of workload; left out in paths into a file.
    Case(&'static str),
    /// The name of a platform.
    Platform,
}

/// What stands at a path.
#[derive(Clone, Copy)]
pub(crate) enum What {
    Field(&'static Field),
    Case { by: &'static str, word: &'static str, table: &'static Table },
}

/// A field or a case, and where it is.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) parts: Vec<Part>,
    pub(crate) what: What,
}

impl Part {
    /// As paths in the documentation have it.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Field(name) | Self::Array(name) | Self::Case(name) => name,
            Self::Platform => "NAME",
        }
    }
}

impl What {
    /// Whether both are the same entry of the table of fields, at whatever path.
    pub(crate) fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Field(a), Self::Field(b)) => std::ptr::eq(a, b),
            (Self::Case { table: a, .. }, Self::Case { table: b, .. }) => std::ptr::eq(a, b),
            _ => false,
        }
    }

    /// The table whose fields stand below this.
    pub(crate) fn table(self) -> Option<&'static Table> {
        match self {
            Self::Case { table, .. } => Some(table),
            Self::Field(field) => match field.takes {
                Takes::Table(table) | Takes::Tables(table) => Some(table),
                Takes::ByPlatform(platforms) => match platforms.fields.first()?.takes {
                    Takes::Table(table) | Takes::Tables(table) => Some(table),
                    _ => None,
                },
                _ => None,
            },
        }
    }
}

impl Node {
    pub(crate) fn path(&self) -> String {
        self.parts.iter().map(|part| part.text()).collect::<Vec<_>>().join(".")
    }

    /// The fields and cases right below.
    pub(crate) fn children(&self) -> Vec<Self> {
        let mut parts = self.parts.clone();
        if matches!(self.what, What::Field(Field { takes: Takes::ByPlatform(_), .. })) {
            parts.push(Part::Platform);
        }
        self.what.table().map(|table| children(table, &parts)).unwrap_or_default()
    }
}

fn children(table: &'static Table, before: &[Part]) -> Vec<Node> {
    let node = |part, what| Node { parts: before.iter().copied().chain([part]).collect(), what };
    let field = |field: &'static Field| {
        let array = matches!(field.takes, Takes::Tables(_));
        node(if array { Part::Array(field.name) } else { Part::Field(field.name) }, What::Field(field))
    };
    let fields = table.fields.iter().map(field);
    let cases = table.cases.iter().flat_map(|cases| {
        let by = cases.by;
        cases.tables.iter().map(move |(word, table)| (*word, What::Case { by, word, table }))
    });
    fields.chain(cases.map(|(word, what)| node(Part::Case(word), what))).collect()
}

/// The fields of the file itself.
pub(crate) fn roots() -> Vec<Node> {
    children(&ROOT, &[])
}

/// Every field and case, those nearer to the root first.
pub(crate) fn all() -> Vec<Node> {
    let mut nodes = roots();
    let mut next = 0;
    while let Some(node) = nodes.get(next) {
        let below = node.children();
        nodes.extend(below);
        next += 1;
    }
    nodes
}
