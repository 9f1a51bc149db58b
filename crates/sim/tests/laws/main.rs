//! What follows from the laws alone, and not from this model of them.

#![allow(clippy::panic, reason = "helpers of tests panic as tests do")]

mod common;
mod density;
mod events;
mod guests;
mod memory;
mod nodes;
mod queueing;
mod refused;
mod shares;
