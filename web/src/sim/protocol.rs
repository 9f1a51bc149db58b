//! What the page and its worker say to one another, as postcard bytes.

use catamaran_report::{Report, Timeline};
use catamaran_scenario::Platform;
use serde::{Deserialize, Serialize};

/// A simulation that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Comes back with the answer.
    pub id: u32,
    /// TOML.
    pub scenario: String,
    /// On which platform.
    pub platform: Platform,
    /// Whether the timeline is wanted too.
    pub timeline: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Of the request.
    pub id: u32,
    /// The simulation, or why there is none.
    pub result: Result<Answered, Failure>,
}

/// A simulation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// The report.
    pub report: Report,
    /// The timeline; empty where it was not wanted.
    pub timeline: Timeline,
}

/// Why there is no simulation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// The scenario is not valid, or asks for what the simulator can't do; in words, with what to do.
    Refused(String),
    /// The worker broke, or could not be started; what the browser said.
    Broken(String),
}
