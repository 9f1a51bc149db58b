//! A corpus in one picture: for each platform, metric by metric, how far the model and the better naive prediction are off.

use catamaran_scenario::{Lang, Platform};

use super::axis::LogAxis;
use super::canvas::{Anchor, Canvas, ChartError, Drawn, Ink, Size, svg};
use crate::compare::{Group, PlatformComparison, Prediction, Row, skill};
use crate::metric::Metric;
use crate::words::label;

const WIDTH: i32 = 1200;
const MARGIN: i32 = 36;
const GUTTER: i32 = 56;
const HEAD: i32 = 112;
/// Height of a metric's lane, and of what is above and below a panel's lanes.
const LANE: i32 = 24;
const ABOVE: i32 = 48;
const BELOW: i32 = 40;
/// Width of the metrics' names.
const NAMES: i32 = 150;
/// Ends of the axis (ln). What is less is drawn at its left end.
const LEAST: f64 = 1e-3;
const GREATEST: f64 = 5.0;
/// The median excess that is asked for (ln).
const ASKED: f64 = 0.15;

/// The comparisons of many scenarios as one SVG, a panel for each platform.
///
/// # Errors
/// [`ChartError`] where plotters fails.
pub fn accuracy(lang: Lang, comparisons: &[PlatformComparison]) -> Result<String, ChartError> {
    let of = |platform: &Platform| Panel::of(lang, *platform, comparisons);
    let panels: Vec<Panel> = Platform::ALL.iter().filter_map(of).collect();
    let pairs: Vec<&[Panel]> = panels.chunks(2).collect();
    let heights: Vec<i32> =
        pairs.iter().map(|pair| pair.iter().map(Panel::height).max().unwrap_or(0)).collect();
    let height = HEAD + heights.iter().sum::<i32>() + MARGIN / 2;
    let title = match lang {
        Lang::En => "How far the model is from the machine",
        Lang::Ko => "모델과 실제 머신의 차이",
    };
    let description: Vec<String> = panels.iter().map(Panel::figures).collect();
    svg((WIDTH as u32, height as u32), title, &description.join(" · "), |canvas| {
        canvas.text((MARGIN, 40), title, Ink::Text, Size::Title, Anchor::Start)?;
        legend(canvas, lang, 78)?;
        let width = (WIDTH - 2 * MARGIN - GUTTER) / 2;
        let mut top = HEAD;
        for (pair, height) in pairs.iter().zip(&heights) {
            for (panel, left) in pair.iter().zip([MARGIN, MARGIN + width + GUTTER]) {
                panel.draw(canvas, (left, top), width)?;
            }
            top += height;
        }
        Ok(())
    })
}

fn legend(canvas: &Canvas, lang: Lang, y: i32) -> Drawn {
    let (model, naive, asked) = match lang {
        Lang::En => (
            "error of the model in one figure of one scenario",
            "error of the better naive prediction in the same figure",
            "median error beyond noise that is asked for",
        ),
        Lang::Ko => (
            "한 시나리오의 값 하나에서 모델의 오차",
            "같은 값에서 더 나은 단순한 추측의 오차",
            "요구하는 오차(잡음을 뺀 중앙값)의 한계",
        ),
    };
    let columns = [MARGIN, MARGIN + 360, MARGIN + 760];
    canvas.diamond((columns[0] + 8, y), Ink::Simulated, 1.0)?;
    canvas.text((columns[0] + 22, y), model, Ink::Text, Size::Body, Anchor::Start)?;
    canvas.disc((columns[1] + 8, y), Ink::Muted, 1.0)?;
    canvas.text((columns[1] + 22, y), naive, Ink::Text, Size::Body, Anchor::Start)?;
    canvas.line((columns[2] + 8, y - 8), (columns[2] + 8, y + 8), Ink::Throttle, 2)?;
    canvas.text((columns[2] + 22, y), asked, Ink::Text, Size::Body, Anchor::Start)
}

/// The decided judged rows of a platform.
struct Panel<'a> {
    platform: Platform,
    lanes: Vec<(Metric, Vec<&'a Row>)>,
    /// Skill, and the naive prediction that it is against: the one with the smaller sum of errors.
    skill: Option<(f64, Prediction)>,
    rows: usize,
    lang: Lang,
}

impl<'a> Panel<'a> {
    fn of(lang: Lang, platform: Platform, comparisons: &'a [PlatformComparison]) -> Option<Self> {
        let of_platform = comparisons.iter().filter(|comparison| comparison.platform == platform);
        let rows: Vec<&Row> = of_platform
            .flat_map(|comparison| &comparison.rows)
            .filter(|row| row.group == Group::Judged && !row.undecidable)
            .collect();
        let lane = |metric: &Metric| {
            let of_metric: Vec<&Row> =
                rows.iter().copied().filter(|row| row.metric == metric.name()).collect();
            (!of_metric.is_empty()).then_some((*metric, of_metric))
        };
        let lanes: Vec<_> = Metric::ALL.iter().filter_map(lane).collect();
        (!rows.is_empty()).then(|| Self { platform, lanes, skill: skill(&rows), rows: rows.len(), lang })
    }

    fn height(&self) -> i32 {
        ABOVE + self.lanes.len() as i32 * LANE + BELOW
    }

    /// "cgroups: 83 figures, skill 0.91 against fluid".
    fn figures(&self) -> String {
        let (platform, rows) = (self.platform, self.rows);
        let against = |prediction| match (self.lang, prediction) {
            (Lang::En, Prediction::Alone) => "\"alone\"",
            (Lang::En, Prediction::Fluid) => "\"fluid\"",
            (Lang::Ko, Prediction::Alone) => "\"혼자\"",
            (Lang::Ko, Prediction::Fluid) => "\"고르게\"",
        };
        match (self.lang, self.skill) {
            (Lang::En, Some((skill, prediction))) => {
                format!("{platform}: {rows} figures, skill {skill:.2} against {}", against(prediction))
            }
            (Lang::En, None) => format!("{platform}: {rows} figures"),
            (Lang::Ko, Some((skill, prediction))) => {
                format!("{platform}: 값 {rows}개, {} 추측에 견준 예측력 {skill:.2}", against(prediction))
            }
            (Lang::Ko, None) => format!("{platform}: 값 {rows}개"),
        }
    }

    fn naive_error(&self, row: &Row) -> Option<f64> {
        match self.skill?.1 {
            Prediction::Alone => row.alone_error,
            Prediction::Fluid => row.fluid_error,
        }
    }

    fn draw(&self, canvas: &Canvas, (left, top): (i32, i32), width: i32) -> Drawn {
        let (plot_left, plot_right) = (left + NAMES, left + width);
        let (plot_top, plot_bottom) = (top + ABOVE, top + ABOVE + self.lanes.len() as i32 * LANE);
        canvas.line((left, top), (left + width, top), Ink::Grid, 1)?;
        canvas.text((left, top + 24), &self.figures(), Ink::Text, Size::Heading, Anchor::Start)?;
        let axis = LogAxis::between(LEAST, GREATEST, (plot_left + 8, plot_right - 8));
        for tick in axis.ticks() {
            let x = axis.at(tick);
            canvas.line((x, plot_top), (x, plot_bottom), Ink::Grid, 1)?;
            canvas.text((x, plot_bottom + 12), &tick_text(tick), Ink::Muted, Size::Small, Anchor::Middle)?;
        }
        let asked = axis.at(ASKED);
        canvas.line((asked, plot_top), (asked, plot_bottom), Ink::Throttle, 2)?;
        for (index, (metric, rows)) in self.lanes.iter().enumerate() {
            let y = plot_top + index as i32 * LANE + LANE / 2;
            canvas.text((left, y), label(self.lang, *metric), Ink::Text, Size::Body, Anchor::Start)?;
            for error in rows.iter().filter_map(|row| self.naive_error(row)) {
                canvas.disc((axis.at(error), y + 4), Ink::Muted, 0.4)?;
            }
            for row in rows {
                canvas.diamond((axis.at(row.error), y - 4), Ink::Simulated, 0.5)?;
            }
        }
        Ok(())
    }
}

/// A tick of an error: the share that its logarithm stands for.
fn tick_text(tick: f64) -> String {
    match libm::expm1(tick) * 100.0 {
        percent if tick <= LEAST * 1.01 => format!("≤ {percent:.1} %"),
        percent if percent < 100.0 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}
