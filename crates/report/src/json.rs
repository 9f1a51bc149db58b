//! Reports as JSON text.

use serde_json::Value;

use crate::report::{Report, SCHEMA};

/// Why a text is no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// Not JSON, or not of the report's shape.
    #[error("{path}: {what}; give a report as `catamaran sim --json` or `catamaran run --json` prints it")]
    Shape {
        /// Path of the field (`tenants[0].cpu_s`), or `report`.
        path: String,
        /// What was found and what is accepted, with line and column.
        what: String,
    },
    /// Of another version.
    #[error(
        "schema: found \"{found}\", this program reads \"{SCHEMA}\"; make the report anew with this program"
    )]
    Schema {
        /// What was found.
        found: String,
    },
    /// A figure that cannot be.
    #[error("{path}: found {found}, but no figure of a report is negative")]
    Negative {
        /// Path of the field.
        path: String,
        /// What was found.
        found: String,
    },
}

impl Report {
    /// The report as indented JSON; the same report gives the same bytes on every target.
    #[must_use]
    pub fn to_json(&self) -> String {
        #[expect(
            clippy::expect_used,
            reason = "a derived Serialize with string keys, written to memory, has no way to fail"
        )]
        serde_json::to_string_pretty(self).expect("a report is JSON")
    }

    /// Reads one report.
    ///
    /// # Errors
    /// [`ReportError`], with the path of the field.
    pub fn from_json(text: &str) -> Result<Self, ReportError> {
        check_schema(text)?;
        let report = parse(text)?;
        no_negative_figure(&report)?;
        Ok(report)
    }

    /// Reads one report, or the array of them that `--json` prints.
    ///
    /// # Errors
    /// [`ReportError`], with the path of the field.
    pub fn many_from_json(text: &str) -> Result<Vec<Self>, ReportError> {
        if !text.trim_start().starts_with('[') {
            return Ok(vec![Self::from_json(text)?]);
        }
        check_schema(text)?;
        let reports: Vec<Self> = parse(text)?;
        for report in &reports {
            no_negative_figure(report)?;
        }
        Ok(reports)
    }
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, ReportError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { "report".into() } else { path };
        ReportError::Shape { path, what: error.into_inner().to_string() }
    })?;
    json.end().map_err(|error| ReportError::Shape { path: "report".into(), what: error.to_string() })?;
    Ok(parsed)
}

/// A report of another version differs in more fields than one: its version is the thing to say.
fn check_schema(text: &str) -> Result<(), ReportError> {
    let Ok(value) = serde_json::from_str::<Value>(text) else { return Ok(()) };
    let first = value.as_array().and_then(|reports| reports.first()).unwrap_or(&value);
    match first.get("schema").and_then(Value::as_str) {
        Some(found) if found != SCHEMA => Err(ReportError::Schema { found: found.into() }),
        _ => Ok(()),
    }
}

fn no_negative_figure(report: &Report) -> Result<(), ReportError> {
    let value = serde_json::to_value(report).unwrap_or(Value::Null);
    match negative(&value, String::new()) {
        Some((path, found)) => Err(ReportError::Negative { path, found }),
        None => Ok(()),
    }
}

/// Path and value of the first negative number. The depth is that of the report's types, not of the text.
fn negative(value: &Value, path: String) -> Option<(String, String)> {
    match value {
        Value::Number(number) => {
            number.as_f64().is_some_and(|figure| figure < 0.0).then(|| (path, number.to_string()))
        }
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| negative(item, format!("{path}[{index}]")))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, field)| {
            negative(field, if path.is_empty() { name.clone() } else { format!("{path}.{name}") })
        }),
        _ => None,
    }
}
