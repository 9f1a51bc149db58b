//! `compare --plot`: for each platform the metrics side by side and the distribution of latency.

use catamaran_scenario::Lang;

use super::canvas::{Anchor, Canvas, ChartError, Drawn, Ink, Size, svg};
use super::ccdf::Ccdf;
use super::dots::Dots;
use crate::compare::PlatformComparison;
use crate::metric::Unit;

const WIDTH: i32 = 1200;
const MARGIN: i32 = 36;
const GUTTER: i32 = 48;
/// Left column (dots); the right one (distributions) has the rest.
const LEFT: i32 = 600;
const HEAD: i32 = 100;
const PLATFORM_HEAD: i32 = 54;
const LEAST_CCDF: i32 = 260;

/// The comparisons of a scenario as one SVG.
///
/// # Errors
/// [`ChartError`] where plotters fails.
pub fn comparison(
    lang: Lang,
    scenario: &str,
    comparisons: &[PlatformComparison],
) -> Result<String, ChartError> {
    let blocks: Vec<Block> = comparisons.iter().map(|comparison| Block::of(lang, comparison)).collect();
    let height = HEAD + blocks.iter().map(Block::height).sum::<i32>() + MARGIN / 2;
    let title = match lang {
        Lang::En => format!("{scenario}: the model and the machine"),
        Lang::Ko => format!("{scenario}: 모델과 실제 머신"),
    };
    let description: Vec<String> =
        comparisons.iter().map(|comparison| crate::words::summary(lang, comparison)).collect();
    svg((WIDTH as u32, height as u32), &title, &description.join(" "), |canvas| {
        canvas.text((MARGIN, 40), &title, Ink::Text, Size::Title, Anchor::Start)?;
        legend(canvas, lang, 76)?;
        let mut top = HEAD;
        for block in &blocks {
            block.draw(canvas, top)?;
            top += block.height();
        }
        Ok(())
    })
}

fn legend(canvas: &Canvas, lang: Lang, y: i32) -> Drawn {
    let (model, machine) = match lang {
        Lang::En => (
            "simulated",
            "native: median, and the range of the trials (distribution: thin lines, one a trial)",
        ),
        Lang::Ko => {
            ("시뮬레이션", "실제 실행: 중앙값과 실행들의 범위 (분포에서는 가는 선 하나가 실행 한 번)")
        }
    };
    canvas.diamond((MARGIN + 8, y), Ink::Simulated, 1.0)?;
    canvas.text((MARGIN + 22, y), model, Ink::Text, Size::Body, Anchor::Start)?;
    let left = MARGIN + 120;
    canvas.line((left, y), (left + 28, y), Ink::Native, 2)?;
    canvas.line((left, y - 3), (left, y + 3), Ink::Native, 2)?;
    canvas.line((left + 28, y - 3), (left + 28, y + 3), Ink::Native, 2)?;
    canvas.disc((left + 14, y), Ink::Native, 1.0)?;
    canvas.text((left + 40, y), machine, Ink::Text, Size::Body, Anchor::Start)
}

/// What is drawn of a platform.
struct Block<'a> {
    comparison: &'a PlatformComparison,
    dots: Vec<Dots<'a>>,
    distributions: Vec<Ccdf<'a>>,
    lang: Lang,
}

impl<'a> Block<'a> {
    fn of(lang: Lang, comparison: &'a PlatformComparison) -> Self {
        let (latency, time) = match lang {
            Lang::En => ("Latency", "Time"),
            Lang::Ko => ("지연 시간", "시간"),
        };
        let panels = [(Unit::Latency, latency), (Unit::Seconds, time)];
        let dots = panels.into_iter().filter_map(|(unit, heading)| Dots::of(lang, comparison, unit, heading));
        Self { comparison, dots: dots.collect(), distributions: Ccdf::of(lang, comparison), lang }
    }

    fn body_height(&self) -> i32 {
        let left: i32 = self.dots.iter().map(Dots::height).sum();
        left.max(self.distributions.len() as i32 * LEAST_CCDF)
    }

    fn height(&self) -> i32 {
        PLATFORM_HEAD + self.body_height() + 20
    }

    fn draw(&self, canvas: &Canvas, top: i32) -> Drawn {
        self.draw_head(canvas, top)?;
        let body = top + PLATFORM_HEAD;
        let mut y = body;
        for dots in &self.dots {
            dots.draw(canvas, (MARGIN, y), LEFT)?;
            y += dots.height();
        }
        let count = self.distributions.len() as i32;
        let left = MARGIN + LEFT + GUTTER;
        for (index, ccdf) in self.distributions.iter().enumerate() {
            let height = self.body_height() / count.max(1);
            let origin = (left, body + index as i32 * height);
            ccdf.draw(canvas, origin, (WIDTH - MARGIN - left, height))?;
        }
        Ok(())
    }

    fn draw_head(&self, canvas: &Canvas, top: i32) -> Drawn {
        canvas.line((MARGIN, top), (WIDTH - MARGIN, top), Ink::Grid, 1)?;
        let name = self.comparison.platform.name();
        canvas.text((MARGIN, top + 24), name, Ink::Text, Size::Title, Anchor::Start)?;
        canvas.text((WIDTH - MARGIN, top + 24), &self.figures(), Ink::Muted, Size::Body, Anchor::End)
    }

    /// The summary in figures.
    fn figures(&self) -> String {
        let summary = &self.comparison.summary;
        let excess = |excess: Option<f64>| {
            excess.map_or_else(|| "–".to_owned(), |excess| format!("{:.0} %", libm::expm1(excess) * 100.0))
        };
        let (median, worst) = (excess(summary.median_excess), excess(summary.worst_excess));
        let skill = summary.skill.map_or_else(|| "–".to_owned(), |skill| format!("{skill:.2}"));
        let (trials, undecidable) = (self.comparison.native.len(), summary.undecidable_rows);
        match self.lang {
            Lang::En => format!(
                "{trials} trials · error beyond noise: median {median}, worst {worst} · skill {skill} · \
                 {undecidable} undecidable"
            ),
            Lang::Ko => format!(
                "실행 {trials}번 · 잡음을 뺀 오차: 중앙값 {median}, 최대 {worst} · 예측력 {skill} · \
                 판단 불가 {undecidable}개"
            ),
        }
    }
}
