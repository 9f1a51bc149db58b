//! What follows from the laws alone, and not from this model of them.

#![allow(clippy::panic, reason = "helpers of tests panic as tests do")]

mod bare;
mod chains;
mod clash;
mod common;
mod density;
mod disk;
mod drain;
mod events;
mod forks;
mod guests;
mod layers;
mod locks;
mod memory;
mod migration;
mod network;
mod nice;
mod nodes;
mod pull;
mod queueing;
mod refused;
mod servers;
mod shares;
mod sharing;
mod speed;
mod steps;
mod virtio;
