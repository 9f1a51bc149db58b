//! What the charts draw, worked out from a simulation's report and timeline. Knows no DOM.

mod chain;
mod columns;
pub mod family;
mod histogram;
mod layers;
mod memory;
mod queue;
mod recording;
mod servers;
pub mod sight;
mod strip;
mod vcpus;
mod view;
mod weight;
mod why;

pub use chain::{Branch, ChainFilm, Contract, MeasuredStart, Standing, maps_users};
pub use columns::{Column, columns};
pub use histogram::{Bin, Histogram, LogAxis, log_ticks};
pub use layers::{Coming, LayerView, Pile, layer_changes, piles};
pub use memory::{Kill, MemoryFilm, MemoryMoment};
pub use queue::{Step, queue_steps};
pub use recording::{Recording, Run};
pub use servers::{ServerUse, servers};
pub use strip::{Stretch, stretches};
pub use vcpus::{Vcpu, shares, vcpus};
pub use view::{Chunk, Scale, View, ticks};
pub use weight::{Part, Weight, view_of_starts};
pub use why::{Moment, moments, request_of_rank};

#[cfg(test)]
pub(crate) mod tests_support;
