//! What a tenant asks of memory.

use serde::Serialize;

use crate::Bytes;

/// `tenant.memory`, all in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Memory {
    /// Booked only.
    pub request: Option<Bytes>,
    /// `memory.max`.
    pub limit: Option<Bytes>,
    /// `memory.high`.
    pub high: Option<Bytes>,
    /// `memory.swap.max`.
    pub swap: Option<Bytes>,
    /// `/proc/PID/oom_score_adj` of its processes, -1000 to 1000.
    #[serde(skip_serializing_if = "is_default")]
    pub oom_score_adj: i32,
    /// `memory.oom.group`.
    #[serde(skip_serializing_if = "is_default")]
    pub oom_group: bool,
}

/// Whether a field that came later has the value that scenarios without it have: their digests stay as they were.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
