//! The tenant's own file, or that of a layer, which the runner lays out and every tenant finds open at its start, whatever
//! root it has.

use std::path::PathBuf;

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

/// The file of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerFile {
    /// Where it is, in a folder of layers' files alone.
    pub path: PathBuf,
    /// The tenant's own folder with `upper`, `work` and `merged`, where it sees the file by an overlay over its folder.
    pub above: Option<PathBuf>,
}

impl LayerFile {
    /// As text: two paths, with a tab between them.
    #[must_use]
    pub fn to_text(&self) -> String {
        let above = self.above.as_ref().map(|above| format!("\t{}", above.display()));
        format!("{}{}", self.path.display(), above.unwrap_or_default())
    }

    /// Of such a text.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        match text.rsplit_once('\t') {
            Some((path, above)) => Self { path: path.into(), above: Some(above.into()) },
            None => Self { path: text.into(), above: None },
        }
    }
}
