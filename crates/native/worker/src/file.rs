//! The tenant's own file, which the runner lays out and every tenant finds open at its start, whatever root it has.

/// Number of the descriptor that goes past the page cache. Far from the ones that programs open.
pub const DIRECT: i32 = 200;
/// Number of the one that goes through it.
pub const CACHED: i32 = 201;

/// Number `number` of the stream of `seed`: the mixing function of splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
#[must_use]
pub const fn scatter(seed: u64, number: u64) -> u64 {
    let mut z = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
