//! Walks the spanned TOML tree by the table of fields. Errors are gathered, and the first one by position is kept.

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Location, Problem};
use crate::schema::{Field, Table, Takes, Unless, View};

use super::value::{self, describe};

/// The text that is read, and what was found wrong with it so far.
pub(super) struct Input<'a> {
    file: &'a str,
    text: &'a str,
    /// Stands for every table that the file does not give, so that its fields get their defaults.
    empty: DeTable<'a>,
    /// Not yet worded: finding line and column takes as long as the file.
    first: RefCell<Option<(Place, Problem)>>,
}

impl<'a> Input<'a> {
    pub(super) fn new(text: &'a str, file: &'a str) -> Self {
        Self { file, text, empty: DeTable::new(), first: RefCell::new(None) }
    }

    /// Notes a problem; the one that stands first in the file is kept.
    fn fail(&self, place: &Place, problem: Problem) {
        if self.would_be_first(&place.span) {
            *self.first.borrow_mut() = Some((place.clone(), problem));
        }
    }

    /// Whether a problem there would be kept. Where it would not, there is no need to look for near misses, which takes time.
    fn would_be_first(&self, span: &Range<usize>) -> bool {
        self.first.borrow().as_ref().is_none_or(|(first, _)| span.start < first.span.start)
    }

    pub(super) fn diagnose(&self, place: &Place, problem: Problem) -> Diagnostic {
        problem.at(Some(Location::new(self.file, self.text, &place.span)), place.path.as_str())
    }

    /// The problem that stands first in the file.
    pub(super) fn first(&self) -> Option<Diagnostic> {
        self.first.take().map(|(place, problem)| self.diagnose(&place, problem))
    }
}

/// A place in the file with its path, for checks that look at several fields.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    pub(super) span: Range<usize>,
    pub(super) path: String,
}

/// One table of the file, read by its entry in the table of fields.
pub(super) struct Reader<'a> {
    input: &'a Input<'a>,
    table: &'a DeTable<'a>,
    view: View,
    has_unknown: bool,
    place: Place,
}

impl<'a> Reader<'a> {
    /// Opens a table: refuses unknown fields, and finds out which case it is.
    pub(super) fn open(
        input: &'a Input<'a>,
        table: &'a DeTable<'a>,
        schema: &'static Table,
        span: Range<usize>,
        path: String,
    ) -> Self {
        let text_of = |name: &str| table.get(name).and_then(|value| value.get_ref().as_str());
        let view = View::new(schema, text_of, |name| table.contains_key(name));
        let mut reader = Self { input, table, view, has_unknown: false, place: Place { span, path } };
        let unknown = table.keys().filter(|key| view.field(key.get_ref()).is_none());
        if let Some(key) = unknown.min_by_key(|key| key.span().start) {
            reader.has_unknown = true;
            let place = Place { span: key.span(), path: reader.path_of(key.get_ref()) };
            reader.fail_with(&place, || view.unknown(key.get_ref()));
        }
        reader
    }

    fn field(&self, name: &str) -> Option<&'static Field> {
        self.view.field(name)
    }

    pub(super) fn path_of(&self, name: &str) -> String {
        join(&self.place.path, name)
    }

    /// Where this table is.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Where a field is; where it is not given, where its table is.
    pub(super) fn place_of(&self, name: &str) -> Place {
        let span = self.table.get(name).map_or_else(|| self.place.span.clone(), Spanned::span);
        Place { span, path: self.path_of(name) }
    }

    /// Whether the file gives the field.
    pub(super) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// Notes that a field's value is wrong.
    pub(super) fn fail(&self, name: &str, problem: Problem) {
        self.input.fail(&self.place_of(name), problem);
    }

    /// As [`Reader::fail_at`], with a problem that takes time to word.
    pub(super) fn fail_with(&self, place: &Place, problem: impl FnOnce() -> Problem) {
        if self.input.would_be_first(&place.span) {
            self.fail_at(place, problem());
        }
    }

    /// Notes that something is wrong with a part of a field.
    pub(super) fn fail_at(&self, place: &Place, problem: Problem) {
        self.input.fail(place, problem);
    }

    /// Notes that a required field is missing, unless an unknown one may be a slip for it.
    pub(super) fn fail_missing(&self, name: &str, takes: Takes) {
        if !self.has_unknown {
            let problem = Problem::new("missing; it is required").accepts(takes.accepted());
            let place = Place { span: self.place.span.clone(), path: self.path_of(name) };
            self.input.fail(&place, problem);
        }
    }

    /// Reads a field: its value, its default, or nothing where it is absent or wrong (which is then noted).
    pub(super) fn read<T>(
        &self,
        name: &str,
        take: impl Fn(Takes, &DeValue<'_>) -> Result<T, Problem>,
    ) -> Option<T> {
        let field = self.field(name)?;
        let Some(found) = self.table.get(name) else { return self.unless_given(field, take) };
        take(field.takes, found.get_ref()).map_err(|problem| self.fail(name, problem)).ok()
    }

    fn unless_given<T>(
        &self,
        field: &Field,
        take: impl Fn(Takes, &DeValue<'_>) -> Result<T, Problem>,
    ) -> Option<T> {
        match field.unless_given {
            Unless::Required => {
                self.fail_missing(field.name, field.takes);
                None
            }
            Unless::Absent(_) => None,
            Unless::Default(default) => take(field.takes, DeValue::parse(default).ok()?.get_ref()).ok(),
        }
    }

    /// Opens a table within this one.
    pub(super) fn table(&self, name: &str) -> Option<Self> {
        let field = self.field(name)?;
        let Some(found) = self.table.get(name) else {
            if matches!(field.unless_given, Unless::Required) {
                self.fail_missing(name, field.takes);
            }
            return None;
        };
        let (Takes::Table(schema) | Takes::ByPlatform(schema)) = field.takes else { return None };
        self.open_value(found, schema, self.path_of(name), field.takes)
    }

    /// Opens a table within this one; where it is not given, an empty one in its place.
    pub(super) fn table_or_empty(&self, name: &str) -> Option<Self> {
        match self.field(name)?.takes {
            Takes::Table(schema) | Takes::ByPlatform(schema) if !self.has(name) => {
                let Place { span, path } = self.place_of(name);
                Some(Self::open(self.input, &self.input.empty, schema, span, path))
            }
            _ => self.table(name),
        }
    }

    /// Opens the tables of an array, each with its path; `name_of` gives what stands in the path for its place.
    pub(super) fn tables(
        &self,
        name: &str,
        most: usize,
        name_of: impl Fn(&DeTable<'_>) -> Option<String>,
    ) -> Vec<Self> {
        let (Some(field), Some(found)) = (self.field(name), self.table.get(name)) else { return Vec::new() };
        let Takes::Tables(schema) = field.takes else { return Vec::new() };
        let Some(array) = found.get_ref().as_array() else {
            self.fail(name, wrong(found.get_ref(), field.takes));
            return Vec::new();
        };
        if let Some(beyond) = array.get(most) {
            let place = Place { span: beyond.span(), path: format!("{}[{most}]", self.path_of(name)) };
            self.fail_at(
                &place,
                Problem::new(format!("found {} of them", array.len())).accepts(format!("at most {most}")),
            );
        }
        let elements = array.iter().take(most).enumerate();
        elements
            .filter_map(|(index, element)| {
                let named = element.get_ref().as_table().and_then(&name_of);
                let base = self.path_of(name);
                let path =
                    named.map_or_else(|| format!("{base}[{index}]"), |named| format!("{base}.{named}"));
                self.open_value(element, schema, path, field.takes)
            })
            .collect()
    }

    fn open_value(
        &self,
        found: &'a Spanned<DeValue<'a>>,
        schema: &'static Table,
        path: String,
        takes: Takes,
    ) -> Option<Self> {
        let Some(table) = found.get_ref().as_table() else {
            let accepted = if matches!(takes, Takes::Tables(_)) { Takes::Table(schema) } else { takes };
            self.input.fail(&Place { span: found.span(), path }, wrong(found.get_ref(), accepted));
            return None;
        };
        Some(Self::open(self.input, table, schema, found.span(), path))
    }

    /// The elements of an array, each with its place.
    pub(super) fn elements(&self, name: &str) -> Option<Vec<(Place, &'a DeValue<'a>)>> {
        let field = self.field(name)?;
        let Some(found) = self.table.get(name) else {
            if matches!(field.unless_given, Unless::Required) {
                self.fail_missing(name, field.takes);
            }
            return None;
        };
        let Some(array) = found.get_ref().as_array() else {
            self.fail(name, wrong(found.get_ref(), field.takes));
            return None;
        };
        let place = |index: usize, span| Place { span, path: format!("{}[{index}]", self.path_of(name)) };
        Some(array.iter().enumerate().map(|(index, v)| (place(index, v.span()), v.get_ref())).collect())
    }

    /// The entries of a table whose keys are the user's own, each with the places of its key and of its value.
    pub(super) fn entries(&self, name: &str) -> Vec<(&'a str, Place, &'a DeValue<'a>)> {
        let (Some(field), Some(found)) = (self.field(name), self.table.get(name)) else { return Vec::new() };
        let Some(table) = found.get_ref().as_table() else {
            self.fail(name, wrong(found.get_ref(), field.takes));
            return Vec::new();
        };
        let path = self.path_of(name);
        let entry = |(key, value): (&'a Spanned<toml::de::DeString<'a>>, &'a Spanned<DeValue<'a>>)| {
            let key = key.get_ref().as_ref();
            (key, Place { span: value.span(), path: join(&path, key) }, value.get_ref())
        };
        table.iter().map(entry).collect()
    }
}

/// The path of a key, quoted where TOML would have it quoted (or where it would fill the terminal).
fn join(path: &str, key: &str) -> String {
    let key = if is_bare_key(key) { key.to_owned() } else { crate::diagnostic::quoted(key) };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

/// Whether TOML takes the key without quotes.
fn is_bare_key(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= 63
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// The problem of a value of the wrong type.
pub(super) fn wrong(found: &DeValue<'_>, takes: Takes) -> Problem {
    value::advise(Problem::new(format!("found {}", describe(found))).accepts(takes.accepted()), found, takes)
}
