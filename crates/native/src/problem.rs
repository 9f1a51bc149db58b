//! Why a run could not go on, before it is known on which platform it was: what and what to do.

use catamaran_report::RunError;
use catamaran_scenario::Platform;

/// What stopped a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// Something went wrong: what, naming the mechanism, and what to do.
    Failed(String, String),
    /// This machine does not offer what the platform needs: why, and how to get it.
    Unavailable(String, String),
    /// The user wants no more.
    Interrupted,
}

impl Problem {
    pub(crate) fn new(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Failed(what.into(), advice.into())
    }

    pub(crate) fn unavailable(why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Unavailable(why.into(), remedy.into())
    }

    /// The same, where what failed is what the platform needs of the machine.
    pub(crate) fn into_unavailable(self) -> Self {
        match self {
            Self::Failed(what, advice) => Self::Unavailable(what, advice),
            other => other,
        }
    }

    /// What happened, without what to do about it.
    pub(crate) fn what(self) -> String {
        match self {
            Self::Failed(what, _) | Self::Unavailable(what, _) => what,
            Self::Interrupted => "interrupted".to_owned(),
        }
    }

    pub(crate) fn on(self, platform: Platform) -> RunError {
        match self {
            Self::Failed(what, advice) => RunError::Failed { what, advice },
            Self::Unavailable(why, remedy) => RunError::Unavailable { platform, why, remedy },
            Self::Interrupted => RunError::Interrupted,
        }
    }
}
