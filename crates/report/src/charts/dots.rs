//! Simulated against native values, a line for each metric: a diamond, a disc, and a whisker over the trials.

use catamaran_scenario::Lang;

use super::axis::LogAxis;
use super::canvas::{Anchor, Canvas, Drawn, Ink, Size};
use crate::compare::{PlatformComparison, Row};
use crate::metric::{Metric, Unit};
use crate::words::label;

/// Height of a line.
const LINE: i32 = 26;
/// Width of the names to the left of the plot, and of the errors to its right.
const NAMES: i32 = 190;
const ERRORS: i32 = 110;
/// Width of the strip for zeros, which a logarithmic axis has no place for.
const ZEROS: i32 = 26;
/// Heading above, labels below.
const ABOVE: i32 = 26;
const BELOW: i32 = 30;

/// A metric to be drawn.
struct Line<'a> {
    metric: Metric,
    row: &'a Row,
    /// Least and greatest native value.
    range: (f64, f64),
}

/// The rows of a platform that share a unit.
pub(super) struct Dots<'a> {
    lines: Vec<Line<'a>>,
    heading: &'static str,
    lang: Lang,
}

impl<'a> Dots<'a> {
    /// The rows in `unit` where anything happened; `None` without any.
    pub(super) fn of(
        lang: Lang,
        comparison: &'a PlatformComparison,
        unit: Unit,
        heading: &'static str,
    ) -> Option<Self> {
        let lines: Vec<Line> = comparison
            .rows
            .iter()
            .filter_map(|row| Some((Metric::from_name(&row.metric)?, row)))
            .filter(|(metric, row)| metric.unit() == unit && (row.simulated > 0.0 || row.native > 0.0))
            .map(|(metric, row)| Line { metric, row, range: native_range(comparison, metric, row) })
            .collect();
        (!lines.is_empty()).then_some(Self { lines, heading, lang })
    }

    pub(super) fn height(&self) -> i32 {
        ABOVE + self.lines.len() as i32 * LINE + BELOW
    }

    /// Draws into a box of that width.
    pub(super) fn draw(&self, canvas: &Canvas, (left, top): (i32, i32), width: i32) -> Drawn {
        let has_zeros = self.lines.iter().any(|line| line.least() <= 0.0);
        let plot_left = left + NAMES + if has_zeros { ZEROS } else { 0 };
        let plot_right = left + width - ERRORS;
        let values = self.lines.iter().flat_map(Line::values);
        let axis = LogAxis::over(values, (plot_left + 8, plot_right - 8));
        let (plot_top, plot_bottom) = (top + ABOVE, top + ABOVE + self.lines.len() as i32 * LINE);
        canvas.text((left, top + 8), self.heading, Ink::Text, Size::Heading, Anchor::Start)?;
        let heading = match self.lang {
            Lang::En => "error (noise)",
            Lang::Ko => "오차 (잡음)",
        };
        canvas.text((left + width, top + 8), heading, Ink::Muted, Size::Small, Anchor::End)?;
        axis.draw_below(canvas, plot_top, plot_bottom)?;
        let place = Place { axis: &axis, zero: has_zeros.then_some(left + NAMES + 8), right: left + width };
        if let Some(zero) = place.zero {
            canvas.line((zero, plot_top), (zero, plot_bottom), Ink::Grid, 1)?;
            canvas.text((zero, plot_bottom + 12), "0", Ink::Muted, Size::Small, Anchor::Middle)?;
        }
        for (index, line) in self.lines.iter().enumerate() {
            let y = plot_top + index as i32 * LINE + LINE / 2;
            canvas.text((left, y), &line.name(self.lang), Ink::Text, Size::Body, Anchor::Start)?;
            line.draw(canvas, &place, y)?;
            canvas.text((place.right, y), &line.error(self.lang), Ink::Muted, Size::Body, Anchor::End)?;
        }
        Ok(())
    }
}

/// Where values go.
struct Place<'a> {
    axis: &'a LogAxis,
    zero: Option<i32>,
    right: i32,
}

impl Place<'_> {
    fn at(&self, value: f64) -> i32 {
        match self.zero {
            Some(zero) if value <= 0.0 => zero,
            _ => self.axis.at(value),
        }
    }
}

impl Line<'_> {
    fn values(&self) -> [f64; 4] {
        [self.row.simulated, self.row.native, self.range.0, self.range.1]
    }

    fn least(&self) -> f64 {
        self.values().into_iter().fold(f64::INFINITY, f64::min)
    }

    fn name(&self, lang: Lang) -> String {
        let Row { tenant, replica, .. } = self.row;
        let name = label(lang, self.metric);
        if *replica == 0 { format!("{tenant} · {name}") } else { format!("{tenant}/{replica} · {name}") }
    }

    /// "5 % (2 %)": the error and the noise of the row.
    fn error(&self, lang: Lang) -> String {
        let percent = |log: f64| {
            let percent = libm::expm1(log) * 100.0;
            if percent >= 1000.0 { "> 1000 %".to_owned() } else { format!("{percent:.0} %") }
        };
        match (lang, self.row.noise) {
            (Lang::En, Some(_)) if self.row.undecidable => "undecidable".into(),
            (Lang::Ko, Some(_)) if self.row.undecidable => "판단 불가".into(),
            (_, Some(noise)) => format!("{} ({})", percent(self.row.error), percent(noise)),
            (_, None) => percent(self.row.error),
        }
    }

    fn draw(&self, canvas: &Canvas, place: &Place, y: i32) -> Drawn {
        let opacity = if self.row.undecidable { 0.4 } else { 1.0 };
        let (from, to) = (place.at(self.range.0), place.at(self.range.1));
        let (above, below) = (y - 4, y + 4);
        canvas.path(&[(from, below), (to, below)], Ink::Native, 2, opacity)?;
        for end in [from, to] {
            canvas.path(&[(end, below - 3), (end, below + 3)], Ink::Native, 2, opacity)?;
        }
        canvas.disc((place.at(self.row.native), below), Ink::Native, opacity)?;
        canvas.diamond((place.at(self.row.simulated), above), Ink::Simulated, opacity)
    }
}

/// Least and greatest value over the native trials.
fn native_range(comparison: &PlatformComparison, metric: Metric, row: &Row) -> (f64, f64) {
    let values = comparison.native.iter().filter_map(|report| {
        let tenant = report
            .tenants
            .iter()
            .find(|tenant| tenant.name == row.tenant && tenant.replica == row.replica)?;
        metric.of(tenant)
    });
    values.fold((row.native, row.native), |(least, most), value| (least.min(value), most.max(value)))
}
