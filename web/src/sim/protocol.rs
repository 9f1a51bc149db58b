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
    /// The report; as JSON, because some of its fields are left out where they say nothing, and postcard, which does not name
    /// what it writes, could not tell what is missing.
    #[serde(with = "as_json")]
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

mod as_json {
    use catamaran_report::Report;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(report: &Report, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&report.to_json())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Report, D::Error> {
        Report::from_json(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::tests_support::report;

    #[test]
    fn an_answer_is_read_as_it_was_written_whatever_fields_its_report_leaves_out() {
        for nodes in [None, Some(3)] {
            let mut report = report();
            report.host.nodes = nodes;
            report.elapsed_s = 0.1 + 0.2;
            let answer = Answer { id: 7, result: Ok(Answered { report, timeline: Timeline::default() }) };
            let bytes = postcard::to_allocvec(&answer).unwrap();
            assert_eq!(postcard::from_bytes::<Answer>(&bytes).unwrap(), answer, "{nodes:?}");
        }
    }
}
