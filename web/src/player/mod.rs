//! The play head: play, pause, step, rewind, scrub, zoom.

mod clock;
mod controls;
mod keys;
mod state;

pub use clock::{Motion, use_player};
pub use controls::Controls;
pub use keys::{KeyHelp, action_of_key};
pub use state::{Action, Player, SPEEDS, WINDOWS};
