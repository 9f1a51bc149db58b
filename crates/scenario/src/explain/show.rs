//! How an explanation looks in a terminal.

use std::fmt;

use unicode_width::UnicodeWidthStr;

use super::Explained;

/// Widest line, in terminal columns.
const WIDTH: usize = 100;
/// Columns of the labels.
const LABEL: usize = 10;

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return self.show_tree(f);
        }
        writeln!(f, "{}\n{}", self.path, wrapped(self.meaning, 2))?;
        self.show_facts(f)?;
        for field in &self.fields {
            writeln!(
                f,
                "\n{}\n{}",
                wrapped(&format!("{}: {}", field.name(), field.summary()), 2),
                wrapped(field.meaning, 6)
            )?;
        }
        Ok(())
    }
}

impl Explained {
    /// The last part of the path.
    fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }

    /// Type and default, in a few words.
    fn summary(&self) -> String {
        let kind = self.kind;
        match (self.default, self.if_absent) {
            _ if kind == "case" => self.accepted.clone(),
            (Some(default), _) => format!("{kind}, default {default}"),
            (None, Some("none")) => format!("{kind}, optional"),
            (None, Some(required)) if required.starts_with("required") => format!("{kind}, {required}"),
            (None, Some(absent)) => format!("{kind}, if absent: {absent}"),
            (None, None) => format!("{kind}, required"),
        }
    }

    fn show_facts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = [
            ("type", Some(self.kind).filter(|kind| *kind != "case")),
            ("unit", self.unit),
            ("accepted", Some(self.accepted.as_str())),
            ("default", self.default),
            ("if absent", self.if_absent),
            ("required", self.required.then_some("yes")),
            ("example", self.example.as_deref()),
            ("becomes", self.becomes),
        ];
        for (label, fact) in facts {
            if let Some(fact) = fact {
                let text = wrapped(fact, 2 + LABEL);
                writeln!(f, "  {label:LABEL$}{}", text.trim_start())?;
            }
        }
        Ok(())
    }

    fn show_tree(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", wrapped(self.meaning, 0))?;
        let rows = self.rows(0);
        let column = rows.iter().map(|(name, _)| name.width()).max().unwrap_or_default() + 2;
        for (name, summary) in rows {
            let summary = wrapped(&summary, column);
            writeln!(f, "{name:column$}{}", summary.trim_start())?;
        }
        write!(f, "\n`catamaran explain FIELD` says more, for example `catamaran explain tenant.cpu.limit`.")
    }

    /// Name and summary of everything below, indented.
    fn rows(&self, depth: usize) -> Vec<(String, String)> {
        let indent = "  ".repeat(depth);
        let row = |field: &Self| {
            let name =
                if field.kind == "case" { format!("({})", field.name()) } else { field.name().to_owned() };
            let own = (format!("{indent}{name}"), field.summary());
            std::iter::once(own).chain(field.rows(depth + 1)).collect::<Vec<_>>()
        };
        self.fields.iter().flat_map(row).collect()
    }
}

/// The text in lines of at most [`WIDTH`] columns, each indented.
fn wrapped(text: &str, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let mut lines = vec![margin.clone()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if line.width() > indent && line.width() + 1 + word.width() > WIDTH {
            lines.push(format!("{margin}{word}"));
        } else {
            if line.width() > indent {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}
