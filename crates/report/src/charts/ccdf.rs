//! How many requests take longer than a time: the complementary distribution of latency, both axes logarithmic.

use catamaran_scenario::Lang;

use super::axis::LogAxis;
use super::canvas::{Anchor, Canvas, Drawn, Ink, Size};
use crate::compare::PlatformComparison;
use crate::report::{HistogramBin, Report};

/// Bins grow by this (2^(1/4)): what lies between the first bin's bounds.
const BIN_GROWTH: f64 = 1.189_207_115_002_721;
/// Width of the labels to the left of the plot.
const LABELS: i32 = 52;
const ABOVE: i32 = 26;
const BELOW: i32 = 46;

/// The latencies of a tenant on a platform.
pub(super) struct Ccdf<'a> {
    tenant: String,
    simulated: &'a [HistogramBin],
    native: Vec<&'a [HistogramBin]>,
    lang: Lang,
}

impl<'a> Ccdf<'a> {
    /// One for each tenant with completed requests on both sides.
    pub(super) fn of(lang: Lang, comparison: &'a PlatformComparison) -> Vec<Self> {
        let Some(simulated) = &comparison.simulated else { return Vec::new() };
        let labels = simulated.tenants.iter().map(|tenant| tenant.label());
        labels.filter_map(|tenant| Self::of_tenant(lang, comparison, simulated, tenant)).collect()
    }

    fn of_tenant(
        lang: Lang,
        comparison: &'a PlatformComparison,
        simulated: &'a Report,
        tenant: String,
    ) -> Option<Self> {
        let simulated = bins(simulated, &tenant)?;
        let native: Vec<&[HistogramBin]> =
            comparison.native.iter().filter_map(|report| bins(report, &tenant)).collect();
        (!native.is_empty()).then_some(Self { tenant, simulated, native, lang })
    }

    /// Draws into a box.
    pub(super) fn draw(
        &self,
        canvas: &Canvas,
        (left, top): (i32, i32),
        (width, height): (i32, i32),
    ) -> Drawn {
        let (plot_left, plot_right) = (left + LABELS, left + width);
        let (plot_top, plot_bottom) = (top + ABOVE, top + height - BELOW);
        let all = || std::iter::once(self.simulated).chain(self.native.iter().copied());
        let bounds = all().flat_map(|bins| [fastest(bins), bins.last().map_or(0.0, |bin| bin.below_s)]);
        let across = LogAxis::over(bounds, (plot_left, plot_right));
        let least = all().map(last_share).fold(0.01, f64::min);
        let up = LogAxis::between(least / 1.5, 1.0, (plot_bottom, plot_top));
        let plot = Plot { across, up, plot_left, plot_right, plot_bottom };
        self.draw_frame(canvas, &plot, (left, top))?;
        for bins in &self.native {
            canvas.path(&plot.curve(bins), Ink::Native, 1, 0.35)?;
        }
        canvas.path(&plot.curve(&pooled(&self.native)), Ink::Native, 2, 1.0)?;
        canvas.path(&plot.curve(self.simulated), Ink::Simulated, 2, 1.0)
    }

    fn draw_frame(&self, canvas: &Canvas, plot: &Plot, (left, top): (i32, i32)) -> Drawn {
        let (heading, below) = match self.lang {
            Lang::En => (
                format!("{}: share of requests that take longer", self.tenant),
                "latency from the intended arrival",
            ),
            Lang::Ko => (format!("{}: 더 오래 걸린 요청의 비율", self.tenant), "의도한 도착부터의 지연 시간"),
        };
        canvas.text((left, top + 8), &heading, Ink::Text, Size::Heading, Anchor::Start)?;
        plot.across.draw_below(canvas, top + ABOVE, plot.plot_bottom)?;
        let middle = i32::midpoint(plot.plot_left, plot.plot_right);
        canvas.text((middle, plot.plot_bottom + 30), below, Ink::Muted, Size::Small, Anchor::Middle)?;
        for (share, name) in
            [(1.0, "100 %"), (0.5, "p50"), (0.1, "10 %"), (0.05, "p95"), (0.01, "p99"), (0.001, "0.1 %")]
        {
            if share >= plot.up.least() {
                let y = plot.up.at(share);
                canvas.line((plot.plot_left, y), (plot.plot_right, y), Ink::Grid, 1)?;
                canvas.text((plot.plot_left - 6, y), name, Ink::Muted, Size::Small, Anchor::End)?;
            }
        }
        Ok(())
    }
}

struct Plot {
    across: LogAxis,
    up: LogAxis,
    plot_left: i32,
    plot_right: i32,
    plot_bottom: i32,
}

impl Plot {
    /// From the lower bound of the first bin down to the last bin's upper bound, where no request is left.
    fn curve(&self, bins: &[HistogramBin]) -> Vec<(i32, i32)> {
        let total: u64 = bins.iter().map(|bin| bin.count).sum();
        let Some(first) = bins.first() else { return Vec::new() };
        let mut points = vec![(self.across.at(first.below_s / BIN_GROWTH), self.up.at(1.0))];
        let mut left = total;
        for bin in bins {
            // An empty bin was left out: the share stays as it is up to the next one's lower bound.
            let lower = self.across.at(bin.below_s / BIN_GROWTH);
            points.extend(points.last().map(|&(_, y)| (lower, y)));
            left -= bin.count.min(left);
            let share = left as f64 / total as f64;
            let y = if left == 0 { self.plot_bottom } else { self.up.at(share) };
            points.push((self.across.at(bin.below_s), y));
        }
        points.dedup();
        points
    }
}

fn bins<'a>(report: &'a Report, tenant: &str) -> Option<&'a [HistogramBin]> {
    let histogram = &report.tenant(tenant)?.requests.as_ref()?.histogram;
    (!histogram.is_empty()).then_some(histogram)
}

/// Where the fastest hundredth ends: what is faster would take up most of a logarithmic axis and show nothing.
fn fastest(bins: &[HistogramBin]) -> f64 {
    let total: u64 = bins.iter().map(|bin| bin.count).sum();
    let mut seen = 0;
    let is_beyond = |bin: &&HistogramBin| {
        seen += bin.count;
        seen * 100 > total
    };
    bins.iter().find(is_beyond).map_or(0.0, |bin| bin.below_s / BIN_GROWTH)
}

/// The share of the slowest requests that a histogram tells apart.
fn last_share(bins: &[HistogramBin]) -> f64 {
    let total: u64 = bins.iter().map(|bin| bin.count).sum();
    1.0 / (total.max(1) as f64)
}

/// All trials as one histogram.
fn pooled(trials: &[&[HistogramBin]]) -> Vec<HistogramBin> {
    let mut all: Vec<HistogramBin> = trials.iter().flat_map(|bins| bins.iter().copied()).collect();
    all.sort_by(|a, b| a.below_s.total_cmp(&b.below_s));
    let mut pooled: Vec<HistogramBin> = Vec::new();
    for bin in all {
        match pooled.last_mut() {
            Some(last) if last.below_s == bin.below_s => last.count += bin.count,
            _ => pooled.push(bin),
        }
    }
    pooled
}
