//! The output of Catamaran: the [`Report`] both backends answer with, the [`Timeline`] a simulation can add, statistics,
//! comparison and charts.

pub mod backend;
pub mod report;
pub mod timeline;

pub use backend::{Backend, RunError};
pub use report::Report;
pub use timeline::Timeline;
