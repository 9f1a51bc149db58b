//! The lesser and the greater of two numbers, neither of which is "not a number".
//!
//! **How.** `f64::min` and `f64::max` say what becomes of what is not a number, which no instruction of WebAssembly says alike:
//! there each of them is a call.

/// The lesser one.
#[inline]
pub(crate) fn lesser(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}

/// The greater one.
#[inline]
pub(crate) fn greater(a: f64, b: f64) -> f64 {
    if b > a { b } else { a }
}
