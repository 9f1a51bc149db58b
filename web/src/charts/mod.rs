//! The pictures, as SVG: lanes that share one axis of time, and the histogram.

mod axis;
mod chain;
mod family;
mod gantt;
mod gantt_table;
mod guests;
mod histogram;
mod lane;
mod layers;
mod memory;
#[cfg(test)]
mod palette;
mod patterns;
mod quota;
mod servers;
mod steal;
mod waiting;
mod weight;
mod years;

pub use axis::Axis;
pub use chain::ProcessTree;
pub use family::FamilyTree;
pub use gantt::Gantt;
pub use gantt_table::GanttTable;
pub use guests::GuestLanes;
pub use histogram::{HistogramChart, Overlay};
pub use lane::{Frame, Lane, Layer};
pub use layers::LayerLanes;
pub use memory::{MemoryBar, MemoryLane};
pub use patterns::{Patterns, Swatch, tenant_fill};
pub use quota::Strip;
pub use servers::ServerBar;
pub use steal::StealBar;
pub use waiting::Waiting;
pub use weight::{Blocks, RoomBar, StartLane, part_look};
pub use years::{ReleaseLanes, YearAxis};

/// Colours and texts of the charts, written into exported drawings too.
pub const STYLES: &str = include_str!("../../styles/charts.css");
