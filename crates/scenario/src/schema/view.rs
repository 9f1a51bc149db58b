//! The fields that a table may have, as far as it is known which case it is.

use crate::diagnostic::{Problem, nearest};

use super::{Field, Table, Takes};

/// A table's own fields and those of its case; of every case where it is not known which.
#[derive(Clone, Copy)]
pub(crate) struct View {
    table: &'static Table,
    case: Option<(&'static str, &'static Table)>,
    undecided: bool,
}

impl View {
    /// The view of a table in which `text_of` gives a field's text, and `has` says whether a field is given.
    pub(crate) fn new<'a>(
        table: &'static Table,
        text_of: impl Fn(&str) -> Option<&'a str>,
        has: impl Fn(&str) -> bool,
    ) -> Self {
        let Some(cases) = table.cases else { return Self { table, case: None, undecided: false } };
        let case = text_of(cases.by).and_then(|word| table.case(word));
        Self { table, case, undecided: case.is_none() && !cases.instead.is_some_and(has) }
    }

    fn tables(self) -> impl Iterator<Item = &'static Table> {
        let all = self.table.cases.filter(|_| self.undecided).map_or(&[][..], |cases| cases.tables);
        std::iter::once(self.table)
            .chain(self.case.map(|(_, table)| table))
            .chain(all.iter().map(|(_, table)| *table))
    }

    pub(crate) fn field(self, name: &str) -> Option<&'static Field> {
        self.tables().find_map(|table| table.field(name))
    }

    /// What is wrong with a key that is no field.
    pub(crate) fn unknown(self, key: &str) -> Problem {
        let by = self.table.cases.map_or("", |cases| cases.by);
        let shown = std::iter::once(self.table).chain(self.case.map(|(_, table)| table));
        let mut accepted =
            shown.flat_map(|table| table.fields).map(|field| field.name).collect::<Vec<_>>().join(", ");
        if self.undecided {
            accepted.push_str(&format!(", and the fields of its {by}"));
        }
        let known = self.tables().flat_map(|table| table.fields).map(|field| field.name);
        let which = self.case.map(|(case, _)| format!(" with {by} = {case:?}")).unwrap_or_default();
        let problem = Problem::new(format!("unknown field{which}")).accepts(accepted);
        match (self.table.case_with(key), self.below(key)) {
            (Some(case), _) => problem.advises(format!("it is a field of {by} = {case:?}")),
            (None, Some(path)) => problem.suggests(Some(path)),
            (None, None) => problem.suggests(nearest(key, known)),
        }
    }

    /// The path of a field of that name in one of the tables right below.
    fn below(self, key: &str) -> Option<String> {
        let tables = self.tables().flat_map(|table| table.fields).filter_map(|field| match field.takes {
            Takes::Table(table) => Some((field.name, table)),
            _ => None,
        });
        let has = |table: &Table| table.field(key).is_some() || table.case_with(key).is_some();
        tables.filter(|(_, table)| has(table)).map(|(name, _)| format!("{name}.{key}")).next()
    }
}
