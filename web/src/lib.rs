//! The page of Catamaran: lessons that run the simulator in a web worker.
//!
//! *Architecture invariant*: the page computes nothing that a backend should answer. It draws what the simulator (or a
//! native report) says, and keeps everything that decides the picture in the link.

pub mod app;
pub mod charts;
pub mod container;
pub mod duel;
pub mod format;
pub mod home;
pub mod i18n;
pub mod lesson;
pub mod link;
pub mod native;
pub mod picture;
pub mod player;
pub mod sim;
pub mod stage;
pub mod widgets;
