//! Logarithmic and linear axes.

use plotters::prelude::{IntoLogRange, LogCoord, Ranged};

use super::canvas::{Anchor, Canvas, Drawn, Ink, Size};

/// A logarithmic axis over pixels. What lies outside is put at the nearer end.
pub(super) struct LogAxis {
    coordinate: LogCoord<f64>,
    least: f64,
    greatest: f64,
    pixels: (i32, i32),
}

impl LogAxis {
    /// Covers the positive ones among `values`, widened to ticks; a decade where there is nothing to show.
    pub(super) fn over(values: impl Iterator<Item = f64>, pixels: (i32, i32)) -> Self {
        // Further out there is no time to speak of, and a power of ten may have no float.
        let positive = |value: &f64| *value > 0.0 && value.is_finite();
        let values = values.filter(positive).map(|value| value.clamp(1e-100, 1e100));
        let (least, greatest) =
            values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        let (least, greatest) = if greatest > 0.0 { (least, greatest) } else { (1e-3, 1e-2) };
        Self::between(tick_below(least), tick_above(greatest), pixels)
    }

    /// From `least` to `greatest`, both above 0.
    pub(super) fn between(least: f64, greatest: f64, pixels: (i32, i32)) -> Self {
        Self { coordinate: (least..greatest).log_scale().into(), least, greatest, pixels }
    }

    /// Its lower end.
    pub(super) fn least(&self) -> f64 {
        self.least
    }

    /// The pixel of a value.
    pub(super) fn at(&self, value: f64) -> i32 {
        self.coordinate.map(&value.clamp(self.least, self.greatest), self.pixels)
    }

    /// 1, 2 and 5 of each decade, thinned to powers of ten where they would crowd.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let decades = libm::log10(self.greatest / self.least);
        let steps: &[f64] = match decades {
            d if d <= 2.0 => &[1.0, 2.0, 5.0],
            d if d <= 3.0 => &[1.0, 3.0],
            _ => &[1.0],
        };
        let first = libm::floor(libm::log10(self.least)) as i32;
        let last = libm::ceil(libm::log10(self.greatest)) as i32;
        let inside = |tick: &f64| *tick >= self.least * 0.999 && *tick <= self.greatest * 1.001;
        // No more than about eight labels fit.
        let stride = 1 + (last - first) as usize / 8;
        (first..=last)
            .step_by(stride)
            .flat_map(|exponent| steps.iter().map(move |step| step * power_of_ten(exponent)))
            .filter(inside)
            .collect()
    }

    /// Upright grid lines with their labels below `bottom`.
    pub(super) fn draw_below(&self, canvas: &Canvas, top: i32, bottom: i32) -> Drawn {
        for tick in self.ticks() {
            let x = self.at(tick);
            canvas.line((x, top), (x, bottom), Ink::Grid, 1)?;
            canvas.text((x, bottom + 12), &seconds(tick), Ink::Muted, Size::Small, Anchor::Middle)?;
        }
        Ok(())
    }
}

fn power_of_ten(exponent: i32) -> f64 {
    libm::pow(10.0, f64::from(exponent))
}

/// The greatest of 1, 2, 5 × a power of ten that is not above `value`.
fn tick_below(value: f64) -> f64 {
    let decade = power_of_ten(libm::floor(libm::log10(value)) as i32);
    [5.0, 2.0].into_iter().map(|step| step * decade).find(|tick| *tick <= value).unwrap_or(decade)
}

/// The least of 2, 5, 10 × a power of ten that is above `value`.
fn tick_above(value: f64) -> f64 {
    let decade = power_of_ten(libm::floor(libm::log10(value)) as i32);
    [2.0, 5.0].into_iter().map(|step| step * decade).find(|tick| *tick > value).unwrap_or(10.0 * decade)
}

/// A tick of a time axis: `20 ms`, `5 s`, `200 µs`.
fn seconds(value: f64) -> String {
    match value {
        v if v >= 1e5 => format!("{v:.0e} s"),
        v if v >= 0.9995 => format!("{v:.0} s"),
        v if v >= 0.9995e-3 => format!("{:.0} ms", v * 1e3),
        v if v >= 0.9995e-6 => format!("{:.0} µs", v * 1e6),
        v if v >= 0.9995e-9 => format!("{:.0} ns", v * 1e9),
        v => format!("{v:.0e} s"),
    }
}

/// Round steps that divide `span` into at most `most` parts: 1, 2 or 5 × a power of ten.
pub(super) fn round_step(span: f64, most: u32) -> f64 {
    tick_above(span / f64::from(most) * 0.999_999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_reaches_from_tick_to_tick() {
        let axis = LogAxis::over([0.013, 0.0, 0.004, f64::NAN].into_iter(), (100, 400));
        let ticks: Vec<String> = axis.ticks().into_iter().map(seconds).collect();
        assert_eq!(ticks, ["2 ms", "5 ms", "10 ms", "20 ms"]);
        assert_eq!((axis.at(0.002), axis.at(0.02), axis.at(0.0), axis.at(7.0)), (100, 400, 100, 400));
        assert!((249..=251).contains(&axis.at(0.002 * 10_f64.sqrt())), "half a decade is half the way");
    }

    #[test]
    fn an_axis_without_values_is_still_an_axis() {
        let axis = LogAxis::over(std::iter::empty(), (0, 100));
        assert_eq!(
            axis.ticks().into_iter().map(seconds).collect::<Vec<_>>(),
            ["1 ms", "2 ms", "5 ms", "10 ms", "20 ms"]
        );
    }

    #[test]
    fn steps_are_round() {
        let table = [(100.0, 5, 20.0), (1.0, 10, 0.1), (7.0, 10, 1.0), (40.0, 10, 5.0), (41.0, 10, 5.0)];
        for (span, most, expected) in table {
            let step = round_step(span, most);
            assert!((step / expected - 1.0).abs() < 1e-9, "{span} in {most}: {step}");
        }
    }
}
