//! The one clear error: where, which field, what was found, what is accepted, what to do.

use std::fmt;
use std::ops::Range;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Widest piece of a source line that is shown, in terminal columns.
const SOURCE_WIDTH: usize = 100;

/// Longest piece of a found value that is quoted, in characters.
const FOUND_CHARS: usize = 60;

/// What is wrong with an input, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic(Box<Detail>);

/// The parts of a [`Diagnostic`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// Where in which file; `None` where the input is not a file.
    pub location: Option<Location>,
    /// The field's path (`tenant.web.cpu.limit`); empty where the file as a whole is meant.
    pub path: String,
    /// What was found.
    pub problem: String,
    /// What is accepted in its place.
    pub accepted: Option<String>,
    /// A near miss.
    pub suggestion: Option<String>,
    /// What to do.
    pub advice: Option<String>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file as it was named by the caller.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The line's text, shortened around the place where it is long.
    source: String,
    /// Terminal columns of `source` before the place.
    indent: usize,
    /// Terminal columns of the place, at least 1.
    width: usize,
}

impl std::ops::Deref for Diagnostic {
    type Target = Detail;

    fn deref(&self) -> &Detail {
        &self.0
    }
}

impl std::error::Error for Diagnostic {}

/// What a reader found wrong, before it is known where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Problem {
    problem: String,
    accepted: Option<String>,
    suggestion: Option<String>,
    advice: Option<String>,
}

impl Problem {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), ..Self::default() }
    }

    pub(crate) fn accepts(mut self, accepted: impl Into<String>) -> Self {
        self.accepted = Some(accepted.into());
        self
    }

    pub(crate) fn suggests(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }

    pub(crate) fn advises(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    pub(crate) fn at(self, location: Option<Location>, path: impl Into<String>) -> Diagnostic {
        let Self { problem, accepted, suggestion, advice } = self;
        Diagnostic(Box::new(Detail { location, path: path.into(), problem, accepted, suggestion, advice }))
    }
}

impl Location {
    /// The place of the bytes `span` of `text`; a span beyond the text means its end.
    pub(crate) fn new(file: &str, text: &str, span: &Range<usize>) -> Self {
        let start = floor_boundary(text, span.start);
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |n| start + n);
        let line = text.get(line_start..line_end).unwrap_or_default().trim_end_matches('\r');
        let head = text.get(line_start..start).unwrap_or_default();
        let marked_end = floor_boundary(text, span.end).clamp(start, line_end);
        let marked = text.get(start..marked_end).unwrap_or_default();
        let (source, indent) = excerpt(line, head);
        let room = source.width().saturating_sub(indent).max(1);
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: head.chars().count() + 1,
            source,
            indent,
            width: printable(marked).width().clamp(1, room),
        }
    }

    /// The source line with a caret under the place, as it is printed below the message.
    #[must_use]
    pub fn snippet(&self) -> String {
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        let (indent, caret) = (" ".repeat(self.indent), "^".repeat(self.width));
        format!("{gutter} |\n{number} | {}\n{gutter} | {indent}{caret}", self.source)
    }
}

/// The largest character boundary that is not beyond `index`.
fn floor_boundary(text: &str, index: usize) -> usize {
    let mut boundary = index.min(text.len());
    while !text.is_char_boundary(boundary) {
        boundary -= 1;
    }
    boundary
}

/// The line as printed, with the columns before the place; long lines are cut on both sides.
fn excerpt(line: &str, head: &str) -> (String, usize) {
    let (line, head) = (printable(line), printable(head));
    if line.width() <= SOURCE_WIDTH {
        let indent = head.width();
        return (line, indent);
    }
    let kept_head = tail_of_width(&head, SOURCE_WIDTH / 2);
    let rest = line.get(head.len()..).unwrap_or_default();
    let kept_rest = head_of_width(rest, SOURCE_WIDTH - kept_head.width());
    let left = if kept_head.len() < head.len() { "…" } else { "" };
    let right = if kept_rest.len() < rest.len() { "…" } else { "" };
    (format!("{left}{kept_head}{kept_rest}{right}"), left.width() + kept_head.width())
}

/// Control characters (tabs too) become one space each, so that a terminal shows what we count.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn head_of_width(text: &str, width: usize) -> &str {
    let mut used = 0;
    let fits = |c: char| {
        used += c.width().unwrap_or(0);
        used <= width
    };
    let end =
        text.char_indices().zip(text.chars().map(fits)).find(|(_, fits)| !fits).map(|((index, _), _)| index);
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

fn tail_of_width(text: &str, width: usize) -> &str {
    let mut used = 0;
    let mut start = text.len();
    for (index, c) in text.char_indices().rev() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        start = index;
    }
    text.get(start..).unwrap_or_default()
}

/// A found text in quotes, shortened where it is long.
pub(crate) fn quoted(text: &str) -> String {
    let mut chars = text.chars();
    let head: String = chars.by_ref().take(FOUND_CHARS).collect();
    let more = if chars.next().is_some() { "…" } else { "" };
    format!("{head:?}{more}")
}

/// The accepted word nearest to `found`, where one is near enough to be meant.
pub(crate) fn nearest<'a>(found: &str, accepted: impl IntoIterator<Item = &'a str>) -> Option<String> {
    const NEAR: f64 = 0.8;
    if found.chars().count() > FOUND_CHARS {
        return None;
    }
    let lower = found.to_lowercase();
    accepted
        .into_iter()
        .map(|word| (similarity(&lower, word), word))
        .filter(|(similarity, _)| *similarity >= NEAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, word)| word.to_owned())
}

/// From 0 to 1 and a little more. One slip is near in any word, more of them in longer words and behind a common beginning.
fn similarity(found: &str, word: &str) -> f64 {
    const ONE_SLIP: f64 = 0.9;
    let slips = strsim::damerau_levenshtein(found, word);
    let by_slips = strsim::normalized_damerau_levenshtein(found, word) + 0.15;
    let by_slips = if slips <= 1 && word.len() > 1 { by_slips.max(ONE_SLIP) } else { by_slips };
    strsim::jaro_winkler(found, word).max(by_slips)
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("error: ")?;
        if let Some(Location { file, line, column, .. }) = &self.location {
            write!(f, "{file}:{line}:{column}: ")?;
        }
        f.write_str(&self.message())?;
        if let Some(location) = &self.location {
            write!(f, "\n{}", location.snippet())?;
        }
        Ok(())
    }
}

impl Detail {
    /// Path, problem, what is accepted and what to do, in one line.
    #[must_use]
    pub fn message(&self) -> String {
        let mut message = if self.path.is_empty() { String::new() } else { format!("{}: ", self.path) };
        message.push_str(&self.problem);
        if let Some(accepted) = &self.accepted {
            message.push_str("; accepted: ");
            message.push_str(accepted);
        }
        if let Some(suggestion) = &self.suggestion {
            message.push_str(&format!("; did you mean {suggestion:?}?"));
        }
        if let Some(advice) = &self.advice {
            message.push_str(if self.suggestion.is_some() { " " } else { "; " });
            message.push_str(advice);
        }
        message
    }
}

impl Serialize for Diagnostic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let location = self.location.as_ref();
        let mut record = serializer.serialize_struct("Diagnostic", 9)?;
        record.serialize_field("file", &location.map(|l| &l.file))?;
        record.serialize_field("line", &location.map(|l| l.line))?;
        record.serialize_field("column", &location.map(|l| l.column))?;
        record.serialize_field("path", &self.path)?;
        record.serialize_field("problem", &self.problem)?;
        record.serialize_field("accepted", &self.accepted)?;
        record.serialize_field("suggestion", &self.suggestion)?;
        record.serialize_field("advice", &self.advice)?;
        record.serialize_field("message", &self.message())?;
        record.end()
    }
}
