//! The home page.

mod cards;
mod hero;
mod page;

pub use page::HomePage;
