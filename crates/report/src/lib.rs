//! The output of Catamaran: the [`Report`] both backends answer with, the [`Timeline`] a simulation can add, statistics,
//! comparison and charts.

pub mod advice;
pub mod backend;
mod build;
pub mod charts;
pub mod compare;
pub mod cost;
pub mod json;
pub mod metric;
pub mod process;
pub mod report;
pub mod statistics;
pub mod summary;
pub mod timeline;
pub mod why;
pub mod words;

pub use backend::{Backend, RunError};
pub use json::ReportError;
pub use metric::{Metric, Unit};
pub use process::ProcessRow;
pub use report::Report;
pub use timeline::Timeline;

#[cfg(test)]
mod tests;
