//! What the command line asks for, one file each.

mod create;
mod delete;
mod events;
mod exec;
mod features;
mod kill;
mod list;
mod new;
mod pause;
mod ps;
mod run;
mod spec;
mod start;
mod state;
mod update;

pub use create::create;
pub use delete::delete;
pub use events::{follow, statistics};
pub use exec::{Exec, exec};
pub use features::features;
pub use kill::{kill, parse_signal};
pub use list::{Row, list};
pub use new::New;
pub use pause::{pause, resume};
pub use ps::ps;
pub use run::run;
pub use spec::spec;
pub use start::start;
pub use state::state;
pub use update::update;
