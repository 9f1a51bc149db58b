//! Standard output carries the answer and nothing else; notes, errors and progress go to standard error.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::ValueEnum;
use comfy_table::Table;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use textwrap::{Options, WordSplitter};

use crate::failure::Failure;

/// Columns where the output is no terminal and `COLUMNS` does not say.
const WIDTH_OF_A_FILE: u16 = 120;

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set or the terminal is dumb
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Where everything that people read is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    quiet: bool,
    is_terminal: bool,
    colored_output: bool,
    colored_errors: bool,
    width: u16,
}

impl Terminal {
    /// Looks at the streams and the environment once.
    pub(crate) fn new(quiet: bool, color: ColorWhen) -> Self {
        let colored = |is_terminal: bool| match color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => is_terminal && environment_allows_color(),
        };
        Self {
            quiet,
            is_terminal: io::stdout().is_terminal(),
            colored_output: colored(io::stdout().is_terminal()),
            colored_errors: colored(io::stderr().is_terminal()),
            width: width(),
        }
    }

    /// Whether standard output is coloured.
    pub(crate) fn colored(&self) -> bool {
        self.colored_output
    }

    /// Whether standard output is a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Columns to fill.
    pub(crate) fn width(&self) -> usize {
        self.width.into()
    }

    /// A line of prose wrapped between words, the further lines indented by as much as the first is.
    pub(crate) fn wrapped(&self, line: &str) -> String {
        let indent = " ".repeat(line.len() - line.trim_start().len());
        let options = Options::new(self.width())
            .subsequent_indent(&indent)
            .break_words(false)
            .word_splitter(WordSplitter::NoHyphenation);
        textwrap::fill(line, options) + "\n"
    }

    /// Writes text to standard output as it is.
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        let mut output = io::stdout().lock();
        output.write_all(text.as_bytes())?;
        output.flush()?;
        Ok(())
    }

    /// Writes one JSON document to standard output.
    pub(crate) fn print_json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let mut text = serde_json::to_string_pretty(value)
            .map_err(|error| Failure::Failed(format!("cannot write JSON: {error}")))?;
        text.push('\n');
        self.print(&text)
    }

    /// Emphasis on standard output.
    pub(crate) fn bold(&self, text: &str) -> String {
        if self.colored_output { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Says something on standard error, unless `--quiet`. A closed standard error is nothing to fail for.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// Says on standard error why the command ends.
    pub(crate) fn error(&self, failure: &Failure) {
        if let Some(message) = failure.message() {
            let label = if self.colored_errors { "\x1b[1;31merror:\x1b[0m" } else { "error:" };
            let _ = writeln!(io::stderr(), "{label} {message}");
        }
    }

    /// A bar of so many steps on standard error, shown only where that is a terminal and not `--quiet`.
    pub(crate) fn progress(&self, steps: u64) -> Progress {
        let target = if self.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(steps), target);
        if let Ok(style) = ProgressStyle::with_template("{wide_msg} {bar:24} {percent:>3} % {elapsed:>4}") {
            bar.set_style(style.progress_chars("━╸─"));
        }
        // The bar ticks by a thread, and panics where it gets none: then it moves with the work only.
        if !self.quiet && io::stderr().is_terminal() && can_have_a_thread() {
            bar.enable_steady_tick(Duration::from_millis(250));
        }
        Progress { bar, terminal: *self }
    }
}

/// A progress bar; it is wiped off when dropped.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    bar: ProgressBar,
    terminal: Terminal,
}

impl Progress {
    /// Says what is being done and how many steps are behind.
    pub(crate) fn at(&self, step: u64, what: &str) {
        self.bar.set_message(what.to_owned());
        self.bar.set_position(step);
    }

    /// Raises the number of steps.
    pub(crate) fn lengthen(&self, steps: u64) {
        self.bar.set_length(steps);
    }

    /// As [`Terminal::note`], above the bar.
    pub(crate) fn note(&self, text: &str) {
        self.bar.suspend(|| self.terminal.note(text));
    }

    /// Wipes the bar off.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn environment_allows_color() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn can_have_a_thread() -> bool {
    std::thread::Builder::new().spawn(|| ()).is_ok_and(|thread| thread.join().is_ok())
}

fn width() -> u16 {
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    Table::new().width().or(columns).unwrap_or(WIDTH_OF_A_FILE).max(40)
}
