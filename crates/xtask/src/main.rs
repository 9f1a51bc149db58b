//! seam
fn main() {}
