//! SHA-256 of what was read, so that formatting and comments do not matter.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::Plan;

/// The hex digest of a value's JSON: fields in the order of their declaration, maps sorted, floats in their shortest form.
pub(crate) fn of<T: Serialize>(value: &T) -> String {
    // Serialising fails on map keys that are no text only, and there are none; should that change, the digest still differs.
    let json = serde_json::to_vec(value).unwrap_or_else(|error| error.to_string().into_bytes());
    Sha256::digest(json).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Plan {
    /// SHA-256 (hex) of the plan. Scenarios of equal digest are the same scenario, however their files are written.
    #[must_use]
    pub fn digest(&self) -> String {
        of(self)
    }
}
