//! The picture with its play head: lanes under one axis, the legend, the latencies.

mod announce;
mod asked;
mod chain;
mod family;
mod layers;
mod legend;
mod memory;
mod notice;
mod scene;
mod servers;
mod sight;
mod steal;
mod view;
mod weight;

pub use announce::{describe_change, describe_moment};
pub use legend::Legend;
pub use notice::{Notice, failure_text};
pub use view::Stage;
