//! The era duel: one load on a physical server, in virtual machines and in containers, at the same moment.

mod card;
mod controls;
mod figures;
mod film;
mod legend;
mod memory;
mod page;
mod pane;
mod real;
mod reports;
mod settings;
mod spoken;
mod start;
mod state;
mod table;

pub use card::DuelCard;
pub use page::DuelPage;
