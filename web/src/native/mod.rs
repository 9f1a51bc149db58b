//! Native reports laid over a simulation: dropped on the page, or run through `catamaran serve`.

mod compared;
mod drop_zone;
mod overlay;
mod recorded;
mod run_here;
mod serve;

pub use compared::Compared;
pub use drop_zone::{DropZone, with_code};
pub use overlay::{Mismatch, NativeRun, Refused, read};
pub use recorded::RecordedRun;
pub use run_here::RunHere;
