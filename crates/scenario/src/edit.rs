//! Changing one value of a scenario text by its path, for `--vary`, controls of lessons and links. Comments and layout stay.

use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, TableLike, Value};

use crate::diagnostic::{nearest, quoted};

/// Why a value can't be changed. (Whether the new value is valid is for [`crate::Plan::from_toml`] to say.)
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The text is not TOML.
    #[error("the scenario is not TOML: {0}; mend it first")]
    Syntax(String),
    /// No row of that name or number.
    #[error("{path}: there is no {found}{accepted}{hint}")]
    NoSuchRow {
        /// The whole path.
        path: String,
        /// The part that names the row.
        found: String,
        /// `; accepted are …`.
        accepted: String,
        /// `; did you mean …?`.
        hint: String,
    },
    /// The path goes on below a value, or ends at a table.
    #[error(
        "{path}: {part} is {is}; a path names one value, with dots between its parts, like tenant.web.cpu.limit"
    )]
    NotThere {
        /// The whole path.
        path: String,
        /// The part that does not fit.
        part: String,
        /// What it is.
        is: &'static str,
    },
}

/// The scenario with the field at `path` set to `value`, written as in the file but without quotes (`400m`, `8`).
/// Rows are named (`tenant.web.cpu.limit`) or, where they have no name, numbered (`event.0.at`). A field that does not stand
/// in the text yet is added.
///
/// # Errors
/// [`EditError`] where the path leads nowhere.
pub fn set(text: &str, path: &str, value: &str) -> Result<String, EditError> {
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| EditError::Syntax(error.message().to_owned()))?;
    let (parents, field) = path.rsplit_once('.').unwrap_or(("", path));
    let mut here: &mut dyn TableLike = document.as_table_mut();
    let mut parts = parents.split('.').filter(|part| !part.is_empty());
    while let Some(part) = parts.next() {
        let item = here.entry(part).or_insert_with(|| Item::Value(Value::InlineTable(InlineTable::new())));
        here = match item {
            Item::ArrayOfTables(rows) => row(rows, path, part, row_part(path, parts.next(), field)?)?,
            Item::Value(Value::Array(rows)) => {
                inline_row(rows, path, part, row_part(path, parts.next(), field)?)?
            }
            item => item.as_table_like_mut().ok_or_else(|| not_there(path, part, "a value"))?,
        };
    }
    put(here, path, field, value)?;
    Ok(document.to_string())
}

/// The part after the rows' name; a path that ends there names a whole row.
fn row_part<'a>(path: &str, part: Option<&'a str>, field: &str) -> Result<&'a str, EditError> {
    part.ok_or_else(|| not_there(path, field, "a table"))
}

fn put(table: &mut dyn TableLike, path: &str, field: &str, value: &str) -> Result<(), EditError> {
    if field.is_empty() {
        return Err(not_there(path, "the last part", "empty"));
    }
    let item = table.entry(field).or_insert(Item::None);
    let new = match item {
        Item::Value(Value::String(_)) => Value::from(value),
        Item::Value(Value::InlineTable(_)) | Item::Table(_) | Item::ArrayOfTables(_) => {
            return Err(not_there(path, field, "a table"));
        }
        // Quantities that look like numbers (`1`) are strings only where one stood before; the parser takes both.
        _ => value.parse().unwrap_or_else(|_| Value::from(value)),
    };
    let decor = item.as_value().map(|old| old.decor().clone());
    *item = Item::Value(new);
    if let (Some(value), Some(decor)) = (item.as_value_mut(), decor) {
        *value.decor_mut() = decor;
    }
    Ok(())
}

fn not_there(path: &str, part: &str, is: &'static str) -> EditError {
    EditError::NotThere { path: path.to_owned(), part: part.to_owned(), is }
}

fn row<'a>(
    rows: &'a mut ArrayOfTables,
    path: &str,
    kind: &str,
    wanted: &str,
) -> Result<&'a mut dyn TableLike, EditError> {
    let names: Vec<String> = rows.iter().enumerate().map(|(index, row)| name(row, index)).collect();
    let found = names.iter().position(|name| name == wanted).and_then(|index| rows.get_mut(index));
    found.map(|row| row as &mut dyn TableLike).ok_or_else(|| no_such_row(path, kind, wanted, &names))
}

fn inline_row<'a>(
    rows: &'a mut toml_edit::Array,
    path: &str,
    kind: &str,
    wanted: &str,
) -> Result<&'a mut dyn TableLike, EditError> {
    let tables = || rows.iter().map(Value::as_inline_table);
    let names: Vec<String> = tables()
        .enumerate()
        .map(|(index, row)| row.map_or_else(String::new, |row| name(row, index)))
        .collect();
    let found = names.iter().position(|name| name == wanted).and_then(|index| rows.get_mut(index));
    let table = found.and_then(Value::as_inline_table_mut);
    table.map(|row| row as &mut dyn TableLike).ok_or_else(|| no_such_row(path, kind, wanted, &names))
}

fn name(row: &dyn TableLike, index: usize) -> String {
    row.get("name").and_then(Item::as_str).map_or_else(|| index.to_string(), str::to_owned)
}

fn no_such_row(path: &str, kind: &str, wanted: &str, names: &[String]) -> EditError {
    let hint = nearest(wanted, names.iter().map(String::as_str));
    EditError::NoSuchRow {
        path: path.to_owned(),
        found: format!("{kind} {}", quoted(wanted)),
        accepted: match names {
            [] => String::new(),
            names => format!("; accepted are {}", names.join(", ")),
        },
        hint: hint.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::set;

    const SCENARIO: &str = "\
seed = 7 # lucky
[host]
cores = 2
[[tenant]]
name = \"web\"
cpu = { limit = \"400m\", period = \"100ms\" }
workload = { kind = \"server\", threads = 8 }
[[tenant]]
name = \"batch\"
[tenant.workload]
phases = [{ kind = \"idle\", for = \"1s\" }, { kind = \"compute\", threads = 2 }]
[[event]]
at = \"1s\"
";

    #[test]
    fn one_value_changes_and_the_rest_stays() {
        let table = [
            ("seed", "8", "seed = 7 # lucky", "seed = 8 # lucky"),
            ("host.cores", "4", "cores = 2", "cores = 4"),
            ("host.memory", "1GiB", "cores = 2\n", "cores = 2\nmemory = \"1GiB\"\n"),
            ("tenant.web.cpu.limit", "0.5", "\"400m\"", "\"0.5\""),
            ("tenant.web.cpu.burst", "40ms", "\"100ms\" }", "\"100ms\" , burst = \"40ms\" }"),
            ("tenant.web.workload.threads", "4", "threads = 8", "threads = 4"),
            ("tenant.web.start_at", "1s", "threads = 8 }\n", "threads = 8 }\nstart_at = \"1s\"\n"),
            ("tenant.batch.cpu.limit", "2", "name = \"batch\"\n", "name = \"batch\"\ncpu = { limit = 2 }\n"),
            ("tenant.batch.workload.phases.1.threads", "3", "threads = 2", "threads = 3"),
            ("event.0.at", "2s", "at = \"1s\"", "at = \"2s\""),
        ];
        for (path, value, old, new) in table {
            let changed = set(SCENARIO, path, value).unwrap();
            assert_eq!(changed, SCENARIO.replacen(old, new, 1), "{path} = {value}");
        }
    }

    #[test]
    fn paths_that_lead_nowhere_are_refused() {
        let table = [
            (
                "tenant.wbe.cpu.limit",
                "there is no tenant \"wbe\"; accepted are web, batch; did you mean \"web\"?",
            ),
            ("event.3.at", "there is no event \"3\"; accepted are 0"),
            ("tenant.batch.workload.phases.7.threads", "there is no phases \"7\""),
            ("seed.more", "seed is a value; a path names one value"),
            ("host", "host is a table"),
            ("tenant.web", "web is a table"),
            ("tenant", "tenant is a table"),
            ("host.", "the last part is empty"),
            ("", "the last part is empty"),
        ];
        for (path, expected) in table {
            let error = set(SCENARIO, path, "1").unwrap_err().to_string();
            assert!(error.contains(expected), "{path}: {error}");
        }
        assert!(set("seed = ", "seed", "1").unwrap_err().to_string().contains("is not TOML"));
    }
}
