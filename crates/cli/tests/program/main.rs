//! The real program, as a person would use it and misuse it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect by panicking"
)]

mod advise;
mod answers;
mod common;
mod exit_codes;
mod serve;
mod starts;
mod strace;
mod sweep;
mod trace;
mod wrong_input;
