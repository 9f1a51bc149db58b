//! Room 1: produces demand, knows no machine.

mod attend;
mod draws;
mod figures;
mod filer;
mod forker;
mod leaker;
mod lock;
mod locked;
mod program;
mod server;
mod talker;

pub(crate) use draws::Exponential;
pub(crate) use filer::{FileOp, InLayer};
pub(crate) use program::{Action, Program};
pub(crate) use server::Served;
pub(crate) use talker::Talk;
