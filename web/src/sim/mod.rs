//! Simulations, all of which run in a web worker: the page stays responsive however long they take.

mod bench;
mod client;
mod eras;
mod library;
mod protocol;
mod worker;

pub use bench::{Bench, Wanted, use_bench};
pub use client::Client;
pub use eras::{Eras, use_eras};
pub use library::{Library, use_library};
pub use protocol::{Answer, Answered, Failure, Request};
pub use worker::serve;
