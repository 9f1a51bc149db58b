//! A lesson: seven beats beside the picture.

mod advice;
mod beats;
mod bet;
mod debrief;
mod export;
mod goal;
mod knob;
mod knobs;
mod order;
mod page;
mod picks;
mod progress;
mod prose;
mod real;
mod settings;
mod state;
mod why;

pub use page::LessonPage;
pub use progress::{Progress, stored_progress};
pub use settings::{Edit, History, Settings, changed};
