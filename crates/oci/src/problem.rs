//! Why something could not be done.

/// What is wrong, where, and what to do about it. Every problem ends a command with exit code 1, as runc's do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The configuration asks for something that the specification or this runtime does not allow.
    #[error("config.json: {at}: {found}; {accepted}")]
    Config {
        /// JSON path: `linux.resources.cpu.quota`.
        at: String,
        /// What stands there.
        found: String,
        /// What could, and what to do.
        accepted: String,
    },
    /// The kernel refused something.
    #[error("{what}: {why}")]
    System {
        /// What was done, and to what.
        what: String,
        /// What the kernel answered, with a remedy where one is known.
        why: String,
    },
    /// The process inside of the container gave up.
    #[error("{0}")]
    Inside(String),
    /// A command does not fit the container: unknown, already there, in another state.
    #[error("{0}")]
    Usage(String),
}

impl Problem {
    /// A value of the configuration at the JSON path `at`.
    #[must_use]
    pub fn config(at: impl Into<String>, found: impl Into<String>, accepted: impl Into<String>) -> Self {
        Self::Config { at: at.into(), found: found.into(), accepted: accepted.into() }
    }

    /// Something that the kernel refused.
    #[must_use]
    pub fn system(what: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self::System { what: what.into(), why: why.to_string() }
    }
}
