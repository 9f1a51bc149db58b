//! Why something is no image.

use std::io;

use rustix::io::Errno;

/// What is wrong, and with whom.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The image is not there, or not one that may be taken.
    #[error("{what}")]
    Bad {
        /// Where, and what was found.
        what: String,
        /// What to do.
        advice: &'static str,
    },
    /// The machine does not let us: what was done to which file, and the kernel's answer.
    #[error("{0}")]
    Machine(String),
}

/// What comes of an image.
pub type Result<T> = std::result::Result<T, Error>;

/// What to do about an archive that is broken.
const SAVE_AGAIN: &str = "save the image again";

impl Error {
    pub(crate) fn bad(what: impl Into<String>) -> Self {
        Self::Bad { what: what.into(), advice: SAVE_AGAIN }
    }

    pub(crate) fn advised(what: impl Into<String>, advice: &'static str) -> Self {
        Self::Bad { what: what.into(), advice }
    }

    /// Of a call of the kernel, by what was done: what a name or a link has to answer for is the image's fault, all else the machine's.
    pub(crate) fn of(what: &str, path: &str) -> impl Fn(Errno) -> Self {
        move |error| {
            let said = format!("cannot {what} {path}: {}", io::Error::from(error));
            match error {
                Errno::NAMETOOLONG | Errno::NOENT | Errno::LOOP | Errno::INVAL | Errno::MLINK => {
                    Self::bad(said)
                }
                _ => Self::Machine(said),
            }
        }
    }

    /// The same, with where it was found before it.
    #[must_use]
    pub fn within(self, place: &str) -> Self {
        match self {
            Self::Bad { what, advice } => Self::Bad { what: format!("{place}: {what}"), advice },
            Self::Machine(what) => Self::Machine(format!("{place}: {what}")),
        }
    }
}
