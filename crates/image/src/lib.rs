//! Container images: an OCI layout, an archive of one, or what `docker save` writes is read and checked, unpacked into a folder, or
//! written as an archive that every engine takes.
//!
//! **Whose word is taken.** Nobody's: an image may come from anywhere. Every blob is as long as its descriptor says and has its
//! digest; numbers and sizes are bounded ([`bounds`]); what is unpacked lies below one folder, whatever paths and links say
//! ([`unpack`]).

pub mod bounds;
pub mod dockerd;
mod error;
mod layer;
mod manifest;
pub mod offer;
pub mod registry;
mod source;
pub mod unpack;
mod write;

pub use error::{Error, Result};
pub use manifest::{Image, Layer};
pub use write::{MANIFEST, Recipe, TarLayer, configuration, manifest};

use sha2::{Digest as _, Sha256};

/// The digest of bytes as descriptors have it: `sha256:` and 64 digits.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    named(Sha256::new_with_prefix(bytes))
}

fn named(hash: Sha256) -> String {
    hash.finalize().iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// The machine's architecture as images name it.
#[must_use]
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
