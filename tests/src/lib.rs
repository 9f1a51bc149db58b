//! What the tests across crates share.

pub mod golden;
pub mod shipped;
pub mod speed;
