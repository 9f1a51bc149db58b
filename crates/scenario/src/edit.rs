//! One field of a scenario text, read and changed by its path, with the rest of the text as it was: for live controls and
//! `catamaran sweep --vary`.

mod path;

use toml::de::DeValue;
use toml_edit::{Array, Decor, DocumentMut, InlineTable, Item, RawString, Table, TableLike, Value};

use crate::diagnostic::{Diagnostic, Problem};
use crate::parse;
use crate::schema::Takes;

use path::{Step, Target};

/// What diagnostics call a text that has no file.
const FILE: &str = "<scenario>";

/// The value of a field by its path (`tenant.web.cpu.limit`, `host.cores`), written as on a command line: texts without
/// quotes. Where the text does not give the field, its default; `None` where it has none.
///
/// # Errors
/// Where the text is no TOML, there is no such field, or the path leads to no tenant of the text.
pub fn get(text: &str, path: &str) -> Result<Option<String>, Diagnostic> {
    let document = parse_document(text)?;
    let target = path::locate(document.as_table(), path)?;
    let found = find(document.as_table(), &target.steps).cloned().and_then(|item| item.into_value().ok());
    let default = || target.default.and_then(|default| default.parse::<Value>().ok());
    Ok(found.or_else(default).as_ref().map(plain))
}

/// The text with one field set. `value` is written as on a command line (`0.5`, `200m`, `true`, `20ms`, `a,b`) and typed by what
/// the field takes; the field itself must accept it, the scenario as a whole is only checked when it is parsed.
///
/// # Errors
/// Where the text is no TOML, there is no such field, the path leads to no tenant of the text, or the field does not take the
/// value.
pub fn set(text: &str, path: &str, value: &str) -> Result<String, Diagnostic> {
    let mut document = parse_document(text)?;
    let target = path::locate(document.as_table(), path)?;
    let value = typed(target.takes, value);
    check(&target, &value)?;
    put(document.as_table_mut(), &target, value);
    Ok(document.to_string())
}

fn parse_document(text: &str) -> Result<DocumentMut, Diagnostic> {
    parse::check_syntax(text, FILE)?;
    let unread = |error: toml_edit::TomlError| {
        Problem::new(format!("not TOML: {}", error.message())).advises("mend the syntax").at(None, "")
    };
    text.parse().map_err(unread)
}

/// The item that steps lead to, where it is given.
fn find<'a>(root: &'a dyn TableLike, steps: &[Step]) -> Option<&'a Item> {
    let (last, before) = steps.split_last()?;
    let table = before.iter().try_fold(root, |table, step| path::child(table, step))?;
    table.get(&last.key)
}

/// A value as on a command line.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.value().clone(),
        Value::Integer(number) => number.value().to_string(),
        value => value.clone().decorated("", "").to_string(),
    }
}

/// The TOML value of a command line's word, by what the field takes.
fn typed(takes: Takes, word: &str) -> Value {
    let undecorated = |mut value: Value| {
        value.decor_mut().clear();
        value
    };
    let toml = word.parse().ok().map(undecorated);
    let text = || Value::from(word);
    match takes {
        Takes::Flag
        | Takes::Count { .. }
        | Takes::OomScoreAdj
        | Takes::Nice
        | Takes::Node
        | Takes::Real { .. } => toml.unwrap_or_else(text),
        Takes::Bytes { .. } => toml.filter(|value| value.is_integer() || value.is_str()).unwrap_or_else(text),
        Takes::Platforms | Takes::Texts | Takes::Choices(_) => {
            toml.filter(Value::is_array).unwrap_or_else(|| list(word, |part| Value::from(part)))
        }
        Takes::Ports => toml.filter(Value::is_array).unwrap_or_else(|| list(word, number)),
        Takes::Map | Takes::Table(_) | Takes::Tables(_) | Takes::ByPlatform(_) => toml.unwrap_or_else(text),
        _ => toml.filter(Value::is_str).unwrap_or_else(text),
    }
}

fn list(word: &str, element: fn(&str) -> Value) -> Value {
    Value::Array(
        word.split(',').map(str::trim).filter(|part| !part.is_empty()).map(element).collect::<Array>(),
    )
}

fn number(word: &str) -> Value {
    word.parse::<i64>().map_or_else(|_| Value::from(word), Value::from)
}

/// Refuses what the field by itself does not take.
fn check(target: &Target, value: &Value) -> Result<(), Diagnostic> {
    let text = value.to_string();
    let refuse = |problem: Problem| problem.at(None, target.path.as_str());
    let value = DeValue::parse(&text).map_err(|error| refuse(Problem::new(error.message())))?;
    parse::check_value(target.takes, value.get_ref()).map_err(refuse)
}

/// Puts a value where the target is. Tables on the way there that the text does not give are made: under their own header at
/// the top of the file, in braces elsewhere.
fn put(root: &mut Table, target: &Target, value: Value) {
    let mut table: &mut dyn TableLike = root;
    let Some((last, before)) = target.steps.split_last() else { return };
    for (depth, step) in before.iter().enumerate() {
        if !table.contains_key(&step.key) {
            let made = if depth == 0 { Item::Table(Table::new()) } else { Item::from(InlineTable::new()) };
            table.insert(&step.key, made);
        }
        let Some(next) = path::child_mut(table, step) else { return };
        table = next;
    }
    match table.get_mut(&last.key) {
        Some(Item::Value(found)) => replace(found, value),
        _ => insert(table, &last.key, value),
    }
}

/// Adds a value at a table's end. The space before a closing brace hangs on the last value: it goes to the new last one.
fn insert(table: &mut dyn TableLike, key: &str, mut value: Value) {
    let last = table.iter_mut().last().and_then(|(_, item)| item.as_value_mut());
    let decor = last.map(Value::decor_mut).filter(|decor| is_blank(decor));
    if let Some(decor) = decor {
        if let Some(blank) = decor.suffix().cloned() {
            value.decor_mut().set_suffix(blank);
        }
        decor.set_suffix("");
    }
    table.insert(key, Item::Value(value));
}

fn is_blank(decor: &Decor) -> bool {
    decor
        .suffix()
        .and_then(RawString::as_str)
        .is_some_and(|suffix| !suffix.is_empty() && suffix.trim().is_empty())
}

/// Puts a value in the place of another, with the spaces and comments around it.
fn replace(found: &mut Value, value: Value) {
    let decor = found.decor().clone();
    *found = value;
    *found.decor_mut() = decor;
}
