//! A container in twelve system calls: the trace of our own runtime, call by call, beside who sees what.

mod card;
mod page;
mod trace;

pub use card::ContainerCard;
pub use page::ContainerPage;
