//! Text with figures in it that are computed from the model when the text is shown.

use catamaran_scenario::{Diagnostic, edit};
use catamaran_scenario::{Josa, Platform};

use crate::formula::{Op, evaluate};

/// A change to a scenario: the field at `path` (`tenant.web.cpu.period`) is set to `value` (`20ms`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Change {
    /// Path of the field; tenants are named, not numbered.
    pub path: &'static str,
    /// The new value as it stands in the file, without quotes.
    pub value: &'static str,
}

/// A simulation that a figure is read from: the caller runs it once and keeps its report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Run {
    /// Name of the file without `.toml` (`scenario`, `ten-cores`).
    pub file: &'static str,
    /// Its text.
    pub scenario: &'static str,
    /// Where it is carried out.
    pub platform: Platform,
    /// What is changed in the text before.
    pub changes: &'static [Change],
}

impl Run {
    /// The scenario with its changes.
    ///
    /// # Errors
    /// [`Diagnostic`] where a change names what the scenario does not have.
    pub fn text(&self) -> Result<String, Diagnostic> {
        let change = |text: String, change: &Change| edit::set(&text, change.path, change.value);
        self.changes.iter().try_fold(self.scenario.to_owned(), change)
    }
}

/// Where a figure comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// What the learner has on the screen now.
    Now,
    /// A simulation of its own.
    Run(Run),
}

/// How a figure is written. Reports hold seconds and shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Seconds shown as milliseconds.
    Milliseconds,
    /// Seconds shown as microseconds.
    Microseconds,
    /// A share shown in per cent.
    Percent,
    /// Bytes shown as mebibytes.
    Mebibytes,
    /// A count or any bare number.
    Number,
}

impl Unit {
    /// From the report's unit to the one shown.
    #[must_use]
    pub fn shown(self, value: f64) -> f64 {
        value
            * match self {
                Self::Seconds | Self::Number => 1.0,
                Self::Milliseconds => 1e3,
                Self::Microseconds => 1e6,
                Self::Percent => 1e2,
                Self::Mebibytes => 1.0 / f64::from(1 << 20),
            }
    }

    /// The sign after the number.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "µs",
            Self::Percent => "%",
            Self::Mebibytes => "MiB",
            Self::Number => "",
        }
    }

    /// Number and sign: whole from 10 on, one decimal below, two below 1 (`95 ms`, `3.4 ms`, `0.25 s`, `75 %`).
    #[must_use]
    pub fn write(self, value: f64) -> String {
        let shown = self.shown(value);
        let decimals = match shown.abs() {
            size if size >= 9.95 => 0,
            size if size >= 0.995 => 1,
            _ => 2,
        };
        let mut number = format!("{shown:.decimals$}");
        if decimals > 0 {
            number.truncate(number.trim_end_matches('0').trim_end_matches('.').len());
        }
        match self {
            Self::Number => number,
            // A number never stands on another line than its unit.
            _ => format!("{number}\u{a0}{}", self.sign()),
        }
    }
}

/// A figure to be computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// How it is written.
    pub unit: Unit,
    /// What it is.
    pub formula: &'static [Op],
    /// Where its metrics come from.
    pub source: Source,
    /// Korean particle after it.
    pub josa: Option<Josa>,
}

impl Figure {
    /// Its value in the report's unit; `None` where it is unknown.
    pub fn value(&self, metrics: Metrics<'_>) -> Option<f64> {
        evaluate(self.formula, &mut |path| metrics(&self.source, path))
    }
}

/// Answers the metric at a path of a source's report (`Report::value`), or `None` where there is none.
pub type Metrics<'a> = &'a mut dyn FnMut(&Source, &str) -> Option<f64>;

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Piece {
    /// As it is.
    Text(&'static str),
    /// Computed.
    Figure(Figure),
}

/// HTML with figures in it. It was rendered from the lesson's own Markdown at build time; nothing that a visitor typed is ever
/// part of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Html(pub &'static [Piece]);

/// Plain text or Markdown with figures in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plain(pub &'static [Piece]);

impl Html {
    /// The HTML with its figures; one that is unknown is shown as `?`. Each stands in `<span class="figure">`.
    pub fn fill(&self, metrics: Metrics<'_>) -> String {
        fill(self.0, metrics, |figure, known| match known {
            true => format!("<span class=\"figure\">{figure}</span>"),
            false => format!("<span class=\"figure unknown\">{figure}</span>"),
        })
    }

    /// All its figures.
    pub fn figures(&self) -> impl Iterator<Item = &'static Figure> + use<> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Figure(figure) => Some(figure),
            Piece::Text(_) => None,
        })
    }
}

impl Plain {
    /// The text with its figures; one that is unknown is shown as `?`.
    pub fn fill(&self, metrics: Metrics<'_>) -> String {
        fill(self.0, metrics, |figure, _| figure.to_owned())
    }
}

fn fill(pieces: &[Piece], metrics: Metrics<'_>, wrap: impl Fn(&str, bool) -> String) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(part) => text.push_str(part),
            Piece::Figure(figure) => {
                let value = figure.value(metrics);
                let written = value.map_or_else(|| "?".to_owned(), |value| figure.unit.write(value));
                text.push_str(&wrap(&written, value.is_some()));
                text.push_str(figure.josa.map_or("", |josa| josa.after(&written)));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Change, Figure, Html, Op, Piece, Plain, Platform, Run, Source, Unit};
    use catamaran_scenario::Josa;

    #[test]
    fn figures_are_written_with_their_unit() {
        let table = [
            (Unit::Milliseconds, 0.095, "95\u{a0}ms"),
            (Unit::Milliseconds, 0.005, "5\u{a0}ms"),
            (Unit::Milliseconds, 0.003_42, "3.4\u{a0}ms"),
            (Unit::Milliseconds, 0.000_25, "0.25\u{a0}ms"),
            (Unit::Milliseconds, 0.009_96, "10\u{a0}ms"),
            (Unit::Microseconds, 0.000_25, "250\u{a0}µs"),
            (Unit::Seconds, 20.0, "20\u{a0}s"),
            (Unit::Percent, 0.75, "75\u{a0}%"),
            (Unit::Mebibytes, 156_448_588.0, "149\u{a0}MiB"),
            (Unit::Number, 1000.0, "1000"),
            (Unit::Number, 0.0, "0"),
        ];
        for (unit, value, expected) in table {
            assert_eq!(unit.write(value), expected);
        }
    }

    #[test]
    fn text_is_filled_from_the_source_that_it_names() {
        const SHORT: Run = Run {
            file: "scenario",
            scenario: "",
            platform: Platform::Cgroups,
            changes: &[Change { path: "tenant.web.cpu.period", value: "20ms" }],
        };
        const fn figure(source: Source, path: &'static [Op], josa: Option<Josa>) -> Piece {
            Piece::Figure(Figure { unit: Unit::Milliseconds, formula: path, source, josa })
        }
        const P99: &[Op] = &[Op::Metric("p99")];
        const PIECES: &[Piece] = &[
            Piece::Text("now "),
            figure(Source::Now, P99, Some(Josa::EulReul)),
            Piece::Text(", short "),
            figure(Source::Run(SHORT), P99, None),
            Piece::Text(", else "),
            figure(Source::Now, &[Op::Metric("p98")], None),
        ];
        let mut metrics = |source: &Source, path: &str| match (source, path) {
            (Source::Now, "p99") => Some(0.120),
            (Source::Run(run), "p99") if run == &SHORT => Some(0.030),
            _ => None,
        };
        assert_eq!(Plain(PIECES).fill(&mut metrics), "now 120\u{a0}ms를, short 30\u{a0}ms, else ?");
        assert_eq!(
            Html(PIECES).fill(&mut metrics),
            "now <span class=\"figure\">120\u{a0}ms</span>를, short <span class=\"figure\">30\u{a0}ms</span>, \
             else <span class=\"figure unknown\">?</span>"
        );
    }
}
