//! The input of Catamaran: scenario text becomes a validated [`Plan`], once; after this door nothing is invalid.
//!
//! *Architecture invariant*: this crate knows no clock, no machine and no backend. Both backends read the same
//! [`Plan`], draw the same arrivals and demands from [`draw`], touch memory by the same schedule of [`leak`], talk over
//! connections by the same rule of [`network_work`], fork by that of [`fork_work`], and restart after a [`back_off`].

#[cfg(feature = "arbitrary")]
pub mod arbitrary;
pub mod back_off;
pub mod bare_guest;
pub mod calibration;
mod decimal;
pub mod diagnostic;
mod digest;
pub mod draw;
pub mod edit;
pub mod explain;
pub mod file_work;
pub mod fork_work;
mod josa;
mod lang;
pub mod leak;
pub mod network_work;
mod parse;
mod placement;
pub mod plan;
pub mod platform;
pub mod quantity;
mod schema;
pub mod weight;

pub use calibration::Calibration;
pub use decimal::QuantityError;
pub use diagnostic::Diagnostic;
pub use explain::explain;
pub use josa::Josa;
pub use lang::Lang;
pub use plan::Plan;
pub use platform::Platform;
pub use quantity::{Bytes, BytesPerSecond, MilliCpu, Nanos};
