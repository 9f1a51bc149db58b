//! Why a command ends without success, and the exit code that follows from it.

use std::io;
use std::process::ExitCode;

use catamaran_report::RunError;
use catamaran_scenario::Diagnostic;

/// One clear error; each kind has its exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Bad input or usage (1).
    Input(String),
    /// The platform is not to be had here (2).
    Unavailable(String),
    /// The work was begun and failed (3).
    Failed(String),
    /// Interrupted by the user, everything cleaned up (130).
    Interrupted,
    /// Nobody reads standard output any more, as in `catamaran … | head`: not an error (0).
    BrokenPipe,
}

impl Failure {
    /// Bad input or usage.
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::Input(message.into())
    }

    /// The exit code of the contract.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::BrokenPipe => 0,
            Self::Input(_) => 1,
            Self::Unavailable(_) => 2,
            Self::Failed(_) => 3,
            Self::Interrupted => 130,
        }
    }

    /// What standard error gets; nothing where there is nothing to say.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::BrokenPipe => None,
            Self::Input(message) | Self::Unavailable(message) | Self::Failed(message) => Some(message),
            Self::Interrupted => Some("interrupted; everything was cleaned up"),
        }
    }
}

impl From<&Failure> for ExitCode {
    fn from(failure: &Failure) -> Self {
        Self::from(failure.code())
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Unsupported { .. } | RunError::BadInput { .. } => Self::Input(error.to_string()),
            RunError::Unavailable { .. } => Self::Unavailable(error.to_string()),
            RunError::Failed { .. } => Self::Failed(error.to_string()),
            RunError::Interrupted => Self::Interrupted,
        }
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        let text = diagnostic.to_string();
        // The label is the terminal's to write, in its colour.
        Self::input(text.strip_prefix("error: ").unwrap_or(&text))
    }
}

/// What writing to standard output can end in.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::BrokenPipe
        } else {
            Self::Failed(format!("cannot write to standard output: {error}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use catamaran_scenario::Platform;

    use super::*;

    #[test]
    fn every_kind_has_the_exit_code_of_the_contract() {
        let text = String::new;
        let unsupported =
            RunError::Unsupported { field: text(), backend: "native", what: text(), advice: text() };
        let unavailable = RunError::Unavailable { platform: Platform::Vm, why: text(), remedy: text() };
        let failed = RunError::Failed { what: text(), advice: text() };
        let table = [
            (Failure::from(unsupported), 1),
            (Failure::from(unavailable), 2),
            (Failure::from(failed), 3),
            (Failure::from(RunError::Interrupted), 130),
            (Failure::from(io::Error::from(io::ErrorKind::BrokenPipe)), 0),
            (Failure::from(io::Error::from(io::ErrorKind::StorageFull)), 3),
            (Failure::input("x"), 1),
        ];
        for (failure, code) in table {
            assert_eq!(failure.code(), code, "{failure:?}");
        }
    }
}
