//! Room 1: produces demand, knows no machine.

mod draws;
mod filer;
mod leaker;
mod lock;
mod locked;
mod program;
mod server;

pub(crate) use draws::Exponential;
pub(crate) use filer::FileOp;
pub(crate) use program::{Action, Program};
pub(crate) use server::Served;
