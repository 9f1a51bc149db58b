//! Tables that fit the terminal: columns that have no room are left out and named below, unknown cells are `–` with a
//! footnote.

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, CellAlignment, ContentArrangement, Table};
use unicode_width::UnicodeWidthStr;

use crate::terminal::Terminal;

/// Between two columns.
const GAP: u16 = 2;

/// What stands in a place of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Text, or a figure with its unit.
    Known(String),
    /// Nothing is known, for a reason where there is one to give.
    Unknown(Option<String>),
}

impl Cell {
    /// A figure that may be unknown, without a reason of its own.
    pub(crate) fn figure(figure: Option<String>) -> Self {
        figure.map_or(Self::Unknown(None), Self::Known)
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::Known(text.into())
    }
}

/// A column and its cells.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    title: String,
    cells: Vec<Cell>,
    is_text: bool,
    rank: u32,
}

impl Column {
    /// A column of text, to the left.
    pub(crate) fn text<T: Into<Cell>>(title: &str, cells: impl IntoIterator<Item = T>) -> Self {
        let cells = cells.into_iter().map(Into::into).collect();
        Self { title: title.into(), cells, is_text: true, rank: 0 }
    }

    /// A column of numbers, to the right.
    pub(crate) fn numbers<T: Into<Cell>>(title: &str, cells: impl IntoIterator<Item = T>) -> Self {
        Self { is_text: false, ..Self::text(title, cells) }
    }

    /// Whether not all of its cells are the same.
    pub(crate) fn differs(&self) -> bool {
        self.cells.windows(2).any(|pair| pair.first() != pair.last())
    }

    /// Where the room is short, the column with the highest rank goes first; one without a rank always stays.
    pub(crate) fn ranked(self, rank: u32) -> Self {
        Self { rank, ..self }
    }
}

/// Lays the columns out, and below them the reasons of unknown cells and the titles of the columns that had no room.
pub(crate) fn lay_out(columns: Vec<Column>, terminal: &Terminal) -> String {
    let (columns, left_out) = fit(columns, terminal.width());
    let mut notes = Footnotes::default();
    let mut text = draw(&columns, &mut notes, terminal) + &notes.text(terminal);
    if !left_out.is_empty() {
        let titles = left_out.join(", ");
        text += &terminal.wrapped(&format!("(no room for: {titles}; widen the terminal, or use --json)"));
    }
    text
}

/// The columns that fit, and the titles of the others.
fn fit(mut columns: Vec<Column>, room: usize) -> (Vec<Column>, Vec<String>) {
    let mut left_out = Vec::new();
    while width(&columns) > room
        && let Some((index, column)) = columns.iter().enumerate().max_by_key(|(_, column)| column.rank)
        && column.rank > 0
    {
        left_out.insert(0, columns.remove(index).title);
    }
    (columns, left_out)
}

fn width(columns: &[Column]) -> usize {
    let of_cell = |cell: &Cell| match cell {
        Cell::Known(text) => text.width(),
        Cell::Unknown(_) => 2,
    };
    let of = |column: &Column| column.cells.iter().map(of_cell).fold(column.title.width(), usize::max);
    columns.iter().map(|column| of(column) + usize::from(GAP)).sum::<usize>().saturating_sub(GAP.into())
}

fn draw(columns: &[Column], notes: &mut Footnotes, terminal: &Terminal) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(terminal.width()).unwrap_or(u16::MAX));
    if terminal.colored() {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    let title = |column: &Column| comfy_table::Cell::new(&column.title).add_attribute(Attribute::Bold);
    table.set_header(columns.iter().map(title));
    let rows = columns.iter().map(|column| column.cells.len()).max().unwrap_or(0);
    for row in 0..rows {
        table.add_row(columns.iter().map(|column| match column.cells.get(row) {
            Some(Cell::Known(text)) => text.clone(),
            Some(Cell::Unknown(reason)) => notes.unknown(reason.as_deref()),
            None => String::new(),
        }));
    }
    for (index, column) in columns.iter().enumerate() {
        if let Some(drawn) = table.column_mut(index) {
            drawn.set_padding((0, if index + 1 == columns.len() { 0 } else { GAP }));
            drawn.set_cell_alignment(if column.is_text { CellAlignment::Left } else { CellAlignment::Right });
        }
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// Numbered reasons, each once, in the order of reading.
#[derive(Debug, Default)]
struct Footnotes(Vec<String>);

impl Footnotes {
    /// `–` with the number of its reason.
    fn unknown(&mut self, reason: Option<&str>) -> String {
        let Some(reason) = reason else { return "–".into() };
        let known = self.0.iter().position(|note| note == reason);
        let index = known.unwrap_or_else(|| {
            self.0.push(reason.to_owned());
            self.0.len() - 1
        });
        format!("–{}", superscript(index + 1))
    }

    /// The reasons, one below the other.
    fn text(&self, terminal: &Terminal) -> String {
        let numbered =
            self.0.iter().enumerate().map(|(index, note)| format!("{} {note}", superscript(index + 1)));
        numbered.map(|note| terminal.wrapped(&note)).collect()
    }
}

fn superscript(number: usize) -> String {
    let digits = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let of = |digit: char| digit.to_digit(10).and_then(|digit| digits.get(digit as usize)).copied();
    number.to_string().chars().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::ColorWhen;

    fn columns() -> Vec<Column> {
        let unknown = |reason: &str| Cell::Unknown(Some(reason.to_owned()));
        vec![
            Column::text("tenant", ["web", "batch"]),
            Column::numbers("cpu", ["14.2 s", "75.8 s"]),
            Column::numbers("rate", [Cell::from("244/s"), unknown("not a server")]).ranked(2),
            Column::numbers("p99", [Cell::from("52.4 ms"), unknown("not a server")]).ranked(1),
            Column::numbers("finished", [unknown("still at work"), Cell::Unknown(None)]).ranked(3),
        ]
    }

    #[test]
    fn columns_without_room_go_by_rank() {
        // The widths are 6, 6, 5, 7 and 8, with gaps of 2 between them.
        let table = [
            (40, "tenant cpu rate p99 finished"),
            (39, "tenant cpu rate p99"),
            (30, "tenant cpu rate p99"),
            (29, "tenant cpu p99"),
            (22, "tenant cpu"),
            (1, "tenant cpu"),
        ];
        for (room, titles) in table {
            let (kept, left_out) = fit(columns(), room);
            let kept = kept.iter().map(|column| column.title.as_str()).collect::<Vec<_>>();
            assert_eq!(kept.join(" "), titles, "in {room} columns");
            assert_eq!(kept.len() + left_out.len(), 5);
        }
    }

    #[test]
    fn equal_reasons_share_a_footnote_and_only_those_shown_are_told() {
        let mut notes = Footnotes::default();
        let terminal = Terminal::new(true, ColorWhen::Never);
        let drawn = draw(&columns(), &mut notes, &terminal);
        assert_eq!(
            drawn,
            "tenant     cpu   rate      p99  finished\n\
             web     14.2 s  244/s  52.4 ms        –¹\n\
             batch   75.8 s     –²       –²         –\n"
        );
        assert_eq!(notes.text(&terminal), "¹ still at work\n² not a server\n");
        assert_eq!(superscript(120), "¹²⁰");
    }
}
