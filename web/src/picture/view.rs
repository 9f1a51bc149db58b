//! Which part of the run is shown, and where on the screen an instant stands.

/// The part of the run that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Left edge (ns).
    pub start_ns: u64,
    /// Width (ns), above 0.
    pub window_ns: u64,
}

impl View {
    /// Right edge (ns).
    #[must_use]
    pub const fn end_ns(self) -> u64 {
        self.start_ns.saturating_add(self.window_ns)
    }

    /// The chunk to draw for this view.
    #[must_use]
    pub fn chunk(self) -> Chunk {
        let window = self.window_ns.max(1);
        Chunk { start_ns: self.start_ns / window * window, window_ns: window }
    }
}

/// Two windows' width of the run, drawn once and then only moved: it holds every view that begins in its first half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// Left edge (ns), a multiple of the window.
    pub start_ns: u64,
    /// Width of the window (ns); the chunk is twice as wide.
    pub window_ns: u64,
}

impl Chunk {
    /// Right edge (ns).
    #[must_use]
    pub const fn end_ns(self) -> u64 {
        self.start_ns.saturating_add(self.window_ns.saturating_mul(2))
    }
}

/// From instants to pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// The instant (ns) at x = 0.
    pub origin_ns: u64,
    /// Pixels per nanosecond.
    px_per_ns: f64,
}

impl Scale {
    /// A window of `window_ns` over `width_px`, with `origin_ns` at x = 0.
    #[must_use]
    pub fn new(origin_ns: u64, window_ns: u64, width_px: f64) -> Self {
        Self { origin_ns, px_per_ns: width_px / window_ns.max(1) as f64 }
    }

    /// Where an instant (ns) stands (px).
    #[must_use]
    pub fn x(&self, at_ns: u64) -> f64 {
        (at_ns as f64 - self.origin_ns as f64) * self.px_per_ns
    }

    /// How wide a span (ns) is (px).
    #[must_use]
    pub fn width(&self, span_ns: u64) -> f64 {
        span_ns as f64 * self.px_per_ns
    }

    /// The instant (ns) at x, not before the run's start.
    #[must_use]
    pub fn instant(&self, x_px: f64) -> u64 {
        (self.origin_ns as f64 + x_px / self.px_per_ns).max(0.0).round() as u64
    }
}

/// Round instants (ns) in `[from_ns, to_ns]`, about `wanted` of them in a window: steps of 1, 2 or 5 times a power of ten.
#[must_use]
pub fn ticks(from_ns: u64, to_ns: u64, window_ns: u64, wanted: u64) -> Vec<u64> {
    let least = (window_ns / wanted.max(1)).max(1);
    let mut power = 1_u64;
    while power.saturating_mul(10) <= least {
        power = power.saturating_mul(10);
    }
    let step =
        [1, 2, 5, 10].map(|factor| power.saturating_mul(factor)).into_iter().find(|&step| step >= least);
    let step = step.unwrap_or(least);
    let first = from_ns.div_ceil(step).saturating_mul(step);
    (0..)
        .map(|index| first.saturating_add(step.saturating_mul(index)))
        .take_while(|&tick| tick <= to_ns)
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_holds_every_view_that_it_is_drawn_for() {
        for start_ns in [0, 1, 99, 100, 101, 250, 1_000_000_007] {
            let view = View { start_ns, window_ns: 100 };
            let chunk = view.chunk();
            assert!(chunk.start_ns <= view.start_ns && view.end_ns() <= chunk.end_ns(), "{view:?} {chunk:?}");
        }
    }

    #[test]
    fn a_point_on_the_screen_is_the_instant_drawn_there() {
        let scale = Scale::new(1_000, 500, 250.0);
        assert_eq!(scale.x(1_250), 125.0);
        assert_eq!(scale.instant(125.0), 1_250);
        assert_eq!(scale.instant(-5_000.0), 0, "left of the run's start is its start");
        assert_eq!(scale.width(100), 50.0);
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(0, 500, 500, 5), [0, 100, 200, 300, 400, 500]);
        assert_eq!(ticks(130, 400, 300, 4), [200, 300, 400]);
        assert_eq!(ticks(0, 45, 45, 6), [0, 10, 20, 30, 40]);
        assert_eq!(ticks(7, 7, 1, 5), [7]);
    }
}
