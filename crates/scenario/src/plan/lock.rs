//! Locks that threads share.

use serde::Serialize;

use crate::Nanos;

/// A lock that is waited for by spinning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Lock {
    /// What each thread computes between two turns at it (ns at the speed of one busy core), above 0.
    pub every: Nanos,
    /// What it computes while it holds it (ns), above 0.
    pub hold: Nanos,
}
