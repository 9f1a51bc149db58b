//! Small parts that know nothing of lessons or simulations.

mod copy;
mod download;
mod frames;
mod width;

pub use copy::CopyButton;
pub use download::{download, svg_text};
pub use frames::FrameLoop;
pub use width::use_width;
