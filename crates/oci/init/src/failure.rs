//! Why the process of a container gave up, said once, to the runtime.

use std::fmt::Display;

/// What was done, and what the kernel answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) String);

pub(crate) type Done<T = ()> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(what: impl Display, why: impl Display) -> Self {
        Self(format!("{what}: {why}"))
    }
}

/// Says of an error what was done.
pub(crate) trait During<T> {
    fn during(self, what: impl FnOnce() -> String) -> Done<T>;
}

impl<T, E: Display> During<T> for Result<T, E> {
    fn during(self, what: impl FnOnce() -> String) -> Done<T> {
        self.map_err(|error| Failure::new(what(), error))
    }
}
