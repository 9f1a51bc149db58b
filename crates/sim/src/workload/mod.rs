//! Room 1: produces demand, knows no machine.

mod leaker;
mod program;
mod server;

pub(crate) use program::{Action, Program};
pub(crate) use server::Served;
