//! `create`: everything but the start.

use super::new::{By, New, make};
use crate::{Problem, Warning};

/// Makes a container that waits for `start`.
///
/// # Errors
/// Whatever keeps it from being made; then nothing is left of it.
pub fn create(new: &New, warnings: &mut Vec<Warning>) -> Result<(), Problem> {
    make(new, By::Other, warnings).map(drop)
}
