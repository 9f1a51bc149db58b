//! What is carried out differently than it was asked for, without being refused.

/// Said on standard error; the command goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("config.json: {at}: {what}")]
pub struct Warning {
    /// JSON path: `process.capabilities.bounding`.
    pub at: String,
    /// What stands there, and what became of it.
    pub what: String,
}

impl Warning {
    /// About the value at the JSON path `at`.
    #[must_use]
    pub fn new(at: impl Into<String>, what: impl Into<String>) -> Self {
        Self { at: at.into(), what: what.into() }
    }
}
