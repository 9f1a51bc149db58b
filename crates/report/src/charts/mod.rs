//! Charts as SVG text: drawn with plotters, without a file system and without a DOM (texts are placed by their anchor and
//! never measured, since plotters measures through the page in WebAssembly and there is none in a worker).
//!
//! Light by default, dark where the viewer asks for it; colours from the palette of Okabe and Ito, which people with any
//! kind of colour vision can tell apart, and never colour alone.

mod accuracy;
mod axis;
mod canvas;
mod ccdf;
mod comparison;
mod dots;
mod gantt;

pub use accuracy::accuracy;
pub use canvas::ChartError;
pub use comparison::comparison;
pub use gantt::gantt;
