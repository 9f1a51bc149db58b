//! A small portable generator for the dice that the modelled kernel itself throws. Arrivals and demands are not drawn
//! here but in `catamaran_scenario::draw`, which both backends share.

/// What the state grows by: 2^64 by the golden ratio.
const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
#[derive(Debug, Clone)]
pub(crate) struct SplitMix64(u64);

impl SplitMix64 {
    /// The stream `name` of `seed`: the name is folded in by FNV-1a, so that streams don't meet.
    pub(crate) fn named(seed: u64, name: &str) -> Self {
        let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed.rotate_left(17), fold))
    }

    /// The plain stream of `seed`, from output `index` (from 0) on.
    pub(crate) fn from(seed: u64, index: u64) -> Self {
        Self(seed.wrapping_add(index.wrapping_mul(GAMMA)))
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound` (at least 1); the bias of the remainder is below 2^-32 for the small bounds used here.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::SplitMix64;

    #[test]
    fn first_output_of_seed_zero_is_the_published_one() {
        assert_eq!(SplitMix64::from(0, 0).next(), 0xE220_A839_7B1D_CDAF);
    }

    #[test]
    fn a_stream_can_be_entered_anywhere() {
        let mut stream = SplitMix64::from(42, 0);
        let drawn: Vec<u64> = (0..5).map(|_| stream.next()).collect();
        let entered: Vec<u64> = (0..5).map(|index| SplitMix64::from(42, index).next()).collect();
        assert_eq!(drawn, entered);
    }

    #[test]
    fn streams_differ_by_name_and_by_seed() {
        let first = |seed, name| SplitMix64::named(seed, name).next();
        assert_ne!(first(1, "a"), first(1, "b"));
        assert_ne!(first(1, "a"), first(2, "a"));
    }
}
