//! What an event is called, and whom it meets.

use super::Action;

impl Action {
    /// What it is called, in reports as in scenarios.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Scale { .. } => "scale",
            Self::Kill { .. } => "kill",
            Self::FailNode { .. } => "fail-node",
            Self::Drain { .. } => "drain",
            Self::Update { .. } => "update",
            Self::SetLimit { .. } => "set-limit",
            Self::Migrate { .. } => "migrate",
            Self::Partition { .. } => "partition",
        }
    }

    /// Name of the tenant that it meets; none for a node.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        match self {
            Self::Scale { target, .. }
            | Self::Kill { target }
            | Self::Update { target, .. }
            | Self::Migrate { target, .. }
            | Self::SetLimit { target, .. } => Some(target),
            Self::FailNode { .. } | Self::Drain { .. } | Self::Partition { .. } => None,
        }
    }
}
