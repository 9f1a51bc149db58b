//! What follows from the laws alone, and not from this model of them.

#![allow(clippy::panic, reason = "helpers of tests panic as tests do")]

mod chains;
mod clash;
mod common;
mod density;
mod disk;
mod events;
mod guests;
mod memory;
mod nice;
mod nodes;
mod pull;
mod queueing;
mod refused;
mod servers;
mod shares;
mod speed;
mod steps;
