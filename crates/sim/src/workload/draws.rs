//! Demands of the speed workloads: exponential with mean 1, by inversion.

use crate::kernel::rng::SplitMix64;

/// −ln u with u = (⌊x / 2^11⌋ + 1/2) · 2^-53, x from splitmix64: draw by draw, so that nothing is kept.
#[derive(Debug, Clone)]
pub(crate) struct Exponential(SplitMix64);

impl Exponential {
    /// The stream of `seed` from draw `index` (from 0) on.
    pub(crate) fn from(seed: u64, index: u64) -> Self {
        Self(SplitMix64::from(seed, index))
    }

    pub(crate) fn next(&mut self) -> f64 {
        const UNIT: f64 = 1.0 / (1_u64 << 53) as f64;
        -libm::log(((self.0.next() >> 11) as f64 + 0.5) * UNIT)
    }
}

#[cfg(test)]
mod tests {
    use super::Exponential;

    #[test]
    fn draws_have_mean_one_and_the_variance_of_an_exponential() {
        let mut stream = Exponential::from(42, 0);
        let drawn: Vec<f64> = (0..100_000).map(|_| stream.next()).collect();
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
        let variance = drawn.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / drawn.len() as f64;
        assert!((mean - 1.0).abs() < 0.01 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
        assert!(drawn.iter().all(|x| x.is_finite() && *x >= 0.0));
    }
}
